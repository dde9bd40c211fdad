"""The page in the browser: which files it has, and under which names it is."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trio_chat.protocols.irc.session import IrcSession
from trio_chat.protocols.session import Session
from trio_chat.protocols.web.files import load_files
from trio_chat.settings import Settings

if TYPE_CHECKING:
    from trio_chat.protocols.web.site import Site


class Page:
    """The page of a server with these settings. ``build`` names the content of its files."""

    def __init__(self, settings: Settings) -> None:
        web, public_name = settings.web, settings.server.public_name.lower()
        self._files = load_files(web.title or settings.irc.network)
        url = urlsplit(web.url)
        own = {url.hostname} if url.hostname else set()
        hosts = own.union(web.hosts) if web.hosts else set()
        local = hosts or own | {"localhost", public_name}
        self._hosts = {False: frozenset(hosts), True: frozenset(local)}
        origin = (f"{url.scheme}://{url.netloc}",) if own else ()
        self._origins = frozenset((*web.origins, *origin))
        self._sites: dict[bool, Site] = {}
        self.build = self._files.build

    def session(
        self,
        irc: IrcSession,
        clock: Callable[[], float],
        *,
        secure: bool,
        local: bool,
        forwarded: bool,
        is_full: Callable[[], bool],
    ) -> Session:
        """The session of a browser, which is ``local`` if it has come from this machine, and by no
        proxy that has ``forwarded`` its request. ``is_full`` says whether others wait for a place.
        """
        # The library takes 60 ms to load, and many servers have no browsers.
        from trio_chat.protocols.web.session import WebSession
        from trio_chat.protocols.web.site import Site

        if local not in self._sites:
            self._sites[local] = Site(self._files, self._hosts[local], self._origins)
        site = self._sites[local]
        return WebSession(irc, site, clock, secure=secure, forwarded=forwarded, is_full=is_full)
