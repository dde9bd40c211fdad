"""The things that all connections of a server have in common."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import trio

from trio_chat.core.commands import OfServer
from trio_chat.core.views import Answer
from trio_chat.protocols.irc.info import ServerInfo
from trio_chat.server.accounts import Accounts
from trio_chat.server.admission import Admission
from trio_chat.server.cloak import Cloak
from trio_chat.server.hub import Hub
from trio_chat.server.page import Page
from trio_chat.server.passes import Passes
from trio_chat.server.sources import Sources
from trio_chat.settings import Settings


@dataclass
class Shared:
    """The things that all connections of a server have in common.

    Their outboxes drain in ``drains``; ``port`` is the TCP port; ``operate`` carries out what
    operators ask of the server itself; browsers are shown the ``page``, if there is one;
    ``hashing`` bounds how many passwords are hashed at a time, and those who are in the middle of a
    long answer take ``turns``; ``passes`` bounds how many read or leave in a pass of the loop.
    """

    hub: Hub
    accounts: Accounts
    drains: trio.Nursery
    settings: Settings
    irc: ServerInfo
    admission: Admission
    cloak: Cloak
    sources: Sources
    port: int
    operate: Callable[[OfServer], Iterator[Answer]]
    page: Page | None = None
    passes: Passes = field(default_factory=Passes)
    turns: trio.StrictFIFOLock = field(default_factory=trio.StrictFIFOLock)
    hashing: trio.CapacityLimiter = field(default_factory=lambda: trio.CapacityLimiter(1))

    @property
    def is_hashing(self) -> bool:
        """Whether a password that comes now may have to wait for others."""
        return self.accounts.is_busy or not self.hashing.available_tokens
