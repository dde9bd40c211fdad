"""The log of accounts, and what is secret beside it: the same with every store."""

import pytest
import trio

from stores import NOW, OpenLog, append, said, take
from trio_chat.core.events import REALM, AccountDropped, AccountMade, OfRealm, PasswordSet
from trio_chat.core.realm import Realm, RealmState
from trio_chat.errors import Conflict
from trio_chat.storage.base import START, Log, Search, Secret

BOB = AccountMade("bob", "=bob", "1")


async def happen(log: Log, event: OfRealm, verifier: str = "", expect: str = "") -> str:
    secret = Secret("bob", verifier, new=isinstance(event, AccountMade))
    [entry] = await log.append(REALM, [event], expect=expect, barrier=True, secret=secret)
    return entry.id


async def test_a_secret_comes_with_its_event(log: Log) -> None:
    assert await log.secret("bob") == ""
    made = await happen(log, BOB, "first")
    assert await log.secret("bob") == "first"
    changed = await happen(log, PasswordSet("bob"), "second", expect=made)
    assert await log.secret("bob") == "second"
    await happen(log, AccountDropped("bob"), expect=changed)
    assert await log.secret("bob") == ""
    assert await log.secret("alice") == ""


async def test_of_two_at_once_the_second_leaves_no_trace(log: Log) -> None:
    outcomes: list[str] = []

    async def register(verifier: str) -> None:
        try:
            outcomes.append(await happen(log, BOB, verifier))
        except Conflict as conflict:
            outcomes.append(f"after {conflict.barrier}")

    async with trio.open_nursery() as nursery:
        for verifier in ("one", "other"):
            nursery.start_soon(register, verifier)
    first, second = sorted(outcomes)
    assert second == f"after {first}"
    kept = await log.secret("bob")
    assert kept in ("one", "other")
    assert [entry.event for entry in await log.barriers(REALM, after=START)] == [BOB]


async def test_who_comes_second_with_a_name_is_judged_again(log: Log) -> None:
    made = await happen(log, BOB, "one")
    with pytest.raises(Conflict) as conflict:
        await happen(log, BOB, "other")
    assert conflict.value.barrier == made
    assert await log.secret("bob") == "one"


async def test_a_secret_is_in_no_event_and_no_repr(log: Log) -> None:
    await happen(log, BOB, "hunter2")
    [entry] = await take(log, 1)
    assert "hunter2" not in repr(entry)
    assert "hunter2" not in repr(Secret("bob", "hunter2"))


async def test_the_log_of_accounts_is_no_history(log: Log) -> None:
    await happen(log, BOB, "secret")
    await append(log, said("bob secret"))
    assert await log.search(Search("bob", [REALM])) == []
    assert await log.talks("=bob") == []


async def test_the_realm_is_what_was_saved_and_what_came_later(open_log: OpenLog) -> None:
    async with open_log(lambda: NOW) as log:
        assert await log.realm() == (START, RealmState())
        made = await happen(log, BOB, "secret")
        realm = Realm()
        realm.restore(RealmState(), await log.barriers(REALM, after=START))
        await log.save_realm(made, realm.state())
        later = await happen(log, AccountDropped("bob"), expect=made)
        saved, state = await log.realm()
        assert (saved, state) == (made, realm.state())
        [entry] = await log.barriers(REALM, after=saved)
        assert (entry.id, entry.event) == (later, AccountDropped("bob"))


async def test_what_was_judged_before_a_saved_one_conflicts(log: Log) -> None:
    made = await happen(log, BOB, "secret")
    await log.save_realm(made, RealmState(made))
    with pytest.raises(Conflict) as conflict:
        await happen(log, PasswordSet("bob"), "other", expect="")
    assert conflict.value.barrier == made
    assert await log.secret("bob") == "secret"
