"""What sessions of the server ask for, as the commands in it."""

from collections.abc import Iterable

from trio_chat.core.commands import Command
from trio_chat.protocols.session import Ask, Run, Says, Session


def commands(run: Run | None) -> list[Command]:
    """None, if there is nothing, or the session has dealt with it by itself."""
    match run:
        case Says():
            return [*run.messages]
        case Ask(command):
            return [command]
        case _:
            return []


def next_command(session: Session) -> Command | None:
    """The one that is asked for next."""
    [command] = commands(session.next_run()) or [None]
    return command


def following(asks: Iterable[Ask]) -> list[Command]:
    return [ask.command for ask in asks]
