"""Turns a named text into the SQL of one dialect, one set of tables and one kind of clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from queuectl.drivers.database.dialect import Dialect
from queuectl.drivers.database.texts import PARTS
from queuectl.errors import ConfigurationError

LISTED = re.compile(r"\bIN \(:([a-z]\w*)\)")
PARAMETER = re.compile(r"(?<![:\w]):([a-z]\w*)")
TABLE_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)?", re.ASCII)
LONGEST_KEPT = 2_000
"""Characters; a longer text is one of many rows and seldom comes twice."""
CONTROL_TABLE = "queuectl_control"
REMOVED_TABLE = "queuectl_removed"


def quoted(dialect: Dialect, name: str) -> str:
    """A table's name, perhaps with its schema's, ready for SQL; `ConfigurationError` for what is not a name."""
    if not TABLE_NAME.fullmatch(name):
        raise ConfigurationError(f"{name!r} is not a table name: letters, digits and _, perhaps a schema before a dot.")
    return ".".join(f"{dialect.quote}{part}{dialect.quote}" for part in name.split("."))


class Grammar:
    """Renders texts. *bound*: the clock's time is a parameter (`:now`) where the store's expression would stand."""

    def __init__(self, dialect: Dialect, *, jobs: str = "jobs", failed: str = "failed_jobs", bound: bool) -> None:
        self.dialect = dialect
        self.jobs = jobs
        self.failed = failed
        now = dialect.bound if bound else dialect.now
        today = dialect.floor.replace("@", now)
        self._words = {
            "jobs": quoted(dialect, jobs),
            "failed": quoted(dialect, failed),
            "control": quoted(dialect, CONTROL_TABLE),
            "removed": quoted(dialect, REMOVED_TABLE),
            "key": quoted(dialect, "key"),
            "now": now,
            "today": today,
            # Whole seconds, Laravel's: never before the time, so up; but what is ready now is ready now.
            "ready_at": f"CASE WHEN :delay > 0 THEN {dialect.ceil.replace('@', f'({now} + :delay)')} ELSE {today} END",
            "expiry": f"{now} + :ttl",
            "attempts_kept": "attempts",
            "attempts_spared": "CASE WHEN attempts > 0 THEN attempts - 1 ELSE 0 END",
            "attempts_more": self._one_more(dialect.most_attempts),
            "ready_order": "available_at, id",
            "least": dialect.least,
            "claim": dialect.claim,
            "hold": dialect.claim.removesuffix(" SKIP LOCKED"),  # as `claim`, but waits for who has a row
            "by_key": dialect.by_key,
            "failed_by_uuid": dialect.by_uuid.replace("@", quoted(dialect, failed)),
            "payload": dialect.payload,
            "epoch": dialect.epoch,
            "to_integer": dialect.to_integer,
            "to_text": dialect.to_text,
            "insert_new": dialect.insert_new[0],
            "or_not": dialect.insert_new[1],
            "among": "",
        }
        for table in ("jobs", "failed", "removed"):
            before, after = (part.replace("@", self._words[table]) for part in dialect.delete)
            self._words |= {f"delete_{table}": before, f"named_{table}": after}
        self._words |= {name: part.format_map(self._words) for name, part in PARTS.items()}
        self._rendered: dict[str, str] = {}

    def learn(self, *, most_attempts: int, ready_order: str) -> None:
        """What this very table is like: where its counter stops, and in which order its indexes give ready rows."""
        self._words |= {"attempts_more": self._one_more(most_attempts), "ready_order": ready_order}
        self._rendered.clear()

    def _one_more(self, most: int) -> str:
        return f"{self.dialect.least}(COALESCE(attempts, 0) + 1, {most})"

    def render(self, text: str) -> str:
        """The SQL of a text, rendered once."""
        found = self._rendered.get(text)
        if found is None:
            found = self.styled(self.worded(text))
            if len(text) < LONGEST_KEPT:
                self._rendered[text] = found
        return found

    def worded(self, text: str) -> str:
        """With the words filled in, and the parameters still as they were."""
        return text.format_map(self._words)

    def styled(self, sql: str) -> str:
        """With the parameters in the client library's own style."""
        if self.dialect.arrays:
            sql = LISTED.sub(r"= ANY(:\1)", sql)
        return sql if self.dialect.named else PARAMETER.sub(r"%(\1)s", sql)

    def numbered(self, text: str) -> tuple[str, list[str]]:
        """With parameters $1, $2, …, and their names in that order."""
        sql = self.worded(text)
        names = list(dict.fromkeys(PARAMETER.findall(sql)))
        return PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", sql), names

    def expanded(self, text: str, values: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The SQL of a text where list values stand for `(:name)`: one parameter an element, or, where there are
        arrays, for all of them."""
        if self.dialect.arrays:
            return self.render(text), dict(values)
        sql, flat = self.worded(text), dict[str, Any]()
        for name, value in values.items():
            if isinstance(value, list):
                names = [f"{name}_{number}" for number in range(len(value))]
                sql = re.sub(rf":{name}\b", ", ".join([f":{each}" for each in names]), sql)
                flat.update(zip(names, value, strict=True))
            else:
                flat[name] = value
        return self.styled(sql), flat
