"""Act on many jobs a batch at a time, and say how it goes and how it went."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from queuectl.commands.exit_codes import DONE, FAILED
from queuectl.commands.progress import Progress
from queuectl.commands.recording import Recording
from queuectl.commands.selection import Selection
from queuectl.commands.session import Session
from queuectl.commands.text import leader, safe
from queuectl.failing import Located

T = TypeVar("T")
BATCH = 500
Act = Callable[[Sequence[Located]], list[str]]


@dataclass
class Tally:
    """How a verb that acts on several jobs went."""

    done_word: str
    """`retried`, `deleted`: the key in the JSON."""
    badge: str
    missed: int = DONE
    """7 if some connection could not be asked."""
    done: int = 0
    overtaken: int = 0
    """Gone between the look and the act: somebody else was faster."""
    stranded: int = 0
    """Left where they were: the connection that they belong to is away."""
    missing: list[str] = field(default_factory=list)
    spared: int = 0
    listed: bool = True
    """Each was named as it was done; not where they are many and people look on."""
    verdict: int = DONE
    """What somebody found who watched how they ended; it says more than what is missing."""
    watched: dict[str, Any] = field(default_factory=dict)
    """The same in the JSON."""
    operation: str | None = None
    """What `undo` takes, where it can be undone."""

    def close(self, selection: Selection, recording: Recording | None = None) -> None:
        self.missing, self.spared = selection.missing, selection.spared
        self.operation = recording.id if recording is not None and recording.can_be_undone else None

    @property
    def exit_code(self) -> int:
        return self.verdict or (FAILED if self.missing else self.missed)

    def report(self, session: Session, *, as_json: bool, dry_run: bool, not_found: str, nothing: str) -> int:
        for key in self.missing:
            session.output.error(not_found.format(key))
        if as_json:
            session.output.json(self.to_json(dry_run=dry_run))
        elif not (self.done or self.missing or self.stranded):
            session.output.info(nothing)
        if dry_run:
            session.output.info("Nothing was changed: this was a dry run.")
        if self.spared:
            session.output.info(f"{self.spared} of a PHP application left alone; --foreign includes them.")
        return self.exit_code

    def to_json(self, *, dry_run: bool) -> dict[str, Any]:
        return {
            self.done_word: self.done,
            "missing": self.missing,
            "overtaken": self.overtaken,
            "stranded": self.stranded,
            "spared": self.spared,
            "dry_run": dry_run,
            "operation": self.operation,
            **self.watched,
        }


def in_batches(
    session: Session,
    jobs: Iterable[T],
    act: Callable[[Sequence[T]], list[str]],
    tally: Tally,
    *,
    progress: Progress,
    quiet: bool,
    size: int = BATCH,
) -> None:
    """Act on all, however many, with one batch of this *size* in memory; Ctrl-C says how far it got.

    *act* gives the uuids of those that it has done it to.
    Each job gets a line unless *quiet*; on a terminal only where one batch is enough for all of them.
    """
    try:
        for number, batch in enumerate(_batches(jobs, size)):
            moved = act(batch)
            tally.done += len(moved)
            tally.overtaken += len(batch) - len(moved)
            progress.say(f"{tally.done:,} {tally.done_word}")
            is_long = number > 0 or len(batch) == size
            if is_long and session.output.is_terminal:
                tally.listed = False
            elif not (quiet or session.output.quiet):
                progress.hide()
                _show(session, moved, tally.badge)
    except KeyboardInterrupt:
        progress.hide()
        session.output.warn(f"Interrupted: {tally.done:,} {tally.done_word}. Run it again to continue.")
        raise


def recorded(session: Session, recording: Recording, act: Act) -> Act:
    """*act*, written down in each store that it changes."""

    def run(batch: Sequence[Located]) -> list[str]:
        stores = {located.job.uuid: located.store for located in batch}
        recording.begin(session.app.driver(name) for name in dict.fromkeys(stores.values()))
        moved = act(batch)
        for name, count in Counter(stores[uuid] for uuid in moved).items():
            recording.add(session.app.driver(name), count)
        return moved

    return run


def untouched(batch: Sequence[Located]) -> list[str]:
    """What acts in a dry run."""
    return [located.job.uuid for located in batch]


def _batches(jobs: Iterable[T], size: int) -> Iterator[list[T]]:
    batch: list[T] = []
    for job in jobs:
        batch.append(job)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _show(session: Session, uuids: Iterable[str], badge: str) -> None:
    output = session.output
    done, width = output.style(badge, "green", "bold"), output.width
    output.lines(leader(safe(uuid), done, width) for uuid in uuids)
