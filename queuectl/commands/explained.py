"""What `explain` found out: of a job in a queue, of one that failed, of a queue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from queuectl.commands import reasons
from queuectl.commands.circumstances import PAGE, Circumstances, Word, position
from queuectl.commands.failed_rows import to_json as failure_to_json
from queuectl.commands.queued import Queued
from queuectl.commands.queued_rows import to_json as queued_to_json
from queuectl.commands.queued_rows import waits
from queuectl.commands.reasons import Reason
from queuectl.commands.session import Session
from queuectl.commands.text import plural, typed
from queuectl.commands.times import ago
from queuectl.drivers.contract import Driver, FailedJob
from queuectl.errors import QueuectlError
from queuectl.failing import Located
from queuectl.jobs.masking import mask
from queuectl.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Explained:
    """Facts for people and for scripts, and the reasons, the decisive one first."""

    lines: tuple[tuple[str, str], ...]
    facts: dict[str, Any]
    reasons: list[Reason] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        found = [{"code": one.code, "text": mask(one.text), "fix": one.fix or None} for one in self.reasons]
        return {**self.facts, "reason": self.reasons[0].code, "reasons": found}


def of_job(session: Session, job: Queued) -> Explained:
    """Of a job that waits or runs."""
    driver, stored = session.app.driver(job.connection), job.stored
    seen = Circumstances.of(driver, stored.queue)
    place = position(driver, stored) if stored.state == "ready" else None
    outbox = _outbox(session, driver, stored.queue)
    lines = (
        ("Job", job.job or "?"),
        ("Id", job.uuid if stored.id == job.uuid else f"{stored.id}  {job.uuid}"),
        ("Queue", f"{job.connection}@{stored.queue}"),
        ("State", f"{job.state}, {waits(job, seen.now)}{_tried(stored.attempts)}"),
    )
    found = [_kept(session, outbox)] if outbox is not None else list(_why(session, job, seen, place))
    return Explained(lines, {**queued_to_json(job), "position": place}, found)


def _tried(attempts: int) -> str:
    return f", {plural(attempts, 'attempt')} so far" if attempts else ""


def _why(session: Session, job: Queued, seen: Circumstances, place: int | None) -> Iterator[Reason]:
    word = Word.of(session.app.driver(job.connection), job.uuid)
    if job.stored.state == "reserved":
        return reasons.of_reserved(job, seen, word)
    if job.stored.state == "ready" and job.stored.parked_at is None:
        return reasons.of_ready(job, seen, place)
    return reasons.of_waiting(job, seen, word, grace=session.app.connection(job.connection).unknown_job_grace)


def _outbox(session: Session, keeper: Driver, queue: str) -> Outbox | None:
    """The outbox that this queue is one of, if it is one."""
    for name in session.config.mentioned:
        outbox = session.app.outbox(name)
        if outbox is not None and outbox.store.place == keeper.place and queue.startswith(outbox.queue("")):
            return outbox
    return None


def _kept(session: Session, outbox: Outbox) -> Reason:
    name = outbox.connection
    try:
        session.app.driver(name).check()
        state = "That store answers now."
    except QueuectlError as error:
        state = f"That store does not answer: {error}"
    text = f"It lies in the outbox of [{name}], whose store did not take it. {state} Workers of [{name}] carry it over."
    return Reason("outbox", text, typed("queuectl", "relay", name))


def of_failure(located: Located, now: float) -> Explained:
    """Of a job that will not run again by itself."""
    job = located.job
    lines = (
        ("Job", job.job or "?"),
        ("Id", job.uuid if job.id == job.uuid else f"{job.id}  {job.uuid}"),
        ("Queue", f"{job.connection}@{job.queue}"),
        ("State", f"failed {ago(now - job.failed_at)}, after {plural(job.attempts, 'attempt')}"),
    )
    return Explained(lines, {**failure_to_json(located), "state": "failed", "position": None}, [_failed(job)])


def _failed(job: FailedJob) -> Reason:
    text = f"It failed for good: {job.error}: {mask(job.message)}"
    return Reason("failed", text, typed("queuectl", "failed:show", job.uuid))


def of_queue(session: Session, driver: Driver, queue: str) -> Explained:
    """Of a queue as a whole."""
    seen = Circumstances.of(driver, queue)
    own = seen.own
    lines = (
        ("Queue", f"{driver.name}@{queue}"),
        ("Jobs", f"{own.pending:,} ready, {own.delayed:,} delayed, {own.reserved:,} running"),
        ("Workers", ", ".join(f"{beat.name} on {beat.host}" for beat in seen.serving) or "none"),
    )
    facts = {
        "connection": driver.name,
        "queue": queue,
        "pending": own.pending,
        "delayed": own.delayed,
        "reserved": own.reserved,
        "workers": len(seen.serving),
    }
    return Explained(lines, facts, list(_why_queue(session, driver, seen)))


def _why_queue(session: Session, driver: Driver, seen: Circumstances) -> Iterator[Reason]:
    if driver.immediate:
        return iter([Reason("immediate", f"Jobs of [{driver.name}] run at once, where they are dispatched.")])
    outbox = _outbox(session, driver, seen.queue)
    if outbox is not None and seen.own.size:
        return iter([_kept(session, outbox)])
    delayed = driver.page(seen.queue, "delayed", limit=PAGE).items if seen.own.delayed else []
    parked = sum(stored.parked_at is not None for stored in delayed)
    return reasons.of_queue(seen, first_due=delayed[0].at if delayed else None, parked=parked)
