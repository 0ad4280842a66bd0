"""A connection's URL, taken apart; and what of it may be shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import parse_qsl, unquote, urlsplit

from queuectl.drivers.database.dialect import SCHEMES, SQLITE, Dialect
from queuectl.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is and who asks for it."""

    dialect: Dialect
    database: str
    """The database's name; for SQLite the file's absolute path."""
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    options: tuple[tuple[str, str], ...] = ()
    """What followed the `?`."""

    @property
    def place(self) -> str:
        """For people: no password, no options (which may hold one)."""
        if self.dialect is SQLITE:
            return f"sqlite:///{self.database}"
        port = f":{self.port}" if self.port else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.dialect.name}://{self.user + '@' if self.user else ''}{host}{port}/{self.database}"

    def option(self, name: str, default: str = "") -> str:
        return dict(self.options).get(name, default)


@lru_cache(maxsize=64)
def parse(url: str) -> Address:
    """The address in a URL; `ConfigurationError` if it is not one of a database we speak to."""
    scheme = url.partition(":")[0]
    dialect = SCHEMES.get(scheme.partition("+")[0])
    if dialect is None:
        known = ", ".join(f"{name}://" for name in SCHEMES)
        raise ConfigurationError(f"{scheme!r} is not a kind of database URL. Known: {known}.")
    return _file(url) if dialect is SQLITE else _server(url, dialect)


def _file(url: str) -> Address:
    path = unquote(url.partition(":")[2].partition("?")[0])
    path = path.removeprefix("///")
    if not path or ":memory:" in path:
        raise ConfigurationError("A queue outlives its process: an SQLite URL names a file, sqlite:///path/to/file.")
    return Address(SQLITE, path)


def _server(url: str, dialect: Dialect) -> Address:
    parts = urlsplit(url)
    try:
        port = parts.port or 0
    except ValueError:
        raise ConfigurationError("The port in the database URL is not a number from 1 to 65535.") from None
    database = unquote(parts.path.lstrip("/"))
    if not database:
        raise ConfigurationError(f"The {dialect.label} URL names no database: {dialect.name}://user@host/DATABASE.")
    return Address(
        dialect,
        database,
        host=unquote(parts.hostname or ""),
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        options=tuple(parse_qsl(parts.query)),
    )
