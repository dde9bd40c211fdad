"""The operators' socket: an operator's commands without a nickname, and nobody sees them come."""

import os
import socket
import stat
from pathlib import Path

import pytest
import trio

from admin_socket import ask, texts, user
from irc_peers import irc_peer, settings
from peers import House, Peer, running
from trio_chat.app import open_log
from trio_chat.core.views import People, UserView
from trio_chat.errors import CannotListen
from trio_chat.protocols.admin import AdminSession
from trio_chat.protocols.invitation import Invitation, write_token
from trio_chat.server import service
from trio_chat.server.server import Server
from trio_chat.settings import OpsSettings, Settings

PASSWORD = "correct-horse"
NOBODY = 65534

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can come as somebody else")


def chosen(path: object = "") -> Settings:
    ops = OpsSettings(admin=str(path))
    return settings().model_copy(update={"ops": ops})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "admin"


async def test_who_is_here_and_which_rooms_there_are(house: House, path: Path) -> None:
    await house.people("alice", "bob")
    await (await irc_peer(house, "carol")).say("JOIN #tea", "JOIN #secret", "MODE #secret +s")
    await house.peers[-1].until("MODE #secret +s")
    people = {told["nick"]: told for told in await ask(path, "who")}
    assert [*people] == ["alice", "bob", "carol"]  # and nobody else
    assert people["alice"]["rooms"] == ["#lobby"]
    assert people["carol"]["rooms"] == ["#lobby", "@#tea", "@#secret"]
    assert people["alice"]["text"].startswith("alice in #lobby, from ")
    assert [told["nick"] for told in await ask(path, "who #tea")] == ["carol"]
    rooms = await ask(path, "/rooms")
    assert {told["room"]: told["members"] for told in rooms} == {
        "#lobby": 3, "#tea": 1, "#secret": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("rooms", "No rooms are open."),
        ("who", "Nobody is in the chat."),
        ("who bob", "Nobody was found for bob."),
        ("who b*", "Nobody was found for b*."),
        ("who 203.0.113.0/24", "Nobody was found for 203.0.113.0/24."),
        ("who #tea", "There is nobody in #tea."),
        ("#tea who", "There is nobody in #tea."),
        ("uban", "There are no bans."),
        ("reports", "Nothing was reported."),
        ("audit", "Operators have done nothing there."),
        ("invitation list", "No invitation has been used."),
    ],
)
async def test_a_list_with_nothing_in_it_says_so(
    house: House, path: Path, line: str, told: str
) -> None:
    assert await ask(path, line) == [{"type": "notice", "text": told}]


def test_that_is_said_of_all_parts_of_a_list() -> None:
    session = AdminSession(1000)
    session.receive_data(b"who al*\n" * 2)
    for found in (False, True):
        session.next_run()
        session.reply(People("al*", (), more=True))
        session.reply(People("al*", (UserView("alice"),) * found, more=True))
        assert bool(session.data_to_send()) == found
        session.reply(People("al*", ()))
        assert (b"Nobody was found" in session.data_to_send()) != found


async def test_nobody_sees_who_comes_that_way(house: House, path: Path) -> None:
    carol = await irc_peer(house, "carol")
    before = await carol.messages("LUSERS")
    async with await trio.open_unix_socket(str(path)) as stream:
        await stream.send_all(b"rooms\nwho\n")
        assert b"carol" in await stream.receive_some()
        assert await carol.messages("LUSERS") == before
        seen = await carol.messages("WHO *")
    assert [reply.params[5] for reply in seen if reply.command == "352"] == ["carol"]


async def test_rooms_are_repaired_from_there(house: House, path: Path) -> None:
    alice, bob = await house.people("alice", "bob")
    told = ["chat.local kicked bob out of #lobby: spam"]
    assert await texts(path, "#lobby kick bob spam") == told
    assert "*** chat.local kicked bob out of #lobby: spam\n" in await alice.until("bob left!\n")
    await bob.until("bob left!\n")
    assert await texts(path, "#lobby topic Be kind.") == ["chat.local set the topic: Be kind."]
    await alice.until("*** chat.local set the topic: Be kind.\n")
    assert await texts(path, "kick bob", "#nowhere kick bob") == [
        "Of which room? It comes first: #tea kick bob",
        "There is nobody in #nowhere.",
    ]


async def test_a_room_that_nobody_is_in_is_repaired_as_well(house: House, path: Path) -> None:
    alice = await irc_peer(house, "alice", "message-tags", rooms="#tea")
    await alice.news("PRIVMSG #tea :a password", "BAN #tea bob!*@* spam", "PART #tea")
    assert await texts(path, "rooms") == ["No rooms are open."]
    [ban] = await texts(path, "#tea bans")
    assert "bob!*@* may not come in for good" in ban
    done = await texts(path, "#tea remove last alice a secret", "#tea unban 1", "#tea topic Tea.")
    assert done == [
        "A message of alice's was removed by chat.local (a secret).",
        "Removed in #tea: a password",
        "chat.local lifted the ban on bob!*@*.",
        "chat.local set the topic: Tea.",
    ]
    assert await texts(path, "#tea rename #chai", "#chai topic", "#tea topic") == [
        "chat.local renamed #tea to #chai.",
        "The topic of #chai: Tea.",
        "There is nobody in #tea.",
    ]
    bob = await irc_peer(house, "bob", rooms="#chai")
    assert "password" not in "".join(await bob.news("CHATHISTORY LATEST #chai * 9"))


async def test_somebody_is_disconnected(house: House, path: Path) -> None:
    alice, bob = await house.people("alice", "bob")
    [told] = await texts(path, "kill bob enough now")
    assert told == "chat.local disconnected bob: enough now"
    assert await bob.rest() == "*** Killed (chat.local (enough now))\n"
    await alice.until("bob left!\n")
    [refused] = await ask(path, "kill bob again")
    assert refused == {
        "type": "refused", "text": "Nobody here is called bob.", "code": "no_such_nick",
    }  # fmt: skip


async def test_an_operator_is_made_none_and_stays_none(house: House, path: Path) -> None:
    """Here at once, and not by the same invitation again."""
    given = write_token(b"a key", Invitation("00" * 8, 0xFFFFFFFF, 2, operator=True))
    al = await house.connect("al")
    await al.send(f"/register {PASSWORD}\n/invitation {given}\n".encode())
    await al.until("You are an operator of this server now.\n")
    told = ["al is no operator of this server any more."]
    assert await texts(path, "account demote AL") == told
    await al.until("*** You are no operator of this server any more.\n")
    await al.send(f"/invitation {given}\n".encode())
    await al.until("*** That invitation was revoked.\n")
    assert await texts(path, "account demote al", "account demote bo") == [
        "al is no operator of this server.",
        "There is no account bo.",
    ]
    done = "".join(await texts(path, "audit al"))
    assert " made al no operator of this server any more." in done


async def test_who_has_forgotten_a_password_is_let_in_once(house: House, path: Path) -> None:
    alice = await house.connect("alice")
    await alice.send(f"/register {PASSWORD}\n/quit\n".encode())
    await alice.rest()
    told, _ = await texts(path, "account reset ALICE")
    login = told.removeprefix("Tell the owner of alice: ").partition(",")[0]
    assert login.startswith("/login alice ")
    for password, answer in (("another-horse", "has been changed"), ("a-third-horse", "not the")):
        alice = await house.connect()
        await alice.send(f"{login}\n/password {password}\n/quit\n".encode())
        assert answer in await alice.rest()
    alice = await house.connect()
    await alice.send(b"/login alice another-horse\n/quit\n")
    assert "You are alice in #lobby" in await alice.rest()
    assert await texts(path, "account reset bob") == ["There is no account bob."]


async def registered(house: House) -> Peer:
    alice = await house.connect("alice")
    await alice.send(f"/register {PASSWORD}\n".encode())
    await alice.until("Your nickname is yours now.")
    return alice


async def test_of_two_who_show_the_secret_of_a_reset_at_once_one_is_let_in(
    house: House, path: Path
) -> None:
    await (await registered(house)).send(b"/quit\n")
    told, _ = await texts(path, "account reset alice")
    secret = told.rpartition("/login alice ")[2].partition(",")[0]
    peers = [await irc_peer(house) for _ in range(4)]
    for number, peer in enumerate(peers):
        await peer.say(f"PASS alice:{secret}", f"NICK a{number}", "USER a 0 * :A", "JOIN #tea")
        await peer.say("QUIT")
    heard = [await peer.rest() for peer in peers]
    assert sorted(" 900 " in text for text in heard) == [False, False, False, True]
    assert sum("Set a new password now" in text for text in heard) == 1
    shown = await irc_peer(house, "eve", secret=secret)
    assert not any(" 330 " in line for line in await shown.news("WHOIS eve"))


async def test_an_account_is_deleted(house: House, path: Path) -> None:
    alice, bob = await registered(house), await house.connect("bob")
    assert await texts(path, "account delete ALICE") == [
        "The account alice is deleted. Nobody else can have its name."
    ]
    assert "You were logged out from elsewhere. Goodbye!" in await alice.rest()
    await bob.send(f"/login alice {PASSWORD}\n/nick alice\n/account alice\n".encode())
    await bob.until("Cannot log in as alice: that is not the password.")
    await bob.until("the name of a deleted account")
    await bob.until("There is no account alice.")
    assert await texts(path, "account delete alice") == ["There is no account alice."]
    assert any(" deleted the account alice." in line for line in await texts(path, "audit"))


async def test_what_is_for_people_in_the_chat_is_refused(house: House, path: Path) -> None:
    lines = (
        "join #tea", "msg bob hi", "nick bob", "register correct-horse", "login a b", "logout",
        "invitation " + 43 * "x", "token new x", "password correct-horse",
    )  # fmt: skip
    for line in lines:
        [told] = await ask(path, line)
        assert told["type"] == "refused", line
    assert (await texts(path, "help"))[0].startswith("help")


async def test_an_unfinished_and_an_endless_line(house: House, path: Path) -> None:
    async with await trio.open_unix_socket(str(path)) as stream:
        await stream.send_all(b"account nobody")
        await stream.send_eof()
        assert "There is no account nobody." in await Peer(stream).rest()
    [told] = await ask(path, "announce " + 5000 * "x")
    assert told["text"] == "That line was too long."
    assert {told["code"] for told in await ask(path, 2_000_000 * "x")} == {"too_long"}


@pytest.mark.parametrize(
    ("line", "refusal"),
    [
        ("kill bob", "Usage: kill NAME WHY"),
        ("audit x y z", "Usage: audit [ROOM|NAME] [N]"),
        ("/kil bob", "There is no command kil. Did you mean kill? help lists all of them."),
        ("#lobby unban 3", "There is no ban 3 in #lobby. bans lists them."),
    ],
)
async def test_commands_are_named_as_they_are_typed(
    house: House, path: Path, line: str, refusal: str
) -> None:
    await house.people("alice")
    assert await texts(path, line) == [refusal]


async def test_how_a_ban_is_undone_is_told_as_it_is_typed(house: House, path: Path) -> None:
    await house.people("alice")
    told = " ".join(await texts(path, "uban *!*@*"))
    assert " uban del 1 lifts it." in told
    assert ", or with lock off." in " ".join(await texts(path, "lock"))


async def test_the_audit_is_of_the_room_that_is_named(house: House, path: Path) -> None:
    await house.people("alice", "bob")
    await ask(path, "#lobby kick bob spam", "lock 1h", "#lobby topic Tea.")
    [*_, kicked, topic] = await texts(path, "#lobby audit")
    assert (" kicked bob " in kicked, " set the topic: " in topic) == (True, True)
    assert await texts(path, "#lobby audit 1") == [topic]
    [locked] = await texts(path, "audit 1")
    assert " locked this chat" in locked


async def test_operators_hear_an_announcement(house: House, path: Path) -> None:
    alice = await irc_peer(house, "alice")
    await alice.say("MODE alice +w")
    await alice.until("MODE alice +w")
    assert await texts(path, "announce tea is ready") == ["chat.local announces: tea is ready"]
    await alice.until(" WALLOPS :tea is ready\r\n")


# ── the socket ─────────────────────────────────────────────────────────────────────────────────


async def test_only_its_own_user_may_reach_it(house: House, path: Path) -> None:
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(path.parent).st_mode) == 0o700


NOT_FOR_YOU = "Only root and the user that runs the server are operators here."


async def test_another_user_is_turned_away(
    house: House, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uid = os.geteuid()
    monkeypatch.setattr(service, "_ROOT", uid + 1)
    monkeypatch.setattr(os, "geteuid", lambda: uid + 2)
    assert await texts(path) == [NOT_FOR_YOU]


@only_root
async def test_the_kernel_says_who_comes(
    house: House,
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Somebody who can reach the socket, since its modes were changed, is still no operator."""
    os.chmod(path, 0o666)  # noqa: S103
    os.chmod(path.parent, 0o711)  # noqa: S103
    monkeypatch.chdir(path.parent)  # the folders above let nobody in
    raw = socket.socket(socket.AF_UNIX)
    os.seteuid(NOBODY)
    try:
        raw.connect(path.name)
    finally:
        os.seteuid(0)
    raw.setblocking(False)
    async with trio.SocketStream(trio.socket.from_stdlib_socket(raw)) as stream:
        assert NOT_FOR_YOU in await Peer(stream).rest()
    assert f"turned away from the operators' socket: user {NOBODY}" in caplog.text


@only_root
async def test_root_is_an_operator_of_anybodys_server(
    house: House, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    assert await texts(path, "account nobody") == ["There is no account nobody."]


async def test_another_unix_socket_gives_no_rights(tmp_path: Path) -> None:
    other = tmp_path / "chat"
    async with running(settings(server={"listen": f"unix:{other}"})) as house:
        bob = await house.take_in(await trio.open_unix_socket(str(other)), "bob")
        await bob.send(b"kill bob x\n/quit\n")
        assert "bob: kill bob x\n" in await bob.rest()


async def test_it_goes_with_the_server_and_one_that_is_left_is_replaced(path: Path) -> None:
    async with running(chosen(path), admin=path):
        assert await texts(path, "account nobody") == ["There is no account nobody."]
    assert os.listdir(path.parent) == []
    with trio.socket.socket(trio.socket.AF_UNIX) as left:
        await left.bind(str(path))
    async with running(chosen(path), admin=path):
        assert await texts(path, "account nobody") == ["There is no account nobody."]


@pytest.mark.parametrize("required", [True, False])
async def test_that_of_another_server_stays(
    house: House, path: Path, required: bool, caplog: pytest.LogCaptureFixture
) -> None:
    again = chosen(path) if required else settings()
    async with open_log(again) as log, trio.open_nursery() as nursery:
        server = Server(again, log, b"a key", admin=path)
        if required:
            with pytest.raises(CannotListen, match="it is in use"):
                await nursery.start(server.run)
        else:
            await nursery.start(server.run)
            assert "'trio-chat admin' cannot be used: cannot listen on unix:" in caplog.text
        nursery.cancel_scope.cancel()
    assert await texts(path, "account nobody") == ["There is no account nobody."]


async def test_bans_and_the_lock_work_from_there(house: House, path: Path) -> None:
    alice = await house.connect("alice")
    assert (
        "chat.local set ban 1: mask *!*@192.0.2.*" in (await texts(path, "uban *!*@192.0.2.* x"))[0]
    )
    assert (await texts(path, "uban list"))[0].startswith("Ban 1: ")
    await texts(path, "lock 10m raid")
    assert "chat.local locked this chat" in await alice.until("speak.\n")
    assert await texts(path, "why") == [
        "There is no command why. Did you mean who? help lists all of them."
    ]


async def test_bans_are_told_with_their_fields(house: House, path: Path) -> None:
    [banned, *_] = await ask(path, "uban 192.0.2.0/24 2h mute spam")
    told = {"number": 1, "kind": "network", "value": "192.0.2.0/24", "mute": True, "why": "spam"}
    assert told.items() <= banned.items()
    assert (banned["type"], banned["seconds"], banned["by"]) == ("banned", 7200, "chat.local")
    [ban] = await ask(path, "uban list")
    assert told.items() <= ban.items()
    assert (ban["type"], ban["since"] < ban["until"]) == ("ban", True)
    [lifted, _] = await ask(path, "uban del 1")
    assert (lifted["type"], lifted["number"]) == ("unbanned", 1)
    await house.people("alice")
    by = {"by": "chat.local", "by_account": user()}
    assert by.items() <= banned.items()
    assert by.items() <= ban.items()
    assert by.items() <= lifted.items()
    [banned] = await ask(path, "#lobby mute spam*!*@* 2h noise")
    told = {"room": "#lobby", "mask": "m:spam*!*@*", "mute": True, "why": "noise", **by}
    assert {"type": "banned", "seconds": 7200, **told}.items() <= banned.items()
    [ban] = await ask(path, "#lobby bans")
    assert {"type": "ban", "number": 1, **told}.items() <= ban.items()
    assert f", by chat.local ({user()}): noise" in ban["text"]
    [lifted] = await ask(path, "#lobby unban 1")
    assert {"type": "unbanned", "room": "#lobby", "mask": "m:spam*!*@*", **by}.items() <= (
        lifted.items()
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("uban *!*@*", {"number": 1, "hit": 2, "others": 2, "wide": True, "shuts_out": False}),
        ("uban spam*", {"number": 1, "hit": 0, "others": 2, "wide": False, "replaced": 0}),
        ("lock 10m raid", {"hit": 2, "others": 2}),
        ("#lobby ban *", {"room": "#lobby", "hit": 2, "others": 2, "spared": True}),
    ],
)
async def test_whom_a_ban_or_the_lock_hits_is_told_with_its_fields(
    house: House, path: Path, line: str, told: dict[str, object]
) -> None:
    await house.people("alice", "bob")
    _, effect, *_ = await ask(path, line)
    assert {"type": "effect", **told}.items() <= effect.items()
    assert " others here" in effect["text"] or "nobody" in effect["text"] or "room" in told


BY = {"by": "chat.local", "by_account": user()}


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("#lobby kick bob x", {"type": "kicked", "room": "#lobby", "target": "bob", "why": "x"}),
        ("#lobby topic Tea.", {"type": "topic", "room": "#lobby", "topic": "Tea."}),
        (
            "#lobby deop alice",
            {
                "type": "modes",
                "room": "#lobby",
                "changes": [{"add": False, "mode": "o", "argument": "alice"}],
            },
        ),
        ("#lobby remove last bob x", {"type": "removed", "room": "#lobby", "author": "bob"}),
        ("kill bob x", {"type": "killed", "target": "bob", "account": "", "why": "x"}),
        ("lock 10m raid", {"type": "locked", "seconds": 600, "why": "raid"}),
    ],
)
async def test_what_was_done_is_told_with_its_fields(
    house: House, path: Path, line: str, told: dict[str, object]
) -> None:
    """The sentence is what is printed without ``--json``; others may follow it."""
    [alice, bob] = [await house.connect(nick) for nick in ("alice", "bob")]
    await alice.send(f"/register {PASSWORD}\n".encode())
    await alice.until("Your nickname is yours now.")
    await bob.send(b"hello\n")
    await alice.until("bob: hello\n")
    await ask(path, "#lobby op alice")
    first, *others = await ask(path, line)
    assert {**told, **BY}.items() <= first.items()
    assert "chat.local" in first["text"]
    assert {other["type"] for other in others} <= {"notice", "effect"}


async def test_accounts_are_told_with_their_fields(house: House, path: Path) -> None:
    await registered(house)
    [account] = await ask(path, "account alice")
    assert (account["type"], account["account"], account["operator"]) == ("account", "alice", False)
    reset, notice = await ask(path, "account reset alice")
    assert (reset["type"], reset["account"], reset["hours"]) == ("reset", "alice", 72)
    assert (reset["secret"] in reset["text"], notice["type"]) == (True, "notice")
    assert (await ask(path, "account delete alice"))[0].items() >= {
        "type": "deleted", "account": "alice",
    }.items()  # fmt: skip


async def test_invitations_are_told_with_their_fields(house: House, path: Path) -> None:
    assert [one["type"] for one in await ask(path, "invitation list")] == ["notice"]
    made, *_ = await ask(path, "invitation 2 3")
    token = made["invitation"].rpartition("invite=")[2]
    assert (made["type"], made["uses"], made["days"]) == ("invited", 2, 3)
    al = await house.connect("al")
    await al.send(f"/invitation {token}\n".encode())
    await al.until("/register PASSWORD")
    [used] = await ask(path, "invitation list")
    assert (used["type"], used["used"], used["uses"], used["revoked"]) == (
        "invitation", 1, 2, False,
    )  # fmt: skip
    [revoked] = await ask(path, f"invitation revoke {used['id']}")
    assert (revoked["type"], revoked["invitation"]) == ("revoked", used["id"])
    [used] = await ask(path, "invitation list")
    assert used["revoked"] is True


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("kill bob", "bad_command"),
        ("kil bob", "bad_command"),
        ("uban spam*!*@* 2x", "bad_command"),
        ("uban 192.0.2.0/33", "bad_mask"),
        ("uban 127.0.0.1", "not_bannable"),
        ("uban nobody", "no_such_nick"),
        ("uban del 3", "no_such_ban"),
        ("#lobby unban 3", "no_such_ban"),
        ("lock off", "no_change"),
        ("mentions", "bad_command"),
        ("block bob", "bad_command"),
    ],
)
async def test_a_code_tells_why_something_is_refused(
    house: House, path: Path, line: str, code: str
) -> None:
    await house.connect("alice")
    [refused] = await ask(path, line)
    assert (refused["type"], refused["code"]) == ("refused", code)
