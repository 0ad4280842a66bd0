"""Jobs on their way into a store, or, on an immediate connection, straight into their run."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from queuectl.clock import Clock
from queuectl.config import Connection
from queuectl.drivers.contract import Driver, FailedStore, Joined
from queuectl.errors import CannotJoin, JobDefinitionError, LeaseGone, NestedTooDeeply, QueuectlError
from queuectl.events import JobFacts, JobQueued, is_heard, tell
from queuectl.jobs.arguments import dumper
from queuectl.jobs.context import carried
from queuectl.jobs.definition import Job, registered_name
from queuectl.jobs.form import Form, form, head, more
from queuectl.jobs.limits import Settings
from queuectl.jobs.locks import lock_in, to_more
from queuectl.jobs.outcome import Done, Ending, Entry, Problem, Report, Unique
from queuectl.jobs.payload import check_queue_name, decode, new_id, new_identities, new_identity, watched
from queuectl.jobs.pending import Destination
from queuectl.jobs.registry import Registry
from queuectl.jobs.running import Running, depth
from queuectl.jobs.settings import OF_RUNS, SETTINGS, declared, is_delay, moment, seconds_until
from queuectl.jobs.uniqueness import is_plain, lock_of, turn_of
from queuectl.marking import Marking
from queuectl.runner import Attempt, Runner, record
from queuectl.transactions import Caller, ambient

logger = logging.getLogger("queuectl.dispatch")
DEEPEST = 100
"""Jobs that may run one inside the other on immediate connections."""
_says = attrgetter("__name__", "connection", "queue", "delay", "after_commit", "unique", "debounce", *OF_RUNS)
"""What a job class says of itself, as it is at the moment."""


class Route(NamedTuple):
    """What one dispatch has to know of a job class: found once, however many of its jobs there are."""

    driver: Driver
    job: str
    """The registered name."""
    queue: str
    wait: float
    settings: Settings
    form: Form
    """For jobs without `retry_until`."""
    dump: Callable[[Job], str]
    """What writes their arguments."""
    is_plain: bool
    """Neither unique nor debounced."""
    after_commit: bool
    """They follow the commit of a transaction, where there is one."""


class Sent(NamedTuple):
    """A job that was dispatched, and where it went."""

    driver: Driver
    queue: str
    uuid: str


class Pusher(Protocol):
    """Takes jobs for one connection."""

    def push(self, entries: Sequence[Entry]) -> list[str]:
        """As `Driver.push`."""


Send = Callable[[Driver, Sequence[Job], Sequence[Entry]], list[str]]


@dataclass(frozen=True, slots=True)
class Joint:
    """A transaction in which a job is to complete, as the run of that job sees it."""

    caller: Caller
    store: Joined
    receipt: str

    def left_open(self) -> bool:
        """End it if it has not ended; whether it was left so, with nothing committed.

        One that is open now may be another, begun since: the reservation tells. Left open, it would keep others waiting
        for the job's row.
        """
        if not self.caller.is_open:
            return False
        self.caller.rollback()
        left = self.store.holds(self.receipt)
        self.caller.rollback()
        return left


class QueueDispatcher:
    """Resolves where a job goes (the dispatch over the class over the configuration), and sends it there."""

    def __init__(
        self,
        connections: Callable[[str | None], Driver],
        settings: Mapping[str, Connection],
        registry: Registry,
        runner: Runner,
        clock: Clock,
        *,
        pushers: Callable[[str], Pusher] | None = None,
        joined: Callable[[str, Caller], Joined] | None = None,
        failed: Callable[[], FailedStore | None] = lambda: None,
    ) -> None:
        """*connections* gives the driver of a name (None: the default one); *pushers*, what takes its jobs, if that is
        not the driver itself; *joined*, what takes them within a transaction of the application's; *failed*, where
        failures of jobs that run at once are kept, if anywhere."""
        self._driver = connections
        self._pusher: Callable[[str], Pusher] = pushers or connections
        self._joined = joined or (lambda name, caller: connections(name).join(caller))
        self._settings = settings
        self._registry = registry
        self._runner = runner
        self._clock = clock
        self._failed = failed
        self._marking = Marking()
        self._routes: dict[type[Job], tuple[tuple[object, ...], Route]] = {}

    def dispatch(self, jobs: Sequence[Job], to: Destination) -> list[str]:
        """Push these, in one step for each connection, and return their uuids in order.

        Everything is checked and encoded before anything is sent. On an immediate connection each job runs now,
        without delay, and what it raises reaches the caller as it is.
        """
        if len(jobs) == 1:
            route, entry = self._entry(jobs[0], to)
            if route.after_commit:
                return self._after_commit(route.driver, jobs, [entry])
            return self._send(route.driver, jobs, [entry])
        return self._each(jobs, to, self._send, self._after_commit)

    def dispatch_within(self, jobs: Sequence[Job], to: Destination, caller: Caller) -> list[str]:
        """Push these as part of a transaction of the application's. Those that are to follow its commit, and those
        that would run at once, are checked now and sent once it has been committed."""

        def join(driver: Driver, jobs: Sequence[Job], entries: Sequence[Entry]) -> list[str]:
            stand = self._marking.push_within(caller, self._joined(driver.name, caller), driver, jobs, entries)
            if is_heard(JobQueued):
                caller.once_committed(partial(self._tell_queued, driver, jobs, entries, stand))
            return stand

        follow = partial(self._follow, caller)
        return self._each(jobs, to, lambda driver, *what: (follow if driver.immediate else join)(driver, *what), follow)

    def complete_within(self, caller: Caller, state: Running) -> None:
        """Take a running job out of its queue as part of a transaction of its own."""
        if state.receipt is None:
            return
        if not state.receipt:
            raise CannotJoin(
                f"[{state.connection}] keeps its jobs where no transaction of a database reaches,"
                " so none can take this one out of its queue."
            )
        store = self._driver(state.connection).join(caller)
        state.joined = Joint(caller, store, state.receipt)
        if state.begins is not None:
            state.begins(joined=True)
        if not store.finish(state.receipt, state.payload, _done(state.payload)):
            raise LeaseGone

    def _each(self, jobs: Sequence[Job], to: Destination, send: Send, follow: Send) -> list[str]:
        """*send* these, or have them *follow* a commit, in one step for each connection; their uuids in order."""
        routes, entries = self._entries(jobs, to)
        ways = [(route.driver, follow if route.after_commit else send) for route in routes.values()]
        if len(set(ways)) == 1:
            [(driver, way), *_] = ways
            return way(driver, jobs, entries)
        uuids = [entry.uuid for entry in entries]
        way_of = dict(zip(routes, ways, strict=True))
        for driver, way in dict.fromkeys(ways):
            places = [place for place, job in enumerate(jobs) if way_of[type(job)] == (driver, way)]
            sent = way(driver, [jobs[place] for place in places], [entries[place] for place in places])
            for place, uuid in zip(places, sent, strict=True):
                uuids[place] = uuid
        return uuids

    def _after_commit(self, driver: Driver, jobs: Sequence[Job], entries: Sequence[Entry]) -> list[str]:
        """Once the transaction that the code is in has been committed; now, if it is in none."""
        caller = ambient()
        return self._send(driver, jobs, entries) if caller is None else self._follow(caller, driver, jobs, entries)

    def _follow(self, caller: Caller, driver: Driver, jobs: Sequence[Job], entries: Sequence[Entry]) -> list[str]:
        caller.when_committed(partial(self._send, driver, jobs, entries))
        return [entry.uuid for entry in entries]

    def dispatch_watched(self, job: Job, to: Destination, watch: str) -> Sent:
        """As `dispatch`, with a note that somebody waits for its end under this name."""
        route, entry = self._entry(job, to)
        noted = entry._replace(payload=watched(entry.payload, watch))
        [uuid] = self._send(route.driver, [job], [noted])
        return Sent(route.driver, route.queue, uuid)

    def dispatch_sync(self, job: Job, to: Destination) -> str:
        """Run it here and now, through encode and decode as any other; its exception reaches the caller as it is."""
        route, entry = self._entry(job, to)
        self._run(route.driver, job, entry)
        return entry.uuid

    def _entry(self, job: Job, to: Destination) -> tuple[Route, Entry]:
        """`_entries` of one job, without what is there for many: a third of the time."""
        now = self._clock.now()
        route = self._route(type(job), to, now)
        arguments = route.dump(job)
        blank = route.form if job.retry_until is None else _form_until(route, job, now)
        lock, besides = (None, _more()) if route.is_plain else _marked(job, now)
        uuid, identity = new_identity()
        return route, Entry(route.queue, blank.fill(uuid, arguments, identity, besides), uuid, route.wait, lock)

    def _entries(self, jobs: Sequence[Job], to: Destination) -> tuple[dict[type[Job], Route], list[Entry]]:
        """Identities are drawn last: what checks arguments is the application's code, and may fork."""
        now, routes = self._clock.now(), dict[type[Job], Route]()
        ways, blanks, arguments = list[Route](), list[Form](), list[str]()
        marked = dict[int, tuple[Unique | None, str]]()
        for job in jobs:
            route = routes.get(type(job))
            if route is None:
                route = routes[type(job)] = self._route(type(job), to, now)
            ways.append(route)
            blanks.append(route.form if job.retry_until is None else _form_until(route, job, now))
            arguments.append(route.dump(job))
            if not route.is_plain:
                marked[len(ways) - 1] = _marked(job, now)
        besides = _more()
        drawn = zip(ways, blanks, arguments, new_identities(len(jobs)), strict=True)
        entries = [
            Entry(route.queue, blank.fill(uuid, text, identity, besides), uuid, route.wait)
            for route, blank, text, (uuid, identity) in drawn
        ]
        for place, (lock, besides) in marked.items():
            route, blank, entry = ways[place], blanks[place], entries[place]
            payload = blank.fill(entry.uuid, arguments[place], new_id(), besides)
            entries[place] = Entry(route.queue, payload, entry.uuid, route.wait, lock)
        return routes, entries

    def _send(self, driver: Driver, jobs: Sequence[Job], entries: Sequence[Entry]) -> list[str]:
        if not driver.immediate:
            return self._push(driver, jobs, entries)
        uuids: list[str] = []
        for job, entry in zip(jobs, entries, strict=True):  # frames are few here: jobs may run inside each other
            if entry.unique is None:
                self._run(driver, job, entry)
                uuids.append(entry.uuid)
            else:
                uuids.append(self._run_alone(driver, job, entry, entry.unique))
        return uuids

    def _push(self, driver: Driver, jobs: Sequence[Job], entries: Sequence[Entry]) -> list[str]:
        is_marked = not all(map(is_plain, {*map(type, jobs)}))
        if is_marked:
            self._marking.before(driver, entries)
        stand = self._pusher(driver.name).push(entries)
        if is_marked:
            self._marking.after(driver.control, jobs, entries, stand)
        if is_heard(JobQueued):
            self._tell_queued(driver, jobs, entries, stand)
        return stand

    def _tell_queued(self, driver: Driver, jobs: Sequence[Job], entries: Sequence[Entry], uuids: Sequence[str]) -> None:
        """Of each that was accepted; one whose unique key was taken was not."""
        now = self._clock.now()
        for job, entry, uuid in zip(jobs, entries, uuids, strict=True):
            if uuid == entry.uuid:
                facts = JobFacts(driver.name, entry.queue, "", uuid, registered_name(type(job)), 0)
                tell(JobQueued(facts, now, entry.delay))

    def _route(self, cls: type[Job], to: Destination, now: float) -> Route:
        """As the last one of this class, as long as nothing it was made from has changed."""
        driver, said, last = self._driver(to.connection or cls.connection), _says(cls), self._routes.get(cls)
        made_from = (driver, to, int(now), vars(cls).get("name"), said)
        if last is not None and last[0] == made_from:
            return last[1]
        self._registry.add(cls)
        name, settings = registered_name(cls), declared(cls)
        queue = check_queue_name(to.queue or cls.queue or self._settings[driver.name].queue)
        delay = next((found for found in (to.delay, cls.delay, cls.debounce) if found is not None), None)
        wait = 0.0 if delay is None else seconds_until(delay, now)
        blank = _form(name, settings, wait, now, until=None)
        after_commit = to.after_commit or bool(cls.after_commit)
        route = Route(driver, name, queue, wait, settings, blank, dumper(cls), is_plain(cls), after_commit)
        if not isinstance(delay, datetime):  # a moment is nearer at each dispatch
            self._routes[cls] = ((*made_from[:-1], tuple(map(copy, said))), route)  # what is a list may be changed
        return route

    def _run_alone(self, driver: Driver, job: Job, entry: Entry, lock: Unique) -> str:
        """Run it now, unless another one holds its unique key: the uuid of the one that runs."""
        if not driver.control.acquire(lock.key, entry.uuid, lock.ttl):
            return driver.control.holder(lock.key) or entry.uuid
        try:
            self._run(driver, job, entry)
        finally:
            driver.control.release(lock.key, entry.uuid)
        return entry.uuid

    def _run(self, driver: Driver, job: Job, entry: Entry) -> None:
        name = registered_name(type(job))
        if depth() >= DEEPEST:
            raise NestedTooDeeply(
                f"{name} would be job number {DEEPEST + 1} that runs inside another one.",
                hint="Does a job dispatch itself? A connection with a worker runs one after the other.",
            )
        attempt = Attempt(driver.name, entry.queue, entry.payload, entry.uuid, name, 1)
        report = self._runner.run(attempt)
        if report.ending not in (Ending.FINISHED, Ending.RELEASED):
            raise self._failure(attempt, report)

    def _failure(self, attempt: Attempt, report: Report) -> BaseException:
        """What to raise; before, the job's `failed` hook hears of it and the record is kept, if it is to be."""
        error = self._runner.error_of(attempt)
        why = report.problem
        if error is None or why is None:
            raise RuntimeError(f"{attempt.job} ended as {report.ending.value} without an exception")
        hook = self._runner.call_failed(attempt, why)
        if hook is not None:
            logger.error("failed() of %s raised in turn: %s", attempt.job, hook.text)
        self._keep(attempt, why)
        return error

    def _keep(self, attempt: Attempt, why: Problem) -> None:
        try:
            store = self._failed()
            if store is not None:
                store.add([record(attempt, why, self._clock.now())])
        except QueuectlError as error:  # must not hide the job's own exception, which is about to be raised
            logger.error("The failure of %s (%s) could not be kept: %s", attempt.job, attempt.uuid, error)


def _more() -> str:
    """What jobs that are dispatched here have in their envelope beside what all have."""
    context = carried()
    return more({"context": dict(context)}) if context else ""


def _marked(job: Job, now: float) -> tuple[Unique | None, str]:
    """The key to take for a job that is unique or debounced, and what its envelope has."""
    lock, context = lock_of(job), carried()
    besides = {"context": dict(context)} if context else {}
    return None if lock is None else lock.unique, more({**besides, **to_more(lock, turn_of(job, now))})


def _done(payload: bytes) -> Done:
    """What the end of this job brings with it."""
    lock = lock_in(decode(payload).more)
    return Done(unlock=() if lock is None else (lock.unique.key,))


def _form(job: str, settings: Settings, wait: float, now: float, *, until: float | None) -> Form:
    return form(
        head(
            job,
            settings.tries,
            settings.max_exceptions,
            settings.fail_on_timeout,
            settings.backoff,
            settings.timeout,
            None if until is None else math.ceil(until),
        ),
        delay=wait,
        created_at=now,
    )


def _form_until(route: Route, job: Job, now: float) -> Form:
    return _form(route.job, route.settings, route.wait, now, until=_retry_until(job, now))


def _retry_until(job: Job, now: float) -> float | None:
    declared_as: Any = job.retry_until
    until = declared_as() if callable(declared_as) else declared_as
    if until is None:
        return None
    if not is_delay(until):
        name, says = type(job).__name__, SETTINGS["delay"].says
        raise JobDefinitionError(f"{name}.retry_until() must give {says}, not {until!r}.")
    return moment(until, now)
