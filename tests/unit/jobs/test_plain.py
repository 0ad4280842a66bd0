"""Arguments that pydantic's core checks alone: as pydantic itself would."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import field
from datetime import datetime
from enum import IntEnum
from typing import Annotated, Any, Optional, Union

import pytest
from pydantic import TypeAdapter, ValidationError

from queuectl.jobs.definition import Job
from queuectl.jobs.plain import PlainAdapter, plain_schema
from queuectl.jobs.shape import Shape

PLAIN = (
    *(int, str, float, bool, None.__class__, Any, int | None, Optional[str], Union[None, float]),  # noqa: UP007, UP045
    *(list[int], dict[str, Any], dict[str, list[int | None]] | None, list[dict[int, bool]]),
)


class Colour(IntEnum):
    RED = 1


class Asked(Job):
    number: Annotated[int, "an annotation, and pydantic is asked"]
    text: Annotated[str | None, "here too"] = None
    flags: Annotated[dict[str, list[float]], "and here"] = field(default_factory=dict)


class Alone(Job):
    number: int
    text: str | None = None
    flags: dict[str, list[float]] = field(default_factory=dict)


@pytest.mark.parametrize("kind", PLAIN)
def test_the_schema_is_pydantics(kind: Any) -> None:
    """Word for word: there is one meaning of each type."""
    assert plain_schema(kind) == TypeAdapter(kind).core_schema


@pytest.mark.parametrize(
    "kind", [bytes, datetime, Colour, int | str, list, dict, tuple[int, ...], set[int], Annotated[int, []], "int"]
)
def test_what_is_not_plain_is_left_to_pydantic(kind: Any) -> None:
    """Also inside of what would be plain."""
    assert plain_schema(kind) is None
    if not isinstance(kind, str):
        assert plain_schema(list[kind]) is None


@pytest.mark.parametrize(
    "given",
    [
        {"number": 1},
        {"number": "12", "text": "é", "flags": {"a": [1, 2.5]}},
        {"number": 2**70, "text": None},
        {"number": True},
        {"number": 1.5},
        {"number": None},
        {},
        {"number": 1, "more": 2},
        {"number": 1, "flags": {"a": [float("nan")]}},
        {"number": 1, "flags": {1: []}},
        {"number": 1, "text": b"bytes"},
    ],
)
def test_values_are_taken_and_refused_as_by_pydantic(given: dict[str, Any]) -> None:
    """The same values, the same text, the same complaints."""
    alone, asked = Shape.of(Alone).adapter, Shape.of(Asked).adapter
    assert (type(alone), type(asked)) == (PlainAdapter, TypeAdapter)
    assert told(alone, given) == told(asked, given)


def told(adapter: Any, given: dict[str, Any]) -> Any:
    try:
        text = adapter.serializer.to_json(adapter.validator.validate_python(given), warnings="none")
        return text, adapter.validator.validate_json(text)
    except ValidationError as error:
        return error.errors(include_url=False)


def test_pydantic_is_not_imported_for_plain_arguments() -> None:
    """That is what it is for: half of a child's start."""
    program = """
import sys
from queuectl import Job
from queuectl.jobs.arguments import dump, load
class Mail(Job):
    user: int
    tags: list[str]
print(load(Mail, dump(Mail(1, ["a"]))), "pydantic" in sys.modules)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "Mail(user=1, tags=['a']) False\n"
