"""The three streams: data on stdout, notes on stderr, answers from stdin. Colour and questions only on a terminal."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO, TextIOWrapper
from itertools import islice
from typing import Any, TextIO, TypeVar

from queuectl.commands.text import columns, safe
from queuectl.errors import QueuectlError

T = TypeVar("T")
PORTION = 100
"""Items of a long list that are written at once."""
_SGR = {"bold": 1, "gray": 90, "red": 31, "green": 32, "yellow": 33, "cyan": 36}
_BADGES = {"INFO": "37;44", "ERROR": "37;41", "WARN": "30;43"}
_BRACKETED = re.compile(r"\[([^\]]*)\]")


class Nowhere(StringIO):
    """What a stream is that was closed before we started, as by `>&-`."""

    def write(self, text: str) -> int:
        return len(text)


@dataclass
class Output:
    """What a command says, and to whom."""

    stdout: TextIO
    stderr: TextIO
    stdin: TextIO
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    quiet: bool = False
    gone: bool = False
    """Nobody reads stdout any more, as after `| head`: what follows is not written, and nothing fails for it."""

    @classmethod
    def of_process(cls) -> Output:
        _open_what_is_closed()
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # a C locale must not turn an accent into a crash
        return cls(sys.stdout or Nowhere(), sys.stderr or Nowhere(), sys.stdin or StringIO())

    # Data

    @property
    def is_terminal(self) -> bool:
        return _is_terminal(self.stdout)

    @property
    def width(self) -> int:
        from shutil import get_terminal_size  # with its archives' formats it is a megabyte: not for every worker

        return get_terminal_size((80, 24)).columns

    def line(self, text: str = "") -> None:
        """One line (or block) of data, already safe."""
        self._write(f"{text}\n")

    def lines(self, texts: Iterable[str]) -> None:
        """Several lines, in one write."""
        self._write("".join(f"{text}\n" for text in texts))

    def json(self, value: Any) -> None:
        """One document in ASCII, never wrapped or coloured."""
        self.line(_ascii(value))

    def json_array(self, items: Iterable[Any]) -> int:
        """One array, written some items at a time, however many there are; how many it were."""
        count = 0
        for some in _portions(items):
            texts = (f"{',' if count + place else '['}\n  {_ascii(item)}" for place, item in enumerate(some))
            self._write("".join(texts))
            count += len(some)
        self._write("\n]\n" if count else "[]\n")
        return count

    def json_lines(self, items: Iterable[Any]) -> None:
        """One document a line."""
        self.stream(map(_ascii, items))

    def stream(self, texts: Iterable[str]) -> None:
        """Lines of data, already safe, however many there are."""
        for some in _portions(texts):
            self.lines(some)

    def table(self, header: Sequence[str], rows: Iterable[tuple[str, ...]]) -> None:
        """A table of a few rows: drawn by rich on a terminal, aligned columns elsewhere."""
        if self.is_terminal:
            from queuectl.commands.tables import render

            self._write(render(header, rows, width=self.width, colour=self.has_colour(self.stdout)))
            return
        self.lines(columns([tuple(header), *rows]))

    @contextmanager
    def to_itself(self) -> Iterator[None]:
        """Keep stdout for our data: what the application prints meanwhile goes to stderr, as from a worker."""
        with redirect_stdout(self.stderr):
            yield

    def _write(self, text: str) -> None:
        if self.gone:
            return
        try:
            self.stdout.write(text)
            self.stdout.flush()
        except BrokenPipeError:
            self._forget_stdout()
        except OSError as error:
            raise QueuectlError(f"The output cannot be written: {error.strerror}.") from error

    def _forget_stdout(self) -> None:
        self.gone = True
        if self.stdout is sys.stdout:  # the interpreter flushes it once more at exit, and would complain
            os.dup2(os.open(os.devnull, os.O_WRONLY), self.stdout.fileno())

    # Notes

    @property
    def notes_on_terminal(self) -> bool:
        return _is_terminal(self.stderr)

    def info(self, text: str) -> None:
        if not self.quiet:
            self._note("INFO", text)

    def warn(self, text: str) -> None:
        self._note("WARN", text)

    def error(self, text: str, hint: str | None = None, *, details: str = "") -> None:
        """One line; *details*, such as the end of a traceback, indented below it; then what to do about it."""
        self._note("ERROR", text)
        for line in details.splitlines():
            self.note(f"    {safe(line)}")
        if hint:
            self.note(f"{'   ' if _is_terminal(self.stderr) else ''}{safe(hint)}")

    def note(self, text: str = "") -> None:
        """A plain line on stderr, already safe; if nobody reads there, or its disk is full, the exit code remains."""
        try:
            self.stderr.write(f"{text}\n")
            self.stderr.flush()
        except (OSError, ValueError):
            pass

    def _note(self, level: str, text: str) -> None:
        """As artisan's components on a terminal; elsewhere one plain line for logs."""
        shown = safe(text)
        if not _is_terminal(self.stderr):
            self.note(shown if level == "INFO" else f"{level.lower()}: {shown}")
        elif not self.has_colour(self.stderr):
            self.note(f"\n   {level}  {shown}\n")
        else:
            bold = _BRACKETED.sub("\x1b[1m[\\1]\x1b[22m", shown)
            self.note(f"\n   \x1b[{_BADGES[level]}m {level} \x1b[0m {bold}\n")

    # Questions

    @property
    def can_ask(self) -> bool:
        return _is_terminal(self.stdin) and self.notes_on_terminal

    def confirm(self, question: str) -> bool:
        """Whether the person at the terminal says yes; silence means no."""
        self.stderr.write(f"{safe(question)} (yes/no) [no]: ")
        self.stderr.flush()
        return self.stdin.readline().strip().lower() in ("y", "yes")

    # Colour

    def has_colour(self, stream: TextIO) -> bool:
        return _is_terminal(stream) and not self.environment.get("NO_COLOR") and self.environment.get("TERM") != "dumb"

    def style(self, text: str, *styles: str) -> str:
        """*text* in these styles, where stdout shows colours."""
        if not styles or not self.has_colour(self.stdout):
            return text
        return f"\x1b[{';'.join(str(_SGR[style]) for style in styles)}m{text}\x1b[0m"


def _ascii(value: Any) -> str:
    return json.dumps(value, ensure_ascii=True, allow_nan=False)


def _portions(items: Iterable[T]) -> Iterator[list[T]]:
    """As many at a time as are written at once."""
    rest = iter(items)
    while some := list(islice(rest, PORTION)):
        yield some


def _open_what_is_closed() -> None:
    """Started with a closed stdin, stdout or stderr, as by some daemons: the next file that is opened, a database or a
    child's line, would get its number, and everything that is printed."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest number that is free: this one
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115  # for as long as we run


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # closed
        return False
