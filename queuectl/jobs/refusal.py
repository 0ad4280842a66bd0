"""What is wrong with a job's arguments, in a sentence that names the job, the argument and the value, but no secret."""

from __future__ import annotations

import difflib
import reprlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from queuectl.errors import InvalidArguments
from queuectl.jobs.masking import MASK, is_secret, mask

if TYPE_CHECKING:
    from pydantic_core import ValidationError

    from queuectl.jobs.shape import Shape

SHOWN = 5
"""Mistakes told at once."""
VALUE = 100
"""Characters shown of a value."""


def refused(shape: Shape, *mistakes: str) -> InvalidArguments:
    """The error to raise for these mistakes."""
    more = f"; and {len(mistakes) - SHOWN} more" if len(mistakes) > SHOWN else ""
    return InvalidArguments(f"{shape.job} cannot take these arguments: {'; '.join(mistakes[:SHOWN])}{more}.")


def invalid(shape: Shape, error: ValidationError) -> InvalidArguments:
    """The error to raise for what pydantic found."""
    found = error.errors(include_url=False)
    told = refused(shape, *(_mistake(shape, one, with_value=True) for one in found))
    told.reasons = tuple(_mistake(shape, one, with_value=False) for one in found[:SHOWN])
    return told


def unknown(name: str, known: Iterable[str]) -> str:
    """The mistake of an argument that does not exist."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    if near:
        return f"there is no argument {name!r} (did you mean {near[0]!r}?)"
    return f"there is no argument {name!r} (there is {', '.join(map(repr, names)) or 'none'})"


def missing(names: Iterable[str]) -> str:
    """The mistake of arguments that were not given."""
    return f"missing: {', '.join(map(repr, names))}"


def shown(value: Any, *path: object) -> str:
    """A value as an error may show it: short, and masked where its *path* or its own text speaks of a secret."""
    if any(is_secret(str(part)) for part in path):
        return MASK
    text = mask(_short.repr(value))
    return text if len(text) <= VALUE else f"{text[:VALUE]}…"


_short = reprlib.Repr()
_short.maxstring = _short.maxother = _short.maxlong = 2 * VALUE


def _mistake(shape: Shape, found: Any, *, with_value: bool) -> str:
    path = [str(part) for part in found["loc"]]
    where = ".".join(path)
    match found["type"]:
        case "missing":
            return missing([where])
        case "extra_forbidden" if len(path) == 1:
            return unknown(where, shape.names)
        case "json_invalid":
            said = found["msg"] if with_value else "invalid JSON"
            return said if not where else f"{where}: {said}"
    said = found["msg"]
    if found["type"] in ("value_error", "assertion_error") and (not with_value or any(map(is_secret, path))):
        said = "it is not valid"  # a validator's own words may repeat the value
    said = said[:1].lower() + said[1:]
    value = f"={shown(found['input'], *path)}" if with_value else ""
    return f"{where}{value}: {said}" if where else said
