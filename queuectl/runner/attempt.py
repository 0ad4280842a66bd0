"""One attempt at a job: the payload, and where it came from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a run needs to know, and what a record of its failure keeps."""

    connection: str
    queue: str
    payload: bytes
    uuid: str
    job: str
    """Display name; empty when the payload cannot be read."""
    attempts: int
    """Reservations that count, this one included."""
