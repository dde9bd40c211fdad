"""The recipe of our container, read."""

import json
import shlex
from dataclasses import dataclass
from pathlib import Path

RECIPE = Path(__file__).parent.parent / "packaging" / "Containerfile"


def read() -> list[tuple[str, str]]:
    """The instructions, each with what follows it."""
    lines = [line for line in RECIPE.read_text().splitlines() if line and line[0] != "#"]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in lines)]


@dataclass(frozen=True)
class Image:
    """What the last stage says of how it is run."""

    env: dict[str, str]
    user: str
    volume: str
    command: list[str]
    health: list[str]
    stop: str


def image() -> Image:
    said = dict(read())  # the last of each
    health = said["HEALTHCHECK"]
    return Image(
        env=dict(one.split("=", 1) for one in shlex.split(said["ENV"])),
        user=said["USER"].partition(":")[0],
        volume=json.loads(said["VOLUME"])[0],
        command=json.loads(said["ENTRYPOINT"]) + json.loads(said["CMD"]),
        health=json.loads(health[health.index("[") :]),
        stop=said["STOPSIGNAL"],
    )
