"""The lock file: the contracts of all jobs, as they were agreed on, in a file that is committed with the code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from queuectl.config import Config
from queuectl.contracts.contract import Contract, Field
from queuectl.deployment.files import write_new
from queuectl.errors import ConfigurationError

NAME = "jobs.lock"
VERSION = 1


class NoLockFile(ConfigurationError):
    """What is there is not a lock file of ours."""

    hint = "`queuectl check --write` writes it anew."


def place_of(config: Config) -> Path:
    """Beside the configuration."""
    return (config.path.parent if config.path else config.root / "conf") / NAME


def read(path: Path) -> dict[str, Contract] | None:
    """The contracts in this file, or None if there is no such file. `NoLockFile` if it is not ours."""
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise _no_lock_file(path, str(error)) from error
    try:
        return _contracts(document)
    except (KeyError, TypeError, AttributeError) as error:
        raise _no_lock_file(path, f"version {VERSION} is what this queuectl writes and reads") from error


def write(path: Path, contracts: Mapping[str, Contract]) -> None:
    """Put them there, whole or not at all."""
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"{path.parent} cannot be made: {error.strerror}.") from error
    write_new(path, text_of(contracts), force=True)


def text_of(contracts: Mapping[str, Contract]) -> str:
    """Always the same text for the same contracts, in lines that a review can read."""
    jobs = {name: {"arguments": [_argument(one) for one in found.arguments]} for name, found in contracts.items()}
    return json.dumps({"version": VERSION, "jobs": dict(sorted(jobs.items()))}, indent=2) + "\n"


def _argument(field: Field) -> dict[str, Any]:
    return {"name": field.name, "required": field.required, "schema": field.schema}


def _contracts(document: Any) -> dict[str, Contract]:
    if document["version"] != VERSION:
        raise KeyError("version")
    return {name: Contract(tuple(map(_field, job["arguments"]))) for name, job in document["jobs"].items()}


def _field(found: dict[str, Any]) -> Field:
    if not isinstance(found["name"], str) or not isinstance(found["schema"], dict):
        raise TypeError("argument")
    return Field(found["name"], bool(found["required"]), found["schema"])


def _no_lock_file(path: Path, reason: str) -> NoLockFile:
    return NoLockFile(f"{path} is no lock file of jobs: {reason}.")
