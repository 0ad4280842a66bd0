"""The parent of a worker: it owns the store's connection, hands jobs to its children, and never runs user code."""

from __future__ import annotations

import contextlib
import math
import select
import signal
from collections import deque
from collections.abc import Callable, Sequence
from time import monotonic

from queuectl.clock import Clock, SystemClock
from queuectl.drivers.contract import Driver, Reserved
from queuectl.errors import DataRefused
from queuectl.events import Event, Listener, QueuePaused, QueueResumed, WorkerNote, WorkerStarted, WorkerStopped
from queuectl.jobs.outcome import Ending, Failed
from queuectl.worker.appetite import Appetite
from queuectl.worker.children import Child, resident
from queuectl.worker.crew import Crew
from queuectl.worker.docket import Docket, Running, Unsettled, minimal
from queuectl.worker.frames import Frame, Kind
from queuectl.worker.link import StoreLink
from queuectl.worker.lookout import Lookout
from queuectl.worker.messages import attempt_to_json, problem_to_json, report_from_json
from queuectl.worker.options import WorkerOptions
from queuectl.worker.signals import Signals, has_terminal
from queuectl.worker.stop import Stop, Stopping, StopReason
from queuectl.worker.upkeep import Every, Upkeep

MEMORY_EVERY = 5.0
HOOK = -1
"""The key of a child that calls a `failed` hook."""
HOOK_TIME = 60.0
"""Seconds a `failed` hook may take before its child is killed."""
LAST_PATIENCE = 5.0
"""Seconds that a stopping worker keeps offering its last outcomes to a store that is not there."""


class Worker:
    """One `queuectl work`. Build it, `run` it once."""

    def __init__(
        self,
        driver: Driver,
        options: WorkerOptions,
        *,
        child_command: Sequence[str],
        listener: Listener,
        unknown_job_grace: float = 3600.0,
        relays: Sequence[Callable[[], object]] = (),
        clock: Clock | None = None,
    ) -> None:
        self._driver, self._options, self._listener = driver, options, listener
        self._clock = clock or SystemClock()
        self._link = StoreLink(self._note)
        self._crew = Crew(child_command, options.workers, memory=options.memory, note=self._note)
        self._docket = Docket(
            driver,
            self._link,
            flags=options.limits,
            grace=unknown_job_grace,
            clock=self._clock,
            emit=self._emit,
        )
        self._upkeep = Upkeep(driver, self._link, self._docket, options, self._clock, relays)
        self._signals = Signals()
        self._lookout = Lookout(driver, self._link, options.queues)
        self._reserved: deque[Reserved] = deque()
        self._hooks: deque[Unsettled] = deque()
        self._stopping = Stopping(options.grace)
        self._appetite = Appetite(options)
        self._paused = False
        self._paused_queues: frozenset[str] = frozenset()
        self._started = monotonic()
        self._memory_timer = Every(MEMORY_EVERY)
        self._offering_since: float | None = None

    def run(self) -> Stop:
        """Work until there is a reason to stop, and return it.

        Raises `ConfigurationError` when the store is hopeless (missing table, refused credentials): no retry helps; and
        `DriverUnavailable` when one that is to end by itself finds no server at its start.
        """
        with self._signals:
            self._emit(WorkerStarted(self._driver.name, self._options.queues, self._clock.now()))
            try:
                self._begin()
                while (stop := self._reason_to_stop()) is None:
                    self._keep_up()
                    self._settle_and_reserve()
                    self._hand_out()
                    self._listen()
            finally:
                self._leave()
            if stop.reason is StopReason.RELOADED:
                self._signals.hold()
                self._obey_signals()  # a TERM that came while we were leaving is not lost on the way
                stop = self._stopping.wanted or stop
            self._emit(WorkerStopped(stop.reason.word, stop.exit_code, self._docket.processed, self._clock.now()))
        return stop

    def _check(self) -> bool:
        self._driver.check()
        return True

    def _begin(self) -> None:
        """Say what is hopeless before any child is started. Only a daemon is patient with a server that is away."""
        options = self._options
        if options.once or options.stop_when_empty or options.stop_when_empty_for:
            self._check()
        else:
            self._link.ask(self._check)

    # Stopping

    def _reason_to_stop(self) -> Stop | None:
        """The wanted stop, once nothing is held any more; None as long as there is work to do or to finish."""
        stopping = self._stopping
        if stopping.wanted is None and (reason := self._find_reason()) is not None:
            stopping.want(reason)
        if stopping.wanted is None:
            return None
        if self._has_work_in_hand:
            return None
        return self._last_words(stopping.wanted) if self._docket.unsettled else stopping.wanted

    @property
    def _has_work_in_hand(self) -> bool:
        return bool(self._docket.running or self._hooks) or any(child.busy for child in self._crew)

    def _last_words(self, wanted: Stop) -> Stop | None:
        """A stop that leaves outcomes behind, once the store has had its time to take them."""
        self._offering_since = self._offering_since or monotonic()
        if min(self._link.downtime, monotonic() - self._offering_since) <= LAST_PATIENCE:
            return None
        lost = ", ".join(item.running.attempt.uuid for item in self._docket.unsettled)
        text = f"The store did not take the outcome of {lost}; it will run again."
        return Stop(wanted.reason if wanted.exit_code else StopReason.UNSETTLED, text)

    def _find_reason(self) -> StopReason | None:
        """In artisan's order."""
        options, now, appetite = self._options, monotonic(), self._appetite
        idle = appetite.empty_since is not None and not self._docket.running and not self._docket.unsettled
        found = (
            (StopReason.LOST_CONNECTION, 0 < options.max_downtime < self._link.downtime),
            (StopReason.CRASHING, self._crew.hopeless),
            (StopReason.RESTART_SIGNAL, self._upkeep.restart_asked),
            (StopReason.EMPTY, idle and (options.stop_when_empty or self._once_has_waited(now))),
            (StopReason.EMPTY_FOR, idle and 0 < options.stop_when_empty_for <= now - appetite.last_job),
            (StopReason.MAX_TIME, 0 < options.max_time <= now - self._started),
            (StopReason.MAX_JOBS, appetite.sated),
        )
        return next((reason for reason, is_true in found if is_true), None)

    def _once_has_waited(self, now: float) -> bool:
        """`--once` that finds nothing waits for `--sleep`, as artisan's: scripts loop around it."""
        waited = now - (self._appetite.empty_since or now)
        return self._options.once and waited >= self._options.sleep

    def _leave(self) -> None:
        self._crew.dismiss()
        self._lookout.close()
        with contextlib.suppress(Exception):  # a courtesy to monitors; the beat runs out by itself
            self._upkeep.leave()

    # Keeping up

    def _keep_up(self) -> None:
        if self._hooks and (self._crew.hopeless or monotonic() >= self._stopping.by):
            self._drop_hooks()
        if self._needs_children:
            self._crew.fill()
        self._upkeep.tend()
        self._tell_pauses()
        self._enforce_deadlines()
        self._mind_memory()

    @property
    def _needs_children(self) -> bool:
        return self._stopping.wanted is None or bool(self._hooks)

    def _drop_hooks(self) -> None:
        """No child will be there to call them; what they are about is durable."""
        for failed in self._hooks:
            attempt = failed.running.attempt
            self._note(f"The failed() hook of {attempt.job} ({attempt.uuid}) was not called.")
        self._hooks.clear()

    def _tell_pauses(self) -> None:
        paused = frozenset(queue for queue in self._options.queues if self._upkeep.marks.is_paused(queue))
        for queue in self._options.queues:
            if queue in paused - self._paused_queues:
                self._emit(QueuePaused(queue, self._clock.now()))
            if queue in self._paused_queues - paused:
                self._emit(QueueResumed(queue, self._clock.now()))
                self._appetite.wake()
        self._paused_queues = paused

    def _enforce_deadlines(self) -> None:
        now = monotonic()
        for child in self._crew:
            if now >= child.deadline:
                child.end_late()
            if now >= self._stopping.by and child.busy:
                child.kill(Ending.INTERRUPTED)

    def _mind_memory(self) -> None:
        limit = self._options.memory * (1 << 20)
        if self._stopping.wanted is None and limit and self._memory_timer.due() and resident() >= limit:
            self._stopping.want(StopReason.MEMORY, f"The worker itself uses more than {self._options.memory} MB.")

    # Settling and reserving

    def _settle_and_reserve(self) -> None:
        """The one exchange with the store: everything that ended goes in, as much as can start now comes out."""
        queues, room, sending = self._open_queues(), self._room(), list(self._docket.unsettled)
        if self._paused or not queues:
            self._appetite.starve()
        if self._link.retry_in or not (sending or (room and not self._appetite.asks_in)):
            return
        try:
            answer = self._exchange(sending, queues, room)
        except DataRefused:
            for item in sending:
                self._settle_alone(item)
            return
        if answer is not None:
            self._appetite.fed(len(answer), room)
            self._reserved.extend(answer)

    def _exchange(self, sending: Sequence[Unsettled], queues: Sequence[str], room: int) -> list[Reserved] | None:
        """Send outcomes, take their verdicts, return what was reserved; None while the store is not there."""
        settlements = [item.settlement for item in sending]
        answer = self._link.attempt(
            lambda: self._driver.exchange(settlements, queues, room), wrote=lambda answer: any(answer)
        )
        if answer is None:
            for item in sending:
                item.sent = True
            return None
        self._hooks.extend(self._docket.take(sending, answer[0]))
        return answer[1]

    def _settle_alone(self, item: Unsettled) -> None:
        """The store refused something as data: settle this one with a record that cannot be refused, if it is it."""
        for outcome in (item.outcome, minimal(item.outcome)):
            item.outcome = outcome
            with contextlib.suppress(DataRefused):
                self._exchange([item], [], 0)
                return
        self._docket.give_up(item)
        self._note(f"The store refuses the outcome of {item.running.attempt.uuid}; its lease will run out.")

    def _room(self) -> int:
        """How many jobs can start at once, now."""
        if self._stopping.wanted is not None or self._paused or not self._open_queues():
            return 0
        return self._appetite.room(len(self._crew.ready()) - len(self._hooks) - self._docket.hooks_to_come)

    def _open_queues(self) -> list[str]:
        return [queue for queue in self._options.queues if queue not in self._paused_queues]

    # Handing out

    def _hand_out(self) -> None:
        """Hooks of failed jobs first, then what was just reserved, one to each ready child."""
        for child in self._crew.ready():
            if self._hooks:
                self._call_hook(child, self._hooks.popleft())
            else:
                self._start_next(child)
        while self._reserved:  # a child died at the wrong moment: what cannot start now goes back unharmed
            self._docket.give_back(self._reserved.popleft())

    def _start_next(self, child: Child) -> None:
        """Give the child the next reserved job that may run; others are settled on the way."""
        while self._reserved:
            opened = self._docket.open(self._reserved.popleft(), self._crew.declared)
            if opened is not None:
                self._start(child, *opened)
                return

    def _start(self, child: Child, key: int, running: Running) -> None:
        timeout = running.limits.timeout
        patience = timeout + self._options.kill_after if timeout else math.inf
        head = {"timeout": timeout, "attempt": attempt_to_json(running.attempt)}
        child.assign(key, Frame(Kind.RUN, head, running.attempt.payload), patience)

    def _call_hook(self, child: Child, failed: Unsettled) -> None:
        """Let the job's `failed` hook know; its record is durable, so whatever the hook does can lose nothing."""
        attempt = failed.running.attempt
        problem = failed.outcome.record.problem if isinstance(failed.outcome, Failed) else None
        head = {"attempt": attempt_to_json(attempt), "problem": problem and problem_to_json(problem)}
        child.assign(HOOK, Frame(Kind.FAILED, head, attempt.payload), HOOK_TIME)

    # Listening

    def _listen(self) -> None:
        """Wait for the first of: a report, a death, a signal, work arriving, or the next duty."""
        ready = self._wait(self._descriptors(), monotonic() + self._patience())
        if self._signals.pending or self._signals.fileno() in ready:
            self._obey_signals()  # before reports: a job that ends at the moment of a TERM is the last one
        for child in [child for child in self._crew if child.fileno() in ready]:
            self._hear(child)
        self._bury()

    def _descriptors(self) -> select.poll:
        poll = select.poll()
        poll.register(self._signals.fileno(), select.POLLIN)
        for child in self._crew:
            if not child.hung_up:
                poll.register(child.fileno(), select.POLLIN | (select.POLLOUT if child.wants_to_write else 0))
        return poll

    def _wait(self, poll: select.poll, until: float) -> set[int]:
        """What can be read, once something can, or work has come, or it is time. An idle worker lives here."""
        idle = not self._docket.unsettled and not self._link.down and self._room() > 0
        while True:
            check_in = self._lookout.arm(poll) if idle else math.inf
            patience = max(min(until - monotonic(), check_in), 0.0)
            ready = {descriptor for descriptor, _ in poll.poll(math.ceil(patience * 1000))}
            if idle and self._lookout.sees_work(ready):
                self._appetite.wake()
                return ready
            if ready or monotonic() >= until:
                return ready

    def _patience(self) -> float:
        """Seconds until something is due that no descriptor announces."""
        if (self._stopping.wanted or self._appetite.sated) and not (self._docket.unsettled or self._has_work_in_hand):
            return 0.0  # the last outcome is in the store, and that was all
        now = monotonic()
        waits = [self._upkeep.left, *(child.deadline - now for child in self._crew)]
        if self._needs_children:
            waits.append(self._crew.start_in)
        if self._stopping.by > now:
            waits.append(self._stopping.by - now)
        if self._appetite.resting:
            waits.append(self._appetite.resting)
        if self._docket.unsettled:
            waits.append(self._link.retry_in)
        if self._room():
            waits.append(max(self._appetite.asks_in, self._link.retry_in))
        return max(min(waits), 0.0)

    def _hear(self, child: Child) -> None:
        """Take what a child says."""
        child.flush()
        for frame in child.receive():
            self._take(child, frame)
        if child.hung_up:
            child.kill()

    def _take(self, child: Child, frame: Frame) -> None:
        match frame.kind:
            case Kind.HELLO:
                self._crew.greet(child, frame.head["jobs"])
            case Kind.BROKEN:
                self._crew.despair()
                self._stopping.want(StopReason.BROKEN, frame.head["message"])
            case Kind.REPORT | Kind.HOOKED if frame.head["key"] != child.busy:
                pass  # not about what it runs: no job is settled by it
            case Kind.REPORT:
                self._take_report(child, frame)
            case Kind.HOOKED:
                child.release()
                if frame.head["problem"]:
                    self._note(f"A failed() hook raised: {frame.head['problem']['message']}")
            case _:
                raise AssertionError(frame.kind)

    def _take_report(self, child: Child, frame: Frame) -> None:
        report, key = report_from_json(frame.head), child.release()
        self._docket.close(key, report)
        self._appetite.job_ended()
        if report.ending is Ending.TIMED_OUT:  # its connections may be in mid-protocol: never used again
            self._crew.retire(child)
        else:
            self._crew.rest(child)

    def _bury(self) -> None:
        """Settle what dead children ran; whatever they had reported before still counts."""
        for child, death in self._crew.reap():
            self._hear(child)
            key = child.release()
            if not key and self._stopping.wanted is None:
                when = "before it was ready" if child.declarations is None else "while it had nothing to do"
                self._note(f"A child was lost {when}: {death.at_length}")
            elif key == HOOK:
                self._note(f"The child that called a failed() hook was lost: {death.at_length}")
            elif key:
                self._docket.close_dead(key, death, child.killed_for)

    def _obey_signals(self) -> None:
        for number in self._signals.arrived():
            match number:
                case signal.SIGTERM | signal.SIGQUIT:
                    self._stopping.want(StopReason.INTERRUPTED)
                case signal.SIGINT:
                    self._stopping.interrupt()
                case signal.SIGHUP:
                    self._stopping.want(StopReason.INTERRUPTED if has_terminal() else StopReason.RELOADED)
                case signal.SIGUSR2:
                    self._paused = True
                case signal.SIGCONT:
                    self._paused = False
                    self._appetite.wake()

    # Telling

    def _emit(self, event: Event) -> None:
        """A listener that fails (a closed pipe, a full log disk) never costs a job."""
        with contextlib.suppress(Exception):
            self._listener(event)

    def _note(self, text: str) -> None:
        self._emit(WorkerNote(text, self._clock.now()))
