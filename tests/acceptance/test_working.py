"""Jobs on every store: order, attempts, faithful arguments, failures and retries, junk, and outages."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from queuectl.testing.databases import fresh_prefix
from queuectl.testing.server import Server
from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import Project, missing, until


def test_the_first_queue_comes_first(project: Project) -> None:
    """With both full, every high job starts before any low one."""
    project.dispatch(
        'Ledger.on_queue("notifications").dispatch(key=f"low{n}");'
        'Ledger.on_queue("notifications-high").dispatch(key=f"high{n}")',
        times=20,
    )
    project.drain("--queue=notifications-high,notifications")
    keys = [event["key"] for event in project.events() if event["ev"] == "start"]
    assert keys == [f"high{n}" for n in range(20)] + [f"low{n}" for n in range(20)]


HOSTILE: dict[str, Any] = {
    "int": 2**70,
    "float": 1.0,
    "large": 1e300,
    "list": [],
    "object": {},
    "text": "\0é😀",
    "order": {"b": 1, "a": 2},
}


@pytest.mark.fault("F35")
def test_arguments_are_the_same_at_every_attempt(project: Project) -> None:
    """Integers beyond 64 bits, floats, empty lists and objects, any Unicode, deep nesting."""
    deep: Any = "bottom"
    for _ in range(100):
        deep = [deep]
    value = {**HOSTILE, "deep": deep}
    (project.folder / "value.json").write_text(json.dumps(value))
    project.dispatch('import json; Faithful.dispatch(key="k", value=json.load(open("value.json")))')
    project.drain()
    starts = project.starts("k")
    assert [event["attempt"] for event in starts] == [1, 2, 3]
    assert {event["value"] for event in starts} == {repr(value)}


def test_a_failed_job_is_listed_repaired_and_retried(project: Project) -> None:
    """The whole life of a failure: reason, hook, listing, retry, and nothing left behind."""
    project.dispatch('Failing.dispatch(key=f"k{n}")', times=3)
    project.drain()
    failed = project.failed()
    assert len(failed) == 3
    assert "cannot work" in project.cli("failed:show", failed[0]["id"]).stdout
    assert {event["error"] for event in project.events() if event["ev"] == "failed"} == {
        f"ValueError: k{n} cannot work" for n in range(3)
    }
    project.cli("retry", "no-such-id", code=1)
    (project.folder / "repaired").touch()
    project.cli("retry", failed[0]["id"])
    assert len(project.failed()) == 2
    project.cli("retry", "all")
    assert project.failed() == []
    project.drain()
    assert project.done() == {"k0": 1, "k1": 1, "k2": 1}
    assert project.cli("retry", "all").returncode == 0


def test_forget_flush_and_clear(project: Project) -> None:
    """Each says how it went, and an unknown id is exit 1."""
    project.dispatch('Failing.dispatch(key=f"k{n}")', times=3)
    project.drain()
    project.cli("forget", project.failed()[0]["id"])
    project.cli("forget", "no-such-id", code=1)
    project.cli("flush", code=2)
    project.cli("flush", "--hours=1", "--force")
    assert len(project.failed()) == 2
    project.cli("flush", "--force")
    assert project.failed() == []
    project.dispatch('Ledger.dispatch(key=f"k{n}"); Ledger.later(60).dispatch(key="later")', times=2)
    project.cli("clear", "--force")
    assert project.monitor("default")[0]["size"] == 0


def test_a_job_may_release_or_fail_itself(project: Project) -> None:
    """A release is another attempt; a manual failure is final and reported once."""
    project.dispatch('Wishing.dispatch(key="r", wish="release"); Wishing.dispatch(key="f", wish="fail")')
    output = project.drain().stdout
    assert [event["attempt"] for event in project.starts("r")] == [1, 2]
    assert len(project.starts("f")) == 1
    assert project.done() == {"r": 1}
    [failed] = project.failed()
    assert "no use" in project.cli("failed:show", failed["id"]).stdout
    assert output.count("FAIL") == 1


JUNK = [
    b"not json",
    b"{}",
    b"null",
    b"5",
    b"[]",
    b'{"attempts":null}',
    b'{"attempts":"x","job":5}',
    b"[" * 1001 + b"]" * 1001,
    b'{"job":"Ledger","data":{"args":"{}"},"number":1e400}',
    b'{"job":"","attempts":0}',
    b"\xff\xfe\x00broken",
]


@pytest.mark.fault("F34")
def test_junk_from_other_programs_is_kept_and_harms_nobody(project: Project) -> None:
    """Every piece ends in the failed store, the valid jobs around it run, the worker lives."""
    for number, junk in enumerate(JUNK):
        project.dispatch(f'Ledger.dispatch(key="k{number}")')
        project.push_raw(junk)
    worker = project.work()
    pushed = len(JUNK)
    until(lambda: len(project.failed()) == pushed, "the junk in the failed store")
    until(lambda: not missing(project.done(), "k", len(JUNK)), "the valid jobs")
    assert all(count == 1 for count in project.done().values())
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0
    assert project.monitor("default")[0]["size"] == 0


@pytest.mark.fault("F35")
def test_string_jobs_that_php_pushed_run(project: Project) -> None:
    """Laravel's envelope with arguments by name or by position; an object job of PHP's own is left for PHP."""
    envelope = {"maxTries": None, "maxExceptions": None, "failOnTimeout": False, "backoff": None, "timeout": None}
    tail = {"createdAt": 1_800_000_000, "id": "a" * 32, "attempts": 0, "delay": None}
    object_job = {"commandName": "App\\Jobs\\Sync", "command": 'O:13:"App\\Jobs\\Sync":0:{}'}
    for number, (job, data) in enumerate(
        [
            ("Ledger", {"key": "named"}),
            ("Ledger", ["placed"]),
            ("SendNotificationJob", {"user_id": 7, "title": "Bonjour", "message": "de PHP"}),
            ("Illuminate\\Queue\\CallQueuedHandler@call", object_job),
        ]
    ):
        head = {"uuid": f"{number}1111111-1111-4111-8111-111111111111", "displayName": job, "job": job}
        project.push_raw(json.dumps({**head, **envelope, "data": data, **tail}).encode())
    project.drain()
    assert project.done() == {"named": 1, "placed": 1}
    assert project.rows("SELECT user_id, title FROM notifications") == [(7, "Bonjour")]
    assert project.monitor("default")[0]["size"] == 1
    assert project.failed() == []


@pytest.mark.parametrize("topology", ["cluster", "sentinels"])
def test_a_worker_serves_queues_that_lie_on_several_servers(
    topology: str, make_project: MakeProject, request: pytest.FixtureRequest
) -> None:
    """In order, whichever node a queue lives on; a failure is listed and retried there."""
    url = request.getfixturevalue(topology).url
    project = make_project("valkey", redis_url=url, prefix=fresh_prefix())
    queues = [f"q{number}" for number in range(5)]
    for queue in reversed(queues):
        project.dispatch(f'Ledger.on_queue("{queue}").dispatch(key=f"{queue}-{{n}}")', times=4)
    project.dispatch('Failing.on_queue("q3").dispatch(key="f")')
    project.drain(f"--queue={','.join(queues)}")
    starts = [event["key"] for event in project.events() if event["ev"] == "start" and event["key"] != "f"]
    assert starts == [f"{queue}-{n}" for queue in queues for n in range(4)]
    (project.folder / "repaired").touch()
    project.cli("retry", "all")
    project.drain("--queue=q3")
    assert project.done()["f"] == 1
    assert project.failed() == []


@pytest.mark.fault("F20")
@pytest.mark.parametrize("store", ["postgres", "mariadb", "valkey", "redis62"])
def test_a_worker_outlives_the_restart_of_its_server(
    store: str, make_project: MakeProject, own_server: Callable[[str], Server]
) -> None:
    """It says so once, comes back by itself, says so once, and every job is done."""
    server = own_server(store)
    project = make_project(store, **{"redis_url" if "redis" in server.url else "database_url": server.url})
    project.dispatch('Ledger.dispatch(key=f"k{n}", seconds=0.02)', times=100)
    worker = project.work("--tries=3")
    until(lambda: project.done().total() > 10, "the worker to be busy")
    server.restart()
    until(lambda: not missing(project.done(), "k", 100), "all jobs")
    until(lambda: project.monitor("default")[0]["size"] == 0, "all jobs to be settled")
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0
    assert worker.output().count("trying again") == 1
    assert worker.output().count("is there again") == 1
    assert project.failed() == []


def test_a_delayed_job_waits_by_the_real_clock(project: Project) -> None:
    """Not a moment early, and soon after."""
    worker = project.work()
    until(lambda: project.monitor("default")[0]["workers"], "the worker's sign of life")
    pushed = time.monotonic()
    project.dispatch('Ledger.later(2).dispatch(key="k")')
    started = until(lambda: project.starts("k"), "the job")[0]["t"]
    assert started - pushed >= 2.0
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0
