"""METADATA: what describes people and rooms (ircv3.net, "metadata"; the draft of its third version,
in which subscribers are told by RPL_KEYVALUE and RPL_KEYNOTSET).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from trio_chat.core.commands import ClearMetadata, SetMetadata, Subscribe
from trio_chat.core.letters import cut
from trio_chat.core.metadata import SUBS_MAX, BadMetadata, check_key, judged
from trio_chat.core.queries import ShowMetadata, SyncMetadata
from trio_chat.core.refusals import Code
from trio_chat.core.views import AllMetadata, Metadata, Refused, SyncLater
from trio_chat.protocols.irc import numerics as n
from trio_chat.protocols.irc.fitting import wrapped
from trio_chat.protocols.irc.info import METADATA
from trio_chat.protocols.irc.message import Message
from trio_chat.protocols.irc.reply_buffer import ReplyBuffer
from trio_chat.protocols.session import Ask

Asks = Iterable[Ask]

_KEYS_LEFT = 300  # bytes of a line for a list of keys

# The codes of FAIL; whatever is not among them is a matter of permission.
_CODES = {
    Code.NO_SUCH_NICK: "INVALID_TARGET",
    Code.NO_SUCH_ROOM: "INVALID_TARGET",
    Code.BAD_METADATA_KEY: "INVALID_KEY",
    Code.BAD_METADATA_VALUE: "INVALID_VALUE",
    Code.METADATA_FULL: "LIMIT_REACHED",
    Code.TOO_FAST: "RATE_LIMITED",
    Code.UNAVAILABLE: "TEMPORARILY_UNAVAILABLE",
}


def metadata(out: ReplyBuffer, message: Message) -> Asks:
    """Read METADATA. Before registration a client may describe itself, and subscribe."""
    target, name, *rest = message.params
    read, needed = _SUBCOMMANDS.get(name.upper(), (None, 0))
    if read is None:
        out.fail("METADATA", "SUBCOMMAND_INVALID", cut(name, 50), "Invalid subcommand")
    elif len(rest) < needed:
        out.error(n.ERR_NEEDMOREPARAMS, "METADATA", "Not enough parameters")
    elif target != "*" and not out.peer.registered:
        out.fail("METADATA", "INVALID_TARGET", target, "You have not registered")
    else:
        return read(out, target, rest)
    return ()


# ── metadata itself ────────────────────────────────────────────────────────────────────────────


def _get(out: ReplyBuffer, target: str, keys: Sequence[str]) -> Asks:
    return _show(out, target, partial(_tell, out, keys=keys), keys[0])


def _list(out: ReplyBuffer, target: str, rest: Sequence[str]) -> Asks:
    return _show(out, target, partial(_tell, out, keys=None), "*")


def _show(out: ReplyBuffer, target: str, tell: Callable[[Metadata], None], key: str) -> Asks:
    if not out.peer.registered:
        tell(Metadata("*", out.peer.metadata))
        return ()
    room, nick = _named(target)
    return [Ask(ShowMetadata(room, nick), tell, partial(_refuse, out, target, key))]


def _tell(out: ReplyBuffer, found: Metadata, *, keys: Sequence[str] | None) -> None:
    """Tell the values of some keys, or of all that there are."""
    values = dict(found.values)
    out.open_batch("metadata", found.target)
    for key in values if keys is None else _keys(out, keys):
        _tell_values(out, Metadata(found.target, ((key, values.get(key, "")),)))


def _set(out: ReplyBuffer, target: str, rest: Sequence[str]) -> Asks:
    key, value = rest[0], rest[1] if len(rest) > 1 else ""
    if not out.peer.registered:
        _describe_early(out, key, value)
        return ()
    room, nick = _named(target)
    return [
        Ask(
            SetMetadata(((key, value),), room, nick),
            partial(_tell_values, out),
            partial(_refuse, out, target, key),
        )
    ]


def _describe_early(out: ReplyBuffer, key: str, value: str) -> None:
    """Note what a client wants to be described by once it has been let in."""
    try:
        out.peer.metadata = judged("", out.peer.metadata, ((key, value),))
    except BadMetadata as bad:
        _refuse(out, "*", key, _refused(bad))
    else:
        _tell_values(out, Metadata("*", ((key, value),)))


def _clear(out: ReplyBuffer, target: str, rest: Sequence[str]) -> Asks:
    if not out.peer.registered:
        gone = tuple((key, "") for key, _ in out.peer.metadata)
        out.peer.metadata = ()
        _cleared(out, Metadata("*", gone))
        return ()
    room, nick = _named(target)
    refuse = partial(_refuse, out, target, "*")
    return [Ask(ClearMetadata(room, nick), partial(_cleared, out), refuse)]


def _cleared(out: ReplyBuffer, found: Metadata) -> None:
    out.open_batch("metadata", found.target)
    _tell_values(out, found)


def _tell_values(out: ReplyBuffer, found: Metadata) -> None:
    """Tell values: RPL_KEYVALUE (761), or RPL_KEYNOTSET (766) for those that are gone."""
    for key, value in found.values:
        if value:
            out.last_param(n.RPL_KEYVALUE, found.target, key, "*", value)
        else:
            out.last_param(n.RPL_KEYNOTSET, found.target, key, "Key is not set")


def _named(target: str) -> tuple[str, str]:
    """The room or the nickname that is meant; neither, if it is the client itself."""
    if target.startswith("#"):
        return target, ""
    return "", "" if target == "*" else target


def _refused(bad: BadMetadata) -> Refused:
    return Refused(str(bad), bad.code, (bad.about,))


def _refuse(out: ReplyBuffer, target: str, key: str, refused: Refused) -> None:
    code = _CODES.get(refused.code, "KEY_NO_PERMISSION")
    context: Sequence[str] = {
        "INVALID_KEY": (key,),
        "INVALID_VALUE": (key,),
        "KEY_NO_PERMISSION": (target, key),
        "RATE_LIMITED": (target, key, *refused.about),
    }.get(code, (target,))
    out.fail("METADATA", code, *context, refused.why)


# ── subscriptions ──────────────────────────────────────────────────────────────────────────────


def _sub(out: ReplyBuffer, target: str, rest: Sequence[str]) -> Iterator[Ask]:
    keys, subs = _keys(out, rest), [*out.peer.subs]
    added: list[str] = []
    for key in keys:
        if key not in subs and len(subs) >= SUBS_MAX:
            out.fail("METADATA", "TOO_MANY_SUBS", key, f"There are at most {SUBS_MAX}")
            break
        added.append(key)
        subs += [key] if key not in subs else []
    out.peer.subs = tuple(subs)
    _list_keys(out, n.RPL_METADATASUBOK, added)
    if added and out.peer.registered:
        yield Ask(Subscribe(tuple(added)))
        yield Ask(SyncMetadata("", tuple(added)), partial(_synced, out))


def _unsub(out: ReplyBuffer, target: str, rest: Sequence[str]) -> Iterator[Ask]:
    keys = _keys(out, rest)
    out.peer.subs = tuple(key for key in out.peer.subs if key not in keys)
    _list_keys(out, n.RPL_METADATAUNSUBOK, keys)
    if keys and out.peer.registered:
        yield Ask(Subscribe(tuple(keys), on=False))


def _subs(out: ReplyBuffer, target: str, rest: Sequence[str]) -> Asks:
    out.open_batch("metadata-subs")
    _list_keys(out, n.RPL_METADATASUBS, out.peer.subs)
    return ()


def _keys(out: ReplyBuffer, given: Sequence[str]) -> Sequence[str]:
    """The keys among what a client has given; of the others it is told."""
    keys = []
    for key in dict.fromkeys(given):
        try:
            check_key(key)
        except BadMetadata as bad:
            _refuse(out, "*", key, _refused(bad))
        else:
            keys.append(key)
    return keys


def _list_keys(out: ReplyBuffer, numeric: str, keys: Sequence[str]) -> None:
    for line in wrapped(keys, _KEYS_LEFT):
        out.send(numeric, out.peer.nick or "*", *line.split())


# ── bringing a client up to date ───────────────────────────────────────────────────────────────


def _sync(out: ReplyBuffer, target: str, rest: Sequence[str]) -> Asks:
    if not target.startswith("#"):
        return _show(out, target, partial(_tell_subscribed, out), "*")
    refuse, begun = partial(_refuse, out, target, "*"), False

    def tell(found: AllMetadata) -> None:
        nonlocal begun
        if not begun:
            out.open_batch("metadata", target)
        begun = True
        _synced(out, found)

    return [Ask(SyncMetadata(target, out.peer.subs), tell, refuse)]


def _tell_subscribed(out: ReplyBuffer, found: Metadata) -> None:
    values = dict(found.values)
    _tell(out, found, keys=[key for key in out.peer.subs if key in values])


def _synced(out: ReplyBuffer, found: AllMetadata | SyncLater) -> None:
    if isinstance(found, SyncLater):
        for room in found.rooms:
            out.numeric(n.RPL_METADATASYNCLATER, room)
        return
    for one in found.of:
        _tell_values(out, one)
    if found.more:
        out.go_on()


def entered(out: ReplyBuffer, room: str) -> Asks:
    """Ask for what a client has subscribed to in a room that it has entered.

    "The server may also tell them to request that information at a later time": of a large room.
    """
    if METADATA not in out.peer.caps or not out.peer.subs:
        return ()
    return [Ask(SyncMetadata(room, out.peer.subs, soon=True), partial(_synced, out), _nothing)]


def watched(out: ReplyBuffer, nicks: Iterable[str]) -> Iterator[Ask]:
    """Ask for what a client has subscribed to of people whom it watches from now on."""
    if METADATA in out.peer.caps and out.peer.subs:
        for nick in nicks:
            yield Ask(ShowMetadata(nick=nick), partial(_tell_under, out, out.peer.subs), _nothing)


def _tell_under(out: ReplyBuffer, keys: Sequence[str], found: Metadata) -> None:
    values = tuple((key, value) for key, value in found.values if key in keys)
    _tell_values(out, replace(found, values=values))


def admitted(out: ReplyBuffer) -> Iterator[Ask]:
    """Do what a client has asked for before it was let in, and tell it its own metadata."""
    if METADATA not in out.peer.caps:
        return
    if out.peer.subs:
        yield Ask(Subscribe(out.peer.subs))
    if early := out.peer.metadata:
        out.peer.metadata = ()
        yield Ask(SetMetadata(early), _nothing, partial(_refuse, out, "*", early[0][0]))
    yield Ask(ShowMetadata(), lambda found: out.show(replace(found, whole=True)))


def _nothing(_: object) -> None:
    """Tell nothing."""


_Read = Callable[[ReplyBuffer, str, Sequence[str]], Asks]

# How each subcommand is read, and how many parameters it needs.
_SUBCOMMANDS: dict[str, tuple[_Read | None, int]] = {
    "GET": (_get, 1),
    "LIST": (_list, 0),
    "SET": (_set, 1),
    "CLEAR": (_clear, 0),
    "SUB": (_sub, 1),
    "UNSUB": (_unsub, 1),
    "SUBS": (_subs, 0),
    "SYNC": (_sync, 0),
}
