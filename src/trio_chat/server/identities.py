"""Who people are while they are here: their nickname, and the account they are known by."""

from contextlib import suppress
from dataclasses import replace

import trio

from trio_chat.core.accounts import wrong_password
from trio_chat.core.chat import Chat
from trio_chat.core.commands import (
    DropAccount,
    DropKey,
    LogIn,
    LogOut,
    MatchStatus,
    Register,
    Rename,
)
from trio_chat.core.decide import Outcome, Outcomes
from trio_chat.core.devices import node_of
from trio_chat.core.events import AccountMade, AccountSet, DeviceEnded, Origin, Renamed
from trio_chat.core.limits import kept_out
from trio_chat.core.nicknames import holder
from trio_chat.core.refusals import Code
from trio_chat.core.room import Device, Person
from trio_chat.core.views import Refused
from trio_chat.core.words import parting
from trio_chat.errors import Unavailable
from trio_chat.server.audience import Before, Subscriber
from trio_chat.server.counts import Ending
from trio_chat.server.marks import Marks
from trio_chat.server.nicknames import Nicknames
from trio_chat.server.open_logs import OpenLogs
from trio_chat.server.ring import Ring

# How long it may take until a nickname is free whose holder is disconnected.
_TAKE_OVER = 5.0  # seconds


class Identities:
    """Lets people have nicknames and accounts, and sees to all that hangs on these."""

    def __init__(
        self,
        chat: Chat,
        ring: Ring,
        nicknames: Nicknames,
        marks: Marks,
        logs: OpenLogs,
        subscribers: dict[str, Subscriber],
    ) -> None:
        self._chat, self._ring, self._nicknames = chat, ring, nicknames
        self._marks, self._logs, self._subscribers = marks, logs, subscribers

    def newcomer(self, subscriber: Subscriber, nick: str = "", secret: str = "") -> Person:
        """Somebody who is not let in yet, as they will be known under this nickname.

        They may have logged in already, or show a secret with this hash.
        """
        realm, user_id = self._chat.realm, subscriber.user_id
        account = realm.account(subscriber.account)
        if account and realm.opens(account, "", subscriber.password_id):
            name, identity = account.name, account.identity
        else:
            name, identity = realm.who(subscriber.key or secret)
        devices = (Device(subscriber.id, address=subscriber.address),)
        origin = Origin(account=name)
        return Person(user_id, nick, origin, identity or user_id, devices=devices)

    def log_in(self, subscriber: Subscriber, log_in: LogIn) -> Outcomes:
        """Let somebody be known by an account from the moment they are let in."""
        account, key = self._chat.realm.account(log_in.name), log_in.key
        if not account or not self._chat.realm.opens(account, key, log_in.password_id):
            return [wrong_password()]
        person = self.newcomer(subscriber)
        if refused := kept_out(self._chat, replace(person, origin=Origin(account=account.name))):
            return [refused]
        if key:
            # It ends with the key, and no password given before counts for it.
            subscriber.key, subscriber.account, subscriber.password_id = key, "", 0
        else:
            subscriber.account, subscriber.password_id = account.name, log_in.password_id
        return [AccountSet("", subscriber.user_id, Origin(account=account.name), account.identity)]

    async def register(self, subscriber: Subscriber, request: Register, verifier: str) -> Outcomes:
        """Register the nickname of somebody who is not let in yet."""
        newcomer = self.newcomer(subscriber, request.nick, request.secret)
        if refused := self._nicknames.refusal(newcomer.nick, subscriber.id):
            return [replace(refused, code=Code.ACCOUNT_EXISTS)]
        with self._nicknames.asked(newcomer.nick, subscriber.id):
            outcomes = await self._ring.pursue(subscriber, request, verifier, outsider=newcomer)
        for outcome in outcomes:
            if isinstance(outcome, AccountMade):
                subscriber.account, subscriber.password_id = outcome.name, 1
        return outcomes

    async def refusal(
        self, subscriber: Subscriber, nick: str, account: str, identity: str
    ) -> Refused | None:
        """Why somebody may not have a nickname. They may also have one that another connection of
        the same person has, which has gone.
        """
        refused = self._nicknames.refusal(nick, subscriber.user_id, account)
        if refused and identity and await self._take_over(subscriber, nick, identity):
            return self._nicknames.refusal(nick, subscriber.user_id, account)
        return refused

    async def _take_over(self, subscriber: Subscriber, nick: str, identity: str) -> bool:
        """End the same person's other connection, if that has the nickname, and wait for it, but
        not for long. It may be leaving already.

        One that has shown the same secret is the same device, which has come again. Any other is
        asked whether it is still there, if it is on this node.
        """
        person = holder(self._chat, nick, subscriber.user_id)
        if person is None or person.identity != identity:
            return False
        device = person.device()
        same_device = subscriber.key and device.key == subscriber.key
        if other := self._subscribers.get(device.id):
            if not same_device and await other.is_there():
                return False
        elif not same_device and node_of(device.id) != node_of(subscriber.id):
            return False
        await self._ring.happen(DeviceEnded(person.user_id, device.id, again=True))
        with trio.move_on_after(_TAKE_OVER):
            await self._nicknames.until_free(nick, subscriber.user_id)
        return True

    async def rename(self, subscriber: Subscriber, rename: Rename) -> Outcomes:
        """Let somebody have another nickname, unless others have it, or get it before."""
        user_id = subscriber.user_id
        if self._nicknames.is_asking(user_id):
            why = "You are changing your nickname on another device just now."
            return [Refused(why, Code.NICK_TAKEN, (rename.nick,))]
        with self._nicknames.asked(rename.nick, user_id):
            return await self._rename(subscriber, rename)

    async def _rename(self, subscriber: Subscriber, rename: Rename) -> Outcomes:
        person, nick = self._chat.people[subscriber.user_id], rename.nick
        account = person.origin.account
        identity = person.identity if account else ""
        if refused := await self.refusal(subscriber, nick, account, identity):
            return [refused]
        outcomes = await self._ring.pursue(subscriber, rename)
        if any(isinstance(outcome, Renamed) for outcome in outcomes) and person.nick != nick:
            # Somebody else has got it, on another node; or it is another one by now.
            refused = self._nicknames.refusal(nick, person.user_id, account)
            return [refused] if refused else outcomes
        return outcomes

    async def change(
        self,
        subscriber: Subscriber,
        request: Register | LogIn | LogOut | DropKey | DropAccount,
        verifier: str,
    ) -> Outcomes:
        """Let somebody be known as somebody else, to ``settle`` the rest once they have been told.

        Their conversations go on in other logs, and what they have read is noted for the account.
        """
        person, realm = self._chat.people[subscriber.user_id], self._chat.realm
        before, account = person.identity, person.origin.account
        becomes = realm.account(request.name) if isinstance(request, LogIn) else None
        who = (person.user_id, becomes.identity) if becomes else (person.user_id,)
        with self._ring.changing.under_way(*who):
            outcomes = await self._ring.pursue(subscriber, request, verifier)
        if any(_had_no_effect(outcome, person) for outcome in outcomes):
            again = self._chat.decide(subscriber.user_id, request)
            return [one for one in again if isinstance(one, Refused)] or [wrong_password()]
        if (person.identity, person.origin.account) == (before, account):
            return outcomes
        if isinstance(request, DropKey):  # of a key by which they had come themselves
            outcomes = [*outcomes, AccountSet(person.nick, person.user_id, person.origin)]
        if person.origin.account:
            with suppress(Unavailable):
                await self._marks.keep(person)
        entered = frozenset(person.rooms.values())
        subscriber.unsettled = Before("" if account else before, entered)
        return outcomes

    async def settle(self, subscriber: Subscriber) -> Outcomes:
        """Let somebody who has become somebody else have what that one has in the rooms where they
        were; those to which they have come back since, they entered with it. Who has left an
        account loses its nickname.
        """
        before, subscriber.unsettled = subscriber.unsettled, None
        person = self._chat.people.get(subscriber.user_id)
        if before is None or person is None:
            return ()
        for room, entered in tuple(person.rooms.items()):
            if entered in before.entered:
                match = MatchStatus(room, person.user_id, before.guest)
                await self._ring.pursue(subscriber, match)
        if self._nicknames.is_owned(person.nick, person.origin.account):
            return await self._rename_near(subscriber, person)
        return ()

    async def _rename_near(self, subscriber: Subscriber, person: Person) -> Outcomes:
        while True:
            near = self._nicknames.near(person.nick)
            renamed = await self.rename(subscriber, Rename(near, forced=True))
            refused = next((one for one in renamed if isinstance(one, Refused)), None)
            if refused and self._nicknames.refusal(near, person.user_id):
                continue  # somebody else has got that one before, on another node
            if refused:
                subscriber.end(Ending.ACCOUNT, "has no nickname any more", parting(refused.why))
            return renamed


def _had_no_effect(outcome: Outcome, person: Person) -> bool:
    """Whether a login came to nothing, as what was to open the account had just been changed."""
    return isinstance(outcome, AccountSet) and outcome.origin.account != person.origin.account
