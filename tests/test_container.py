"""The recipe of the container, as far as it can be judged without building it."""

import json
import re

from containers import RECIPE, image, read

ROOT = RECIPE.parent.parent


def test_commands_in_the_container_are_no_shells() -> None:
    """A shell would keep SIGTERM for itself, and slim images may lack one."""
    for word, rest in read():
        if word in ("RUN", "CMD", "ENTRYPOINT", "VOLUME", "HEALTHCHECK"):
            assert all(isinstance(one, str) for one in json.loads(rest[rest.index("[") :]))


def test_the_container_is_no_root() -> None:
    """By number, as then "runAsNonRoot" can see it; and the volume is that user's."""
    assert image().user == "10001"
    made = [json.loads(rest) for word, rest in read() if word == "RUN"][-1]
    assert made == ["install", "-d", "-o", "10001", "-g", "10001", "-m", "700", image().volume]


def test_the_image_is_built_of_what_the_wheel_is_made_of() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    through = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert "*" in lines
    project = (ROOT / "pyproject.toml").read_text()
    named = re.findall(r'(?:readme = |license-files = \[)"([^"]+)"', project)
    assert through == {"src", "packaging", "pyproject.toml", *named}
