"""The command line: argv, the environment and files come in, exit codes go out.

Each command imports what it needs when it runs, so that ``--help`` appears at once.
"""

import gc
from pathlib import Path
from typing import Annotated

import typer

from trio_chat.cli import completion

# New objects before the garbage collector looks for cycles among them, which takes 2 ms. Ours form
# cycles only when something fails or ends. Python's default of 700 is reached by one batch of
# messages, all of them needed, and a look through a client's 50,000 lines takes 100 ms.
_GARBAGE = 50_000

app = typer.Typer(
    name="trio-chat",
    epilog="Everything can also be set in the environment; 'trio-chat config' lists all settings.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

_HOST = "A name or an address, with or without :PORT; unix:PATH"
Host = Annotated[
    str | None,
    typer.Option("--host", "-H", metavar="HOST", help=f"{_HOST}; * for all addresses."),
]
ServerToJoin = Annotated[
    str | None,
    typer.Option(
        "--host",
        "-H",
        metavar="HOST",
        help=f"{_HOST}; HOST,HOST for several of one chat; or a link.",
    ),
]
Port = Annotated[str | None, typer.Option("--port", "-p", metavar="PORT", help="TCP port (55555).")]
Encoding = Annotated[
    str | None, typer.Option(metavar="ENCODING", help="Encoding of plain text (utf-8).")
]
EnvFile = Annotated[
    Path | None,
    typer.Option(
        metavar="PATH",
        envvar="TRIO_CHAT_ENV_FILE",
        readable=False,  # that it cannot be read is an error of settings, of ours
        help="File with settings. Default: .env in this folder, for harmless settings only.",
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        "-s",
        metavar="NAME=VALUE",
        help="Any other setting, such as limits.line_bytes=1000.",
        autocompletion=completion.settings,
    ),
]


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"trio-chat {version('trio-chat')}")
        raise typer.Exit


Debug = Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")]


@app.callback()
def program(
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """A small chat: one command starts it, and any client can join."""


@app.command()
def server(
    host: Host = None,
    port: Port = None,
    encoding: Encoding = None,
    set_: Set = None,
    env_file: EnvFile = None,
    debug: Debug = False,
) -> None:
    """Start a chat server. Ctrl-C stops it, after everybody has got what was sent to them.

    People on this machine join with 'trio-chat client', netcat, telnet or the tutorial's client.
    """
    from trio_chat.cli.serve import run_server

    options = {"host": host, "port": port, "encoding": encoding}
    run_server(options, set_ or (), env_file, debug=debug)


@app.command()
def client(
    link: Annotated[
        str | None,
        typer.Argument(metavar="LINK", hidden=True),  # typer would show its Python type
    ] = None,
    host: ServerToJoin = None,
    port: Port = None,
    nick: Annotated[
        str | None,
        typer.Option("--nick", "-n", metavar="NAME", help="Your nickname (your account's name)."),
    ] = None,
    room: Annotated[
        str | None, typer.Option("--room", "-r", metavar="ROOM", help="The room to enter (#lobby).")
    ] = None,
    json_lines: Annotated[
        bool, typer.Option("--json", help="Read and print JSON, one object per line, for programs.")
    ] = False,
    plain: Annotated[
        bool,
        typer.Option(
            "--plain", help="Print one line after another instead of drawing the full screen."
        ),
    ] = False,
    pin: Annotated[
        str | None,
        typer.Option(metavar="SHA256", help="Trust the server's certificate with this SHA-256."),
    ] = None,
    no_state: Annotated[
        bool, typer.Option("--no-state", help="Remember nothing for next time.")
    ] = False,
    retry: Annotated[
        bool, typer.Option("--retry", help="Reconnect if the server is lost or cannot be reached.")
    ] = False,
    protocol: Annotated[
        str | None,
        typer.Option(
            metavar="PROTOCOL",
            help="irc, plain (which the tutorial's server speaks), or auto to find out (auto).",
            autocompletion=completion.protocols,
        ),
    ] = None,
    encoding: Encoding = None,
    set_: Set = None,
    env_file: EnvFile = None,
    debug: Debug = False,
) -> None:
    """Join a chat. Type a line and press Enter to say it; /help lists the commands, F1 the keys.

    LINK says where: ircs://HOST:PORT/ROOM, as somebody gave it to you, HOST:PORT, or several
    addresses of one chat as HOST:PORT,HOST:PORT; without one, on this machine. To other machines
    everything is encrypted (TLS); irc:// goes there in clear.

    With --plain, or if input, output or errors (2>file) are not a terminal, each line of input is
    said and each message is printed as a line. When the input ends, the client exits once all of it
    has been said.

    It joins trio-chat, other IRC servers and the tutorial's server.
    """
    from trio_chat.cli.chat import run_client
    from trio_chat.cli.configure import LINK

    options = {
        LINK: link,
        "host": host,
        "port": port,
        "encoding": encoding,
        "client.pin": pin,
        "client.nick": nick,
        "client.room": room,
        "client.protocol": protocol,
        "client.plain": "true" if plain else None,
        "client.state": "false" if no_state else None,
        "client.json_lines": "true" if json_lines else None,
        "client.retry": "true" if retry else None,
    }
    run_client(options, set_ or (), env_file, debug=debug)


@app.command()
def invite(
    uses: Annotated[
        int,
        typer.Option(
            "--uses",
            metavar="N",
            help="How many people it lets in; a client in a pipe is a new one each time.",
        ),
    ] = 1,
    days: Annotated[int, typer.Option("--days", metavar="N", help="For how many days.")] = 7,
    room: Annotated[
        str | None, typer.Option("--room", "-r", metavar="ROOM", help="The room to enter (#lobby).")
    ] = None,
    operator: Annotated[
        bool,
        typer.Option("--operator", help="Make an operator of the server of whoever registers."),
    ] = False,
    host: Host = None,
    port: Port = None,
    set_: Set = None,
    env_file: EnvFile = None,
    debug: Debug = False,
) -> None:
    """Print a link that lets somebody into your server. The server may keep running.

    Run it as the user whose server it is, with the settings that the server has.
    """
    from trio_chat.cli.invite import run_invite

    options = {"host": host, "port": port, "client.room": room}
    run_invite(options, set_ or (), env_file, uses=uses, days=days, operator=operator, debug=debug)


@app.command(context_settings={"allow_interspersed_args": False})
def admin(
    command: Annotated[
        list[str] | None,
        typer.Argument(  # hidden, as typer would show its Python type
            metavar="[COMMAND]...", hidden=True, autocompletion=completion.admin_commands
        ),
    ] = None,
    room: Annotated[
        str, typer.Option("--room", "-r", metavar="ROOM", help="The room that it is about.")
    ] = "",
    json_lines: Annotated[
        bool, typer.Option("--json", help="Print JSON, one object per line, for programs.")
    ] = False,
    set_: Set = None,
    env_file: EnvFile = None,
    debug: Debug = False,
) -> None:
    """Give a command to your server while it runs. Without one, give them line by line.

    Run it as the user whose server it is, or as root, with the settings that the server has. There
    you are an operator, without a password, and in no room.

    \b
    trio-chat admin help                        all commands
    trio-chat admin who                         who is here, and from where
    trio-chat admin kill bob not on a Sunday    disconnect bob
    trio-chat admin --room tea kick bob spam    remove bob from #tea
    trio-chat admin account reset bob           let bob in, who has forgotten the password
    trio-chat admin account demote bob          make bob no operator of the server any more
    """
    from trio_chat.cli.admin import run_admin

    run_admin(
        command or (), {}, set_ or (), env_file, room=room, json_lines=json_lines, debug=debug
    )


@app.command()
def health(set_: Set = None, env_file: EnvFile = None, debug: Debug = False) -> None:
    """Ask your server whether it is ready for people: exit code 0, or 1 and why it is not.

    For containers and scripts. Run it with the settings that the server has: it asks at ops.listen,
    or else, as the server's user or as root, at the operators' socket. The server logs nothing of
    it.
    """
    from trio_chat.cli.health import run_health

    run_health(set_ or (), env_file, debug=debug)


@app.command()
def config(
    check: Annotated[
        bool, typer.Option("--check", help="Only check; print nothing if all is well.")
    ] = False,
    example: Annotated[
        bool,
        typer.Option("--example", help="Print a settings file with every setting and its default."),
    ] = False,
    set_: Set = None,
    env_file: EnvFile = None,
    debug: Debug = False,
) -> None:
    """Show every setting: its value, its unit and where the value comes from."""
    from trio_chat.cli.configure import example_file, load, table
    from trio_chat.cli.exits import exit_on_error
    from trio_chat.cli.trust import refuse

    with exit_on_error(debug=debug):
        if example:
            typer.echo(example_file(), nl=False)
            return
        configuration = load({}, set_ or (), env_file)
        if not check:
            typer.echo(table(configuration))
        refuse(configuration)


@app.command("hash-password")
def hash_password(debug: Debug = False) -> None:
    """Ask for a password, and print its hash for the settings.

    On a terminal it asks twice and echoes nothing; in a pipe, the password is one line of input.
    """
    from trio_chat.cli.passwords import run_hash_password

    run_hash_password(debug=debug)


history = typer.Typer(help="The history that a server keeps.", no_args_is_help=True)
app.add_typer(history, name="history")

BackupFile = Annotated[
    Path,
    # Hidden, as typer would show its Python type; we say by ourselves that it cannot be read.
    typer.Argument(metavar="FILE", hidden=True, readable=False),
]


@history.command()
def export(
    room: Annotated[
        list[str] | None,
        typer.Option("--room", "-r", metavar="ROOM", help="Only this room; may be repeated."),
    ] = None,
    since: Annotated[
        str,
        typer.Option(
            metavar="TIME", help="The first day or time, such as 2026-01-31 or 2026-01-31T09:30."
        ),
    ] = "",
    format_: Annotated[
        str,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="text or jsonl.",
            autocompletion=completion.formats,
        ),
    ] = "text",
    set_: Set = None,
    env_file: EnvFile = None,
    debug: Debug = False,
) -> None:
    """Print what was said in the rooms, oldest first. The server may keep running.

    jsonl is one JSON object per line, with its id and time. Private messages are not exported.
    """
    from trio_chat.cli.history import run_export

    run_export(room or (), since, format_, set_ or (), env_file, debug=debug)


@history.command()
def backup(
    file: BackupFile,
    replace: Annotated[
        bool, typer.Option("--replace", help="If FILE exists, replace it when the backup is whole.")
    ] = False,
    set_: Set = None,
    env_file: EnvFile = None,
    debug: Debug = False,
) -> None:
    """Back up all that the server keeps. The server may keep running.

    FILE has the history, accounts and bans, the server's key, and its own certificate, if it has
    made one. Keep it as safe as the server: whoever has it can pass for it. Settings are not in it.

    Run it as the user whose server it is, with the settings that the server has.

    \b
    trio-chat history backup /backup/chat.db
    trio-chat history backup --replace "/backup/$(date +%a).db"    one for each day of the week
    """
    from trio_chat.cli.backup import run_backup

    run_backup(file, set_ or (), env_file, replace=replace, debug=debug)


@history.command()
def restore(
    file: BackupFile, set_: Set = None, env_file: EnvFile = None, debug: Debug = False
) -> None:
    """Go back to a backup. The server must be stopped.

    FILE is checked first. All of it comes back, and nothing if it is interrupted: the history,
    accounts and bans, and the key and the certificate that it has. What was there stays beside it,
    under a name that is printed.

    Run it as the user whose server it is, with the settings that the server has.

    \b
    trio-chat history restore /backup/chat.db
    """
    from trio_chat.cli.backup import run_restore

    run_restore(file, set_ or (), env_file, debug=debug)


@history.command()
def check(
    json_lines: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, for programs.")
    ] = False,
    set_: Set = None,
    env_file: EnvFile = None,
    debug: Debug = False,
) -> None:
    """Check the history, and tell what is in it. The server may keep running.

    It tells whether the file is sound, and search knows all of it; and what the server will remove
    next because it is too old or too much. Nothing is changed.

    The exit code is 0 if all is well, 65 if something is damaged, and 73 if the file cannot be
    read.
    """
    from trio_chat.cli.check import run_check

    run_check(set_ or (), env_file, json_lines=json_lines, debug=debug)


def main() -> None:
    """Run the command ``trio-chat``."""
    gc.set_threshold(_GARBAGE, 20, 50)
    app()
