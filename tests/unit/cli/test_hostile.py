"""Names, messages and payloads written by somebody else never reach a terminal as commands."""

from __future__ import annotations

import json
import re

import pytest

from tests.unit.cli.conftest import Site, failed_record

UUID = "aaaaaaaa-0000-4000-8000-000000000001"
EVIL = "\x1b[2J\x1b]52;c;ZXZpbA==\x07\x9b31m\r\b\u202egpj\u200b[/red][bold][link=http://x]😀\nfake line"
OURS = re.compile(r"\x1b\[[0-9;]*m|[\n]")
STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")

COMMANDS = (
    ["failed"],
    ["failed", "--json"],
    ["failed", "--ids"],
    ["failed:show", UUID],
    ["failed:show", UUID, "--json"],
    ["failed:show", UUID, "--show-secrets"],
    ["monitor"],
    ["monitor", "--json"],
    ["retry", UUID, "--dry-run"],
    ["forget", UUID, "--dry-run", "-v"],
    ["pause", EVIL],
    ["retry", EVIL],
    ["forget", EVIL],
    [EVIL],
    ["dispatch", EVIL],
    ["dispatch", "Mail", EVIL],
    ["monitor", f"database:{EVIL}", "-vv"],
    ["clear", EVIL],
    ["config", f"--config={EVIL}"],
)


@pytest.fixture
def hostile(ready: Site) -> Site:
    """A store in which everything that can be text is an attack."""
    record = failed_record(UUID, job=EVIL, message=EVIL, queue=EVIL[:191], arguments=json.dumps({"to": EVIL, EVIL: 1}))
    with ready.driver() as driver:
        driver.failed.add([record])
    ready.run("pause", "mail", "--reason", EVIL)
    ready.push("mail")
    return ready


@pytest.mark.fault("X11")
@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words)[:20].encode("unicode_escape").decode())
def test_nothing_steers_a_terminal(hostile: Site, words: list[str], *, terminal: bool) -> None:
    """What is printed is printable, line ends, and our own colours; nothing crashes."""
    run = hostile.run(*words, terminal=terminal)
    assert "should not have happened" not in run.err
    printed = OURS.sub("", run.out + run.err) if terminal else (run.out + run.err).replace("\n", "")
    assert STEERING.findall(printed) == []
    if "--json" in words:
        assert run.out.isascii()
        json.loads(run.out)


@pytest.mark.fault("X11")
def test_the_attack_is_visible(hostile: Site) -> None:
    """Escaped, not removed: whoever looks for the cause must see it. Markup is just text."""
    shown = hostile.run("failed:show", UUID).out
    assert "\\x1b[2J" in shown
    assert "[/red]" in hostile.run("failed", "--json").json[0]["message"]
