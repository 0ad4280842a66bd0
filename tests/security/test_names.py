"""Names and keys written by whoever can write into a queue: they find a registered job, or nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from queuectl.app import App
from queuectl.config import Connection
from queuectl.drivers import build
from queuectl.errors import ConfigurationError
from queuectl.testing.contract.base import entry
from queuectl.testing.databases import fresh_prefix
from queuectl.testing.server import Server
from tests.acceptance.conftest import MakeProject

NAMES = (
    "os.system",
    "os:system",
    "os/system",
    "subprocess.Popen",
    "builtins.eval",
    "builtins.exec",
    "__import__('canary')",
    "eval",
    "canary",
    "canary.Canary",
    "canary:Canary",
    "canary/Canary",
    "canary\\Canary",
    "Canary",
    ".canary",
    "..canary",
    "./canary.py",
    "/canary",
    "ledger_jobs.Ledger",
    "ledger_jobs:Ledger",
    "ledger_jobs.os.system",
    "Ledger.handle",
    "Ledger.__class__",
    "Ledger.__init__.__globals__",
    "Ledger.__subclasses__",
    "__main__",
    "__builtins__",
    "__class__.__mro__",
    "Job",
    "queuectl.Job",
    "queuectl.jobs.send_notification.SendNotificationJob",
    "queuectl.testing.servers.Valkey",
    "ledger",
    "LEDGER",
    " Ledger",
    "Ledger ",
    "L\u0435dger",
    "Ledger()",
    "{Ledger}",
    "%(Ledger)s",
    "$(touch imported)",
    "`touch imported`",
    "; touch imported",
)
ARGUMENTS = {"key": "k", "command": "touch imported", "__class__": "canary.Canary", "__reduce__": ["os.system"]}
EXTRAS = {
    "exceptions": ["canary.Canary"],
    "middleware": ["canary.Canary"],
    "failed": "canary.Canary",
    "displayName": "canary.Canary",
    "deleteWhenMissingModels": True,
    "chained": ["canary"],
}


@pytest.mark.fault("X1", "X19")
@pytest.mark.parametrize("store", ["sqlite", "valkey"])
def test_nothing_is_imported_or_run_because_a_payload_names_it(store: str, make_project: MakeProject) -> None:
    """Forty ways to name what is no job, and settings that would name code elsewhere: all are refused, the job beside
    them runs."""
    project = make_project(store)
    (project.folder / "canary.py").write_text("open('imported', 'w')\nclass Canary:\n    pass\n")
    configuration = project.folder / "conf/queue.toml"
    configuration.write_text(configuration.read_text().replace("retry_after =", "unknown_job_grace = 0\nretry_after ="))
    for name in NAMES:
        project.push_raw(json.dumps({"job": name, "data": ARGUMENTS, **EXTRAS, "attempts": 0}).encode())
    project.push_raw(json.dumps({"job": "Ledger", "data": {"key": "fine"}, **EXTRAS, "attempts": 0}).encode())
    project.push_raw(json.dumps({"job": "Ledger", "data": ARGUMENTS, **EXTRAS, "attempts": 0}).encode())
    project.drain()
    assert project.done() == {"fine": 1}
    errors = [row["error"].rpartition(".")[2] for row in project.failed()]
    assert sorted(errors) == ["InvalidArguments", *["UnknownJob"] * len(NAMES)]
    assert not (project.folder / "imported").exists()


TABLES = ("jobs; DROP TABLE x", 'jobs"', "jobs`", "x' OR '1'='1", "jobs--", "jobs/**/", "", "jobs\0", "a.b.c", "jöbs")


@pytest.mark.fault("X14")
@pytest.mark.parametrize("key", ["table", "failed_table"])
def test_a_table_is_a_name(key: str, tmp_path: Path) -> None:
    """What is none is refused with its line, before anything is asked."""
    file = tmp_path / "queue.toml"
    for table in TABLES:
        file.write_text(f'[connections.database]\ndriver = "database"\n{key} = {json.dumps(table)}\n')
        with pytest.raises(ConfigurationError, match="a table name"):
            App.load(file, env={})


@pytest.mark.fault("X14")
@pytest.mark.parametrize("prefix", ["a*:", "a?:", "[ab]:", "a\\*:", "a^:", "{a}:"])
def test_a_prefix_is_no_pattern(prefix: str, valkey: Server) -> None:
    """Queues of other applications whose keys it would match are neither counted nor cleared."""
    base = fresh_prefix()
    mine, other = (
        build(Connection("redis", "redis", url=valkey.url, prefix=f"{base}{one}")) for one in (prefix, "ab:")
    )
    mine.push([entry("mail")])
    other.push([entry("mail"), entry("theirs")])
    assert {queue: counts.size for queue, counts in mine.counts().items()} == {"mail": 1}
    assert mine.clear("mail") == 1
    assert other.counts(["mail"])["mail"].size == 1
    for driver in (mine, other):
        driver.close()
