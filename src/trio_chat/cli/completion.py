"""What a shell proposes when Tab is pressed; see ``trio-chat --install-completion``."""

from collections.abc import Iterable


def settings(incomplete: str) -> Iterable[str]:
    """``NAME=`` of each setting that ``--set`` takes."""
    from trio_chat.settings import Settings
    from trio_chat.settings.described import all_settings

    some = (setting for setting in all_settings(Settings) if not setting.lets_in)
    return _beginning(incomplete, (f"{setting.name}=" for setting in some))


def protocols(incomplete: str) -> Iterable[str]:
    return _beginning(incomplete, ("auto", "irc", "plain"))


def formats(incomplete: str) -> Iterable[str]:
    return _beginning(incomplete, ("text", "jsonl"))


def admin_commands(incomplete: str) -> Iterable[tuple[str, str]]:
    """The commands for a server that runs, each with what it does."""
    from trio_chat.protocols.admin import COMMANDS

    return [(word, verb.does) for word, verb in COMMANDS.items() if word.startswith(incomplete)]


def _beginning(incomplete: str, words: Iterable[str]) -> Iterable[str]:
    return [word for word in words if word.startswith(incomplete)]
