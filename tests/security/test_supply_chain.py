"""What is installed is what was chosen: pinned, by hash, and from the registry only."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCKED_EXTRAS = ("postgres", "mysql", "fast")
ENTRY = re.compile(r"^([a-z0-9-]+)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)


def project() -> dict[str, list[Requirement]]:
    """What the project asks for: always (""), and with each extra."""
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = {"": told["dependencies"], **told["optional-dependencies"]}
    return {extra: [Requirement(line) for line in lines] for extra, lines in asked.items()}


@pytest.mark.fault("X20")
def test_the_lock_pins_what_the_project_asks_for() -> None:
    """Each dependency of the package and of its extras for servers has one version that fits, with its hashes; the file
    holds nothing else, no other index and no address."""
    text = (ROOT / "requirements.lock").read_text()
    locked = {name: version for name, version, _ in ENTRY.findall(text)}
    for extra in ("", *LOCKED_EXTRAS):
        for wanted in project()[extra]:
            assert wanted.specifier.contains(locked[canonicalize_name(wanted.name)]), f"sh scripts/lock: {wanted}"
    rest = ENTRY.sub("", text).splitlines()
    assert all(line.startswith("#") for line in rest)


@pytest.mark.fault("X20")
def test_nothing_is_installed_from_an_address() -> None:
    """Every requirement is a name with a lowest version, so that an old weakness does not fit."""
    for extra, wanted in project().items():
        for one in wanted:
            assert one.url is None, one
            assert one.name == "queuectl-artisan" or any(clause.operator == ">=" for clause in one.specifier), (
                extra,
                one,
            )
