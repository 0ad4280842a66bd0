"""Processes by the hundred: forked from one that has everything imported, so that each costs hundredths of a second.

They are real ones, which run the real command line or a program of the application, and can be killed as any. An answer
comes when a process and everything it had started is gone: what has been written down by then is all there will be.
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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tests.acceptance.project import at_concurrency

if TYPE_CHECKING:
    from tests.acceptance.project import Project

COMMANDS = ("batches", "failed", "flush", "forget", "monitor", "relay", "retry", "work")
PRELOADED = (
    *(f"queuectl.commands.{name}" for name in COMMANDS),
    *("queuectl.cli", "queuectl.app", "queuectl.runner", "queuectl.outbox", "queuectl.failing"),
    *("queuectl.commands.work_console", "queuectl.commands.failed_stores", "queuectl.worker.worker"),
    *("queuectl.drivers.redis", "queuectl.drivers.redis.driver", "queuectl.drivers.database.sqlite"),
    *("queuectl.drivers.database.driver", "queuectl.drivers.database.postgres", "queuectl.drivers.database.mysql"),
    *("queuectl.dispatch", "redis", "psycopg", "pymysql", "dotenv", "pydantic_core"),
)
REPOSITORY = Path(__file__).parents[2]
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


@dataclass(frozen=True)
class Ended:
    """How a process ended: its exit code, or minus the signal."""

    code: int
    stdout: str
    stderr: str


class Nursery:
    """The process that is forked."""

    program = __name__
    """What it runs: a module that calls `serve`."""
    path = str(REPOSITORY)
    """Where its modules are."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", self.program],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": self.path, "PYTHONWARNINGS": "error"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._streams = TemporaryDirectory()

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

    def end_of(
        self, folder: Path, environment: Mapping[str, str], words: Sequence[str], stdin: str
    ) -> subprocess.CompletedProcess[str]:
        """What comes of `python -m queuectl …`, or of `python -c SOURCE`."""
        what = {"source": words[1]} if words[0] == "-c" else {"words": words[2:]}
        [ended] = self._run([{"folder": str(folder), "environment": dict(environment), "stdin": stdin, **what}])
        return subprocess.CompletedProcess(words, ended.code, ended.stdout, ended.stderr)

    def _run(self, orders: Sequence[Mapping[str, Any]]) -> list[Ended]:
        folder = Path(self._streams.name)
        streams = [
            {name: str(folder / f"{name}-{place}") for name in ("in", "out", "err")} for place in range(len(orders))
        ]
        for order, files in zip(orders, streams, strict=True):
            Path(files["in"]).write_text(order.get("stdin", ""))
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
        self._streams.cleanup()


def _order(project: Project, fault: Mapping[str, str] | None, **what: Any) -> dict[str, Any]:
    return {"folder": str(project.folder), "environment": {**project.environment, **(fault or {})}, **what}


def nothing() -> None:
    """What there is to do where there is no more to do."""


def serve(before: Callable[[], None] = nothing, in_each: Callable[[], None] = nothing) -> None:
    """Take orders, one line of several at a time; answer with exit codes. *before* the first fork, and *in_each*."""
    _ask(PR_SET_PDEATHSIG, signal.SIGKILL)
    _ask(PR_SET_CHILD_SUBREAPER, 1)
    for module in PRELOADED:
        import_module(module)
    before()
    gc.freeze()  # or each fork's first collection would copy every page
    for line in sys.stdin:
        pids = [_fork(order, in_each) for order in json.loads(line)]
        codes = _await_everybody()
        print(json.dumps([codes[pid] for pid in pids]), flush=True)


def _ask(what: int, value: int) -> None:
    """Something of the kernel, for this process."""
    ctypes.CDLL(None, use_errno=True).prctl(what, value, 0, 0, 0)


def _await_everybody() -> dict[int, int]:
    """The exit codes of all, orphans included, once there is nobody left."""
    codes: dict[int, int] = {}
    while True:
        try:
            pid, status = os.waitpid(-1, 0)
        except ChildProcessError:
            return codes
        codes[pid] = os.waitstatus_to_exitcode(status)


def _fork(order: Mapping[str, Any], in_each: Callable[[], None]) -> int:
    pid = os.fork()
    if pid == 0:
        _ask(PR_SET_PDEATHSIG, signal.SIGKILL)  # a test that is broken off leaves nobody behind
        code = 70
        try:
            in_each()
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
    os.dup2(os.open(order["in"], os.O_RDONLY), 0)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # lives as long as the process
    sys.path.insert(0, order["folder"])
    if "source" in order:
        exec(order["source"], {"__name__": "__main__"})  # noqa: S102  # a test's own program
        return 0
    from queuectl.cli import main

    return main(order["words"])


if __name__ == "__main__":
    serve()
