"""How far long work has got, on stderr: a bar on a terminal, elsewhere a line every few seconds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from queuectl.commands.output import Output

if TYPE_CHECKING:
    from rich.progress import Progress as Bar

T = TypeVar("T")
SOON = 0.5
"""Seconds after which a bar is shown: most work is done by then."""
OFTEN = 0.1
"""Seconds between two looks of a bar."""
EVERY = 5.0
"""Seconds between two lines where there is no terminal."""


class Progress:
    """Counts what was dealt with. Shows itself only when it takes long; says nothing at all under `--quiet`."""

    def __init__(
        self,
        output: Output,
        what: str,
        total: int | Callable[[], int] | None = None,
        *,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """*what* was dealt with: `failed jobs looked at`. *total* is asked for when it is shown; it may turn out to be
        too small."""
        self._output, self._what, self._total, self._clock = output, what, total, clock
        self._done, self._besides = 0, ""
        self._bar: Bar | None = None
        self._draws = output.notes_on_terminal and output.environment.get("TERM") != "dumb"
        self._next = clock() + (SOON if self._draws else EVERY)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *error: object) -> None:
        self.hide()

    def over(self, items: Iterable[T]) -> Iterator[T]:
        """The same items, each counted."""
        for item in items:
            self.tick()
            yield item

    def tick(self, count: int = 1) -> None:
        self._done += count
        if not self._output.quiet and self._clock() >= self._next:
            self._show()

    def say(self, besides: str) -> None:
        """What else there is to be said, from the next time on."""
        self._besides = f", {besides}"

    def hide(self) -> None:
        """Leave nothing on the terminal: what is said now stands there alone. The next tick may show it again."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _show(self) -> None:
        if callable(self._total):
            self._total = self._total()
        if self._draws:
            self._next = self._clock() + OFTEN
            self._draw()
        else:
            self._next = self._clock() + EVERY
            self._output.note(self._sentence())

    def _sentence(self) -> str:
        if self._most is None:
            return f"{self._done:,} {self._what} so far{self._besides}."
        return f"{self._done:,} of {self._most:,} {self._what}{self._besides}."

    def _draw(self) -> None:
        self._bar = self._bar or _bar(self._output)
        words = self._what + self._besides
        self._bar.update(self._bar.task_ids[0], completed=self._done, total=self._most, description=words, refresh=True)

    @property
    def _most(self) -> int | None:
        return max(self._total, self._done) if isinstance(self._total, int) else None


def _bar(output: Output) -> Bar:
    """On its own line, taken away when it stops; what our streams say meanwhile is not led through it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns: list[Any] = [BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"), TimeRemainingColumn()]
    console = Console(
        file=output.stderr, force_terminal=True, no_color=not output.has_colour(output.stderr), width=output.width
    )
    bar = Bar(
        *columns, console=console, transient=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
    )
    bar.add_task("", total=None)
    bar.start()
    return bar
