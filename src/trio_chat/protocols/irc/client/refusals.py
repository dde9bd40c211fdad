"""Refusals: of our connection, of a room, of a text, of a command."""

from collections.abc import Sequence
from dataclasses import replace

from trio_chat.core.views import Notice
from trio_chat.errors import NotAdmitted, Uninvited
from trio_chat.protocols.client import (
    CUT_OFF,
    LOCKED,
    OWNED,
    UNINVITED,
    Message,
    is_for_accounts,
    is_uninvited,
)
from trio_chat.protocols.irc.client.answers import (
    ADVICE,
    BANNED,
    KEPT_OUT,
    NICK_TAKEN,
    NOT_DONE,
    NOT_SAID,
)
from trio_chat.protocols.irc.client.rooms import IrcRooms
from trio_chat.protocols.irc.message import Message as Line
from trio_chat.protocols.irc.text import is_room, sentence

Messages = Sequence[Message]


class IrcRefusals(IrcRooms):
    """Understands refusals: numerics, and standard-replies (ircv3.net)."""

    def on_early_numeric(self, line: Line) -> Messages:
        """A numeric before we are registered. Some servers only say that they do not know CAP."""
        if line.command in NICK_TAKEN and self.try_another(line.param(1)):
            return ()
        if line.command in NICK_TAKEN and self.reserved and not self._login:
            raise NotAdmitted(OWNED.format(self.nick), about="account")
        if line.command == "464" and not self.gave_password:
            raise Uninvited(LOCKED, about="password")
        text = sentence(line.params[1:-1], line.params[-1])
        if line.command == "464":
            raise Uninvited(text, about="account" if "invitation" in text else "")
        if line.command in KEPT_OUT:
            raise NotAdmitted(text)
        return ()

    def on_fail(self, line: Line) -> Messages:
        """FAIL (standard-replies)."""
        about, text = line.params[2:-1], sentence(line.params[2:-1], line.params[-1])
        match line.params[0].upper():
            case "IDENTITY":
                self.not_identified()
            case "CHATHISTORY":
                return self.pages.failed(about) or self.catch_up.failed(about)
            case "REDACT":
                return [replace(self.notice_about(line.params[-1], about), refusal=True)]
            case "REGISTER" if self.admitted:
                self.has_come("register")
                return [Notice(line.params[-1], refusal=True)]
            case "MARKREAD" if line.params[1] == "INTERNAL_ERROR":
                return ()  # nobody has asked for it, and the next one tells as much
            case "BATCH":
                return self.refused_batch(text) or self.on_report(line)
            case "PRIVMSG" | "NOTICE":
                for_now = line.params[1] == "TEMPORARILY_UNAVAILABLE"
                return self.refused(about, text, for_now=for_now) or self.on_report(line)
            case _ if not self.admitted:
                raise self._not_admitted(line)
        return self.on_report(line)

    def _not_admitted(self, line: Line) -> NotAdmitted:
        if line.params[1] != "ACCOUNT_REQUIRED":
            return NotAdmitted(line.params[-1])
        if not is_for_accounts(line.params[-1]):  # a lock, which ends
            return NotAdmitted(line.params[-1].rstrip("."), about="account")
        if not is_uninvited(line.params[-1]):
            return Uninvited(line.params[-1].rstrip("."), about="account")
        return Uninvited(CUT_OFF if self.gave_password else UNINVITED, about="account")

    def on_report(self, line: Line) -> Messages:
        """FAIL, WARN and NOTE (standard-replies)."""
        about = line.params[2:-1]
        if line.params[1] == "NICKNAME_RESERVED" and not self.registered:
            self.reserved = line.params[-1]
            return ()
        if line.params[1] == "ALREADY_SENT" and (said := self.already_said(line.param(2))):
            return said
        notice = self.notice_about(sentence(about, line.params[-1]), about)
        return [replace(notice, refusal=line.command == "FAIL")]

    def on_refusal(self, line: Line) -> Messages:
        """A numeric that begins with 4 or 5, once we are registered."""
        *about, why = line.params[1:]
        if line.command in NICK_TAKEN:
            self.refused_nick = line.param(1)
        text = sentence(about, why)
        if line.command == BANNED:
            self.farewell = text  # which ERROR may repeat
        if rooms := [word for word in about if is_room(word) and self.answered(word)]:
            if advice := ADVICE.get(line.command, ""):
                text = f"{text.rstrip('.')}. {advice.format(rooms[0])}"
            if not self.admitted and self.state.requires(rooms[0]):
                raise NotAdmitted(text)
            return [self._refused_to_enter(rooms[0], text)]
        failed = self.refused(about, text) if self._may_refuse_text(line) else ()
        return failed or [replace(self.notice_about(text, about), refusal=True)]

    def _refused_to_enter(self, room: str, text: str) -> Message:
        """Do not try that room again after a lost connection."""
        been_in = room in self.state.last
        out = self.left(room, text)
        return out if been_in else Notice(text, room=room, refusal=True)

    def _may_refuse_text(self, line: Line) -> bool:
        """Without echoes, any refusal that names the target may be about a text."""
        if line.command in NOT_SAID:
            return True
        about_something = len(line.params) > 2 and line.command not in NOT_DONE
        return about_something and "echo-message" not in self.caps

    def notice_about(self, text: str, about: Sequence[str]) -> Notice:
        """Tell it in the first room that it names, even if we are not there."""
        rooms = [word for word in about if word in self.inside or is_room(word)]
        return Notice(text, room=rooms[0] if rooms else "")
