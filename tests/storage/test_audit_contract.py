"""What operators have done, read from the log's barriers: the same with every store."""

from stores import append, said
from trio_chat.core.events import REALM, AccountMade, Joined, Kicked, Killed, Reported
from trio_chat.core.realm import RealmState
from trio_chat.storage.base import Log


async def test_the_last_barriers_but_no_entries_of_people(log: Log) -> None:
    kicks = [Kicked("#a", "alice", f"bob{n}") for n in range(3)]
    before = ""
    for kick in kicks:
        await append(log, said("tea"), expect=before)
        [before] = await append(log, kick, expect=before, barrier=True)
        join = Joined("#a", "carol", guarded=True)
        [before] = await append(log, join, expect=before, barrier=True)
    found = await log.audit("#a", limit=2)
    assert [entry.event for entry in found] == kicks[1:]
    assert [entry.event for entry in await log.audit("#a", before=found[0].id)] == kicks[:1]
    assert await log.audit("#b") == []


async def test_what_was_done_in_all_rooms_in_order(log: Log) -> None:
    events = [Kicked(f"#{n % 2}", "alice", f"bob{n}") for n in range(4)]
    expect = {"#0": "", "#1": ""}
    for event in events:
        [expect[event.room]] = await append(log, event, expect=expect[event.room], barrier=True)
        await append(log, said("tea"), expect=expect[event.room])
    [entry] = await log.append(REALM, [Killed("boss", "bob", "spam")], barrier=True)
    found = await log.audit_all(limit=3)
    assert [e.event for e in found] == [*events[2:], entry.event]
    assert [e.event for e in await log.audit_all(before=found[0].id)] == events[:2]


async def test_the_last_reports_beside_all_else(log: Log) -> None:
    events = [Reported("bob", "#a", "#a", f"{n}-0", "eve") for n in range(3)]
    before = ""
    for event in events:
        for each in (Killed("boss", "bob", "spam"), event):
            [entry] = await log.append(REALM, [each], expect=before, barrier=True)
            before = entry.id
    found = await log.reports(limit=2)
    assert [entry.event for entry in found] == events[1:]
    assert [entry.event for entry in await log.reports(before=found[0].id)] == events[:1]


async def test_that_of_accounts_outlives_the_saving_of_their_state(log: Log) -> None:
    events = [AccountMade("bob", "=bob"), Killed("boss", "bob", "spam")]
    before = ""
    for event in events:
        [entry] = await log.append(REALM, [event], expect=before, barrier=True)
        before = entry.id
    await log.save_realm(before, RealmState(barrier=before))
    assert [entry.event for entry in await log.audit(REALM)] == events
