"""Names, payloads and exceptions that somebody else wrote go through every command, and steer nothing.

The table of commands is walked, so a new one is caught here: it must be given a line among `CALLS`. Whatever forms of
output a command has an option for, it is asked for all of them.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from queuectl.commands import COMMANDS, Spec
from queuectl.commands.group import load
from queuectl.drivers.contract import Driver, Settlement
from queuectl.drivers.control import Beat, LastSeen, Pause
from queuectl.drivers.operation import Operation
from queuectl.jobs.outcome import Entry, Parked
from queuectl.jobs.payload import encode, new_uuid
from tests.unit.cli.conftest import Run, Site, failed_record

EVIL = "\x1b[2J\x1b[8m\x1b]52;c;ZXZpbA==\x07\x9b31m\r\b\u202egpj\u200b\0[/red][bold][link=http://x]😀\nfake line"
MARKUP = "[/red][bold][link=http://x]%s{0}"
"""Printable, so that it is a name like any other."""
UUID, WAITING, OPERATION = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002", "op-e1e1e1"

OURS = re.compile(r"\x1b\[(?!8m)[0-9;]*m|\x1b\[\?(?:1049|25)[hl]|\x1b\[H|\x1b\[2K|\x1b\[1A|\r|\n")
"""What we say to a terminal ourselves: colours, the other screen, and the one line in which something goes on."""
STEERING = re.compile(r"[\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
REFUSED, MISCONFIGURED = 2, 78
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
LAST_WORDS = {"top": "jjq"}
"""What is typed at a command that listens."""

SHOP = f'''\
"""Jobs that do what their arguments say."""

from queuectl import Job


class Mail(Job):
    """{MARKUP}"""

    to: str = "ann"
    queue = "mail"

    def handle(self) -> None:
        print(self.to)
        raise ValueError(self.to)
'''


def test_every_command_is_called() -> None:
    """A new one too: give it words that somebody else may have written."""
    assert list(CALLS) == [spec.name for spec in COMMANDS]


@pytest.fixture
def hostile(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A project whose store holds attacks wherever it holds text."""
    (site.root / "shop.py").write_text(SHOP)
    monkeypatch.setenv("XDG_CACHE_HOME", str(site.root / "cache"))
    attack(site)
    return site


def attack(site: Site) -> None:
    """Give it such a store, in place of the one it has."""
    shutil.rmtree(site.root / "storage", ignore_errors=True)
    assert site.run("migrate").code == 0
    with site.driver() as driver:
        fill(driver)
    rename(site)


def fill(driver: Driver) -> None:
    """Failed, waiting, parked and reserved jobs; pauses, workers and operations."""
    now = time.time()
    arguments = json.dumps({"to": EVIL, EVIL: 1, "password": "canary"})
    facts = {"job": EVIL, "message": EVIL, "arguments": arguments}
    driver.failed.add([failed_record(UUID, queue=EVIL[:191].replace("\0", ""), **facts)])
    driver.failed.add([failed_record(new_uuid(), queue=MARKUP, **facts)])
    for queue in ("hostile", "mail", "markup", "evil"):
        ours = encode(job="Mail", arguments=arguments, uuid=new_uuid())
        driver.push([*_entries(queue, arguments), Entry(queue, ours, new_uuid())])
    driver.push([Entry("mail", encode(job=MARKUP, arguments=arguments, uuid=WAITING), WAITING, delay=600)])
    driver.push([Entry("parked", encode(job=MARKUP, arguments=arguments, uuid=new_uuid()), new_uuid())])
    [parked] = driver.exchange([], ["parked"], 1)[1]
    driver.exchange([Settlement(parked, Parked(EVIL, 600))], ["mail"], 1)
    driver.control.pause("other", Pause(EVIL, now, now + 60, EVIL))
    running = ({"job": EVIL, "uuid": UUID, "queue": EVIL, "since": now}, {"job": MARKUP, "uuid": EVIL, "since": now})
    for name in (EVIL, MARKUP):
        driver.control.beat(Beat(f"{MARKUP}:{now}", name, name, 1, ("mail", name), now, now, 1, 0, running, name))
    driver.control.serve(["hostile"], LastSeen(EVIL, EVIL, now))
    driver.control.count({f"done:{MARKUP}": 1})
    driver.control.record(Operation(OPERATION, EVIL, EVIL, EVIL, now, 1, undoable=True))


def rename(site: Site) -> None:
    """Our own programs refuse such names of queues; others write what they like."""
    with closing(sqlite3.connect(site.root / "storage/queue.sqlite")) as database, database:
        for queue, name in (("markup", MARKUP), ("evil", EVIL)):
            database.execute("UPDATE jobs SET queue = ? WHERE queue = ?", (name, queue))


def _entries(queue: str, arguments: str) -> Iterator[Entry]:
    """Payloads of other programs: a name that steers, one of markup, no JSON, no UTF-8, half a character."""
    for job in (EVIL, MARKUP):
        envelope = {"uuid": EVIL, "displayName": job, "job": job, "data": json.loads(arguments), "attempts": 0}
        yield Entry(queue, json.dumps(envelope).encode(), new_uuid())
    for payload in (
        EVIL.replace("\0", "").encode(),
        b"\x9b2J\xff\xfe",
        b'{"job": "Mail", "data": "\\ud800\\u001b[2J"}',
    ):
        yield Entry(queue, payload, new_uuid())


@pytest.mark.fault("X11")
@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
@pytest.mark.parametrize("spec", COMMANDS, ids=lambda spec: spec.name)
def test_nothing_steers_a_terminal(spec: Spec, hostile: Site, *, terminal: bool) -> None:
    """What is printed is printable, line ends, and our own colours; what is JSON is JSON; and nothing crashes."""
    for words in calls(spec):
        if spec.name in CHANGING:
            attack(hostile)
        typed = LAST_WORDS.get(spec.name, "")
        look_at(hostile.run(*words, stdin=typed, terminal=terminal), words, terminal=terminal)


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
