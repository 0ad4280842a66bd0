"""A folder with an empty store beside it, in which one contestant is measured once."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from speed.deeds import OFFSET
from speed.deeds import VARIABLE as DEED
from speed.marks import VARIABLE as MARKS
from speed.marks import Marks
from speed.processes import Spent, Worker, spent
from speed.stores import Store

BENCHMARKS = Path(__file__).parents[1]
OURS = ("QUEUE", "REDIS_URL", "SPEED_", "PYTHON")
"""What the surroundings must not decide."""


class MeasureFailed(Exception):
    """A contestant could not be measured; the reason becomes its line."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a producer's program printed."""

    seconds: float
    count: int
    sent: list[float]
    peak: int

    @property
    def rate(self) -> float:
        return self.count / self.seconds


class Place:
    """Everything that one measurement leaves behind goes when it ends."""

    def __init__(self, store: Store, *, deed: str = "nothing", jobs: int = 0) -> None:
        """*jobs* is how many will note their beginning, and, from there on, their end."""
        self.store, self.url = store, store.fresh()
        self.folder = Path(tempfile.mkdtemp(prefix="queuectl-speed-"))
        self.jobs = jobs
        self._all_marks = Marks(self.folder / "marks", max(2 * jobs, 1))
        self._workers: list[Worker] = []
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        self.environment: dict[str, str] = {
            **kept,
            "PYTHONPATH": str(BENCHMARKS),
            "SPEED_URL": self.url,
            MARKS: str(self.folder / "marks"),
            DEED: deed,
            OFFSET: str(jobs),
        }

    def begun(self) -> list[float]:
        """When each job was begun, 0 for those that were not."""
        return self._all_marks.times(0, self.jobs)

    def ended(self) -> list[float]:
        """When each job had ended, where it notes that."""
        return self._all_marks.times(self.jobs, self.jobs)

    def forget(self) -> None:
        """As if no job had begun yet."""
        self._all_marks.forget()

    def push(self, command: Sequence[str | Path], *words: object) -> Pushed:
        """Run a producer."""
        run = self.run([*command, *map(str, words)])
        if run.code:
            raise MeasureFailed(f"its producer failed: {(run.output.strip().splitlines() or [''])[-1][:200]}")
        said: dict[str, Any] = json.loads(run.output.strip().splitlines()[-1])
        return Pushed(**said)

    def run(
        self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None, *, watched: bool = False
    ) -> Spent:
        """Run a program to its end."""
        return spent(command, self.folder, {**self.environment, **(environment or {})}, watched=watched)

    def first_words(self, command: Sequence[str | Path]) -> float:
        """Seconds until a program has written something, whatever it does afterwards."""
        started = time.monotonic()
        with subprocess.Popen(
            [str(word) for word in command], cwd=self.folder, env=self.environment, stdout=subprocess.PIPE
        ) as process:
            said = process.stdout.read1() if isinstance(process.stdout, io.BufferedReader) else b""
            seconds = time.monotonic() - started
            process.kill()
        if not said:
            raise MeasureFailed(f"{Path(command[0]).name} wrote nothing")
        return seconds

    def work(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> Worker:
        """Start a worker in the background."""
        log = self.folder / f"worker-{len(self._workers)}"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=self.folder,
                env={**self.environment, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        worker = Worker(process, log)
        self._workers.append(worker)
        return worker

    def close(self) -> None:
        for worker in self._workers:
            worker.kill()
        with suppress(Exception):  # a place that cannot be dropped is in nobody's way
            self.store.drop(self.url)
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Place:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
