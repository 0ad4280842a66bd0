"""One attempt at a job: the payload, and where it came from."""

from __future__ import annotations

from typing import NamedTuple


class Attempt(NamedTuple):  # two are made for each job; as a frozen dataclass each would take twice as long
    """What a run needs to know, and what a record of its failure keeps."""

    connection: str
    queue: str
    payload: bytes
    uuid: str
    job: str
    """Display name; empty when the payload cannot be read."""
    attempts: int
    """Reservations that count, this one included."""
    receipt: str | None = None
    """What proves to its store that the job is this run's, as `Driver.receipt` writes it; None where none is needed."""
