"""The jobs a worker holds: the running ones, and the outcomes that are not durable yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from time import monotonic

from queuectl.clock import Clock
from queuectl.drivers.contract import Driver, Reserved, Settlement, Verdict
from queuectl.errors import JobCancelled, MalformedPayload, TimedOut, UnknownJob, WorkerDied
from queuectl.events import (
    Event,
    JobDone,
    JobFacts,
    JobFailed,
    JobParked,
    JobReleased,
    JobStarting,
    LeaseLost,
    WorkerNote,
)
from queuectl.jobs.declaration import Declaration
from queuectl.jobs.limits import Limits, Settings, resolve
from queuectl.jobs.locks import Lock, lock_in
from queuectl.jobs.outcome import Completed, Done, Ending, Failed, Outcome, Parked, Problem, Release, Report
from queuectl.jobs.payload import Envelope, decode, identity
from queuectl.jobs.problem import problem
from queuectl.runner import Attempt, judge, record, refuse_late
from queuectl.worker.children import Death
from queuectl.worker.link import StoreLink

MAX_CRASHES = 3
"""A job without a limit of tries that kills its process is given up after so many."""
LONGEST_PARKING = 60.0


@dataclass(slots=True)
class Running:
    """One job in a child."""

    reserved: Reserved
    attempt: Attempt
    limits: Limits
    has_failed: bool
    """Whether the job has a `failed` hook."""
    started: float
    watch: str = ""
    """Under which name somebody waits for its end."""
    lock: Lock | None = None
    """The unique key that its payload speaks of."""
    lost: bool = False
    """Its lease is gone: another worker may have it."""


@dataclass(slots=True)
class Unsettled:
    """An outcome on its way into the store."""

    running: Running
    outcome: Outcome
    event: Event | None
    """What is told once it is durable, if anybody wants to hear it."""
    joined: bool = False
    """The job may have completed itself: to be gone then means that it has."""
    sent: bool = False
    """It has been sent before, and the answer is not known."""

    @property
    def wants_hook(self) -> bool:
        return self.running.has_failed and isinstance(self.outcome, Failed)

    @property
    def settlement(self) -> Settlement:
        return Settlement(self.running.reserved, self.outcome)


class Docket:
    """From a reservation to its verdict. Decides nothing about jobs itself: `runner.judge` does."""

    def __init__(
        self,
        driver: Driver,
        link: StoreLink,
        *,
        flags: Limits,
        grace: float,
        clock: Clock,
        emit: Callable[[Event], None],
        unheard: frozenset[type[Event]] = frozenset(),
    ) -> None:
        """*unheard*: kinds of event that nobody listens to; they are not made."""
        self._driver = driver
        self._link = link
        self._flags = flags
        self._grace = grace
        self._clock = clock
        self._emit = emit
        self._tells_starts, self._tells_ends = JobStarting not in unheard, JobDone not in unheard
        self._keys = count(1)
        self.running: dict[int, Running] = {}
        self.unsettled: list[Unsettled] = []
        self.suspects: deque[int] = deque()
        """Running jobs without a child: one of them killed the one they shared, and each runs again alone."""
        self.awaited: deque[Unsettled] = deque()
        """What has ended for good while somebody waits for it, and has not been told yet."""
        self.cancelled: dict[int, str] = {}
        """Running jobs that somebody asked to end, and who."""
        self.processed = 0
        self.counts: dict[str, int] = {}
        """What has been settled since the counters were last written: `done:QUEUE`, `failed:QUEUE`, …"""

    def held(self) -> list[Running]:
        """Everything whose lease must be kept."""
        return [
            running for running in [*self.running.values(), *(u.running for u in self.unsettled)] if not running.lost
        ]

    @property
    def hooks_to_come(self) -> int:
        """How many children will be asked to call a `failed` hook once the unsettled failures are durable."""
        return sum(item.wants_hook for item in self.unsettled)

    def open(self, reserved: Reserved, declared: Mapping[str, Declaration]) -> tuple[int, Running] | None:
        """Take a reservation in: a key and a job to run, or None when it is settled without running."""
        try:
            envelope = decode(reserved.payload)
        except MalformedPayload as error:
            self._refuse(reserved, problem(MalformedPayload, str(error)))
            return None
        declaration = declared.get(envelope.job)
        running = self._running(reserved, envelope, declaration)
        if declaration is None:
            self._settle(running, self._park(running, envelope.job, declared))
            return None
        late = refuse_late(running.attempt, running.limits, self._clock.now())
        if late is not None:
            self._settle(running, late)
            return None
        if running.lock is not None and running.lock.until_processing:
            self._unlock(running, running.lock)
        key = next(self._keys)
        self.running[key] = running
        if self._tells_starts:
            self._emit(JobStarting(facts(running), self._clock.now()))
        return key, running

    def close(self, key: int, report: Report) -> Running:
        """A run has ended: decide what becomes of the job."""
        running = self.running.pop(key)
        self.processed += 1
        if self.cancelled and (by := self.cancelled.pop(key, None)) is not None:
            report = _as_cancelled(running, report, by)
        self._settle(running, self._judge(running, report), report.problem, joined=report.joined)
        return running

    def close_dead(
        self,
        keys: Collection[int],
        death: Death,
        killed_for: Ending | None = None,
        overdue: Container[int] = (),
        *,
        has_company: bool = False,
    ) -> None:
        """The child of these runs is gone: what becomes of each of them, by what its death tells.

        Whoever was not its cause is spared. Where there were several, nobody knows which of them it was, not even by
        what had begun: a job can kill while it is being made. Each is run again, alone.
        *has_company*: it did something else as well, which may have been the cause.
        """
        if killed_for is None and (len(keys) > 1 or has_company):
            self._suspect(keys, death)
            return
        for key in keys:
            if killed_for is None or (killed_for is Ending.TIMED_OUT and key in overdue):
                self._close_culprit(key, death, killed_for)
            else:
                self.close(key, Report(Ending.INTERRUPTED, joined=key in death.joined))

    def _close_culprit(self, key: int, death: Death, killed_for: Ending | None) -> None:
        running = self.running[key]
        attempt = running.attempt
        if killed_for is None and key not in death.begun and self._is_spared(running):
            self._note(f"A child was lost before it began {attempt.job} ({attempt.uuid}): {death.at_length}")
            self.close(key, Report(Ending.INTERRUPTED))
        else:
            report = _report_of(running, death, killed_for)
            self.close(key, replace(report, joined=key in death.joined))

    def _suspect(self, keys: Collection[int], death: Death) -> None:
        """Their leases are kept: nobody else may run them beside other jobs meanwhile."""
        jobs = ", ".join(sorted({self.running[key].attempt.job for key in keys}))
        gone = self._gone(keys)
        for key in gone:
            if key in death.joined:
                self.close(key, Report(Ending.FINISHED, joined=True))
            else:
                self.lose(self.running[key])
        self.suspects.extend(key for key in keys if key not in gone or key not in death.joined)
        self._note(f"A child that ran {len(keys)} jobs was lost; each runs again, alone ({jobs}): {death.at_length}")

    def _gone(self, keys: Collection[int]) -> set[int]:
        """Of which of these is there nothing left to run? One may have completed itself just before."""
        reserved = [self.running[key].reserved for key in keys]
        lost = {one.token for one in self._link.attempt(lambda: self._driver.renew(reserved)) or ()}
        return {key for key in keys if self.running[key].reserved.token in lost}

    def next_suspect(self) -> tuple[int, Running] | None:
        """The next one to run alone; one whose lease is gone may be running elsewhere, and is not begun again."""
        while self.suspects:
            key = self.suspects.popleft()
            if not self.running[key].lost:
                return key, self.running[key]
            del self.running[key]
        return None

    def release_suspects(self) -> None:
        """There is no time to run them again: they go back as they came."""
        while self.suspects:
            self.close(self.suspects.popleft(), Report(Ending.INTERRUPTED))

    def give_back(self, reserved: Reserved) -> None:
        """A reservation that cannot start after all: back into the queue, not an attempt."""
        running = self._outsider(reserved)
        self._settle(running, Release(spared=True))

    def give_up(self, items: Collection[Unsettled]) -> None:
        """Stop offering these outcomes to the store."""
        gone = set(map(id, items))
        self.unsettled = [item for item in self.unsettled if id(item) not in gone]

    def take(self, sent: Sequence[Unsettled], verdicts: Sequence[Verdict]) -> Iterator[Unsettled]:
        """Take the store's answers; yields what has now failed for good and wants its hook called."""
        self.give_up(sent)
        for item, verdict in zip(sent, verdicts, strict=True):
            # Gone after an uncertain reply: the first sending had been applied. Gone at the first: the lease was lost.
            if verdict is Verdict.GONE and item.joined:
                self._has_completed_itself(item)
            elif verdict is Verdict.GONE and not item.sent:
                self.lose(item.running)
                continue
            if item.event is not None:
                self._emit(item.event)
            self._count(item)
            if item.running.watch and isinstance(item.outcome, Done | Failed | Completed):
                self.awaited.append(item)
            if item.wants_hook:
                yield item

    def _has_completed_itself(self, item: Unsettled) -> None:
        """Whatever came of the run afterwards."""
        item.outcome = Done()
        item.event = self._event(item.running, item.outcome, None)

    def lose(self, running: Running) -> None:
        """Somebody else has this job now; say so once."""
        if not running.lost:
            running.lost = True
            self._emit(LeaseLost(facts(running), self._clock.now(), monotonic() - running.started))

    def _running(self, reserved: Reserved, envelope: Envelope, declaration: Declaration | None) -> Running:
        uuid = envelope.uuid or identity(reserved.payload)[0]
        attempt = Attempt(
            connection=self._driver.name,
            queue=reserved.queue,
            payload=reserved.payload,
            uuid=uuid,
            job=envelope.display,
            attempts=reserved.attempts,
            receipt=self._driver.receipt(reserved),
        )
        settings = declaration.settings if declaration is not None else Settings()
        limits = resolve(envelope, settings, self._flags)
        has_failed = declaration is not None and declaration.has_failed
        lock = lock_in(envelope.more) if envelope.more else None
        return Running(reserved, attempt, limits, has_failed, monotonic(), envelope.watch, lock)

    def _refuse(self, reserved: Reserved, why: Problem) -> None:
        """Bytes that no worker can run: kept whole in the failed store, with the reason."""
        running = self._outsider(reserved)
        self._settle(running, Failed(record(running.attempt, why, self._clock.now())), why)

    def _outsider(self, reserved: Reserved) -> Running:
        """A reservation that never meets a child."""
        uuid, job = identity(reserved.payload)
        attempt = Attempt(self._driver.name, reserved.queue, reserved.payload, uuid, job, reserved.attempts)
        return Running(reserved, attempt, self._flags, False, monotonic())

    def _judge(self, running: Running, report: Report) -> Outcome:
        if report.ending is Ending.UNKNOWN:
            return self._park(running, running.attempt.job, {})
        limits, exceptions = running.limits, 0
        if report.ending in (Ending.RAISED, Ending.TIMED_OUT, Ending.DIED) and limits.max_exceptions:
            exceptions = self._tally(f"exceptions:{running.attempt.uuid}")
        unlimited = limits.tries == 0 and limits.retry_until is None
        if report.ending is Ending.DIED and unlimited and self._tally(f"crashes:{running.attempt.uuid}") >= MAX_CRASHES:
            limits = replace(limits, tries=running.attempt.attempts)
        return judge(report, running.attempt, limits, now=self._clock.now(), exceptions=exceptions)

    def _is_spared(self, running: Running) -> bool:
        """A job that never began has not been attempted. A second time it may be the cause: a payload that kills."""
        return self._tally(f"unbegun:{running.attempt.uuid}") <= 1

    def _tally(self, key: str) -> int:
        return self._link.attempt(lambda: self._driver.control.tally(key)) or 0

    def _park(self, running: Running, name: str, declared: Mapping[str, Declaration]) -> Outcome:
        """A name nobody here knows: perhaps a newer deploy does. PHP's own jobs never fail by our hand."""
        parked_for = self._link.ask(lambda: self._driver.parked_for(running.reserved)) or 0.0
        if parked_for < self._grace or "@" in name:
            return Parked(f"unknown job {name}", min(max(parked_for, 1.0), LONGEST_PARKING))
        known = ", ".join(sorted(declared)) or "none"
        why = problem(UnknownJob, f"No job {name!r} is registered after {parked_for:.0f} s of waiting. Known: {known}.")
        return Failed(record(running.attempt, why, self._clock.now()))

    def _unlock(self, running: Running, lock: Lock) -> None:
        """It begins: the next one may be dispatched. If the store is away now, its end frees the key."""
        attempt = running.attempt
        self._link.do(lambda: self._driver.unlock(attempt.queue, lock.unique.key, holder=attempt.uuid))

    def _settle(self, running: Running, outcome: Outcome, why: Problem | None = None, *, joined: bool = False) -> None:
        if running.lock is not None and isinstance(outcome, Done | Failed):
            outcome = replace(outcome, unlock=(running.lock.unique.key,))
        self.unsettled.append(Unsettled(running, outcome, self._event(running, outcome, why), joined))

    def _event(self, running: Running, outcome: Outcome, why: Problem | None) -> Event | None:
        if isinstance(outcome, Done) and not self._tells_ends:
            return None
        about, now, duration = facts(running), self._clock.now(), monotonic() - running.started
        match outcome:
            case Failed(record=found):
                error = found.problem
                return JobFailed(about, now, duration, error.type, error.message, error.text)
            case Release(after=after):
                error = why or Problem("", "", "")
                return JobReleased(about, now, duration, after, error.type, error.message, error.text)
            case Parked(reason=reason, after=after):
                return JobParked(about, now, reason, after)
            case _:
                return JobDone(about, now, duration)

    def _note(self, text: str) -> None:
        self._emit(WorkerNote(text, self._clock.now()))

    def _count(self, item: Unsettled) -> None:
        name = f"{type(item.outcome).__name__.lower()}:{item.running.attempt.queue}"
        self.counts[name] = self.counts.get(name, 0) + 1


def facts(running: Running) -> JobFacts:
    attempt = running.attempt
    return JobFacts(attempt.connection, attempt.queue, running.reserved.id, attempt.uuid, attempt.job, attempt.attempts)


def minimal(outcome: Outcome) -> Outcome:
    """The same failure with a record that any store takes: for one whose text was refused as data."""
    if not isinstance(outcome, Failed):
        return outcome
    note = "The store refused the text of this error."
    plain = Problem(outcome.record.problem.type.encode("ascii", "replace").decode()[:80], note, note)
    return replace(outcome, record=replace(outcome.record, problem=plain))


def _as_cancelled(running: Running, report: Report, by: str) -> Report:
    """What ended well ended well; anything else ended because it was asked to, and is not tried again."""
    if report.ending in (Ending.FINISHED, Ending.FAILED):
        return report
    trace = report.problem.text if report.problem is not None else ""
    why = f"{running.attempt.job} was cancelled by {by} while it ran."
    return Report(Ending.FAILED, problem=problem(JobCancelled, why, trace))


def _report_of(running: Running, death: Death, killed_for: Ending | None) -> Report:
    attempt, timeout = running.attempt, running.limits.timeout
    if killed_for is Ending.INTERRUPTED:
        return Report(Ending.INTERRUPTED)
    if killed_for is Ending.TIMED_OUT:
        why = f"{attempt.job} ran longer than its timeout of {timeout} s, did not stop, and its process was killed."
        return Report(Ending.TIMED_OUT, problem=problem(TimedOut, why, death.trace))
    why = f"The process that ran {attempt.job} was lost: {death}."
    return Report(Ending.DIED, problem=problem(WorkerDied, why, death.trace))
