"""Jobs of which there is one at a time, or of which the last one wins: what a class says of it, for one of its jobs.

A unique job's key is taken in the step that pushes it, and is in its payload, so that whoever settles it can free the
key in that step. A debounced one waits; when its turn comes, it runs unless a newer one has been dispatched.
"""

from __future__ import annotations

from typing import Any

from queuectl.errors import JobDefinitionError
from queuectl.jobs.definition import Job, registered_name
from queuectl.jobs.locks import Lock, Turn
from queuectl.jobs.outcome import Unique
from queuectl.jobs.settings import span


def is_plain(cls: type[Job]) -> bool:
    """Whether jobs of this class are neither unique nor debounced."""
    return not cls.unique and cls.debounce is None


def lock_of(job: Job) -> Lock | None:
    """The key of a job that is about to be pushed; None if it needs none."""
    if not job.unique:
        return None
    return Lock(Unique(_key(job, "unique", job.unique), span(job.unique_for)), job.unique_until == "processing")


def turn_of(job: Job, now: float) -> Turn | None:
    """For a job that is debounced."""
    return None if job.debounce is None else Turn(_key(job, "debounce_key", job.debounce_key), now)


def _key(job: Job, setting: str, declared: Any) -> str:
    """The same for the same job on every host, whatever its own key looks like."""
    own = declared() if callable(declared) else ""
    if not isinstance(own, str):
        raise JobDefinitionError(f"{type(job).__name__}.{setting}() must give a text, not {own!r}.")
    whole = f"{registered_name(type(job))}\0{own}".encode("utf-8", "surrogatepass")
    import hashlib  # four megabytes, for programs that dispatch such jobs only

    return f"job:{hashlib.sha256(whole).hexdigest()[:40]}"
