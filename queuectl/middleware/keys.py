"""What middleware shares with that of other workers of a connection, and the word it leaves for people."""

from __future__ import annotations

import hashlib
from contextlib import suppress

from queuectl.errors import QueuectlError
from queuectl.jobs.definition import Job, registered_name
from queuectl.jobs.running import state_of
from queuectl.jobs.runtime import Shared, current


def shared_by(job: Job, asked: str) -> Shared:
    """What the job shares with all others on its connection, on whatever host they run."""
    return current().shared(state_of(job, asked).connection)


def put_off(job: Job, seconds: float, why: str, *, holder: str = "") -> None:
    """Have a job come back later, which is no attempt, and leave word of it for `queuectl explain`: if that fails, the
    job comes back all the same."""
    job.snooze(seconds)
    with suppress(QueuectlError):
        shared_by(job, "put_off").put_off(job.uuid, why, at=current().now(), seconds=seconds, holder=holder)


def key_of(kind: str, name: str, job: Job | None = None) -> str:
    """A key for a name of any length and alphabet: one for every job, or with *job* for those of its class."""
    whole = f"{registered_name(type(job))}\0{name}" if job is not None else name
    return f"{kind}:{hashlib.sha256(whole.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
