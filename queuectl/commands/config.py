"""`config`: every setting, and where it came from."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from queuectl.commands.exit_codes import DONE
from queuectl.commands.options import Json
from queuectl.commands.session import Session
from queuectl.config import Config
from queuectl.jobs.masking import MASK, is_secret, mask_urls


def config(
    context: typer.Context,
    show_origin: Annotated[bool, typer.Option("--show-origin", help="Also where each value came from.")] = False,
    as_json: Json = False,
) -> int:
    """Print every setting, secrets masked."""
    session = Session.of(context)
    settings = dict(_settings(session.config))
    if as_json:
        session.output.json(_document(session.config, settings))
        return DONE
    header = ("KEY", "VALUE", "ORIGIN")[: 3 if show_origin else 2]
    rows = [(key, _shown(value), origin)[: len(header)] for key, (value, origin) in settings.items()]
    session.output.table(header, rows)
    return DONE


def _settings(config: Config) -> list[tuple[str, tuple[Any, str]]]:
    """In the order of the file, each table in one piece."""
    tables = list(dict.fromkeys(map(_table, config.origins)))
    ordered = sorted(config.origins.items(), key=lambda item: tables.index(_table(item[0])))
    return [(key, (_masked(key, origin.value), origin.source)) for key, origin in ordered]


def _table(key: str) -> str:
    return key.rpartition(".")[0]


def _masked(key: str, value: Any) -> Any:
    if is_secret(key.rpartition(".")[2]) and value:
        return MASK
    if isinstance(value, dict):
        return {name: _masked(name, inner) for name, inner in value.items()}
    if not isinstance(value, str):
        return value
    if key.endswith(".url") and "://" not in value and "@" in value:  # no address, but it may hold a password
        return f"{MASK}@{value.rpartition('@')[2]}"
    return mask_urls(value)


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value or '""'
    return str(value).lower() if isinstance(value, bool) else str(value)


def _document(config: Config, settings: dict[str, tuple[Any, str]]) -> dict[str, Any]:
    return {
        "file": str(config.path) if config.path else None,
        "root": str(config.root),
        "settings": {key: {"value": value, "origin": origin} for key, (value, origin) in settings.items()},
    }
