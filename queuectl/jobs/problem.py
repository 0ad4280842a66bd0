"""Why a run did not succeed, as text that every store accepts and a person can read.

The first line of a problem's text is always `type: first line of the message`; the traceback follows, innermost last.
"""

from __future__ import annotations

import traceback
from types import TracebackType

from queuectl.jobs.masking import mask
from queuectl.jobs.outcome import Problem
from queuectl.jobs.place import place_in, place_of

HEAD, TAIL = 65_536, 16_384
"""Bytes kept of a long text: its beginning and its end."""
MESSAGE_HEAD, MESSAGE_TAIL = 4_096, 1_024
FIRST_LINE = 500
FRAMES = 40
"""Innermost frames kept of each traceback."""
OURS = ("queuectl.runner", "queuectl.middleware", "queuectl.jobs.function")
OUR_FRAMES = (*OURS, "asyncio", "concurrent.futures", "threading")


def problem_of(error: BaseException) -> Problem:
    """The problem that *error* is, with its traceback. Whatever the exception does, this returns."""
    kind, message = clean(_qualified(type(error))), _message_of(error)
    trace = clean(_traceback_of(error)).strip()
    headline = _headline(kind, message)
    text = headline if trace == headline else capped(f"{headline}\n\n{trace}")
    return Problem(kind, message, text, place_of(error))


def problem(error_class: type[BaseException], message: str, trace: str = "") -> Problem:
    """A problem that nobody raised; *trace* is what the interpreter wrote on its way out, if it did."""
    kind, message = _qualified(error_class), _presentable(message)
    headline = f"{kind}: {message}"
    text = f"{headline}\n\n{clean(mask(capped(trace)))}" if trace else headline
    return Problem(kind, message, text, place_in(trace))


def clean(text: str) -> str:
    """*text* as every store accepts it: no NUL, no lone surrogate; both are written as escapes."""
    return text.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()


def capped(text: str, head: int = HEAD, tail: int = TAIL) -> str:
    """*text*, or its first *head* and last *tail* bytes with a note of how much is missing between them."""
    if len(text) * 4 <= head + tail:
        return text
    data = text.encode("utf-8", "backslashreplace")
    if len(data) <= head + tail:
        return text
    left_out = len(data) - head - tail
    beginning, end = data[:head].decode(errors="ignore"), data[-tail:].decode(errors="ignore")
    return f"{beginning}\n[… {left_out:,} bytes left out …]\n{end}"


def _headline(kind: str, message: str) -> str:
    first = message.lstrip().partition("\n")[0].rstrip()
    return f"{kind}: {first[:FIRST_LINE]}" if first else kind


def _qualified(error_class: type[BaseException]) -> str:
    return f"{error_class.__module__}.{error_class.__qualname__}"


def _message_of(error: BaseException) -> str:
    try:
        return _presentable(str(error))
    except BaseException:  # an exception that cannot be printed must not hide the job's failure
        return f"<unprintable {type(error).__qualname__}>"


def _presentable(message: str) -> str:
    return clean(mask(capped(message, MESSAGE_HEAD, MESSAGE_TAIL)))


def _traceback_of(error: BaseException) -> str:
    """As Python prints it, without local variables (they hold secrets) and without the frames that lead to the job."""
    try:
        shown = traceback.TracebackException(type(error), error, _beyond_ours(error.__traceback__), limit=-FRAMES)
        return "".join(mask(capped(line)) for line in shown.format())
    except Exception as formatting:
        return f"(no traceback: formatting it raised {type(formatting).__qualname__})"


def _beyond_ours(trace: TracebackType | None) -> TracebackType | None:
    """From the first frame that is the application's on; everything if there is none."""
    found = trace
    while found is not None and _is_ours(found):
        found = found.tb_next
    return found or trace


def _is_ours(trace: TracebackType) -> bool:
    module = trace.tb_frame.f_globals.get("__name__")
    return isinstance(module, str) and module.startswith(OUR_FRAMES)
