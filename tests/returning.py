"""A chat in which people come again, also after a restart."""

from ring import Ring
from trio_chat.core.commands import (
    DropAccount,
    Join,
    LogIn,
    LogOut,
    MatchStatus,
    Register,
    Say,
)
from trio_chat.core.events import REALM, AccountMade, Arrived, Departed, Origin
from trio_chat.core.history_access import Source, source
from trio_chat.core.names import fold
from trio_chat.core.realm import RealmState, identity_by_name
from trio_chat.core.refusals import Code
from trio_chat.core.remembered import hiding
from trio_chat.core.views import Refused, RoomWelcome


class House(Ring):
    """As a ring; whoever is said to be known comes with an identity, ``~alice``, again and again.

    ``owners`` have an account, and are logged in when they come. ``restart`` leaves nothing but the
    log.
    """

    def __init__(
        self,
        *owners: str,
        replay: int = 10,
        room_modes: str = "n",
        lobby: str = "#lobby",
    ) -> None:
        super().__init__(replay=replay, room_modes=room_modes)
        self.chat.lobby = lobby
        for nick in owners:
            self.happen(AccountMade(nick, identity_by_name(nick)))

    def come(self, nick: str, *rooms: str, known: bool = True) -> list[RoomWelcome]:
        """What they are shown of the rooms."""
        if f"id-{nick}" not in self.chat.people:
            account = self.chat.realm.account(nick)
            identity = account.identity if account else f"~{nick}" if known else ""
            origin = Origin(account=account.name if account else "")
            self.happen(Arrived(nick, f"id-{nick}", origin, identity, password_id=1))
        shown = [one.shown for room in rooms for one in self.ask(f"id-{nick}", Join(room))]
        return [one for one in shown if isinstance(one, RoomWelcome)]

    def go(self, nick: str, *, up_to_date: bool = True) -> None:
        rooms = tuple(self.person(nick).rooms)
        seen = self.entries[-1].id if up_to_date else ""
        self.happen(Departed(nick, f"id-{nick}", rooms=rooms, seen=seen))

    def say(self, nick: str, room: str, text: str) -> None:
        self.ask(f"id-{nick}", Say(room, text))

    def refused(self, nick: str, room: str, key: str = "") -> Code | None:
        [outcome] = self.decide(f"id-{nick}", Join(room, key))
        return outcome.code if isinstance(outcome, Refused) else None

    def status(self, nick: str, room: str) -> str:
        return self.chat.rooms[fold(room)].status.get(f"id-{nick}", "")

    def become(self, nick: str, request: Register | LogIn | LogOut | DropAccount) -> None:
        """Log in or out, with what the server makes of that in their rooms."""
        person = self.person(nick)
        guest = "" if person.origin.account else person.identity
        self.ask(person.user_id, request)  # type: ignore[arg-type]
        for room in tuple(person.rooms):
            for event in self.decide(person.user_id, MatchStatus(room, person.user_id, guest)):
                self.happen(event)  # type: ignore[arg-type]

    def restart(self) -> None:
        before, self.chat = self.chat, type(self.chat)(replay=10, lobby=self.chat.lobby)
        self.chat.realm.restore(RealmState(), self.log(REALM))
        for room in before.rooms.values():
            assert room.state == self.state_from_log(room.state.name)

    def readable(self, nick: str, room: str) -> list[str]:
        """What somebody may read of what was said there."""
        found = source(self.chat, self.person(nick), room)
        assert isinstance(found, Source)
        said = [e for e in self.log(fold(room)) if hasattr(e.event, "text")]
        return [e.event.text for e in said if not hiding(e.id, found.hidden)]  # type: ignore[union-attr]
