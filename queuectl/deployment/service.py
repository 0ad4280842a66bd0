"""What is to be kept running. It is checked when it is made, so that nothing in it can become syntax of a file."""

from __future__ import annotations

import os.path
import re
from dataclasses import dataclass
from typing import Protocol

from queuectl.errors import UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}|[0-9]{1,10}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """Some equal processes. `UsageError` for what cannot be written into a file of configuration."""

    name: str
    command: tuple[str, ...]
    """The arguments as the process is to get them; the first is the program's full path."""
    directory: str
    stop_wait: int
    """Seconds from the signal that asks a process to stop to the one that kills it."""
    processes: int = 1
    user: str = ""
    """Empty: whoever the supervisor runs as."""
    log_file: str = ""
    """Where the processes' output goes; empty: wherever the supervisor puts it."""

    def __post_init__(self) -> None:
        _check_match(_NAME, self.name, "a name: letters, digits and _ . - only, at most 100 of them")
        for word in self.command:
            _check_printable(word, "The command")
        check_path(self.command[0], "The program")
        check_path(self.directory, "The directory")
        if self.user:
            _check_match(_USER, self.user, "the name or the number of a user")
        if self.log_file:
            check_path(self.log_file, "The log file")


class Format(Protocol):
    """A kind of supervisor."""

    def render(self, service: Service) -> str:
        """The whole text of its file."""

    def log_file(self, name: str, directory: str) -> str:
        """Where the output goes if nobody says; empty where the supervisor keeps it."""

    def steps(self, service: Service) -> tuple[str, ...]:
        """The commands that start what the file describes."""


def check_path(path: str, what: str) -> str:
    """The path itself, or `UsageError`: these files have no way to quote some paths, and lose the ends of others."""
    _check_printable(path, what)
    if not path.startswith("/") or path.startswith("//") or os.path.normpath(path) != path:
        raise UsageError(f"{what} {path!r} is not a full path without `.`, `..` and double slashes.")
    if path.endswith((" ", "\\")):
        raise UsageError(f"{what} {path!r} ends with a blank or a backslash, which would be lost in the file.")
    return path


def _check_match(pattern: re.Pattern[str], text: str, expected: str) -> None:
    if pattern.fullmatch(text) is None:
        raise UsageError(f"{text!r} is not {expected}.")


def _check_printable(text: str, what: str) -> None:
    if not text.isprintable():
        raise UsageError(f"{what} has a character that cannot be printed: {text!r}.")
