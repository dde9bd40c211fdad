"""A room in which something is going on, for the pictures of the docs."""

from screens import NOON, FakeModel, said
from trio_chat.client.model import Line
from trio_chat.protocols.client import Member

_SAID = """
09:12|alice|morning! the new release is out: https://trio.readthedocs.io/en/stable/history.html
09:13|tomás|wow, that was quick!
09:15|alice|The flaky test was a missing checkpoint in the fan-out loop, as so often
09:16|*tomás|takes notes
09:21|bob|I can write that down for the docs, if nobody else wants to
09:22|mei|please do, there is a draft of the chapter on cancellation
|dmitri joined; jo left
11:40|dmitri|привет! I am new here: what is the difference between a nursery and a task group?
11:41|Łukasz|none but the name: asyncio took it over
11:42|美咲|日本語の解説もありますよ: https://example.org/trio-ja
11:44|dmitri|thank you all
new|carol|bob: are you coming tonight? we meet at eight, the usual place
11:58|tomás|count me in
11:59|carol|tomás: great, that makes seven of us
"""


def lively_model() -> FakeModel:
    model = FakeModel("#python", "#trio", "#random", "#docs", "alice", "mei")
    model.lag = 0.012
    model.shown = room = model.all[2]
    room.topic = "structured concurrency for people | https://trio.readthedocs.io"
    room.add_members("@alice", "@mei", "+Łukasz", "bob", "carol", "dmitri", "tomás", "美咲")
    room.members |= {
        "bot": Member("bot", bot=True, prefixes="+"),
        "greta": Member("greta", away=True),
        "jörg": Member("jörg", away=True),
    }
    room.lines.append(said("", "Wednesday, 15 November 2023", kind="day"))
    for text in _SAID.strip().split("\n"):
        room.lines.append(_line(room, text))
    room.lines.append(said("bob", "carol: gladly! I bring a cake", own=True, state="pending"))
    room.typing = ("mei",)
    model.all[1].news, model.all[3].news = 3, 48
    model.all[5].news = model.all[5].mentions = 1
    return model


def _line(room: object, text: str) -> Line:
    time, _, rest = text.partition("|")
    nick, bar, words = rest.partition("|")
    moment = _moment("11:57" if time == "new" else time or "11:38")
    if not bar:
        return said("", nick, moment, kind="event")
    kind = "action" if nick.startswith("*") else "said"
    nick = nick.lstrip("*")
    prefix = room.members[nick].prefixes[:1] if nick in room.members else ""
    line = said(nick, words, moment, kind=kind, prefix=prefix, mention=time == "new")
    if time == "new":
        room.first_unread = line
    return line


def _moment(clock: str) -> float:
    hours, minutes = clock.split(":")
    return NOON - 12 * 3600 + int(hours) * 3600 + int(minutes) * 60
