"""The configuration, typed: what `queue.toml`, the environment and the flags say, and where each value came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Connection:
    """One `[connections.NAME]`."""

    name: str
    driver: str
    url: str = ""
    queue: str = "default"
    retry_after: float = 30.0
    foreign_retry_after: float = 90.0
    """Seconds after which a row that a PHP worker reserved is taken for abandoned."""
    prefix: str = ""
    """Redis: the client prefix, e.g. `laravel-database-`."""
    table: str = "jobs"
    failed_table: str = "failed_jobs"
    max_payload: int = 1_048_576
    """Bytes; a larger payload is refused before it is sent."""
    unknown_job_grace: float = 3600.0
    """Seconds that a job of an unknown name waits, parked, before it fails."""
    timeout: float = 5.0
    """Seconds that one call to the store may take."""
    outbox: str = ""
    """The connection that keeps jobs while this one's store does not take them; none if empty."""
    push_timeout: float = 0.1
    """Where there is an outbox: seconds that a dispatch waits for the store."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Keys of third-party drivers, uninterpreted."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: `default`, `QUEUE_CONNECTION`, `.env: REDIS_URL`, `conf/queue.toml:12`."""

    value: Any
    source: str


@dataclass(frozen=True, slots=True)
class Config:
    """Everything configured, resolved; paths absolute."""

    default: str
    connections: Mapping[str, Connection]
    jobs: tuple[str, ...] = ()
    middleware: tuple[str, ...] = ()
    """What stands around every job, outermost first, each as `module:attribute`."""
    limits: Mapping[str, str] = field(default_factory=dict)
    """Rates by name, as they were written: `100/m`."""
    failed_connection: str = ""
    disks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notifications: Mapping[str, Any] = field(default_factory=dict)
    log_file: Path | None = None
    """Where records of what went wrong are kept; None: they go to stderr."""
    log_level: str = "info"
    log_format: str = "text"
    root: Path = field(default_factory=Path.cwd)
    """The folder that holds `conf/`; relative paths and the jobs' imports start here."""
    path: Path | None = None
    """The file that was read, if one was found."""
    origins: Mapping[str, Origin] = field(default_factory=dict)
    """By dotted key, e.g. `connections.redis.url`."""
    notes: tuple[str, ...] = ()
    """What an operator should know about where this was read from."""

    @property
    def mentioned(self) -> tuple[str, ...]:
        """The connections somebody chose: the default one, and those the file or the environment speaks of.

        The others are there with their built-in values, ready to be named, but nobody runs a server for them.
        """
        chosen = {key.split(".")[1] for key, origin in self.origins.items() if _is_chosen(key, origin)}
        return tuple(name for name in self.connections if name in chosen or name == self.default)


def _is_chosen(key: str, origin: Origin) -> bool:
    return key.startswith("connections.") and origin.source != "default"
