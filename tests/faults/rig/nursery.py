"""Processes by the hundred: forked from one that has everything imported, so that each costs hundredths of a second.

They are real ones, which run the real command line or a program of the application, behind `rig.faulty`, and can be
killed as any. An answer comes when a process and everything it had started is gone: what has been written down by then
is all there will be.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any

from queuectl.jobs.arguments import dump
from tests.acceptance.project import Project, at_concurrency
from tests.faults.rig.arena import REPOSITORY
from tests.faults.rig.faulty import stand_before_every_driver

PRELOADED = (
    *(f"queuectl.commands.{name}" for name in ("batches", "failed", "flush", "forget", "relay", "retry", "work")),
    *("queuectl.cli", "queuectl.app", "queuectl.runner", "queuectl.outbox", "queuectl.failing"),
    *("queuectl.commands.work_console", "queuectl.commands.failed_stores", "queuectl.worker.worker"),
    *("queuectl.drivers.redis", "queuectl.drivers.redis.driver", "queuectl.drivers.database.sqlite"),
    *("queuectl.drivers.database.driver", "queuectl.drivers.database.postgres", "queuectl.drivers.database.mysql"),
    *("redis", "psycopg", "pymysql", "dotenv"),
)
JOBS = REPOSITORY / "tests/acceptance"
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, or minus the signal."""

    code: int
    stdout: str
    stderr: str


class Nursery:
    """The process that is forked."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": f"{JOBS}:{REPOSITORY}", "PYTHONWARNINGS": "error"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, project: Project, *words: str, fault: Mapping[str, str] | None = None) -> Ended:
        """`queuectl WORDS` in a project's folder."""
        return self._run([_order(project, fault, words=at_concurrency(words))])[0]

    def run_at_once(self, project: Project, *commands: Sequence[str]) -> list[Ended]:
        """Several commands at the same time."""
        return self._run([_order(project, None, words=at_concurrency(words)) for words in commands])

    def python(
        self, project: Project, source: str, *, fault: Mapping[str, str] | None = None, stdin: str = ""
    ) -> Ended:
        """A program of the application's own."""
        return self._run([_order(project, fault, source=source, stdin=stdin)])[0]

    def _run(self, orders: Sequence[Mapping[str, Any]]) -> list[Ended]:
        folder = Path(orders[0]["folder"])
        streams = [{name: str(folder / f"{name}-{place}") for name in ("out", "err")} for place in range(len(orders))]
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        written = [{**order, **files} for order, files in zip(orders, streams, strict=True)]
        self._process.stdin.write(json.dumps(written) + "\n")
        self._process.stdin.flush()
        codes = json.loads(self._process.stdout.readline())
        return [
            Ended(code, Path(files["out"]).read_text(), Path(files["err"]).read_text())
            for code, files in zip(codes, streams, strict=True)
        ]

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._process.communicate()


def _order(project: Project, fault: Mapping[str, str] | None, **what: Any) -> dict[str, Any]:
    return {"folder": str(project.folder), "environment": {**project.environment, **(fault or {})}, **what}


def serve() -> None:
    """Take orders, one line of several at a time; answer with exit codes."""
    _ask(PR_SET_PDEATHSIG, signal.SIGKILL)
    _ask(PR_SET_CHILD_SUBREAPER, 1)
    _warm_up()
    gc.freeze()  # or each fork's first collection would copy every page
    for line in sys.stdin:
        pids = [_fork(order) for order in json.loads(line)]
        codes = _await_everybody()
        print(json.dumps([codes[pid] for pid in pids]), flush=True)


def _ask(what: int, value: int) -> None:
    """Something of the kernel, for this process."""
    ctypes.CDLL(None, use_errno=True).prctl(what, value, 0, 0, 0)


def _warm_up() -> None:
    for module in PRELOADED:
        import_module(module)
    ledger: Any = import_module("ledger_jobs")
    dump(ledger.Ledger(key=""))  # the checking of arguments is imported, and built, on first use


def _await_everybody() -> dict[int, int]:
    """The exit codes of all, orphans included, once there is nobody left."""
    codes: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, 0)
        except ChildProcessError:
            return codes
        codes[pid] = os.waitstatus_to_exitcode(status)


def _fork(order: Mapping[str, Any]) -> int:
    pid = os.fork()
    if pid == 0:
        _ask(PR_SET_PDEATHSIG, signal.SIGKILL)  # a test that is broken off leaves nobody behind
        code = 70
        try:
            code = _be(order)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return pid


def _be(order: Mapping[str, Any]) -> int:
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    for name, descriptor in (("out", 1), ("err", 2)):
        os.dup2(os.open(order[name], os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), descriptor)
    Path("in").write_text(order.get("stdin", ""))
    os.dup2(os.open("in", os.O_RDONLY), 0)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # lives as long as the process
    sys.path.insert(0, order["folder"])
    stand_before_every_driver()
    if "source" in order:
        exec(order["source"], {"__name__": "__main__"})  # noqa: S102  # a test's own program
        return 0
    from queuectl.cli import main

    return main(order["words"])


if __name__ == "__main__":
    serve()
