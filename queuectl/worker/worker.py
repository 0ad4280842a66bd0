"""The parent of a worker: it owns the store's connection, hands jobs to its children, and never runs user code."""

from __future__ import annotations

import contextlib
import math
import signal
from collections.abc import Sequence
from time import monotonic

from queuectl.clock import Clock, SystemClock
from queuectl.drivers.contract import Driver
from queuectl.events import Event, Listener, QueuePaused, QueueResumed, WorkerNote, WorkerStarted, WorkerStopped
from queuectl.jobs.outcome import Ending
from queuectl.worker.appetite import Appetite
from queuectl.worker.cancelling import Cancelling
from queuectl.worker.children import resident
from queuectl.worker.crew import Crew
from queuectl.worker.docket import Docket
from queuectl.worker.exchanges import Exchanges
from queuectl.worker.handout import Handout
from queuectl.worker.hearing import Hearing
from queuectl.worker.link import StoreLink
from queuectl.worker.lookout import Lookout
from queuectl.worker.notices import Notices
from queuectl.worker.options import WorkerOptions
from queuectl.worker.signals import Signals, has_terminal
from queuectl.worker.stop import Stop, Stopping, StopReason
from queuectl.worker.switchboard import Switchboard
from queuectl.worker.upkeep import Carrier, Every, Upkeep
from queuectl.worker.vigil import has_processors_for

MEMORY_EVERY = 5.0
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
        unheard: frozenset[type[Event]] = frozenset(),
        unknown_job_grace: float = 3600.0,
        relays: Sequence[Carrier] = (),
        clock: Clock | None = None,
    ) -> None:
        """*unheard*: the kinds of event that *listener* has no use for; those of each job cost time to make."""
        self._driver, self._options, self._listener = driver, options, listener
        self._clock = clock or SystemClock()
        self._link = StoreLink(self._note)
        self._signals = Signals()
        self._switchboard = Switchboard(may_stay_awake=has_processors_for(options.workers))
        self._crew = Crew(
            child_command,
            options.workers,
            places=options.concurrency,
            memory=options.memory,
            note=self._note,
            switchboard=self._switchboard,
        )
        self._docket = Docket(
            driver,
            self._link,
            flags=options.limits,
            grace=unknown_job_grace,
            clock=self._clock,
            emit=self._emit,
            unheard=unheard,
        )
        self._upkeep = Upkeep(driver, self._link, self._docket, options, self._clock, relays, self._crew.has_joined)
        self._lookout = Lookout(driver, self._link, options.queues)
        self._appetite = Appetite(options)
        self._exchanges = Exchanges(driver, self._link, self._docket, self._appetite, self._note)
        self._notices = Notices(driver, self._link, self._docket, self._clock)
        self._stopping = Stopping(options.grace)
        self._handout = Handout(self._switchboard, self._crew, self._docket, self._exchanges, options.kill_after)
        self._hearing = Hearing(self._switchboard, self._crew, self._docket, self._appetite, self._stopping, self._note)
        self._cancelling = Cancelling(driver, self._link, self._docket, self._crew, options.kill_after)
        self._paused = False
        self._queues: tuple[str, ...] = options.queues
        """Those that are not paused."""
        self._started = monotonic()
        self._memory_timer = Every(MEMORY_EVERY)
        self._offering_since: float | None = None
        self._duty_at = 0.0
        """Monotonic time at which something is due that no descriptor announces."""
        self._looks_for_reasons = True

    def run(self) -> Stop:
        """Work until there is a reason to stop, and return it.

        Raises `ConfigurationError` when the store is hopeless (missing table, refused credentials): no retry helps; and
        `DriverUnavailable` when one that is to end by itself finds no server at its start.
        """
        with self._signals:
            self._switchboard.listen_to(self._signals.fileno())
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
        if stopping.wanted is None and self._may_have_a_reason and (reason := self._find_reason()) is not None:
            stopping.want(reason)
        self._looks_for_reasons = False
        if stopping.wanted is None:
            return None
        self._docket.release_suspects()
        if self._has_work_in_hand:
            return None
        return self._last_words(stopping.wanted) if self._owes_words else stopping.wanted

    @property
    def _may_have_a_reason(self) -> bool:
        """In the middle of a full queue there is none but those that duties find."""
        return self._looks_for_reasons or self._appetite.sated or self._appetite.empty_since is not None

    @property
    def _has_work_in_hand(self) -> bool:
        return bool(self._docket.running or self._exchanges.hooks) or self._crew.busy

    @property
    def _owes_words(self) -> bool:
        """Outcomes to the store, or ends to somebody who waits."""
        return bool(self._docket.unsettled or self._docket.awaited)

    def _last_words(self, wanted: Stop) -> Stop | None:
        """A stop that leaves outcomes or notices behind, once the store has had its time to take them."""
        if self._offering_since is None:
            self._offering_since = monotonic()
            self._link.hurry()
        if min(self._link.downtime, monotonic() - self._offering_since) <= LAST_PATIENCE:
            return None
        if not self._docket.unsettled:
            return wanted
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
            self._notices.post()
            self._upkeep.leave()

    # Keeping up

    def _keep_up(self) -> None:
        """What is due by the clock: a worker in the middle of a full queue has mostly nothing to do here."""
        if monotonic() < self._duty_at and not (self._link.down or self._stopping.wanted or self._crew.is_short):
            return
        if self._exchanges.hooks and (self._crew.hopeless or monotonic() >= self._stopping.by):
            self._drop_hooks()
        if self._needs_children:
            self._crew.fill()
        self._upkeep.tend()
        self._tell_pauses()
        self._cancelling.tend(self._upkeep.marks.cancelled)
        self._enforce_deadlines()
        self._mind_memory()
        self._looks_for_reasons = True
        self._hearing.somebody_died = True  # looked for at the latest now, should a signal ever be missed
        self._duty_at = self._next_duty()

    def _next_duty(self) -> float:
        now = monotonic()
        times = [now + self._upkeep.left, *(child.next_deadline(now) for child in self._crew)]
        if self._needs_children:
            times.append(now + self._crew.start_in)
        times.append(self._cancelling.due_at)
        if self._stopping.by > now:
            times.append(self._stopping.by)
        return min(times)

    @property
    def _needs_children(self) -> bool:
        return self._stopping.wanted is None or bool(self._exchanges.hooks)

    def _drop_hooks(self) -> None:
        """No child will be there to call them; what they are about is durable."""
        for failed in self._exchanges.hooks:
            attempt = failed.running.attempt
            self._note(f"The failed() hook of {attempt.job} ({attempt.uuid}) was not called.")
        self._exchanges.hooks.clear()

    def _tell_pauses(self) -> None:
        former, marks = self._queues, self._upkeep.marks
        self._queues = tuple(queue for queue in self._options.queues if not marks.is_paused(queue))
        for queue in self._options.queues:
            if queue in former and queue not in self._queues:
                self._emit(QueuePaused(queue, self._clock.now()))
            if queue in self._queues and queue not in former:
                self._emit(QueueResumed(queue, self._clock.now()))
                self._appetite.wake()

    def _enforce_deadlines(self) -> None:
        now = monotonic()
        for child in self._crew:
            if now >= child.next_deadline(now):
                child.end_late(now)
            if now >= self._stopping.by and child.runs:
                child.kill(Ending.INTERRUPTED)

    def _mind_memory(self) -> None:
        limit = self._options.memory * (1 << 20)
        if self._stopping.wanted is None and limit and self._memory_timer.due() and resident() >= limit:
            self._stopping.want(StopReason.MEMORY, f"The worker itself uses more than {self._options.memory} MB.")

    # Settling and reserving

    def _settle_and_reserve(self) -> None:
        if self._paused or not self._queues:
            self._appetite.starve()
        self._exchanges.make(self._queues, self._room())
        if self._docket.awaited:
            self._notices.post()

    def _room(self) -> int:
        """How many jobs can start at once, now."""
        if self._stopping.wanted is not None or self._paused or not self._queues or self._docket.suspects:
            return 0
        return self._appetite.room(self._crew.room - len(self._exchanges.hooks) - self._docket.hooks_to_come)

    def _hand_out(self) -> None:
        self._duty_at = min(self._duty_at, self._handout.make())

    # Listening

    def _listen(self) -> None:
        """Wait for the first of: a report, a death, a signal, work arriving, or the next duty."""
        ready = self._wait(monotonic() + self._patience())
        if self._signals.pending or self._signals.fileno() in ready:
            self._obey_signals()  # before reports: a job that ends at the moment of a TERM is the last one
        for descriptor in ready:
            if (child := self._switchboard.child(descriptor)) is not None:
                self._hearing.hear(child)
        if self._hearing.somebody_died:
            self._hearing.bury()

    def _wait(self, until: float) -> list[int]:
        """What can be read, once something can, or work has come, or it is time. An idle worker lives here."""
        idle = not self._docket.unsettled and not self._link.down and self._room() > 0
        while True:
            check_in = self._lookout.arm(self._switchboard) if idle else math.inf
            ready = self._switchboard.wait(max(min(until - monotonic(), check_in), 0.0))
            if idle and self._lookout.sees_work(ready, self._switchboard):
                self._appetite.wake()
                return ready
            if ready or monotonic() >= until:
                return ready

    def _patience(self) -> float:
        """Seconds until something is due that no descriptor announces."""
        if self._is_about_to_stop:
            return 0.0
        waits = [self._duty_at - monotonic()]
        if self._appetite.resting:
            waits.append(self._appetite.resting)
        if self._owes_words:
            waits.append(self._link.retry_in)
        if self._room():
            waits.append(max(self._appetite.asks_in, self._link.retry_in))
        return max(min(waits), 0.0)

    @property
    def _is_about_to_stop(self) -> bool:
        if self._stopping.wanted is None:
            return self._may_have_a_reason and self._find_reason() is not None
        return not self._owes_words and not self._has_work_in_hand

    def _obey_signals(self) -> None:
        for number in self._signals.arrived():
            match number:
                case signal.SIGTERM | signal.SIGQUIT:
                    self._stopping.want(StopReason.INTERRUPTED)
                case signal.SIGINT:
                    self._stopping.interrupt()
                case signal.SIGHUP:
                    self._stopping.want(StopReason.INTERRUPTED if has_terminal() else StopReason.RELOADED)
                case signal.SIGCHLD:
                    self._hearing.somebody_died = True
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
