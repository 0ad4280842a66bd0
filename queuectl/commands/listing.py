"""How a list is shown: as tables to people; to scripts as one JSON document, as a JSON object a line, or as ids."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Any, Generic, TypeVar

from queuectl.commands.output import Output
from queuectl.commands.text import safe
from queuectl.errors import UsageError

T = TypeVar("T")
TABLE_ROWS = 200
"""Rows that one table holds: each is drawn whole, and there may be a million."""


class Form(Enum):
    TABLE = "a table"
    JSON = "--json"
    JSONL = "--jsonl"
    IDS = "--ids"

    @classmethod
    def chosen(cls, *, as_json: bool = False, as_jsonl: bool = False, ids: bool = False) -> Form:
        """`UsageError` for more than one."""
        said = [form for form, yes in ((cls.JSON, as_json), (cls.JSONL, as_jsonl), (cls.IDS, ids)) if yes]
        if len(said) > 1:
            raise UsageError(f"Give {' or '.join(form.value for form in said)}, not both.")
        return said[0] if said else cls.TABLE


class Counted(Generic[T]):
    """Passes items on and knows how many they were."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = items
        self.count = 0

    def __iter__(self) -> Iterator[T]:
        for item in self._items:
            self.count += 1
            yield item


@dataclass(frozen=True)
class Listing(Generic[T]):
    """What is shown of each thing."""

    header: Sequence[str]
    row: Callable[[T], tuple[str, ...]]
    to_json: Callable[[T], dict[str, Any]]
    id: Callable[[T], str]
    nothing: str
    """What people are told where the list is empty."""

    def show(self, output: Output, items: Iterable[T], form: Form) -> None:
        """Everything is read to the end, even where nobody reads us any more: the count may decide the exit code."""
        match form:
            case Form.JSON:
                output.json_array(map(self.to_json, items))
            case Form.JSONL:
                output.json_lines(map(self.to_json, items))
            case Form.IDS:
                shown = safe if output.is_terminal else str
                output.stream(shown(self.id(item)) for item in items)
            case Form.TABLE:
                self._print(output, iter(items))

    def _print(self, output: Output, items: Iterator[T]) -> None:
        first = True
        while page := [self.row(item) for item in islice(items, TABLE_ROWS)]:
            output.table(self.header, page)
            first = False
        if first:
            output.info(self.nothing)
