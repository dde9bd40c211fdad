"""The server is killed while people register, log in and change passwords, again and again.

Two want each name, or one that looks like it, at the same time. Whoever was told that it is theirs
has it ever after, and only their password opens it; if nobody was told, it is one's or nobody's.
After every kill there is no account without its verifier, and no verifier without its account.
"""

import itertools
import os
import random
import re
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio

from certificates import connect, issue
from peers import settings
from processes import free_port, running_server
from trio_chat.app import open_log
from trio_chat.core.events import REALM, AccountMade
from trio_chat.core.names import fold
from trio_chat.storage.base import START

# For so many that it takes minutes.
LONG = (pytest.mark.soak, pytest.mark.timeout(1800))

NAMES = 4  # that are new in each life of the server
ANSWERS = 60  # in one life, at most

SETTINGS = {
    "TRIO_CHAT_ACCOUNTS__ITERATIONS": "4096",
    "TRIO_CHAT_LIMITS__MESSAGES_PER_SECOND": "1000000",
    "TRIO_CHAT_LIMITS__MESSAGE_BURST": "1000000",
    "TRIO_CHAT_LOG__LEVEL": "error",
    # On a busy machine it takes a client seconds to say hello, in TLS.
    "TRIO_CHAT_SERVER__GREETING_DELAY": "10",
}

MADE, OPENED, CHANGED = (
    "Your nickname is yours",
    "You are logged in",
    "Your password has been changed",
)
ANSWER = re.compile(
    rf"\*\*\* ({MADE}|{OPENED}|{CHANGED}|Cannot log in as|\S+ is somebody's account)"
)
ENTERED = re.compile(r"\*\*\* You are (\S+) in #lobby;.*/help for more\.\n")


class Line:
    """A plain connection."""

    def __init__(self, stream: trio.abc.Stream, on_answer: Callable[[], None]) -> None:
        self._stream, self._on_answer = stream, on_answer
        self._unread = ""

    async def ask(self, line: str) -> str:
        """Say a command; returns how it ends. Raises trio.BrokenResourceError if it does not."""
        await self._stream.send_all(f"{line}\n".encode())
        answer = await self.until(ANSWER)
        self._on_answer()
        return answer[1]

    async def enter(self, nick: str) -> str:
        """Come in; returns the nickname that one gets."""
        await self._stream.send_all(f"{nick}\n".encode())
        return (await self.until(ENTERED))[1]

    async def until(self, expected: re.Pattern[str]) -> re.Match[str]:
        while (found := expected.search(self._unread)) is None:
            data = await self._stream.receive_some()
            if not data:
                raise trio.BrokenResourceError
            self._unread += data.decode()
        self._unread = self._unread[found.end() :]
        return found


@dataclass
class Claimant:
    """Wants a name. ``passwords`` are those of which one opens it, if it is theirs: two while an
    answer is missing. ``was_told`` says that it is.
    """

    name: str
    passwords: list[str]
    was_told: bool = False
    changes: int = 0

    async def live(self, port: int, over_tls: bool, on_answer: Callable[[], None]) -> None:
        """Claim the name, and change its password, until the server is gone."""
        with suppress(OSError, trio.BrokenResourceError):
            async with await connect(port, over_tls=over_tls) as stream:
                line = Line(stream, on_answer)
                has_it = await line.enter(self.name) == self.name
                if await self.opens(line) or (has_it and await self._registers(line)):
                    while True:
                        await self._change(line)

    async def opens(self, line: Line) -> bool:
        """Whether the name is theirs."""
        for password in self.passwords:
            if await line.ask(f"/login {self.name} {password}") == OPENED:
                self._is(password)
                return True
        assert not self.was_told, f"{self.name} was theirs, and is not any more"
        return False

    async def _registers(self, line: Line) -> bool:
        [password] = self.passwords
        if await line.ask(f"/register {password}") != MADE:
            return False
        self._is(password)
        return True

    async def _change(self, line: Line) -> None:
        self.changes += 1
        self.passwords.append(f"{self.passwords[0].partition('/')[0]}/{self.changes}")
        assert await line.ask(f"/password {self.passwords[-1]}") == CHANGED
        self._is(self.passwords[-1])

    def _is(self, password: str) -> None:
        self.passwords, self.was_told = [password], True


@dataclass
class Murder:
    """Kills the server while pairs of people want names."""

    file: Path
    over_tls: bool
    variables: dict[str, str]
    chance: random.Random

    async def again_and_again(self, kills: int) -> list[tuple[Claimant, Claimant]]:
        pairs: list[tuple[Claimant, Claimant]] = []
        with free_port() as port:
            for life in range(kills):
                for number in range(NAMES):
                    names = f"n{life:03}x{number}o", f"n{life:03}x{number}0"
                    pair = [Claimant(name, [f"password-of-{name}"]) for name in names]
                    self.chance.shuffle(pair)
                    pairs.append((pair[0], pair[1]))
                await self._live(port, pairs[-2 * NAMES :])
                await self.check()
        return pairs

    async def _live(self, port: int, pairs: list[tuple[Claimant, Claimant]]) -> None:
        """Those take part who were there when it was killed the last time, and new ones."""
        answers, enough, number = (
            itertools.count(1),
            trio.Event(),
            self.chance.randrange(1, ANSWERS),
        )

        def on_answer() -> None:
            if next(answers) == number:
                enough.set()

        async with (
            running_server(port=port, **self.variables) as server,
            trio.open_nursery() as nursery,
        ):
            for pair in pairs:
                for claimant in pair:
                    nursery.start_soon(claimant.live, port, self.over_tls, on_answer)
            await enough.wait()
            await trio.sleep(self.chance.uniform(0, 0.01))
            server.process.kill()

    async def check(self) -> int:
        """Every account has its verifier, and every verifier its account; returns the number."""
        async with open_log(settings(history={"store": str(self.file)})) as log:
            events = [entry.event for entry in await log.barriers(REALM, after=START)]
        names = sorted(fold(event.name) for event in events if isinstance(event, AccountMade))
        with closing(sqlite3.connect(self.file)) as connection:
            rows = connection.execute("SELECT account FROM secret ORDER BY account").fetchall()
        assert names == [name for (name,) in rows]
        return len(names)

    async def owned(self, pairs: list[tuple[Claimant, Claimant]]) -> int:
        """Try all passwords of everybody: each name has one owner at most; returns the number."""
        owners = 0
        async with running_server(patience=600, **self.variables) as server:
            for number, (one, other) in enumerate(pairs):
                async with await connect(server.port, over_tls=self.over_tls) as stream:
                    line = Line(stream, int)
                    await line.enter(f"judge{number}")
                    opened = [await one.opens(line), await other.opens(line)]
                assert opened != [True, True], f"{one.name} has two owners"
                owners += any(opened)
        return owners


@pytest.mark.parametrize("over_tls", [False, True], ids=["clear", "TLS"])
@pytest.mark.parametrize(
    "kills",
    [
        pytest.param(3, marks=pytest.mark.slow),
        pytest.param(int(os.environ.get("KILLS", "100")), marks=LONG),
    ],
)
async def test_each_name_has_one_owner_whatever_happens(
    kills: int, over_tls: bool, tmp_path: Path
) -> None:
    file = tmp_path / "chat.db"
    variables = (
        SETTINGS | issue(tmp_path / "tls").variables | {"TRIO_CHAT_HISTORY__STORE": str(file)}
    )
    murder = Murder(file, over_tls, variables, random.Random(kills))
    pairs = await murder.again_and_again(kills)
    accounts, owned = await murder.check(), await murder.owned(pairs)
    people = [person for pair in pairs for person in pair]
    told = sum(person.was_told for person in people)
    report = (
        f"{len(pairs)} names, {accounts} accounts, {owned} with an owner, {told} told so, "
        f"{sum(person.changes for person in people)} passwords changed"
    )
    assert accounts == owned == told, report
    print(f"\n{kills} kills: {report}", file=sys.stderr)
