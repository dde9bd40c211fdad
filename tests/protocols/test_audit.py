"""The audit in sentences: who did it is named once, with the account."""

import pytest

from trio_chat.core.events import Banned, Change, Entry, Event, ModesSet, Origin, Redacted
from trio_chat.protocols.audit import audit_line

EVE = Origin(account="eve")


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (
            Redacted("#a", "e", "1-0", "bee", "spam", origin=EVE),
            "#a: A message of bee's was removed by e (eve) (spam).",
        ),
        (Banned(3, "account", "bee", by="e", origin=EVE), "e (eve) set ban 3: account bee may not"),
        (ModesSet("#a", "", (Change(False, "b", "e!*@*"),)), "#a: The ban on e!*@* has expired."),
    ],
)
def test_the_account_stands_after_the_name_of_who_did_it(event: Event, told: str) -> None:
    assert f" UTC {told}" in audit_line(Entry("#a", "2-0", event, 0))
