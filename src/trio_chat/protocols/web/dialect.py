"""A dialect of IRC in WebSocket messages."""

from functools import cache

from trio_chat.core.views import Shown
from trio_chat.protocols.session import Dialect, OwnDialect
from trio_chat.protocols.web.frames import framed


class WebDialect(Dialect):
    """Writes as ``inner`` does, each line in a message that begins with ``start``."""

    __slots__ = ("_inner", "_start")

    def __init__(self, inner: Dialect, start: int) -> None:
        self._inner, self._start = inner, start

    def render(self, shown: Shown, id: str = "", at: int = 0) -> bytes:
        return framed(self._inner.render(shown, id, at), self._start)


class OwnWebDialect(WebDialect, OwnDialect):
    """The same for people's own actions."""

    __slots__ = ("_own",)

    def __init__(self, inner: OwnDialect, start: int) -> None:
        super().__init__(inner, start)
        self._own = inner

    def differs(self, shown: Shown) -> bool:
        return self._own.differs(shown)


@cache
def web_dialect(inner: Dialect, start: int) -> WebDialect:
    """The one object for a dialect of IRC that is kept for good."""
    return WebDialect(inner, start)
