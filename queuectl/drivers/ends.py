"""How a job ended that somebody waits for, as its worker tells it through the control store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

KEPT = 3600.0
"""Seconds for which an end can be asked for."""
LONGEST_UUID = 150


@dataclass(frozen=True, slots=True)
class End:
    """Nothing more will happen to the job by itself: it is done, or it has failed for good."""

    uuid: str
    job: str
    queue: str
    done: bool
    attempts: int
    at: float
    """When its worker learned that it is durable, seconds since the epoch."""
    error: str = ""
    """Exception type."""
    message: str = ""
    """First line of the exception's message, capped."""

    @classmethod
    def from_text(cls, text: str) -> End:
        """A newer worker may say more than we know of."""
        found: Mapping[str, Any] = json.loads(text)
        return cls(**{field.name: found[field.name] for field in fields(cls) if field.name in found})

    def to_text(self) -> str:
        return json.dumps(asdict(self))


def key_of(watch: str, uuid: str) -> str | None:
    """None for a uuid that another program made up and that is no part of a key."""
    return f"outcome:{watch}:{uuid}" if uuid.isascii() and len(uuid) <= LONGEST_UUID else None
