"""`top` on a terminal: look, draw, wait for a key, and again."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from shutil import get_terminal_size
from time import monotonic

from rich.console import Console
from rich.live import Live
from rich.text import Text

from queuectl.commands import top_deeds
from queuectl.commands.keyboard import DOWN, QUIT, UP, Keyboard
from queuectl.commands.output import Output
from queuectl.commands.seen import Key, Seen
from queuectl.commands.session import Session
from queuectl.commands.sparkline import BARS, PLAIN_BARS
from queuectl.commands.top_history import History
from queuectl.commands.top_look import Look, Wanted, take
from queuectl.commands.top_screen import Frame, draw
from queuectl.errors import QueuectlError
from queuectl.jobs.masking import mask

SHARE = 10.0
"""A look that took long is followed by a pause so many times as long: `top` never is what keeps a store busy."""


class Top:
    """What is on the screen, and what the keys make of it."""

    def __init__(self, session: Session, wanted: Wanted, first: Look, *, every: float) -> None:
        self._session, self._wanted, self._every = session, wanted, every
        self._history = History()
        self._deed: top_deeds.Deed | None = None
        self._asked: Key | None = None
        self._message = ""
        self._chosen: Key | None = None
        self._next = monotonic() + every
        self._see(first)

    # What is seen

    def keep_up(self) -> None:
        """Look again if it is time, and do a step of what is to be done."""
        if monotonic() >= self._next:
            started = monotonic()
            self._see(take(self._session, self._wanted, self._look))
            self._next = monotonic() + max(self._every, SHARE * (monotonic() - started))
        if self._deed is not None:
            self._go_on(self._deed)

    @property
    def patience(self) -> float:
        """Seconds until there is something to do; no more than it takes to notice that the window has another size."""
        return 0.0 if self._deed is not None else min(max(self._next - monotonic(), 0.0), 1.0)

    def _see(self, look: Look) -> None:
        self._look = look
        self._history.add(look)
        keys = [queue.key for queue in look.queues]
        if self._chosen not in keys:
            self._chosen = keys[0] if keys else None

    def draw(self, width: int, height: int, shape: str) -> Text:
        """The screen as it is to be now, in so many cells and lines."""
        return draw(self._look, self._history, Frame(width, height, self._chosen, self._message, shape))

    # Keys

    def press(self, key: str) -> None:
        """Any key but those that mean something takes away what was said, or answers no."""
        asked, self._asked, self._message = self._asked, None, ""
        if asked is not None:
            if key == "y":
                self._deed = top_deeds.retry(self._session, asked)
        elif key in (UP, DOWN):
            self._choose(-1 if key == UP else 1)
        elif key in ("p", "r") and self._deed is None:
            self._act_on_chosen(key)

    def _choose(self, step: int) -> None:
        keys = [queue.key for queue in self._look.queues]
        if self._chosen in keys:
            self._chosen = keys[min(max(keys.index(self._chosen) + step, 0), len(keys) - 1)]

    def _act_on_chosen(self, key: str) -> None:
        queue = self._chosen_queue()
        if queue is None:
            self._message = "There is no queue."
        elif key == "p":
            self._deed = top_deeds.pause_or_resume(self._session, queue)
        else:
            self._asked = queue.key
            self._message = f"Retry what failed on [{queue.connection}:{queue.queue}]? y or n"

    def _chosen_queue(self) -> Seen | None:
        return next((queue for queue in self._look.queues if queue.key == self._chosen), None)

    def _go_on(self, deed: top_deeds.Deed) -> None:
        """A step; a store that is away ends what was to be done, and nothing else."""
        try:
            self._message = next(deed)
        except StopIteration:
            self._finish()
        except QueuectlError as error:
            self._message = mask(f"{error} {error.hint or ''}".strip())
            self._finish()

    def _finish(self) -> None:
        self._deed = None
        self._next = 0.0  # what was done is to be seen


def run(session: Session, wanted: Wanted, first: Look, *, every: float) -> None:
    """Until `q`, Ctrl-C, a signal, or the end of the terminal."""
    top = Top(session, wanted, first, every=every)
    with suppress(OSError):  # of the terminal, which is gone then; a store's never comes out as one
        _run(top, session.output)


def _run(top: Top, output: Output) -> None:
    shape = bars(output)
    with _ended_by_a_signal(), Keyboard(output.stdin) as keyboard, _screen(output) as show:
        while True:
            show(top, shape)
            key = keyboard.next(top.patience)
            if key in ("q", QUIT):
                return
            if key is not None:
                top.press(key)
            top.keep_up()


@contextmanager
def _screen(output: Output) -> Iterator[Callable[[Top, str], None]]:
    """The terminal's other screen, which leaves no trace; drawn when we say so, by no thread."""
    console = console_on(output)
    live = Live(console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False)

    def show(top: Top, shape: str) -> None:
        console.size = size = get_terminal_size()  # the window may have been resized
        live.update(top.draw(size.columns, size.lines, shape), refresh=True)

    with live:
        yield show


def console_on(output: Output, *, width: int | None = None) -> Console:
    """Draws on stdout in the terminal's own colours, or in none."""
    return Console(
        file=output.stdout,
        force_terminal=True,
        color_system="standard",
        no_color=not output.has_colour(output.stdout),
        width=width,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
        _environ={"TERM": "xterm"},  # whether the terminal can do it was asked before
    )


def print_once(output: Output, look: Look) -> None:
    """One look, as long as it gets."""
    console = console_on(output, width=output.width)
    console.print(draw(look, History(), Frame(output.width, bars=bars(output))), no_wrap=True, crop=False)


def bars(output: Output) -> str:
    """What sparklines are made of here."""
    encoding = (output.stdout.encoding or "utf-8").lower().replace("-", "")
    return BARS if encoding.startswith("utf") else PLAIN_BARS


@contextmanager
def _ended_by_a_signal() -> Iterator[None]:
    """TERM ends it as `q` does, with the terminal as it was."""
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(number: int, frame: object) -> None:
    raise SystemExit(0)
