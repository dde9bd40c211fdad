"""The archive: what was said before, looked up in the log for those who may read it."""

import itertools
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import cast

from trio_chat.core.accounts import account_of, not_logged_in
from trio_chat.core.audit import EVERYWHERE, identity_of, is_wanted, leaders_only, leads_any, logs
from trio_chat.core.blocks import has_blocked
from trio_chat.core.chat import Chat
from trio_chat.core.commands import Remove, Report
from trio_chat.core.events import Entry, Reported, Said, TopicSet, is_id, is_redactable
from trio_chat.core.history_access import Source, partner, rooms_of, source, talk
from trio_chat.core.limits import is_exempt
from trio_chat.core.mentions import mention_of
from trio_chat.core.names import distinct, fold
from trio_chat.core.queries import (
    ALL,
    Audit,
    ExportAccount,
    ListMentions,
    ListReports,
    ListTalks,
    LookUp,
    MarkRead,
    Recall,
    Seek,
    ShowMark,
    Span,
)
from trio_chat.core.realm import Account
from trio_chat.core.redaction import is_author, is_known_to, no_topic, place, unknown_message
from trio_chat.core.remembered import hiding
from trio_chat.core.reports import as_called_now, is_by, may_see
from trio_chat.core.room import Person
from trio_chat.core.state import leads
from trio_chat.core.views import (
    Answer,
    Audited,
    Found,
    Marked,
    Mentions,
    Notice,
    Recalled,
    Refused,
    Reports,
    Talks,
)
from trio_chat.errors import Unavailable
from trio_chat.server.marks import Marks
from trio_chat.server.personal import document
from trio_chat.storage.base import Log, Search

# So much of a log is looked through at most, and so many times an index is asked: beyond that it
# would take for ever in a large one.
_PAGE, _PAGES = 500, 20

# The conversations that an account's owner is told of: the last.
_EXPORTED = 1000

# The last message of somebody is sought in so many pages.
_LAST_PAGE, _LAST_PAGES = 100, 5

# Reports that are counted for somebody who becomes an operator.
_REPORTS_MAX = 100


def _any(said: Said) -> bool:
    return True


class Archive:
    """Answers look-ups.

    ``now`` gives unix milliseconds.
    """

    def __init__(self, chat: Chat, log: Log, marks: Marks, now: Callable[[], int]) -> None:
        self._chat, self._log, self._marks, self._now = chat, log, marks, now

    async def look_up(self, reader: Person, query: LookUp, by: str) -> Answer:
        """Answer a look-up that is made ``by`` a connection; Refused if the ``reader`` may not read
        it.

        Raises Unavailable if the store cannot keep a read marker.
        """
        match query:
            case Recall():
                return await self._recall(reader, query)
            case ListTalks():
                return await self._list_talks(reader, query)
            case Seek():
                return await self._seek(reader, query)
            case ListMentions(limit):
                return await self._list_mentions(reader, limit)
            case Audit():
                return await self._audit(reader, query)
            case ListReports(limit):
                return await self._list_reports(reader, limit)
            case ExportAccount():
                return await self._export(reader)
            case MarkRead(target, at):
                # "clamp it between the last read timestamp and the current time" (read-marker)
                marked = await self._marks.read(reader, target, min(at, self._now()), by)
                return Marked(target, marked)
            case ShowMark(target):
                marked = await self._marks.of(reader, target)
                return Marked(target, min(marked, self._now()))

    async def _source(self, reader: Person, target: str) -> Source | Refused:
        found = source(self._chat, reader, target)
        if isinstance(found, Source) or not target or target.startswith("#"):
            return found
        return source(self._chat, reader, target, await self._log.talks(reader.identity))

    async def find(self, person: Person, remove: Remove | Report) -> Entry | Refused:
        """Find the message that somebody wants to remove or report; Refused if they know none."""
        found = place(self._chat, person, remove.target)
        if isinstance(found, Refused) and not remove.target.startswith("#"):
            talks = await self._log.talks(person.identity)
            found = place(self._chat, person, remove.target, talks)
        if isinstance(found, Refused):
            return found
        if remove.id:
            topics = isinstance(remove, Remove)
            entry = (
                await self._log.find(found.log, remove.id, topics=topics)
                if is_id(remove.id)
                else None
            )
            known = entry is not None and is_known_to(self._chat, person, found, entry)
            return found.called(entry) if entry and known else unknown_message()
        if isinstance(remove, Remove) and remove.topic:
            return await self._last_topic(person, found)
        span = Span()
        for _ in range(_LAST_PAGES):
            page = await self._read(found, span, limit=_LAST_PAGE, said=True)
            for entry in reversed(page):
                if self._is_theirs(person, remove.nick, entry):
                    return entry
            if len(page) < _LAST_PAGE:
                break
            span = Span(before=page[0].id)
        return unknown_message(said_by=remove.nick or person.nick)

    async def _last_topic(self, person: Person, found: Source) -> Entry | Refused:
        """The last topic of a room of which the words are there."""

        async def choose(page: Sequence[Entry]) -> Sequence[Entry]:
            topics = (e for e in page if isinstance(e.event, TopicSet) and is_redactable(e.event))
            return [entry for entry in topics if is_known_to(self._chat, person, found, entry)]

        read = partial(self._log.audit, found.log)
        topics, _ = await self._look_through(read, choose, 1)
        return found.called(topics[-1]) if topics else no_topic(found.name)

    def _is_theirs(self, person: Person, nick: str, entry: Entry) -> bool:
        """Whether a message is by ``nick``; by the ``person``, if that is empty."""
        if nick:
            return _is_by(entry, nick)
        return isinstance(entry.event, Said) and is_author(self._chat, person, entry.event)

    async def _recall(self, reader: Person, recall: Recall) -> Answer:
        found = await self._source(reader, recall.target)
        if isinstance(found, Refused):
            return found
        read = self._around if recall.span.around != "" else self._between
        entries = await read(found, recall.span, recall.limit, said=not recall.events)
        return Recalled(found.name, tuple(entries))

    async def _read(
        self, source: Source, span: Span = ALL, *, limit: int, said: bool = False
    ) -> Sequence[Entry]:
        """Read as ``Log.history`` does, but without what is hidden from the reader.

        There is no other way from here to a room's log: whatever is read must go through it.
        """
        found: list[Entry] = []
        while True:
            page = await self._log.history(source.log, span, limit=limit, said=said)
            shown = (entry for entry in page if not hiding(entry.id, source.hidden))
            readable = [source.called(entry) for entry in shown]
            found = [*found, *readable] if span.first else [*readable, *found]
            if len(found) >= limit or len(page) < limit:
                break
            last = page[-1] if span.first else page[0]
            begin, end = hiding(last.id, source.hidden) or (last.id, last.id)
            if not begin and not span.first:
                break
            span = replace(span, after=end) if span.first else replace(span, before=begin)
        return found[:limit] if span.first else found[-limit:]

    async def _between(
        self, source: Source, span: Span, limit: int, *, said: bool
    ) -> Sequence[Entry]:
        found = await self._read(source, span, limit=limit, said=said)
        if found or not span.either:
            return found
        back = Span(after=span.before, before=span.after, first=not span.first)
        return await self._read(source, back, limit=limit, said=said)

    async def _around(
        self, source: Source, span: Span, limit: int, *, said: bool
    ) -> Sequence[Entry]:
        """Read entries around a place: half from before it, the rest from it on."""
        half, after = limit // 2, span.around
        last = await self._read(source, Span(before=span.around), limit=half + 1, said=said)
        if isinstance(after, int):
            after -= 1
        else:
            after = last[-1].id if last else ""
        before = last[-half:] if half else ()
        left = limit - len(before)
        rest = await self._read(source, Span(after, first=True), limit=left, said=said)
        return [*before, *rest]

    async def _list_talks(self, reader: Person, query: ListTalks) -> Talks:
        last: dict[str, tuple[int, str]] = {}  # by folded name, when and the name
        for entry in sorted(await self._log.talks(reader.identity), key=lambda entry: entry.id):
            nick = partner(self._chat, reader, entry)
            last[fold(nick)] = (entry.at, nick)
        for room in rooms_of(self._chat, reader):
            for entry in await self._read(room, limit=1, said=True):
                last[room.log] = (entry.at, room.name)
        found = sorted(last.values())
        fitting = [talk for talk in found if query.after < talk[0] < query.before]
        some = fitting[: query.limit] if query.first else fitting[-query.limit :]
        return Talks(tuple((name, at) for at, name in some))

    async def _export(self, reader: Person) -> Answer:
        account = account_of(self._chat, reader)
        if account is None:
            return not_logged_in()
        talks = await self._list_talks(reader, ListTalks(0, self._now() + 1, _EXPORTED))
        marked = [(name, said, await self._marks.of(reader, name)) for name, said in talks.talks]
        rooms = await self._log.places(fold(account.name))
        return Notice(document(self._chat.realm, account, rooms, marked))

    async def _seek(self, reader: Person, seek: Seek) -> Answer:
        if seek.target:
            found = await self._source(reader, seek.target)
            if isinstance(found, Refused):
                return found
            sources = [found]
        else:
            talks = await self._log.talks(reader.identity)
            sources = [*rooms_of(self._chat, reader), *(talk(self._chat, reader, e) for e in talks)]
        is_indexed = seek.words.strip() or seek.nick
        look = self._by_index if is_indexed else self._said_in
        return Found(tuple(await look(sources, seek)))

    async def _list_mentions(self, reader: Person, limit: int) -> Mentions:
        """Find messages by the index of words, and keep those that are mentions by the rule."""
        account, found = account_of(self._chat, reader), dict[str, Entry]()
        for name in distinct([reader.nick, account.name if account else reader.nick]):
            seek = Seek(f'"{name}"', max(limit, _LAST_PAGE))
            calls = self._calls(reader, account, name)
            some = await self._by_index(rooms_of(self._chat, reader), seek, calls)
            found |= {entry.id: entry for entry in some}
        return Mentions(tuple(found[id] for id in sorted(found)[-limit:]))

    def _calls(self, reader: Person, account: Account | None, name: str) -> Callable[[Said], bool]:
        """Make a test for messages of others that mention the reader by a name; what is said by
        accounts that they have blocked does not count.
        """
        is_mention = mention_of(name)

        def calls(said: Said) -> bool:
            is_own = is_author(self._chat, reader, said)
            return not is_own and not has_blocked(account, said) and is_mention(said.text)

        return calls

    async def _audit(self, reader: Person, audit: Audit) -> Answer:
        found = logs(self._chat, reader, audit)
        if isinstance(found, Refused):
            return found
        identity = identity_of(self._chat, audit)
        limit = audit.limit

        async def choose(page: Sequence[Entry]) -> Sequence[Entry]:
            return [entry for entry in page if is_wanted(entry.event, audit, identity)]

        done, since = dict[str, Entry](), 0  # by id: the log of accounts is looked through twice
        for log in found:
            read = self._log.audit_all if log == EVERYWHERE else partial(self._log.audit, log)
            entries, back_to = await self._look_through(read, choose, limit)
            done |= {entry.id: entry for entry in entries}
            since = max(since, back_to)
        return Audited(tuple(done[id] for id in sorted(done)[-limit:]), since)

    async def _list_reports(self, reader: Person, limit: int) -> Answer:
        if not leads_any(self._chat, reader):
            return leaders_only()
        entries = await self._reports(reader, limit)
        await self._marks.have_read_reports(reader, self._now())
        return Reports(tuple([(entry, await self._reported(entry)) for entry in entries]))

    async def waiting_reports(self, reader: Person, log: str = "", room: str = "") -> list[Notice]:
        """Tell an operator of reports they have not seen: of all, or of those from a ``room``."""
        try:
            seen = await self._marks.reports_read(reader)
            found = await self._reports(reader, _REPORTS_MAX, log)
        except Unavailable:
            return []
        count = sum(entry.at > seen for entry in found)
        many = f"{count} reports wait" if count > 1 else "A report waits"
        return [Notice(f"{many} to be seen: /reports", room, urgent=True)] if count else []

    async def reports_in(self, log: str, reader: Person) -> list[Notice]:
        """Tell an operator of a room who has come into it of reports from there; those of the
        server have been told of all.
        """
        room = self._chat.rooms.get(log)
        if room is None or log not in reader.rooms or is_exempt(self._chat, reader):
            return []
        leads_it = leads(room, reader)
        return await self.waiting_reports(reader, log, room.state.name) if leads_it else []

    async def has_reported(self, person: Person, entry: Entry) -> bool:
        """Whether somebody has lately reported this message already."""
        page = await self._log.reports(limit=_PAGE)
        events = (cast("Reported", past.event) for past in page)
        return any(event.msgid == entry.id and is_by(self._chat, person, event) for event in events)

    async def _reports(self, reader: Person, limit: int, log: str = "") -> Sequence[Entry]:
        """The last reports that somebody may see, perhaps of those from one ``log`` alone, by the
        names that rooms have now.
        """

        async def choose(page: Sequence[Entry]) -> Sequence[Entry]:
            reports = [(entry, cast("Reported", entry.event)) for entry in page]
            where = await self._log.whereabouts([report.msgid for _, report in reports])
            chosen = list[Entry]()
            for entry, report in reports:
                now = where.get(report.msgid, "")
                is_asked = not log or log == (now or report.log)
                if is_asked and may_see(self._chat, reader, entry, now):
                    chosen.append(as_called_now(self._chat, entry, now))
            return chosen

        found, _ = await self._look_through(self._log.reports, choose, limit)
        return found[-limit:]

    async def _reported(self, entry: Entry) -> Entry | None:
        reported = cast("Reported", entry.event)
        return await self._log.find(reported.log, reported.msgid)

    async def _look_through(
        self,
        read: Callable[..., Awaitable[Sequence[Entry]]],
        choose: Callable[[Sequence[Entry]], Awaitable[Sequence[Entry]]],
        limit: int,
    ) -> tuple[Sequence[Entry], int]:
        """Those of the last entries that ``read`` gives that are chosen, page by page, some more
        than the limit; and back to which moment was looked, if there was too much.
        """
        found, before = list[Entry](), ""
        for _ in range(_PAGES):
            page = await read(before=before, limit=_PAGE)
            found[:0] = await choose(page)
            if len(page) < _PAGE or len(found) >= limit:
                return found, 0
            before = page[0].id
        return found, page[0].at

    async def _by_index(
        self,
        sources: Sequence[Source],
        seek: Seek,
        fits: Callable[[Said], bool] = _any,
    ) -> Sequence[Entry]:
        within = {source.log: source for source in sources}
        after, before = seek.span.after, seek.span.before
        found: list[Entry] = []
        for _ in range(_PAGES):
            search = Search(seek.words, [*within], seek.nick, after, before, seek.limit)
            page = await self._log.search(search)
            shown = (e for e in page if not hiding(e.id, within[e.room].hidden))
            fitting = (e for e in shown if isinstance(e.event, Said) and fits(e.event))
            found[:0] = [within[entry.room].called(entry) for entry in fitting]
            if len(page) < seek.limit or len(found) >= seek.limit:
                break
            before = page[0].id
        return found[-seek.limit :]

    async def _said_in(self, sources: Sequence[Source], seek: Seek) -> Sequence[Entry]:
        """The last messages, whatever their words."""
        pages = [await self._read(one, seek.span, limit=seek.limit, said=True) for one in sources]
        return sorted(itertools.chain(*pages), key=lambda entry: entry.id)[-seek.limit :]


def _is_by(entry: Entry, nick: str) -> bool:
    return isinstance(entry.event, Said) and fold(entry.event.nick) == fold(nick)
