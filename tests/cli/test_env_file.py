"""What is believed of a ``.env`` that nobody has named, and how lines of env files are read."""

import os
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from pydantic import SecretStr

from trio_chat.cli import trust
from trio_chat.cli.configure import load
from trio_chat.cli.env_file import HARMLESS, is_harmless
from trio_chat.errors import SettingsError
from trio_chat.settings import Settings
from trio_chat.settings.described import all_settings, variable

SECRET = "0123456789abcdef"
HASH = "scrypt:15:c2FsdHNhbHRzYWx0c2FsdA==:aGFzaGhhc2hoYXNoaGFzaA=="
FOREIGN = {
    "server.listen": "0.0.0.0:6000",
    "server.password": HASH,
    "server.key": "key",
    "irc.operators": f"mallory={HASH}",
    "irc.cloak": "false",
    "limits.exempt": "192.0.2.0/24",
    "history.store": "/srv/elsewhere.db",
    "history.days": "0.001",
    "history.per_room": "1",
    "history.total_bytes": "1048576",
    "history.on_failure": "continue",
    "client.password": "hunter2",
    "client.password_command": "touch /srv/run",
    "client.identity": SECRET,
}


def folder(*lines: str) -> None:
    Path(".env").write_text("\n".join(lines) + "\n", encoding="utf-8")


def refusal(*lines: str, named: bool = False) -> str:
    folder(*lines)
    with pytest.raises(SettingsError) as caught:
        load({}, (), Path(".env") if named else None)
    return str(caught.value)


# ── a file that nobody has named ───────────────────────────────────────────────────────────


def test_what_is_harmless_is_there_and_is_no_secret():
    names = {setting.name for setting in all_settings(Settings)}
    secret = {s.name for s in all_settings(Settings) if s.field.annotation is SecretStr}
    assert not any(map(is_harmless, secret | set(FOREIGN)))
    assert [p for p in HARMLESS if not any(fnmatchcase(name, p) for name in names)] == []


@pytest.mark.parametrize(("name", "value"), FOREIGN.items())
def test_it_sets_none_of_these_unless_it_is_named(name, value):
    folder(f"{variable(name)}={value}", "TRIO_CHAT_PORT=6001")
    found = load({}, (), None)
    assert (found.origins[name], found.distrusted) == ("default", (name,))
    assert found.settings.port == 6001
    named = load({}, (), Path(".env"))
    assert (named.origins[name], named.distrusted) == (".env", ())


@pytest.mark.parametrize("name", [name for name in FOREIGN if not name.startswith("client.")])
def test_a_server_does_not_do_without(name):
    folder(f"{variable(name)}={FOREIGN[name]}")
    with pytest.raises(SettingsError, match=rf"^\.env in this folder may not set {variable(name)}"):
        trust.for_server(load({}, (), None))
    trust.for_server(load({}, (), Path(".env")))


@pytest.mark.parametrize("name", [name for name in FOREIGN if name.startswith("client.")])
def test_a_client_does_without_and_says_so(name, capsys):
    folder(f"{variable(name)}={FOREIGN[name]}")
    assert trust.for_client(load({}, (), None)).client == load({}, (), None).settings.client
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert variable(name) in err
    assert "--env-file .env" in err
    assert FOREIGN[name] not in err


def test_what_concerns_the_other_is_not_spoken_of(capsys):
    folder(f"{variable('client.password')}=x")
    trust.for_server(load({}, (), None))
    folder(f"{variable('server.password')}={HASH}")
    trust.for_client(load({}, (), None))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["client.password", "client.password_command", "client.identity"])
@pytest.mark.parametrize("place", ["TRIO_CHAT_HOST=there.example", "TRIO_CHAT_PORT=6001"])
def test_no_secret_goes_where_it_says(name, place, monkeypatch, capsys):
    monkeypatch.setenv(variable(name), FOREIGN[name])
    folder(place)
    found = load({}, (), None)
    client = trust.for_client(found).client
    assert (client.password.get_secret_value(), client.identity.get_secret_value()) == ("", "")
    assert client.password_command == ""
    assert capsys.readouterr().err.count("\n") == 1
    assert trust.for_client(load({}, (), Path(".env"))) == found.settings
    assert (
        trust.for_client(load({"host": "a", "port": "1"}, (), None)).client == found.settings.client
    )


@pytest.mark.parametrize("host", ["*", "192.0.2.1", "::", "chat.example", "unix:socket"])
def test_it_opens_no_server_to_others(host):
    folder(f"TRIO_CHAT_HOST={host}")
    with pytest.raises(SettingsError, match="may set TRIO_CHAT_HOST only to"):
        trust.for_server(load({}, (), None))
    assert trust.for_server(load({}, (), Path(".env"))).host == host
    assert trust.for_server(load({"host": host}, (), None)).host == host


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_it_may_choose_an_address_of_this_machine(host):
    folder(f"TRIO_CHAT_HOST={host}", "TRIO_CHAT_PORT=6001", "TRIO_CHAT_LIMITS__ROOMS=5")
    settings = trust.for_server(load({}, (), None))
    assert (settings.host, settings.port, settings.limits.rooms) == (host, 6001, 5)


def test_it_learns_nothing_of_the_environment(monkeypatch):
    monkeypatch.setenv("ELSEWHERE", "precious")
    folder("TRIO_CHAT_HOST=${ELSEWHERE}.example")
    assert load({}, (), None).settings.host == "${ELSEWHERE}.example"
    assert load({}, (), Path(".env")).settings.host == "precious.example"


def test_it_names_no_other_file(tmp_path):
    (tmp_path / "other.env").write_text("TRIO_CHAT_PORT=6001\n")
    folder("TRIO_CHAT_ENV_FILE=other.env")
    assert load({}, (), None).settings.port == 55555


def test_other_things_of_that_name_are_passed_over():
    Path(".env").mkdir()
    assert load({}, (), None).settings.port == 55555
    Path(".env").rmdir()
    os.mkfifo(".env")  # to open it would wait for ever
    assert load({}, (), None).settings.port == 55555
    Path(".env").unlink()
    Path(".env").symlink_to(".env")
    assert load({}, (), None).settings.port == 55555


@pytest.mark.parametrize(
    "data",
    [
        b"OTHER=caf\xe9\n",
        "OTHER=é\n".encode("utf-16"),
        b"\x00\x01\x02",
        b"not a statement\nOTHER='\n",
        b"OTHER\n",
        b"",
    ],
)
def test_what_does_not_speak_of_us_is_passed_over(data):
    Path(".env").write_bytes(data)
    assert load({}, (), None).settings.port == 55555


def test_beside_lines_of_others_that_cannot_be_read_ours_can():
    others = b"OTHER=caf\xe9\nnot a statement\nOTHER=a\0b\n\0\n"
    Path(".env").write_bytes(others + b"TRIO_CHAT_PORT=6001\n")
    assert load({}, (), None).settings.port == 6001


# ── lines that cannot be read ──────────────────────────────────────────────────────────────


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize(
    "line",
    [
        "TRIO_CHAT_PORT 6001",
        "TRIO_CHAT_PORT: 6001",
        'TRIO_CHAT_IRC__MOTD="hello',
        "TRIO_CHAT_PORT",
        "export TRIO_CHAT_PORT",
        "trio_chat_port 6001",
    ],
)
def test_a_line_of_ours_is_refused_with_its_number(line, named):
    why = refusal("# a comment", "", "OTHER='two", "lines'", "", line, named=named)
    assert why == ".env, line 6: not NAME=VALUE"


def test_lines_may_end_in_cr_lf():
    Path(".env").write_bytes(b"OTHER=1\r\n\r\nnonsense here\r\nTRIO_CHAT_PORT 6001\r\n")
    with pytest.raises(SettingsError, match="line 4"):
        load({}, (), None)


def test_a_named_file_has_no_nonsense_of_others_either():
    assert refusal("OTHER=1", "not a statement", named=True) == (".env, line 2: not NAME=VALUE")


@pytest.mark.parametrize("line", ["x", "export x", "=1", "OTHER 1"])
def test_every_line_of_a_named_file_is_meant(line):
    assert refusal("# a comment", line, named=True) == ".env, line 2: not NAME=VALUE"


@pytest.mark.parametrize("value", [b"J\xf6rg", b"a\0b"])
@pytest.mark.parametrize("named", [True, False])
def test_a_value_of_ours_is_utf_8(named, value):
    Path(".env").write_bytes(b"# caf\xe9\nTRIO_CHAT_CLIENT__NICK=" + value + b"\n")
    with pytest.raises(SettingsError, match=r"^\.env, line 2: not UTF-8$"):
        load({}, (), Path(".env") if named else None)


@pytest.mark.parametrize("line", [b"A=\xe9", b"A=\0", b"\xe9=A"])
def test_all_of_a_named_file_is_utf_8(line):
    Path(".env").write_bytes(b"TRIO_CHAT_PORT=6001\n" + line)
    with pytest.raises(SettingsError, match=r"^\.env, line 2: not UTF-8$"):
        load({}, (), Path(".env"))


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("name", ["trio_chat.port", "TRIO-CHAT_PORT", "trio.chat.port"])
def test_a_name_of_ours_that_is_written_as_elsewhere_is_misspelt(name, named):
    assert refusal("OTHER=1", f"{name}=6001", named=named) == (
        f"{name.upper()} in .env, line 2 is not a setting. Did you mean TRIO_CHAT_PORT?"
    )


@pytest.mark.parametrize("named", [True, False])
def test_utf_16_is_refused(named):
    Path(".env").write_bytes("TRIO_CHAT_PORT=6001\n".encode("utf-16"))
    with pytest.raises(SettingsError, match="not UTF-8"):
        load({}, (), Path(".env") if named else None)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("TRIO_CHAT_IRC__MOTD= # none", ""),
        ("TRIO_CHAT_IRC__MOTD=", ""),
        ("TRIO_CHAT_IRC__MOTD=#none", "#none"),
        ("TRIO_CHAT_IRC__MOTD=one # two", "one"),
        ("TRIO_CHAT_IRC__MOTD='one # two'", "one # two"),
        ('TRIO_CHAT_IRC__MOTD="one\ntwo"', "one\ntwo"),
    ],
)
def test_what_stands_behind_a_blank_and_a_hash_is_a_comment(line, value):
    folder(line)
    assert load({}, (), None).settings.irc.motd == value


def test_a_file_is_read_once(monkeypatch):
    """What is written into it between two readings would be believed unseen."""
    folder("TRIO_CHAT_PORT=6001")
    reads = []
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: reads.append(path) or read(path))
    load({}, (), None)
    assert reads == [Path(".env")]
