"""What a reader of the figures wants to know about how they came about."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version

from speed.run import QUIET, Run

CLIENTS = ("redis", "hiredis", "psycopg", "PyMySQL", "Pillow", "pydantic", "typer")


@dataclass(frozen=True, slots=True)
class Surroundings:
    at: str
    command: str
    machine: str
    stores: dict[str, tuple[str, str]]
    """Version and settings, by name."""
    clients: dict[str, str]
    rounds: int
    jobs: int
    load: float
    """Before anything was measured."""
    is_first: bool
    """Whether others had to wait for a processor: servers, workers and producers inherit the priority."""
    minutes: float = 0.0

    @classmethod
    def now(cls, run: Run, arguments: Sequence[str]) -> Surroundings:
        return cls(
            at=datetime.now(UTC).isoformat(timespec="minutes"),
            command=" ".join(["python -m benchmarks", *arguments]),
            machine=_machine(),
            stores={name: (store.version, store.about) for name, store in run.stores.items()},
            clients={name: found for name in CLIENTS if (found := _version(name))},
            rounds=run.rounds,
            jobs=run.size.jobs,
            load=run.load,
            is_first=_has_real_time_priority(),
        )

    @property
    def is_quiet(self) -> bool:
        return self.load < QUIET

    @property
    def doubts(self) -> list[str]:
        """What may have bent the figures."""
        if self.is_quiet:
            return []
        if self.is_first:
            return [
                "The machine was not quiet, but what else ran on it had to wait: all of this had real-time priority."
            ]
        return ["The machine was not quiet: believe the ratios, and even those with care."]

    def ended(self, run: Run) -> Surroundings:
        return replace(self, minutes=(time.monotonic() - run.began) / 60)

    def described(self) -> str:
        lines = [f"{self.at[:10]}, {self.machine}, load {self.load:.2f}; medians of {self.rounds} rounds."]
        lines += [f"{name}: {found}, {about}" for name, (found, about) in self.stores.items()]
        lines += self.doubts
        return "\n".join(lines)


def _machine() -> str:
    system, python = f"{platform.system()} {platform.machine()}", platform.python_version()
    return f"{system}, {os.cpu_count()} CPUs, Python {python}"


def _has_real_time_priority() -> bool:
    return hasattr(os, "sched_getscheduler") and os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
