"""What the page about trouble shows is what is shown when there is this trouble."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, PAGES, Call, blocks, calls
from tests.docs.walk import Walk, compare, steps

PAGE = DOCS / "troubleshooting.md"
SHOP = """\
from queuectl import Job


class Mail(Job):
    queue = "mail"

    def handle(self) -> None: ...


class Report(Job):
    def handle(self) -> None:
        raise ValueError("no figures for October")
"""
CONFIGURATION = """\
default = "database"
jobs = ["shop"]

[disks.public]
root = "storage/app/public"
"""
BEFORE = {
    "Jobs are not processed": ["dispatch Mail '{}'"],
    "Jobs keep failing": ["dispatch Report '{}'", "work --stop-when-empty"],
    "Pictures are not processed": ["""dispatch ProcessImageJob '{"path": "photos/7.jpg"}'"""],
}
"""What has happened before somebody looks for help under this heading."""
PROGRAM = """\
import json
from queuectl.cli import main

done = [(words, main(words)) for words in json.load(open("commands.json"))]
print(json.dumps(done))
"""
"""One process for all commands: starting one costs more than what it does."""


@pytest.fixture
def walk(tmp_path: Path) -> Walk:
    """A project with its tables, in which nothing has gone wrong yet."""
    walk = Walk(tmp_path)
    walk.write("conf/queue.toml", CONFIGURATION)
    walk.write("shop.py", SHOP)
    walk.run("queuectl migrate -q")
    return walk


def shown(walk: Walk, command: str) -> str:
    """What a terminal shows, whatever the exit code."""
    run = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=walk.folder,
        env=walk.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    return run.stdout


def alike(text: str) -> str:
    """Without what is different each time."""
    return re.sub(r"for \d+ seconds?", "for SOME seconds", text)


@pytest.mark.parametrize("heading", BEFORE)
def test_a_heading_begins_with_what_the_doctor_says(walk: Walk, heading: str) -> None:
    """And with nothing else in its way."""
    if not heading.startswith("Pictures"):
        (walk.folder / "storage/app/public").mkdir(parents=True)
    for words in BEFORE[heading]:
        walk.run(f"queuectl {words}")
    [block] = [one for one in blocks(PAGE, "console") if one.before == f"## {heading}"]
    for command, expected in steps(block):
        expected = expected.replace("/srv/app", str(walk.folder))
        compare(f"{block} {command}", alike(expected), alike(shown(walk, command)))


def _is_of_this_page(call: Call) -> bool:
    return call.place.startswith(("docs/troubleshooting.md", "troubleshooting.md"))


def test_every_command_of_the_page_does_something(walk: Walk) -> None:
    """Each is run, in a project with a failed job: none is refused for what it says, and none crashes."""
    walk.run("queuectl dispatch Report '{}' && queuectl work --stop-when-empty")
    (walk.folder / "storage/app/public").mkdir(parents=True)
    commands = dict.fromkeys(call.words for call in calls() if _is_of_this_page(call) and call.words)
    assert len(commands) > 25
    walk.write("commands.json", json.dumps([_as_run_here(words) for words in commands]))
    walk.write("program.py", PROGRAM)
    for words, code in json.loads(walk.run("python program.py 2>errors").splitlines()[-1]):
        assert code in (0, 9) or (code == 1 and "1" in words), f"{words}: {code}"  # job 1 has been retried meanwhile
    assert "should not have happened" not in (walk.folder / "errors").read_text()


def _as_run_here(words: tuple[str, ...]) -> list[str]:
    """A worker is to end, and nobody is there to be asked."""
    more = {"work": ["--stop-when-empty"], "forget": ["--yes"], "dispatch": ["--queue=mail"]}
    return [*words, *more.get(words[0], [])]


def test_the_page_is_among_those_that_are_looked_at() -> None:
    """Its links, its configuration and its commands are held to what is there."""
    assert PAGE in PAGES
