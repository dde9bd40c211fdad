"""``trio-chat health``: whether a server is ready for people, for containers and scripts."""

from collections.abc import Sequence
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from trio_chat.app import admin_socket
from trio_chat.cli.configure import load
from trio_chat.cli.exits import exit_on_error
from trio_chat.cli.reach import connect
from trio_chat.cli.trust import for_server
from trio_chat.errors import NotReady, SettingsError
from trio_chat.protocols.clean import clean
from trio_chat.settings import Settings
from trio_chat.settings.places import Address
from trio_chat.storage.private import reason

_PATIENCE = 5.0  # seconds for each step

_LONGEST = 1000  # bytes of an answer


def run_health(assignments: Sequence[str], env_file: Path | None, *, debug: bool) -> None:
    """Print that the server is ready; ends with exit code 1, and says why, if it is not."""
    with exit_on_error(debug=debug):
        place = _place(for_server(load({}, assignments, env_file)))
        told = _ask(place)
        if told != "ok":
            raise NotReady(f"the server is not ready: {clean(told)}")
        print("the server is ready")


def _place(settings: Settings) -> Address:
    """Where to ask: at ``ops.listen``, or else at the operators' socket. Raises SettingsError."""
    for address in settings.ops.listen:
        if address.unix_path or address.port:
            return address
    if path := admin_socket(settings):
        return Address(f"unix:{path}")
    raise SettingsError("this server answers no health checks: set ops.listen to an address")


def _ask(place: Address) -> str:
    """The word that the server answers: ok, or why it is not ready. Raises NotReady."""
    connection = HTTPConnection("localhost", timeout=_PATIENCE)
    try:
        with closing(connection):
            connection.sock = connect(place, _PATIENCE)
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            told = response.read(_LONGEST).decode(errors="replace").strip()
    except TimeoutError as error:
        raise NotReady(f"the server at {place} does not answer") from error
    except HTTPException as error:
        raise NotReady(f"what listens at {place} answers no health checks") from error
    except OSError as error:
        why = reason(error, Path(place.unix_path))
        raise NotReady(f"cannot ask the server at {place}: {why}") from error
    if response.status not in (HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE):
        raise NotReady(f"what listens at {place} answers no health checks")
    return told
