"""What an operator did to a store: a line of its own record, and what `undo` is given."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from os import urandom

PREFIX = "op-"
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""Those that nobody mistakes for another when reading them aloud."""
_LENGTH = 6


@dataclass(frozen=True, slots=True)
class Operation:
    """One run of a command that changes something, as one store remembers it."""

    id: str
    verb: str
    """The command's own name: `flush`, `jobs:cancel`."""
    words: str
    """The command line without its secrets."""
    who: str
    """`user@host`."""
    at: float
    """When it began, seconds since the epoch."""
    count: int = 0
    """Jobs, marks or tables of this store that it changed."""
    undoable: bool = False
    """What it removed was kept for a while."""
    undone_at: float | None = None

    @classmethod
    def from_text(cls, text: str) -> Operation:
        """A newer version may say more than we know of."""
        found = json.loads(text)
        return cls(**{field.name: found[field.name] for field in fields(cls) if field.name in found})

    def to_text(self) -> str:
        return json.dumps(asdict(self))


def new_operation_id() -> str:
    """Short enough to be typed, and drawn anew for each run: `op-7k2f9q`."""
    return PREFIX + "".join(_LETTERS[byte % len(_LETTERS)] for byte in urandom(_LENGTH))
