"""Names, payloads and exceptions that somebody else wrote go through every command, and steer nothing.

The table of commands is walked, so a new one is caught here: it must be given a line among `CALLS`. Whatever forms of
output a command has an option for, it is asked for all of them.
"""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing

import pytest

from queuectl.commands import COMMANDS, Spec
from queuectl.commands.group import load
from queuectl.jobs.outcome import Entry
from queuectl.jobs.payload import encode
from queuectl.testing.server import Server
from tests.security.hostile import EVIL, FOR_SHELLS, MARKUP, OPERATION, SHOP, UUID, WAITING, Attack, OnRedis, OnSqlite
from tests.unit.cli.conftest import Run, Site

OURS = re.compile(r"\x1b\[(?!8m)[0-9;]*m|\x1b\[\?(?:1049|25)[hl]|\x1b\[H|\x1b\[2K|\x1b\[1A|\r|\n")
"""What we say to a terminal ourselves: colours, the other screen, and the one line in which something goes on."""
STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
REFUSED, MISCONFIGURED = 2, 78
TO_TYPE = re.compile(r"\bqueuectl [a-z].*")
NAMING = (("explain",), ("jobs:show",), ("failed:show",))
FORMS = ("--json", "--jsonl", "--ids")

CALLS: dict[str, tuple[tuple[str, ...], ...]] = {
    "work": (("--queue", EVIL), ("--queue=hostile", "--stop-when-empty", "-v", "--sleep=0.01")),
    "listen": (("--queue", EVIL),),
    "restart": ((),),
    "pause": ((EVIL,), ("mail", "--reason", EVIL)),
    "resume": ((EVIL,), ("other",)),
    "drain": ((EVIL,), ("--empty", "--timeout=0.01"), ("--timeout=0.01", "--reason", EVIL)),
    "health": (("--live",), ("--live", "--name", EVIL), ("--ready",), ("--ready", "--queue", EVIL)),
    "monitor": ((), (EVIL,), (f"database:{EVIL}", "-vv")),
    "top": ((), ("--once",), ("--queue", EVIL), ("--connection", EVIL)),
    "explain": ((UUID,), (WAITING,), (EVIL,), ("--queue=mail",), ("--queue", EVIL)),
    "dispatch": ((EVIL,), ("Mail", EVIL), ("Mail", json.dumps({"to": EVIL})), ("Mail", json.dumps({EVIL: 1}))),
    "relay": ((EVIL,), ()),
    "clear": (("--queue", EVIL, "--force"), ("--queue=hostile", "--dry-run"), ("--queue=hostile", "--force")),
    "jobs": ((),),
    "jobs:list": ((), ("--job", EVIL), ("--queue", EVIL), ("--state", EVIL), (WAITING, EVIL), ("--state=parked",)),
    "jobs:show": ((WAITING,), (EVIL,), (WAITING, "--show-secrets")),
    "jobs:cancel": ((EVIL,), ("all", "--dry-run"), (WAITING, "--yes")),
    "undo": ((EVIL,), (OPERATION, "--dry-run"), (OPERATION,)),
    "audit": ((), ("--since", EVIL)),
    "failed": (
        (),
        ("--group",),
        ("--error-like", EVIL),
        ("--job", EVIL),
        ("--max=0",),
        (UUID, EVIL),
        ("--group", EVIL),
    ),
    "failed:show": ((UUID,), (UUID, "--show-secrets"), (EVIL,)),
    "retry": ((UUID, "--dry-run"), (EVIL,), ("--queue", EVIL), ("--rate", EVIL, "all"), (UUID,)),
    "forget": ((UUID, "--dry-run", "-v"), (EVIL,), ("--job", EVIL), (UUID, "--yes")),
    "flush": (("--dry-run",), ("--group", EVIL, "--force"), ("--force",)),
    "prune-failed": (("--dry-run",), ("--hours=0",)),
    "migrate": ((EVIL,), ("--sql",), ()),
    "table": ((EVIL,), ()),
    "failed-table": ((EVIL,), ()),
    "batches-table": ((EVIL,), ()),
    "config": ((), ("--show-origin",), (f"--config={EVIL}",)),
    "supervisor:config": (("--queue", EVIL), ("--name", EVIL), ("--executable=/bin/true", "--output", f"x/{MARKUP}")),
    "systemd:config": (("--queue", EVIL), ("--name", EVIL), ("--executable=/bin/true", "--output", f"x/{MARKUP}")),
    "about": ((),),
    "doctor": ((), ("--only", EVIL)),
    "check": ((), ("--against-queue",), ("--lock", MARKUP), ("--queue", EVIL, "--against-queue")),
    "completion": ((EVIL,), ("bash", "--", "monitor", ""), ("zsh", "--", "jobs:show", ""), ("fish", "--", "retry", "")),
    "help": ((EVIL,), ("failed",)),
}
"""What each command is called with."""
CHANGING = ("work", "clear", "jobs:cancel", "undo", "retry", "forget", "flush", "prune-failed")
"""Each call of these finds the store as it was."""
ON_STORES = ("Queues", "Failed jobs")
LAST_WORDS = {"top": "jjq"}
"""What is typed at a command that listens."""


def test_every_command_is_called() -> None:
    """A new one too: give it words that somebody else may have written."""
    assert list(CALLS) == [spec.name for spec in COMMANDS]


@pytest.fixture(scope="module")
def sqlite() -> OnSqlite:
    return OnSqlite()


@pytest.fixture
def hostile(site: Site, sqlite: OnSqlite, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A project whose store is SQLite."""
    (site.root / "shop.py").write_text(SHOP)
    monkeypatch.setenv("XDG_CACHE_HOME", str(site.root / "cache"))
    sqlite.begin(site)
    return site


@pytest.mark.fault("X11")
@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)
def test_nothing_steers_a_terminal(spec: Spec, hostile: Site, sqlite: OnSqlite, *, terminal: bool) -> None:
    """What is printed is printable, line ends, and our own colours; what is JSON is JSON; and nothing crashes."""
    walk(spec, hostile, sqlite, terminal=terminal)


@pytest.mark.fault("X11")
@pytest.mark.parametrize("spec", [spec for spec in COMMANDS if spec.panel in ON_STORES], ids=lambda spec: spec.name)
def test_nor_does_what_lies_in_redis(spec: Spec, hostile: Site, valkey: Server) -> None:
    """Where a queue's name is a key, and may not even be text."""
    store = OnRedis(valkey.url)
    store.begin(hostile)
    walk(spec, hostile, store, terminal=False)


def walk(spec: Spec, site: Site, store: Attack, *, terminal: bool) -> None:
    for words in calls(spec):
        if spec.name in CHANGING:
            store.begin(site)
        run = site.run(*words, stdin=LAST_WORDS.get(spec.name, ""), terminal=terminal)
        look_at(run, words, terminal=terminal)


def calls(spec: Spec) -> Iterator[list[str]]:
    """Each line of the table, in each form of output that the command has."""
    options = {name for parameter in load(spec, spec.name).params for name in parameter.opts}
    for words in CALLS[spec.name]:
        yield [spec.name, *words]
        yield from ([spec.name, form, *words] for form in FORMS if form in options)


def look_at(run: Run, words: list[str], *, terminal: bool) -> None:
    assert "should not have happened" not in run.err, words
    assert "\x1b" in "".join(words) or run.code not in (REFUSED, MISCONFIGURED), (
        words
    )  # else nothing would have been shown
    assert "Traceback" not in run.err or "-vv" in words or words[0] == "work", words
    printed = run.out.replace("\t", "") if words[0] == "completion" else run.out
    ours = OURS if terminal else re.compile("\n")
    assert STEERING.findall(ours.sub("", printed + run.err)) == [], words
    if "--show-secrets" not in words:
        assert "canary" not in printed + run.err, words
    if "--json" in words and words[0] != "work":
        assert run.out.isascii()
        json.loads(run.out or "null")
    elif "--jsonl" in words or "--json" in words:
        for line in run.out.splitlines():
            json.loads(line)


@pytest.mark.fault("X11")
def test_the_attack_is_visible(hostile: Site) -> None:
    """Escaped, not removed: whoever looks for the cause must see it. Markup is just text."""
    shown = hostile.run("failed:show", UUID).out
    assert "\\x1b[2J" in shown
    assert "[/red]" in hostile.run("failed", "--json").json[0]["message"]


@pytest.mark.fault("X11")
@pytest.mark.parametrize("name", FOR_SHELLS)
def test_what_one_is_told_to_type_is_harmless(hostile: Site, name: str) -> None:
    """A name that somebody else gave to a job or a queue is one word in a line that is copied into a shell."""
    hostile.fail(name)
    with hostile.driver() as driver:
        driver.push([Entry("typed", encode(job="Mail", arguments="{}", uuid=name), name)])
    with closing(sqlite3.connect(hostile.root / "storage/queue.sqlite")) as database, database:
        database.execute("UPDATE jobs SET queue = ? WHERE queue = 'typed'", (name,))
    told = [run.out for run in (hostile.run(*words, name) for words in NAMING)] + [hostile.run("doctor").out]
    lines = [line for out in told for line in TO_TYPE.findall(out) if "pwned" in line]
    assert len(lines) >= 6
    for line in lines:
        subprocess.run(["sh", "-c", f"queuectl() {{ :; }}\n{line}"], cwd=hostile.root, capture_output=True, check=False)
    assert not (hostile.root / "pwned").exists()
