"""Where in the application it happened: the innermost frame that is the application's own.

`orders.py:charge`, without the number of the line, so that an edit elsewhere in the file makes no other place of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

LONGEST = 255
_JOBS = Path(__file__).parent
_BUILT_IN = tuple(str(_JOBS / f"{name}.py") for name in ("send_notification", "process_image", "pictures"))
_OURS = str(_JOBS.parent) + os.sep
_STANDARD = str(Path(os.__file__).parent) + os.sep
_INSTALLED = re.compile(r"^.*[/\\](?:site|dist)-packages[/\\][^/\\]+")
_TRACED = re.compile(r'^ *File "([^"\n]{1,4096})", line \d+ in (.{1,255})$', re.MULTILINE)
_CURRENT = "Current thread "

Frame = tuple[str, str]
"""A file and a function."""


def place_of(error: BaseException) -> str:
    """Of what was raised; empty where no frame is the application's."""
    return _innermost(_frames(error.__traceback__))


def place_in(trace: str) -> str:
    """Of what the interpreter wrote as it died: innermost first."""
    return _innermost(reversed(_TRACED.findall(trace[max(trace.find(_CURRENT), 0) :])))


def _frames(trace: TracebackType | None) -> Iterator[Frame]:
    while trace is not None:
        code = trace.tb_frame.f_code
        yield code.co_filename, code.co_name
        trace = trace.tb_next


def _innermost(frames: Iterable[Frame]) -> str:
    """Of frames that lead inwards. What has no name of its own, as a comprehension, is part of what surrounds it."""
    named = [frame for frame in frames if not frame[1].startswith("<") or frame[1] == "<module>"]
    theirs = _applications(named) or _built_in(named) or _installed(named)
    return _told(*theirs[-1]) if theirs else ""


def _applications(frames: Sequence[Frame]) -> list[Frame]:
    nobodys = ("<", _OURS, _STANDARD)
    return [frame for frame in frames if not (frame[0].startswith(nobodys) or _INSTALLED.match(frame[0]))]


def _built_in(frames: Sequence[Frame]) -> list[Frame]:
    """Those of a job that comes with us."""
    return [frame for frame in frames if frame[0] in _BUILT_IN]


def _installed(frames: Sequence[Frame]) -> list[Frame]:
    """Those of the package that the job is from, where the application is installed beside its libraries."""
    packages = [(frame, _INSTALLED.match(frame[0])) for frame in frames if not frame[0].startswith(_OURS)]
    found = [(frame, package[0]) for frame, package in packages if package]
    return [frame for frame, package in found if package == found[0][1]]


def _told(file: str, function: str) -> str:
    return f"{Path(file).name}:{function}".encode("utf-8", "backslashreplace").decode().replace("\0", "")[:LONGEST]
