"""Act on many failed jobs a batch at a time, and say how it went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from queuectl.commands.exit_codes import DONE, FAILED
from queuectl.commands.selection import Selection
from queuectl.commands.session import Session
from queuectl.commands.text import leader, safe
from queuectl.failing import Located

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

    def close(self, selection: Selection) -> None:
        self.missing, self.spared = selection.missing, selection.spared

    @property
    def exit_code(self) -> int:
        return FAILED if self.missing else self.missed

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
        }


def in_batches(
    session: Session, jobs: Iterable[Located], act: Act, tally: Tally, *, dry_run: bool, quiet: bool
) -> None:
    """Act on all, however many, with one batch in memory; Ctrl-C says how far it got."""
    try:
        for batch in _batches(jobs):
            moved = [located.job.uuid for located in batch] if dry_run else act(batch)
            tally.done += len(moved)
            tally.overtaken += len(batch) - len(moved)
            if not quiet:
                _show(session, moved, tally.badge)
    except KeyboardInterrupt:
        session.output.warn(f"Interrupted: {tally.done} {tally.done_word}. Run it again to continue.")
        raise


def _batches(jobs: Iterable[Located]) -> Iterable[list[Located]]:
    batch: list[Located] = []
    for job in jobs:
        batch.append(job)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _show(session: Session, uuids: Iterable[str], badge: str) -> None:
    output = session.output
    if output.quiet:
        return
    done, width = output.style(badge, "green", "bold"), output.width
    output.lines(leader(safe(uuid), done, width) for uuid in uuids)
