"""What has to hold before a command changes much: the number that was expected, and a yes."""

from __future__ import annotations

from dataclasses import dataclass

from queuectl.commands.session import Session
from queuectl.errors import UsageError


def require_expected(expect: int | None, count: int, what: str) -> None:
    """`UsageError` where *count* differs from what `--expect` says; *what* names the things, in the plural."""
    if expect is not None and count != expect:
        raise UsageError(
            f"--expect {expect}: {count:,} {what} are selected. Nothing was changed.",
            hint="--dry-run shows which; without --expect any number will do.",
        )


@dataclass(frozen=True, slots=True)
class Consent:
    """What the options of a destructive command say about its number and about asking."""

    session: Session
    force: bool
    dry_run: bool
    expect: int | None = None
    flag: str = "--yes"
    """The spelling that a script is told of."""

    @property
    def needs_count(self) -> bool:
        return self.expect is not None or not (self.force or self.dry_run)

    def to(self, count: int, what: str, question: str, *, free: int = 0) -> bool:
        """Whether so many may be deleted; up to *free* of them without a question. Tells of a no."""
        require_expected(self.expect, count, what)
        if self.force or self.dry_run or count <= free or self.session.confirm(question, flag=self.flag):
            return True
        self.session.output.warn("Command cancelled.")
        return False
