"""Hold a parsed `queue.toml` against the schema; every complaint names file, line, and what was meant or expected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from queuectl.config.schema import ANY_NAME, BUILT_IN_DRIVERS, NAMED, TOP, Kind, is_connection_name
from queuectl.errors import ConfigurationError

Key = tuple[str, ...]


def check(document: Mapping[str, Any], text: str, shown: str) -> None:
    """Raise `ConfigurationError` for the first key or value that does not belong."""
    _Check(text, shown).top(document)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?`, or nothing."""
    from difflib import get_close_matches

    close = get_close_matches(word, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


class _Check:
    def __init__(self, text: str, shown: str) -> None:
        self._text = text
        self._shown = shown

    def top(self, document: Mapping[str, Any]) -> None:
        for name, value in document.items():
            expected = self._known((name,), TOP)
            if isinstance(expected, Kind):
                self._fit((name,), value, expected)
            elif name in NAMED:
                self._tables(name, value, expected)
            else:
                self._table((name,), value, expected)

    def _tables(self, name: str, value: Any, keys: Mapping[str, Kind]) -> None:
        self._require_table((name,), value)
        for inner, table in value.items():
            self._require_table((name, inner), table)
            if name == "connections" and not is_connection_name(inner):
                raise self._error((name, inner), f"{inner!r} cannot name a connection: letters, digits, _ and - only.")
            if name == "connections" and table.get("driver", inner) not in BUILT_IN_DRIVERS:
                self._foreign((name, inner), table, keys)
            else:
                self._table((name, inner), table, keys)

    def _table(self, at: Key, table: Any, keys: Mapping[str, Kind]) -> None:
        self._require_table(at, table)
        for name, value in table.items():
            self._fit((*at, name), value, self._known((*at, name), keys))

    def _foreign(self, at: Key, table: Mapping[str, Any], keys: Mapping[str, Kind]) -> None:
        """A driver that others wrote has keys of its own; ours must fit all the same."""
        for name, value in table.items():
            if name in keys:
                self._fit((*at, name), value, keys[name])

    def _known(self, at: Key, keys: Mapping[str, Any]) -> Any:
        if ANY_NAME in keys:
            return keys[ANY_NAME]
        if at[-1] not in keys:
            inside = f" in [{'.'.join(at[:-1])}]" if at[:-1] else ""
            raise self._error(at, f"unknown key {at[-1]!r}{inside}.{did_you_mean(at[-1], keys)}")
        return keys[at[-1]]

    def _fit(self, at: Key, value: Any, kind: Kind) -> None:
        if not kind.fits(value):
            raise self._error(at, f"{'.'.join(at)} must be {kind.expected}, not {_described(value)}.")

    def _require_table(self, at: Key, value: Any) -> None:
        if not isinstance(value, Mapping):
            raise self._error(at, f"{'.'.join(at)} must be a table, [{'.'.join(at)}], not {_described(value)}.")

    def _error(self, at: Key, complaint: str) -> ConfigurationError:
        from queuectl.config.places import line_of

        return ConfigurationError(f"{self._shown}:{line_of(self._text, at) or 1}: {complaint}")


def _described(value: Any) -> str:
    if isinstance(value, Mapping):
        return "a table"
    shown = str(value).lower() if isinstance(value, bool) else repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"
