"""How a record looks in the log: one line of text, or one JSON object. No secrets, nothing that steers a terminal."""

from __future__ import annotations

import json
import logging
import os
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from queuectl.escaping import safe
from queuectl.jobs.context import carried
from queuectl.jobs.masking import MASK, is_secret, mask
from queuectl.jobs.running import running_here

LONGEST = 4096
"""Characters of one value."""
READ = 16 * LONGEST
"""Characters that are searched for secrets before the rest is cut off: no password is left because its end was."""
ABOUT = "queuectl_job"
"""The attribute of a record that says which job it is about, where that is not the one that runs here."""

Format = Callable[[logging.LogRecord], str]


def line(record: logging.LogRecord) -> str:
    """When, how grave, who, what, and of which job."""
    when = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
    words = [_clipped(record.getMessage())]
    if trace := _trace(record):
        words.append(trace)
    if about := _here():
        words.append(f"[{', '.join(f'{key}={_clipped(str(value))}' for key, value in about.items())}]")
    return f"{when} {record.levelname} {safe(record.name)}[{record.process or os.getpid()}] {' '.join(words)}"


def document(record: logging.LogRecord) -> str:
    """The same as a JSON object; what is not known is left out."""
    found: dict[str, Any] = {
        "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
        "level": record.levelname.lower(),
        "logger": record.name,
        "pid": record.process or os.getpid(),
        "message": _clipped(record.getMessage()),
    }
    if trace := _trace(record):
        found["exception"] = trace
    about: Mapping[str, Any] = getattr(record, ABOUT, None) or _here()
    return json.dumps({**found, **{key: _plain(value) for key, value in about.items()}})


FORMATS: Mapping[str, Format] = {"text": line, "json": document}


def _here() -> dict[str, Any]:
    """The job that runs where the record was made, and what came with it."""
    job = running_here()
    came_with = {key: MASK if is_secret(key) else value for key, value in carried().items()}
    if job is None:
        return dict(came_with)
    name, state = job
    about = {"job": name, "id": state.uuid, "queue": state.queue, "attempt": state.attempts}
    return {**about, **{key: value for key, value in came_with.items() if key not in about}}


def _plain(value: Any) -> Any:
    return value if isinstance(value, int) else _clipped(str(value))


def _trace(record: logging.LogRecord) -> str:
    if not (record.exc_info and record.exc_info[0]):
        return ""
    return _clipped("".join(traceback.format_exception(*record.exc_info)).rstrip(), keep_end=True)


def _clipped(text: str, *, keep_end: bool = False) -> str:
    shown = safe(mask(text[-READ:] if keep_end else text[:READ]))
    if len(shown) <= LONGEST:
        return shown
    return f"…{shown[1 - LONGEST :]}" if keep_end else f"{shown[: LONGEST - 1]}…"
