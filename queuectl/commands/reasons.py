"""Why a job does not run, or a queue stands still: the reasons in words, the decisive one first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from queuectl.commands.circumstances import FARTHEST, Circumstances, Word
from queuectl.commands.queued import Queued
from queuectl.commands.text import plural, typed
from queuectl.commands.times import brief, local
from queuectl.drivers.control import Beat, Progress, PutOff

ABOUT = 5.0
"""Seconds by which a host's clock and a store's may differ."""
LATE = 12.0
"""Seconds after which a worker's sign of life is late: it gives one every five."""


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    """For scripts."""
    text: str
    fix: str = ""
    """What to type, where that helps."""


# What keeps a whole queue


def hindrances(seen: Circumstances) -> Iterator[Reason]:
    """What has to change before any job of the queue runs."""
    if seen.pause is not None:
        yield _paused(seen)
    if not seen.serving:
        yield _unserved(seen)


def _paused(seen: Circumstances) -> Reason:
    pause = seen.pause
    if pause is None:
        raise ValueError("There is no pause.")
    what = f"Every queue of [{seen.connection}]" if seen.paused_with_all else f"Queue {seen.name}"
    since = f" for {brief(seen.now - pause.since)}" if pause.since else ""
    who = f" by {pause.by}" if pause.by else ""
    why = pause.reason or "no reason was given"
    end = "" if pause.until is None else f" It ends in {brief(pause.until - seen.now)}."
    paused = "--all" if seen.paused_with_all else f"{seen.connection}:{seen.queue}"
    text = f"{what} has been paused{since}{who}: {why}.{end}"
    return Reason("paused", text, typed("queuectl", "resume", paused))


def _unserved(seen: Circumstances) -> Reason:
    others = sorted({queue for beat in seen.beats for queue in beat.queues})
    elsewhere = f" {_alive(len(seen.beats))}, for {', '.join(others)} only." if others else ""
    text = f"No worker is alive for queue {seen.name}. {_last(seen)}{elsewhere}"
    return Reason("no_worker", text, typed("queuectl", "work", seen.connection, f"--queue={seen.queue}"))


def _alive(count: int) -> str:
    return f"{plural(count, 'worker')} {'is' if count == 1 else 'are'} alive"


def _last(seen: Circumstances) -> str:
    last = seen.last
    if last is None:
        return "None has been seen there within a month."
    since = brief(seen.now - last.at)
    if last.left:
        return f"The last one, {last.name} on {last.host}, stopped {since} ago."
    return f"The last one, {last.name} on {last.host}, was seen {since} ago, and did not say that it would stop."


# One job


def of_waiting(job: Queued, seen: Circumstances, word: Word, *, grace: float) -> Iterator[Reason]:
    """Of a job that is parked or delayed. *grace*: seconds until a job of an unknown name fails."""
    if job.stored.parked_at is not None:
        yield _parked(job, job.stored.parked_at, seen.now, grace)
    elif word.put_off is not None and abs(word.put_off.until - job.stored.at) <= ABOUT:
        yield _put_off(job, seen.now, word.put_off)
    else:
        yield _delayed(job, seen.now)
    yield from hindrances(seen)


def _parked(job: Queued, parked_at: float, now: float, grace: float) -> Reason:
    known = f"No worker knew a job called {job.job!r}, so it was parked {brief(now - parked_at)} ago."
    again = f"It is tried again in {brief(max(job.stored.at - now, 0))}"
    if "@" in job.job:
        return Reason("parked", f"{known} {again}: jobs of a PHP application are left to its own workers.")
    text = f"{known} {again}, and fails in {brief(max(parked_at + grace - now, 0))} if nobody knows it by then."
    return Reason("parked", text, "queuectl restart  # once the workers' code has such a job")


def _delayed(job: Queued, now: float) -> Reason:
    text = f"It is due in {brief(job.stored.at - now)}, at {local(job.stored.at)}."
    if job.stored.attempts:
        text += f" {plural(job.stored.attempts, 'attempt')} did not succeed: this is the pause before the next one."
    return Reason("delayed", text)


def _put_off(job: Queued, now: float, word: PutOff) -> Reason:
    text = f"It was put off: {word.why}. It is due in {brief(job.stored.at - now)}."
    if not word.holder:
        return Reason("put_off", text)
    return Reason("put_off", f"{text} The other was {word.holder}.", typed("queuectl", "explain", word.holder))


def of_reserved(job: Queued, seen: Circumstances, word: Word) -> Iterator[Reason]:
    """Of a job that a worker has."""
    found = seen.runner_of(job.uuid)
    left = job.stored.at - seen.now
    if found is not None:
        yield _running(job, *found, seen.now, left, word.progress)
    elif left > 0:
        text = (
            "A worker has taken it, and none says to be running it: it began within the last seconds, or its worker "
            f"died. Then it comes back when its lease ends, in {brief(left)}."
        )
        yield Reason("reserved", text)
    else:
        yield Reason("lease_ended", f"Its lease ended {brief(-left)} ago: the next look of a worker sets it free.")
    if found is None and not seen.serving:
        yield _unserved(seen)
    if word.cancel is not None:
        who = word.cancel.by or "somebody"
        text = f"{who} has told it to end: within {brief(word.cancel.within)} by itself, else it is made to."
        yield Reason("cancelled", text)


def _running(job: Queued, beat: Beat, ran: float, now: float, left: float, said: Progress | None) -> Reason:
    late = max(now - beat.at, 0.0)
    who = f"{beat.name} on {beat.host} (pid {beat.pid})"
    if late < LATE:
        done = f" It says of itself: {said.fraction:.0%} {said.text}".rstrip() + "." if said is not None else ""
        text = f"It runs: {who} has had it for {brief(ran + late)}, attempt {job.stored.attempts}.{done}"
        return Reason("running", text)
    text = (
        f"{who} took it, and gave its last sign of life {brief(late)} ago. If it is dead, the job comes back when its "
        f"lease ends, in {brief(max(left, 0))}."
    )
    return Reason("worker_silent", text)


def of_ready(job: Queued, seen: Circumstances, place: int | None) -> Iterator[Reason]:
    """Of a job that could run now. *place*: its position, where that is known."""
    stopped = list(hindrances(seen))
    yield from stopped
    if stopped:
        return
    if seen.before:
        yield _behind(seen)
    yield _in_line(seen, place)


def _behind(seen: Circumstances) -> Reason:
    before = ", ".join(f"{count:,} in {queue}" for queue, count in seen.before.items())
    workers = "The worker of this queue serves others" if len(seen.serving) == 1 else "Its workers serve other queues"
    return Reason("behind", f"{workers} first, and there jobs wait: {before}.")


def _in_line(seen: Circumstances, place: int | None) -> Reason:
    running = sum(len(beat.running) for beat in seen.serving)
    if place == 1 and running < sum(beat.children for beat in seen.serving):
        return Reason("next", f"Nothing is in its way: it is the next one, and {_crew(seen, running)}.")
    where = f"number {place:,}" if place is not None else f"beyond number {FARTHEST:,}"
    return Reason("in_line", f"It is {where} of the {seen.own.pending:,} that wait here; {_crew(seen, running)}.")


def _crew(seen: Circumstances, running: int) -> str:
    """`the worker of this queue runs 1 job now`, `the 3 workers of this queue are idle`."""
    count = len(seen.serving)
    who, be, run = ("worker", "is", "runs") if count == 1 else (f"{count} workers", "are", "run")
    doing = f"{run} {plural(running, 'job')} now" if running else f"{be} idle"
    return f"the {who} of this queue {doing}"


# A queue


def of_queue(seen: Circumstances, *, first_due: float | None, parked: int) -> Iterator[Reason]:
    """Of a queue as a whole. *first_due*: when the first delayed job is; *parked*: how many of those looked at are."""
    own = seen.own
    stopped = list(hindrances(seen)) if own.size or seen.pause else []
    yield from stopped
    if own.reserved and not seen.serving:
        text = f"{plural(own.reserved, 'job')} of workers that are gone come back when their leases end."
        yield Reason("reserved", text)
    if parked:
        text = f"{plural(parked, 'job')} of a name that no worker knew: tried again now and then."
        yield Reason("parked", text, "queuectl jobs")
    if seen.before:
        yield _behind(seen)
    if not own.pending:
        yield _nothing_ready(seen, first_due)
    elif not stopped:
        yield _flow(seen)


def _nothing_ready(seen: Circumstances, first_due: float | None) -> Reason:
    own = seen.own
    if first_due is not None:
        waits = "waits for its" if own.delayed == 1 else "wait for their"
        text = f"{plural(own.delayed, 'job')} {waits} time. The first is due in {brief(first_due - seen.now)}."
        return Reason("delayed", text)
    if own.reserved:
        return Reason("running", f"Nothing waits: {own.reserved:,} of its jobs run.")
    return Reason("empty", f"Queue {seen.name} is empty.")


def _flow(seen: Circumstances) -> Reason:
    own, crew = seen.own, _alive(len(seen.serving))
    waits = "" if own.oldest is None else f", the oldest for {brief(seen.now - own.oldest)}"
    return Reason("flow", f"Nothing is in the way: {own.pending:,} wait{waits}, and {crew} for the queue.")
