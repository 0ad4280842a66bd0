"""How much a transaction takes at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
LARGEST = 8_000_000
"""Bytes of bodies that are copied at a time: a second's work, and not more, for the slowest."""


def first_portion(items: Sequence[T], size: Callable[[T], int | None]) -> Sequence[T]:
    """As many of the first as are not too large together; at least one, if there is one."""
    total = 0
    for position, item in enumerate(items):
        total += size(item) or 0
        if total > LARGEST and position:
            return items[:position]
    return items
