"""What a check found, as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Status(Enum):
    """Only a failure changes the exit code."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    status: Status
    subject: str
    """The connection, disk or file that it is about; empty if there is only one."""
    detail: str
    fix: str = ""
    """A command to run or a line to set; there is one unless all is well."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What else there is to know, under short names."""
    check: str = ""
    """The name of the check that found it; stable, for scripts."""


def well(detail: str, *, about: str = "", facts: Mapping[str, str] | None = None) -> Finding:
    return Finding(Status.OK, about, detail, facts=facts or {})


def warning(detail: str, fix: str, *, about: str = "", facts: Mapping[str, str] | None = None) -> Finding:
    """Something to think about: it works."""
    return Finding(Status.WARNING, about, detail, fix, facts or {})


def failed(detail: str, fix: str, *, about: str = "", facts: Mapping[str, str] | None = None) -> Finding:
    """Something that does not work, or loses jobs."""
    return Finding(Status.FAILED, about, detail, fix, facts or {})
