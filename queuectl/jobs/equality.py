"""Whether a value that travelled is still the value that was sent."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any


def same(sent: Any, returned: Any) -> bool:
    """Equal, or, where equality knows nothing (no `__eq__`) or too much (time zones), equal in what it consists of."""
    if sent == returned:
        return True
    if type(sent) is not type(returned):
        return False
    if isinstance(sent, datetime) and sent.tzinfo is not None:
        # Across zones, Python calls every moment of the hour that autumn repeats unequal to any other.
        return bool(sent.timestamp() == returned.timestamp())
    if isinstance(sent, Mapping):
        return sent.keys() == returned.keys() and all(same(sent[key], returned[key]) for key in sent)
    if isinstance(sent, (list, tuple)):
        return len(sent) == len(returned) and all(map(same, sent, returned))
    parts = _parts(sent)
    return parts is not None and same(parts, _parts(returned))


def _parts(value: Any) -> Mapping[str, Any] | None:
    if dataclasses.is_dataclass(value):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    opaque = getattr(type(value), "__eq__", None) is object.__eq__ and hasattr(value, "__dict__")
    return dict(vars(value)) if opaque else None
