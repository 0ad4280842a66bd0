"""One small picture of each format, through everything that a real one goes through: do the libraries work here?"""

from __future__ import annotations

import io

import PIL
from PIL import Image

from queuectl.jobs.pictures import FORMATS, Box, fit

SIZE, SMALLER = (64, 48), Box(32, 32)


def rehearse() -> tuple[str, dict[str, str]]:
    """The library's version, and what went wrong by format; nothing, if all is well."""
    problems = {kind: _problem(kind) for kind in FORMATS}
    return PIL.__version__, {kind: problem for kind, problem in problems.items() if problem}


def _problem(kind: str) -> str:
    try:
        written = io.BytesIO()
        Image.new("RGB", SIZE, (200, 120, 40)).save(written, kind)
        made = Image.open(io.BytesIO(fit(written.getvalue(), SMALLER, 85)))
        made.load()
    except Exception as error:  # whatever it is, it is what a job would meet
        return f"{type(error).__name__}: {error}"
    return "" if made.size == (32, 24) else f"came out as {made.size[0]} x {made.size[1]}"
