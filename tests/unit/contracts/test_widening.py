"""Which changes of a type take all that was valid before."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from itertools import product
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from queuectl.contracts.contract import schema_of
from queuectl.contracts.widening import accepts


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class MoreColours(Enum):
    RED = "red"
    BLUE = "blue"
    GREEN = "green"


class Line(BaseModel):
    article: str
    count: int = 1


class LongerLine(BaseModel):
    article: str
    count: int | None = 1
    note: str = ""


class StricterLine(BaseModel):
    article: str
    count: int
    note: str


@dataclass
class Point:
    x: float
    y: float


class Tree(BaseModel):
    name: str
    below: list[Tree] = []


class LooserTree(BaseModel):
    name: str | int
    below: list[LooserTree] = []


class OtherTree(BaseModel):
    name: int
    below: list[OtherTree] = []


WIDER = [
    (int, float),
    (int, int | None),
    (int, int | str),
    (int | str, int | str | None),
    (list[int], list[float]),
    (dict[str, int], dict[str, int | None]),
    (dict[str, int], Any),
    (datetime, Any),
    (Colour, MoreColours),
    (Literal["a"], Literal["a", "b"]),
    (Literal["a"], str),
    (Colour, str),
    (Annotated[int, Field(ge=1)], Annotated[int, Field(ge=0)]),
    (Annotated[int, Field(ge=1, le=5)], int),
    (Annotated[str, Field(max_length=5)], Annotated[str, Field(max_length=9)]),
    (Line, LongerLine),
    (list[Line], list[LongerLine]),
    (Tree, LooserTree),
    (Tree, Tree),
]
NARROWER = [
    (float, int),
    (str, int),
    (int | None, int),
    (Any, int),
    (list[int | None], list[int]),
    (MoreColours, Colour),
    (str, Literal["a", "b"]),
    (str, datetime),
    (str, UUID),
    (date, datetime),
    (int, Annotated[int, Field(ge=1)]),
    (Annotated[int, Field(ge=1)], Annotated[int, Field(ge=2)]),
    (Annotated[str, Field(pattern="^a")], Annotated[str, Field(pattern="^b")]),
    (Line, StricterLine),
    (dict[str, str], Line),
    (Tree, OtherTree),
    (list[int], tuple[int, int]),
]
TYPES = list({str(kind): kind for pair in WIDER + NARROWER for kind in pair}.values())
TYPES += [Point, Decimal, bool, Line | None, set[int], dict[str, list[int]], bytes]
VALUES: list[Any] = [
    *(None, True, 0, 1, 5, -3, 1.5, "", "a", "b", "red", "green", "abcdef", "1", "2026-01-31", "2026-01-31T12:00:00Z"),
    "0b1c2d3e-1111-4111-8111-111111111111",
    *([], [1], [1, 2], [None], [1.5], ["a"], [{"article": "x"}], [{"article": "x", "count": None}]),
    *({}, {"article": "x"}, {"article": "x", "count": 2, "note": "n"}, {"a": 1}, {"a": None}, {"a": [1]}),
    *({"x": 1.5, "y": 2}, {"name": "t", "below": [{"name": "u"}]}, {"name": 3}, {"name": 3, "below": [{"name": 4}]}),
]


def _told(kind: Any) -> str:
    return getattr(kind, "__name__", str(kind)).replace("typing.", "")


@pytest.mark.parametrize(("old", "new"), WIDER, ids=_told)
def test_what_takes_more_is_recognised(old: Any, new: Any) -> None:
    """A change that refuses nothing is no alarm."""
    assert accepts(schema_of(new), schema_of(old))


@pytest.mark.parametrize(("old", "new"), NARROWER, ids=_told)
def test_what_may_refuse_something_is_an_alarm(old: Any, new: Any) -> None:
    """Also where only some values are refused."""
    assert not accepts(schema_of(new), schema_of(old))


def _valid(kind: Any) -> list[Any]:
    """The values that this type takes, as JSON has them once they were written by it."""
    adapter, found = TypeAdapter(kind), []
    for value in VALUES:
        try:
            found.append(adapter.dump_json(adapter.validate_python(value)))
        except (ValidationError, ValueError):
            continue
    return found


def test_no_yes_is_wrong() -> None:
    """Of all pairs: where one is said to take what another took, it takes each value that the other has written."""
    written = {str(kind): _valid(kind) for kind in TYPES}
    for old, new in product(TYPES, TYPES):
        if accepts(schema_of(new), schema_of(old)):
            for text in written[str(old)]:
                TypeAdapter(new).validate_json(text)


@pytest.mark.parametrize("kind", TYPES, ids=_told)
def test_nothing_narrows_itself(kind: Any) -> None:
    """A type that did not change is no change, however it is built."""
    assert accepts(schema_of(kind), schema_of(kind))
