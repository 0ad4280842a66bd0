"""Read the configuration: flag over environment over `.env` over `conf/queue.toml` over defaults, with origins."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import fields
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import tomli

from queuectl.config import Config, Connection, Origin
from queuectl.config.checking import check
from queuectl.config.finding import CONFIG_VARIABLE, find, named, refuse_planted, root_of
from queuectl.config.schema import CONNECTION_DEFAULTS, DEFAULTS, ENVIRONMENT, NAMED
from queuectl.errors import ConfigurationError

Key = tuple[str, ...]
Values = dict[Key, Origin]


def load(
    path: str | Path | None = None,
    *,
    env: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
    start: Path | None = None,
) -> Config:
    """The configuration as seen from *start* (the working directory).

    *overrides* are flags by dotted key. Raises `ConfigurationError` that names the value, its place and the remedy.
    """
    env = os.environ if env is None else env
    start = _here(path or env.get(CONFIG_VARIABLE)) if start is None else start
    file, notes = _locate(path, env, start)
    root = root_of(file) if file else start
    values = dict(_flat(DEFAULTS, "default"))
    if file:
        values.update(_from_file(file, root))
    variables = _variables(values)
    values.update(_from_dotenv(root, variables, notes))
    values.update(_from_environment(env, variables))
    values.update({tuple(key.split(".")): Origin(value, "flag") for key, value in (overrides or {}).items()})
    return _resolve(values, root, file, tuple(notes))


def _here(named: str | Path | None) -> Path:
    """The working directory. A deploy may have deleted it: that of the *named* file has to do then."""
    try:
        return Path.cwd()
    except FileNotFoundError:
        if named and Path(named).is_absolute():
            return Path(named).parent
        raise ConfigurationError(
            "The working directory does not exist any more.",
            hint=f"{CONFIG_VARIABLE} can name a file by its full path.",
        ) from None


def _locate(path: str | Path | None, env: Mapping[str, str], start: Path) -> tuple[Path | None, list[str]]:
    if path:
        return named(start / path, "--config"), []
    if variable := env.get(CONFIG_VARIABLE):
        return named(start / variable, CONFIG_VARIABLE), []
    found = find(start)
    note = refuse_planted(found) if found else None
    return found, [note] if note else []


def _flat(document: Mapping[str, Any], source: str) -> Iterator[tuple[Key, Origin]]:
    """Every value by its path; the tables that the schema knows are opened, all others are values."""
    for name, value in document.items():
        if not isinstance(value, Mapping):
            yield (name,), Origin(value, source)
            continue
        for inner, leaf in value.items():
            if name not in NAMED:
                yield (name, inner), Origin(leaf, source)
                continue
            for key, setting in leaf.items():
                yield (name, inner, key), Origin(setting, source)


def _from_file(file: Path, root: Path) -> Values:
    from queuectl.config.places import line_of

    shown = _shown(file, root)
    text = _read(file)
    try:
        document = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise ConfigurationError(f"{shown} is not TOML: {error}.") from None
    check(document, text, shown)
    return {key: Origin(origin.value, f"{shown}:{line_of(text, key) or 1}") for key, origin in _flat(document, shown)}


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8").replace("\r\n", "\n")
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{file} is not UTF-8: {error.reason} at byte {error.start}.") from None


def _shown(file: Path, root: Path) -> str:
    return str(file.relative_to(root)) if file.is_relative_to(root) else str(file)


def _variables(values: Values) -> dict[str, Key]:
    """What the environment may set: the fixed ones, and the URL of each connection that the file speaks of."""
    names = dict.fromkeys(key[1] for key in values if key[0] == "connections")
    urls = {f"QUEUE_{name.upper().replace('-', '_')}_URL": ("connections", name, "url") for name in names}
    return {**ENVIRONMENT, **urls}


def _from_dotenv(root: Path, variables: Mapping[str, Key], notes: list[str]) -> Values:
    file = root / ".env"
    if not file.is_file():
        return {}
    note = refuse_planted(file)
    notes.extend([note] if note else [])
    found = _parsed(file, notes)
    return {
        key: Origin(found[variable], f".env: {variable}") for variable, key in variables.items() if found.get(variable)
    }


def _parsed(file: Path, notes: list[str]) -> Mapping[str, str | None]:
    """What the file assigns; a line that assigns nothing is left out with a note, not with the parser's own warning."""
    from dotenv import dotenv_values
    from dotenv.parser import parse_stream

    bindings = list(parse_stream(StringIO(_read(file))))
    notes.extend(f"{file.name}:{one.original.line} is not NAME=value; it is left out." for one in bindings if one.error)
    return dotenv_values(stream=StringIO("".join(one.original.string for one in bindings if not one.error)))


def _from_environment(env: Mapping[str, str], variables: Mapping[str, Key]) -> Values:
    return {key: Origin(env[variable], variable) for variable, key in variables.items() if env.get(variable)}


def _resolve(values: Values, root: Path, file: Path | None, notes: tuple[str, ...]) -> Config:
    names = list(dict.fromkeys(key[1] for key in values if key[0] == "connections"))
    connections = {name: _connection(name, values, root) for name in names}
    config = Config(
        default=values["default",].value,
        connections=connections,
        jobs=tuple(values["jobs",].value),
        middleware=tuple(values["middleware",].value),
        limits={key[1]: origin.value for key, origin in values.items() if key[0] == "limits"},
        failed_connection=values["failed", "connection"].value,
        disks=_disks(values, root),
        notifications={key[1]: origin.value for key, origin in values.items() if key[0] == "notifications"},
        log_file=_log_file(values["log", "file"].value, root),
        log_level=values["log", "level"].value,
        log_format=values["log", "format"].value,
        root=root,
        path=file,
        origins={".".join(key): origin for key, origin in values.items()},
        notes=notes,
    )
    _require_known(config, "default")
    _require_known(config, "failed.connection")
    _require_keeping(config)
    _require_known(config, "notifications.connection")
    for name in connections:
        _require_outbox(config, name)
    return config


def _connection(name: str, values: Values, root: Path) -> Connection:
    """One connection whole; what nobody set gets its default, and its origin says so."""
    for key, value in {"driver": name, **CONNECTION_DEFAULTS}.items():
        values.setdefault(("connections", name, key), Origin(value, "default"))
    given = {key[2]: origin.value for key, origin in values.items() if key[:2] == ("connections", name)}
    known = {field.name for field in fields(Connection)} - {"name", "options"}
    settings = {key: value for key, value in given.items() if key in known}
    settings["url"] = absolute_sqlite(settings["url"], root)
    options = {key: value for key, value in given.items() if key not in known}
    return Connection(name=name, options=options, **settings)


def absolute_sqlite(url: str, root: Path) -> str:
    """A relative `sqlite:///file` as seen from *root*; every other URL as it is."""
    scheme, separator, rest = url.partition(":///")
    if scheme != "sqlite" or not separator or rest.startswith(("/", ":memory:")):
        return url
    path, mark, query = rest.partition("?")
    return f"sqlite:///{quote(str(root.absolute()))}/{path}{mark}{query}"


def _log_file(value: str, root: Path) -> Path | None:
    return root.absolute() / value if value else None


def _disks(values: Values, root: Path) -> dict[str, dict[str, Any]]:
    disks: dict[str, dict[str, Any]] = {}
    for key, origin in values.items():
        if key[0] == "disks":
            value = str(root / origin.value) if key[2] == "root" else origin.value
            disks.setdefault(key[1], {})[key[2]] = value
    return disks


def _require_known(config: Config, key: str) -> None:
    origin = config.origins[key]
    if origin.value and origin.value not in config.connections:
        from queuectl.config.checking import did_you_mean

        raise ConfigurationError(
            f"The {origin.value!r} queue connection has not been configured ({key}, from {origin.source})."
            f"{did_you_mean(origin.value, config.connections)}",
            hint=f"Configured: {', '.join(config.connections)}.",
        )


def _require_keeping(config: Config) -> None:
    """Failed jobs are moved to where they are collected: a place that forgets them would be their end."""
    origin = config.origins["failed.connection"]
    if origin.value and config.connections[origin.value].driver == "sync":
        raise ConfigurationError(
            f"{origin.source}: failed.connection is {origin.value!r}, which keeps no jobs: failed ones would be lost.",
            hint="Name a connection to a database or to Redis, or leave it empty.",
        )


def _require_outbox(config: Config, name: str) -> None:
    """What an application relies on when a queue is away is its own database."""
    key = f"connections.{name}.outbox"
    _require_known(config, key)
    origin = config.origins[key]
    if origin.value and config.connections[origin.value].driver != "database":
        raise ConfigurationError(
            f"{origin.source}: {key} is {origin.value!r}, which is no database.",
            hint="Name a connection to the application's own database.",
        )
