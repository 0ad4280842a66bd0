"""`retry` with care: its options, what is said meanwhile, and the exit code that tells why it stopped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import typer

from queuectl.awaiting import Ended
from queuectl.care import Care, Standing, Stop, Tolerance
from queuectl.careful import CarefulRetry
from queuectl.commands.batches import BATCH, Tally, recorded
from queuectl.commands.exit_codes import DECLINED, DONE, FAILED, PARTLY, THRESHOLD
from queuectl.commands.progress import Progress
from queuectl.commands.recording import Recording
from queuectl.commands.session import Session
from queuectl.commands.text import leader, safe, typed
from queuectl.commands.unserved import Doubts
from queuectl.commands.waiting import timeout_of
from queuectl.durations import UNITS
from queuectl.errors import QueuectlError, UsageError
from queuectl.failing import FailedJobs, Located
from queuectl.jobs.masking import mask

_RATE = re.compile(r"(\d+(?:\.\d+)?)(?:/([smh]))?")
_TOLERANCE = re.compile(r"(\d+(?:\.\d+)?)(%?)")
_EXIT_CODES = {Stop.CANARY: FAILED, Stop.FAILURES: THRESHOLD, Stop.TIMEOUT: DECLINED}

Canary = Annotated[
    int, typer.Option("--canary", metavar="N", min=0, help="Retry N first; the others only if these are done.")
]
Rate = Annotated[str, typer.Option("--rate", metavar="N/s", help="The others at this rate: 20/s, 600/m.")]
StopOnFailure = Annotated[
    str, typer.Option("--stop-on-failure", metavar="N%", help="Stop when more fail again: a share, or a number.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Until the last one has ended; exit 7 if one failed again.")]
Timeout = Annotated[str, typer.Option("--timeout", metavar="TIME", help="Give up after so long: exit 3.")]


def care_of(canaries: int, rate: str, tolerance: str, timeout: str, *, wait: bool) -> Care:
    """What the options say; `UsageError` where they do not fit together."""
    care = Care(canaries, _rate(rate), _tolerance(tolerance), wait, timeout_of(timeout))
    if care.timeout is not None and not (care.canaries or care.watches):
        raise UsageError("--timeout: nothing is waited for. It goes with --canary, --stop-on-failure or --wait.")
    return care


def _rate(words: str) -> float | None:
    found = _RATE.fullmatch(words)
    if words and (found is None or not float(found[1])):
        raise UsageError(f"--rate: {words!r} is no rate. 20/s, 600/m or 1000/h.")
    return float(found[1]) / UNITS[found[2] or "s"] if found else None


def _tolerance(words: str) -> Tolerance | None:
    found = _TOLERANCE.fullmatch(words)
    if words and (found is None or (found[2] and float(found[1]) >= 100) or (not found[2] and "." in words)):
        raise UsageError(f"--stop-on-failure: {words!r} is neither a share below 100% nor a number. 10%, or 5.")
    if found is None:
        return None
    return Tolerance(share=float(found[1]) / 100) if found[2] else Tolerance(count=int(found[1]))


@dataclass
class Report:
    """Tells of each job, and how it stands."""

    session: Session
    progress: Progress
    quiet: bool
    sample: Ended | None = None
    """The first that failed again, or was lost."""
    lines: int = 0

    def moved(self, uuids: Sequence[str]) -> None:
        for uuid in uuids:
            self._line(uuid, "DONE", "green")

    def ended(self, ended: Ended) -> None:
        word, colour = ("DONE", "green") if ended.done else ("FAIL", "red") if ended.end else ("LOST", "yellow")
        self._line(ended.uuid, word, colour)
        if not ended.done:
            self.sample = self.sample or ended

    def passed(self, canaries: int) -> None:
        self.progress.hide()
        self.session.output.info(f"{_canaries(canaries)} ended well: the others follow.")

    def looked(self, standing: Standing) -> None:
        self.progress.say(in_words(standing))
        self.progress.tick(0)

    def _line(self, uuid: str, word: str, colour: str) -> None:
        """On a terminal no more than somebody reads; the bar goes on."""
        output, self.lines = self.session.output, self.lines + 1
        if not (self.quiet or output.quiet or (output.is_terminal and self.lines > BATCH)):
            self.progress.hide()
            output.line(leader(safe(uuid), output.style(word, colour, "bold"), output.width))


def in_words(standing: Standing) -> str:
    """`120 retried, 100 done, 3 failed again, 17 on their way`."""
    parts = [
        f"{standing.retried:,} retried",
        f"{standing.done:,} done" if standing.ended else "",
        f"{standing.failed:,} failed again" if standing.failed else "",
        f"{standing.lost:,} lost" if standing.lost else "",
        f"{standing.open:,} on their way" if standing.open else "",
    ]
    return ", ".join(filter(None, parts))


def retry_carefully(
    session: Session,
    jobs: Iterable[Located],
    failed: FailedJobs,
    care: Care,
    *,
    recording: Recording,
    tally: Tally,
    progress: Progress,
    quiet: bool,
) -> None:
    """Retry these as *care* says, and note in *tally* how it went."""
    report, doubts = Report(session, progress, quiet), Doubts(session)

    def move(batch: Sequence[Located], watch: str | None) -> list[str]:
        for located in batch if watch else ():
            doubts.about(failed.destination(located), located.job.queue)
        return recorded(session, recording, partial(failed.retry, watch=watch))(batch)

    careful = CarefulRetry(
        move,
        failed.destination,
        session.app.awaited(recording.id, session.output.warn),
        care,
        listener=report,
        clock=session.app.clock,
    )
    try:
        stop = careful.run(jobs)
    except (KeyboardInterrupt, QueuectlError):
        progress.hide()
        session.output.warn(f"Interrupted: {in_words(careful.standing)}. Run it again to continue.")
        raise
    progress.hide()
    _conclude(session, report, stop, careful.standing, tally)


def _conclude(session: Session, report: Report, stop: Stop | None, standing: Standing, tally: Tally) -> None:
    tally.done, tally.overtaken = standing.retried, standing.overtaken
    tally.verdict = _EXIT_CODES[stop] if stop else PARTLY if standing.bad else DONE
    tally.watched = _to_json(stop, standing, report.sample)
    if tally.verdict:
        session.output.error(_reason(stop, standing), _example(report.sample))
    elif 0 < standing.ended == standing.retried:
        session.output.info(f"{in_words(standing)}.")
    elif standing.canaries:
        session.output.info(f"{standing.retried:,} retried; nobody watched those after the canaries (--wait does).")


def _reason(stop: Stop | None, standing: Standing) -> str:
    match stop:
        case Stop.CANARY:
            return f"{standing.bad} of {_canaries(standing.canaries)} failed again: the others were left alone."
        case Stop.FAILURES:
            text = f"{standing.bad:,} of {standing.ended:,} failed again, more than --stop-on-failure allows"
            return f"{text}: {in_words(standing)}."
        case Stop.TIMEOUT:
            return f"The time is up: {in_words(standing)}. What is on its way goes on."
        case None:
            return f"All were retried, but not all are done: {in_words(standing)}."


def _canaries(count: int) -> str:
    return "1 canary" if count == 1 else f"{count:,} canaries"


def _example(sample: Ended | None) -> str | None:
    if sample is None:
        return None
    if sample.end is None:
        return f"{sample.uuid} is in no queue and has not failed; nobody told how it ended."
    why, shown = mask(f"{sample.end.error}: {sample.end.message}"), typed("queuectl", "failed:show", sample.uuid)
    return f"{why} (`{shown}` shows it whole)"


def _to_json(stop: Stop | None, standing: Standing, sample: Ended | None) -> dict[str, Any]:
    return {
        "stopped": stop.value if stop else None,
        "canaries": standing.canaries,
        "done": standing.done,
        "failed_again": standing.failed,
        "lost": standing.lost,
        "open": standing.open,
        "sample": sample
        and {
            "uuid": sample.uuid,
            "error": sample.end and sample.end.error,
            "message": sample.end and mask(sample.end.message),
        },
    }
