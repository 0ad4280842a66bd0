"""Does the configuration resolve, and where does each value that matters come from?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from queuectl.config import Config
from queuectl.doctor.finding import Finding, failed, warning, well
from queuectl.errors import ConfigurationError

AGAIN = "queuectl config  # once it is corrected: reads it again"


def broken(error: ConfigurationError) -> Finding:
    """The error names file and line."""
    return failed(str(error), error.hint or AGAIN)


def told(config: Config) -> Iterator[Finding]:
    """The file, the default connection, and whatever should be known of where they were found."""
    where = config.path or f"no conf/queue.toml in {config.root} or above it, so the built-in values hold"
    yield well(f"{where}; jobs go to [{config.default}] unless they say otherwise.", facts=_facts(config))
    for note in config.notes:
        yield warning(note, "queuectl config --show-origin")


def _facts(config: Config) -> dict[str, str]:
    return {key: f"{_shown(config.origins[key].value)} (from {config.origins[key].source})" for key in _keys(config)}


def _keys(config: Config) -> Iterator[str]:
    """Of the settings that decide where things are."""
    yield from ("default", "jobs")
    for name in config.mentioned:
        yield from (
            f"connections.{name}.{key}" for key in ("url", "outbox") if _has(config, f"connections.{name}.{key}")
        )
    if _has(config, "failed.connection"):
        yield "failed.connection"
    yield from ("notifications.connection", "notifications.service")
    yield from (f"disks.{name}.root" for name in config.disks)
    yield "log.file"


def _has(config: Config, key: str) -> bool:
    return bool(config.origins[key].value)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return str(value) or "none"
