"""Does somebody work on what waits, how long has it waited, and what has failed?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, takewhile

from queuectl.doctor.finding import Finding, failed, warning, well
from queuectl.doctor.patient import Patient
from queuectl.doctor.words import count, span
from queuectl.drivers.contract import Counts, Driver, FailedJob
from queuectl.drivers.control import EVERY_QUEUE, Beat, Pause
from queuectl.escaping import typed

LONG_WAIT = 300.0
"""Seconds that a job may wait although somebody works on its queue."""
LONG_IN_OUTBOX = 60.0
RECENT = 86_400.0
MANY = 1_000
"""Failed jobs that are counted one by one."""


def workers(patient: Patient) -> Iterator[Finding]:
    """A worker is alive for each queue that has jobs, and it runs this version."""
    for driver in patient.usable():
        beats = driver.control.beats()
        served = {queue for beat in beats for queue in beat.queues}
        alone = {queue: found for queue, found in _queues(patient, driver).items() if queue not in served}
        for queue, found in alone.items():
            yield _unserved(driver, queue, found)
        if not alone:
            yield well(_crew(beats), about=driver.name)
        yield from _outdated(driver, beats, patient.version)


def _queues(patient: Patient, driver: Driver) -> dict[str, Counts]:
    """The queues that hold something. What an outbox keeps is carried over by the workers of another connection."""
    kept = _kept_queues(patient)
    counts = driver.counts()
    return {queue: counts[queue] for queue in sorted(counts) if counts[queue].size and not queue.startswith(kept)}


def _kept_queues(patient: Patient) -> tuple[str, ...]:
    found = [patient.app.outbox(name) for name in _with_outbox(patient)]
    return tuple(outbox.queue("") for outbox in found if outbox is not None)


def _with_outbox(patient: Patient) -> list[str]:
    return [name for name in patient.connections if patient.config.connections[name].outbox]


def _unserved(driver: Driver, queue: str, found: Counts) -> Finding:
    waited = "" if found.oldest is None else f", the oldest for {span(driver.now() - found.oldest)}"
    detail = f"Queue {queue} holds {count(found.size, 'job')}{waited}, and no worker is alive for it."
    return failed(detail, typed("queuectl", "work", driver.name, f"--queue={queue}"), about=driver.name)


def _crew(beats: list[Beat]) -> str:
    if not beats:
        return "No worker is alive, and no queue holds a job."
    names = sorted(f"{beat.name} on {beat.host} ({','.join(beat.queues)})" for beat in beats)
    return f"{count(len(beats), 'worker')} alive: {'; '.join(names)}."


def _outdated(driver: Driver, beats: list[Beat], version: str) -> Iterator[Finding]:
    others = sorted({beat.version or "an older one" for beat in beats if beat.version != version})
    if others:
        detail = f"Workers run version {', '.join(others)} of queuectl; here is {version}."
        yield warning(detail, "queuectl restart", about=driver.name)


def pauses(patient: Patient) -> Iterator[Finding]:
    """What workers leave alone because somebody asked them to."""
    for driver in patient.usable():
        paused = driver.control.marks().paused
        for queue in sorted(paused):
            yield _paused(driver, queue, paused[queue])
        if not paused:
            yield well("No queue is paused.", about=driver.name)


def _paused(driver: Driver, queue: str, pause: Pause) -> Finding:
    what = "Every queue" if queue == EVERY_QUEUE else f"Queue {queue}"
    since = f" for {span(driver.now() - pause.since)}" if pause.since else ""
    fix = typed("queuectl", "resume", "--all" if queue == EVERY_QUEUE else f"{driver.name}:{queue}")
    return warning(f"{what} is paused{since}: {pause.reason or 'no reason was given'}.", fix, about=driver.name)


def waiting(patient: Patient) -> Iterator[Finding]:
    """How long the oldest job waits."""
    for driver in patient.usable():
        now = driver.now()
        waits = {queue: now - found.oldest for queue, found in _queues(patient, driver).items() if found.oldest}
        yield _waiting(driver, waits)


def _waiting(driver: Driver, waits: dict[str, float]) -> Finding:
    if not waits:
        return well("Nothing waits.", about=driver.name)
    queue = max(waits, key=lambda name: waits[name])
    detail = f"The oldest job has waited {span(waits[queue])}, in queue {queue}."
    if waits[queue] < LONG_WAIT:
        return well(detail, about=driver.name)
    more = typed("queuectl", "work", driver.name, f"--queue={queue}", "--workers=2")
    return warning(detail, f"{more}  # more of them", about=driver.name)


def outboxes(patient: Patient) -> Iterator[Finding]:
    """Jobs that could not be pushed are carried over within a moment of the store's return."""
    for name in _with_outbox(patient):
        outbox = patient.app.outbox(name)
        if outbox is not None and patient.trouble(outbox.store.name) is None:
            yield _kept(name, outbox.store, outbox.queue(""))


def _kept(name: str, keeper: Driver, prefix: str) -> Finding:
    now = keeper.now()
    kept = {queue: found for queue, found in keeper.counts().items() if queue.startswith(prefix) and found.size}
    if not kept:
        return well(f"The outbox [{keeper.name}] is empty.", about=name)
    size = sum(found.size for found in kept.values())
    waited = max((now - found.oldest for found in kept.values() if found.oldest), default=0.0)
    detail = f"The outbox [{keeper.name}] keeps {count(size, 'job')}, the oldest for {span(waited)}."
    if waited <= LONG_IN_OUTBOX:
        return well(detail, about=name)
    queues = ",".join(queue.removeprefix(prefix) for queue in sorted(kept))
    worker = typed("queuectl", "work", name, f"--queue={queues}")
    return failed(detail, f"{typed('queuectl', 'relay', name)}  # as its workers do: {worker}", about=name)


def failures(patient: Patient) -> Iterator[Finding]:
    """Jobs that failed for good within the last day."""
    from queuectl.failing import each

    for driver in patient.usable():
        recent = _recent(each(driver.failed), since=driver.now() - RECENT)
        yield _failures(driver, recent) if recent else well("No job failed within the last day.", about=driver.name)


def _recent(newest_first: Iterator[FailedJob], since: float) -> list[FailedJob]:
    recent = takewhile(lambda job: job.failed_at >= since, newest_first)
    return [job for job in islice(recent, MANY) if not job.foreign]


def _failures(driver: Driver, recent: list[FailedJob]) -> Finding:
    more = "more than " if len(recent) == MANY else ""
    newest = recent[0]
    why = f"{newest.job or '?'}: {newest.error.rpartition('.')[2]}: {newest.message}"
    detail = f"{more}{count(len(recent), 'job')} failed for good within the last day; the newest, {why}"
    return warning(detail, "queuectl failed --since 1d", about=driver.name)
