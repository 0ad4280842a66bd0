"""What must not grow while a system runs for long: memory, descriptors, and what a store holds beside its jobs."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar, Protocol

from tests.acceptance.project import Project

PAGE_SIZE = os.sysconf("SC_PAGE_SIZE")
MEGABYTE = 2**20


@dataclass
class ProcessGauge:
    """One process, looked at now and then."""

    pid: int
    seen: list[tuple[float, int]] = field(default_factory=list)
    """When, and how many bytes of memory."""

    def look(self) -> None:
        resident = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * PAGE_SIZE
        self.seen.append((monotonic(), resident))

    @property
    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))  # noqa: PTH208  # their number alone

    @property
    def growth(self) -> float:
        """Megabytes a minute: the slope of the line nearest to what was seen in the second half."""
        late = self.seen[len(self.seen) // 2 :]
        return slope(late) * 60 / MEGABYTE

    @property
    def megabytes(self) -> float:
        return self.seen[-1][1] / MEGABYTE


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the line with the least squares; 0 where there is none."""
    mean_x, mean_y = (sum(values) / len(points) for values in zip(*points, strict=True))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


class StoreGauge(Protocol):
    """Sizes by name, and how large each may be."""

    bounds: ClassVar[Mapping[str, int]]

    def sizes(self) -> dict[str, int]: ...


class SqlGauge:
    """The control store's rows."""

    bounds: ClassVar[Mapping[str, int]] = {"control rows": 200}

    def __init__(self, project: Project) -> None:
        self.project = project

    def sizes(self) -> dict[str, int]:
        return {"control rows": self.ask("SELECT count(*) FROM queuectl_control")}

    def ask(self, query: str) -> int:
        return int(self.project.rows(query)[0][0] or 0)


class SqliteGauge(SqlGauge):
    """And its write-ahead log."""

    bounds: ClassVar[Mapping[str, int]] = {**SqlGauge.bounds, "write-ahead log": 64 * MEGABYTE}

    def sizes(self) -> dict[str, int]:
        log = self.project.folder / "storage/queue.sqlite-wal"
        return {**super().sizes(), "write-ahead log": log.stat().st_size if log.exists() else 0}


class PostgresGauge(SqlGauge):
    """And dead rows that wait to be vacuumed, and transactions that somebody left open."""

    bounds: ClassVar[Mapping[str, int]] = {**SqlGauge.bounds, "dead rows": 20_000, "idle transactions": 0}

    def sizes(self) -> dict[str, int]:
        return {
            **super().sizes(),
            "dead rows": self.ask("SELECT sum(n_dead_tup) FROM pg_stat_user_tables"),
            "idle transactions": self.ask(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' "
                "AND state_change < clock_timestamp() - interval '5 seconds'"
            ),
        }


class MariadbGauge(SqlGauge):
    """And old versions of rows that wait to be purged, and transactions that somebody left open."""

    bounds: ClassVar[Mapping[str, int]] = {**SqlGauge.bounds, "old versions": 50_000, "idle transactions": 0}

    def sizes(self) -> dict[str, int]:
        return {
            **super().sizes(),
            "old versions": self.ask(
                "SELECT count FROM information_schema.innodb_metrics WHERE name = 'trx_rseg_history_len'"
            ),
            "idle transactions": self.ask(
                "SELECT count(*) FROM information_schema.innodb_trx WHERE trx_started < now() - interval 15 second"
            ),
        }


class RedisGauge:
    """Keys that are no queue's and no failed job's, what lies in them, and the tokens that wake idle workers."""

    bounds: ClassVar[Mapping[str, int]] = {"other keys": 200, "in other keys": 500, "tokens": 2_000}

    def __init__(self, project: Project) -> None:
        self.project = project

    def sizes(self) -> dict[str, int]:
        import redis

        with closing(redis.Redis.from_url(self.project.redis_url)) as client:
            found = {key: _length(client, key) for key in client.scan_iter(f"{self.project.prefix}*".encode())}
        others = {key: size for key, size in found.items() if b"queues:" not in key and b":failed" not in key}
        tokens = sum(size for key, size in found.items() if key.endswith(b":notify"))
        return {"other keys": len(others), "in other keys": sum(others.values()), "tokens": tokens}


def _length(client: Any, key: bytes) -> int:
    """How many things are in a key."""
    count = {b"list": client.llen, b"zset": client.zcard, b"hash": client.hlen, b"set": client.scard}
    kind = client.type(key)
    return int(count[kind](key)) if kind in count else int(kind != b"none")


GAUGES: dict[str, type[SqlGauge] | type[RedisGauge]] = {
    "sqlite": SqliteGauge,
    "postgres": PostgresGauge,
    "mariadb": MariadbGauge,
    "valkey": RedisGauge,
    "redis62": RedisGauge,
}


class Gauges:
    """All of them, for one soak."""

    def __init__(self, project: Project, store: str, **pids: int) -> None:
        """*pids* by what the processes are called."""
        self.processes = {name: ProcessGauge(pid) for name, pid in pids.items()}
        self._store: StoreGauge = GAUGES[store](project)
        self.largest: dict[str, int] = {}

    def look(self) -> None:
        for process in self.processes.values():
            process.look()
        for name, size in self._store.sizes().items():
            self.largest[name] = max(size, self.largest.get(name, 0))

    def assert_bounded(self) -> None:
        """No part of the store outgrew its bound at any time."""
        for name, bound in self._store.bounds.items():
            assert self.largest[name] <= bound, f"{name}: {self.largest[name]}"

    def descriptors(self) -> dict[str, int]:
        return {name: process.descriptors for name, process in self.processes.items()}
