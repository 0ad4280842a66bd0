"""Numbers as people say them."""

from __future__ import annotations


def span(seconds: float) -> str:
    """A duration in its largest whole unit: `12 minutes`."""
    for unit, size in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        if seconds >= size:
            return count(int(seconds // size), unit)
    return count(int(max(seconds, 0)), "second")


def count(number: int, noun: str) -> str:
    """`1 job`, `2 jobs`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
