"""Finding jobs by name in a table that has no index of names: a stretch of it at a time, inside the database."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from queuectl.drivers.contract import Stored
from queuectl.drivers.database import texts
from queuectl.drivers.database.listing import stored
from queuectl.drivers.database.rows import is_id
from queuectl.drivers.database.sessions import Sessions
from queuectl.jobs.payload import identity

NAMES_AT_ONCE = 500
PATTERNS_AT_ONCE = 50
"""Each of them is looked for in each payload, from its beginning to its end."""
STRETCH = 10_000
BEGINNING = '{"uuid":"' + "_" * 36 + '"%'
"""Payloads whose uuid stands where ours have it, as a pattern of LIKE's."""
NAME = re.compile(r"[!-~]{1,255}")
SPECIAL = re.compile(r"[!%_]")


def find(sessions: Sessions, keys: Sequence[str], *, foreign: float) -> list[Stored]:
    """The jobs of these uuids and numbers; *foreign* as the sweeper has it."""
    search = _Search(sessions, foreign)
    search.by_numbers([int(key) for key in dict.fromkeys(keys) if is_id(key)])
    names = [key for key in dict.fromkeys(keys) if NAME.fullmatch(key)]
    for some in _batches(names, NAMES_AT_ONCE):
        search.by_beginning(some)
    for some in _batches([name for name in names if name not in search.names], PATTERNS_AT_ONCE):
        search.anywhere(some)
    return list(search.found.values())


class _Search:
    """What has been found so far."""

    def __init__(self, sessions: Sessions, foreign: float) -> None:
        self._sessions = sessions
        self._foreign = foreign
        self.found: dict[str, Stored] = {}
        self.names: set[str] = set()

    def by_numbers(self, ids: Sequence[int]) -> None:
        for some in _batches(ids, NAMES_AT_ONCE):
            self.found |= {job.id: job for job in self._read("id IN (:ids)", {"ids": some})}

    def by_beginning(self, names: Sequence[str]) -> None:
        """Where our payloads and Laravel's have their uuid."""
        self._walk("SUBSTR(payload, 10, 36) IN (:names)", {"names": list(names)}, names)

    def anywhere(self, names: Sequence[str]) -> None:
        """In payloads that somebody else has written."""
        patterns = {f"name{number}": _containing(name) for number, name in enumerate(names)}
        any_of_them = " OR ".join(f"payload LIKE :{key} ESCAPE '!'" for key in patterns)
        values = {"beginning": BEGINNING, **patterns}
        self._walk(f"payload NOT LIKE :beginning AND ({any_of_them})", values, names)

    def _walk(self, condition: str, values: Mapping[str, Any], names: Sequence[str]) -> None:
        for first, last in self._stretches():
            jobs = self._read(
                f"id >= :first AND id <= :last AND ({condition})", {**values, "first": first, "last": last}
            )
            for job in jobs:
                uuid = identity(job.payload)[0]
                if uuid in names:
                    self.names.add(uuid)
                    self.found[job.id] = job

    def _stretches(self) -> Iterator[tuple[int, int]]:
        """The table in pieces that are read in a moment. No plan of a database's, however little it knows of the table,
        reads more than a piece for one."""
        after = 0
        while (first := self._next(after)) is not None:
            after = first + STRETCH
            yield first, after

    def _next(self, after: int) -> int | None:
        ((first,),) = self._run(texts.NEXT_ID, {"after": after})
        return None if first is None else int(first)

    def _read(self, condition: str, values: Mapping[str, Any]) -> list[Stored]:
        return [stored(*row) for row in self._run(texts.FOUND + condition, {"foreign": self._foreign, **values})]

    def _run(self, text: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        return self._sessions.call(lambda session: session.run(text, **values).rows)


def _containing(name: str) -> str:
    """As a pattern of LIKE's."""
    return "%" + SPECIAL.sub(r"!\g<0>", name) + "%"


def _batches(items: Sequence[Any], size: int) -> Iterator[list[Any]]:
    return (list(items[start : start + size]) for start in range(0, len(items), size))
