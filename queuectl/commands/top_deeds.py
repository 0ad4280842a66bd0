"""What the keys of `top` do to a queue. Each runs a step at a time, so that the screen lives on meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from queuectl.commands.operator import operator
from queuectl.commands.recording import Recording
from queuectl.commands.seen import Key, Seen
from queuectl.commands.session import Session
from queuectl.commands.text import plural
from queuectl.drivers.control import EVERY_QUEUE, Pause
from queuectl.failing import FailedJobs, Located

BATCH = 100
Deed = Iterator[str]
"""Each step gives the words for what has been done so far."""


def pause_or_resume(session: Session, queue: Seen) -> Deed:
    """Pause it, or lift its pause."""
    driver = session.app.driver(queue.connection)
    if driver.control.marks().paused.keys() == {EVERY_QUEUE}:
        yield "Every queue is paused: `queuectl resume --all` lifts that."
        return
    with Recording(session, "resume" if queue.pause else "pause", words=_words(queue.key, "p")) as recording:
        recording.add(driver)
        if queue.pause:
            driver.control.resume(queue.queue)
            yield f"{_name(queue.key)} is worked on again."
        else:
            who = operator(session.output.environment)
            driver.control.pause(queue.queue, Pause("paused in top", since=session.app.clock.now(), by=who))
            yield f"{_name(queue.key)} is paused; what runs there finishes."


def retry(session: Session, key: Key) -> Deed:
    """Put back what failed on this queue; jobs of a PHP application are left alone."""
    jobs, moved = _jobs_of(session, key[0]), 0
    found = _failed_on(jobs, key)
    with Recording(session, "retry", words=_words(key, "r")) as recording:
        driver = session.app.driver(key[0])
        while batch := list(islice(found, BATCH)):
            yield f"{_name(key)}: {moved:,} put back so far …"
            recording.begin([driver])
            done = len(jobs.retry(batch))
            moved += done
            recording.add(driver, done)
    yield f"{_name(key)}: {plural(moved, 'failed job')} put back."


def _jobs_of(session: Session, connection: str) -> FailedJobs:
    """The failed jobs in its own store and where they are collected: that others may be away is no matter here."""
    app = session.app
    places = {app.driver(name).place for name in (connection, app.config.failed_connection) if name}
    return app.failed_jobs({name: driver for name, driver in app.failed_stores() if driver.place in places})


def _failed_on(jobs: FailedJobs, key: Key) -> Iterator[Located]:
    return (found for found in jobs.all(key[1]) if found.job.connection == key[0] and not found.job.foreign)


def _name(key: Key) -> str:
    return f"[{key[0]}:{key[1]}]"


def _words(key: Key, letter: str) -> str:
    return f"top (key {letter} on {key[0]}:{key[1]})"
