"""The page for those who know artisan leaves out no command and no option, on either side."""

from __future__ import annotations

import re
from typing import Any

import pytest

from queuectl.commands import COMMANDS, Spec, by_name
from queuectl.commands.group import build, load
from queuectl.config.schema import CONNECTION
from tests.docs.pages import DOCS

TEXT = (DOCS / "coming-from-laravel.md").read_text()
SECTIONS = dict(re.findall(r"^### ([^\n]+)\n(.*?)(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL))
EVERYWHERE = {"--config", "--quiet", "--verbose", "--no-interaction"}
ABSENT = "\N{EN DASH}"

ARTISAN = {
    "work": {
        "connection": "none",
        "--name": "default",
        "--queue": "none",
        "--daemon": "no",
        "--once": "no",
        "--stop-when-empty": "no",
        "--stop-when-empty-for": "0",
        "--delay": "0",
        "--backoff": "0",
        "--max-jobs": "0",
        "--max-time": "0",
        "--force": "no",
        "--memory": "128",
        "--sleep": "3",
        "--rest": "0",
        "--timeout": "60",
        "--tries": "1",
        "--json": "no",
    },
    "restart": {},
    "pause": {"queue": "none", "--all": "no"},
    "resume": {"queue": "none", "--all": "no"},
    "monitor": {"queues": "needed", "--max": "1000", "--json": "no"},
    "failed": {"--json": "no"},
    "retry": {"id": "none", "--queue": "none", "--range": "none"},
    "forget": {"id": "needed"},
    "flush": {"--hours": "none"},
    "clear": {"connection": "none", "--queue": "none", "--force": "no"},
    "prune-failed": {"--hours": "24"},
    "table, failed-table, batches-table": {},
}
"""Laravel 13: arguments and options with their defaults, by the command that is ours."""
ARTISAN_NAMES = (
    *("queue:work", "queue:listen", "queue:restart", "queue:pause", "queue:resume", "queue:continue", "queue:monitor"),
    *("queue:failed", "queue:retry", "queue:retry-batch", "queue:forget", "queue:flush", "queue:clear"),
    *("queue:prune-failed", "queue:prune-batches", "make:queue-table", "queue:table", "make:queue-failed-table"),
    *("queue:failed-table", "make:queue-batches-table", "queue:batches-table", "reload"),
)
ARTISAN_GLOBALS = {"--quiet", "--silent", "--verbose", "--no-interaction", "--version", "--help", "--ansi", "--env"}


def rows(section: str) -> dict[str, tuple[str, str]]:
    """What artisan and we have as default, by option."""
    found = re.findall(r"^\| `([^`]+)` \| ([^|]+?) \| ([^|]+?) \|", SECTIONS[section], re.MULTILINE)
    return {option: (artisan, here) for option, artisan, here in found}


def section_of(spec: Spec) -> str:
    return next((name for name in ARTISAN if spec.name in name.split(", ")), "")


def shown(default: Any) -> str:
    """A default as the page writes it."""
    if isinstance(default, bool):
        return "yes" if default else "no"
    return "none" if default in ("", None) else str(default)


def own(spec: Spec) -> dict[str, str]:
    """The program's own arguments and options, the hidden ones too, with their defaults."""
    found = [option for option in load(spec, spec.name).params if not EVERYWHERE & set(option.opts)]
    return {label(option.opts): shown(option.default) for option in found}


def label(names: list[str]) -> str:
    """What the page calls an option, or an argument, of these names."""
    long = [name for name in names if name.startswith("--")]
    return {"ids": "id"}.get(found := (long or names)[0], found)


@pytest.mark.parametrize("section", ARTISAN)
def test_artisans_options_are_all_there(section: str) -> None:
    """With artisan's defaults, and no others."""
    listed = {option: artisan for option, (artisan, _) in rows(section).items() if artisan != ABSENT}
    assert listed == ARTISAN[section]


@pytest.mark.parametrize("spec", [spec for spec in COMMANDS if section_of(spec)], ids=lambda spec: spec.name)
def test_our_options_are_all_there(spec: Spec) -> None:
    """With the defaults that the program has, and no others."""
    listed = {option: here for option, (_, here) in rows(section_of(spec)).items() if here != ABSENT}
    assert listed == own(spec)


@pytest.mark.parametrize("spec", [spec for spec in COMMANDS if not section_of(spec)], ids=lambda spec: spec.name)
def test_commands_that_artisan_lacks_have_a_row(spec: Spec) -> None:
    """With all their arguments and options."""
    options = dict(re.findall(r"^\| `([^`]+)` \| ([^|]*?) \|", SECTIONS["Only here"], re.MULTILINE))
    text = options[spec.name]
    if other := re.fullmatch(r"as `(.+)`", text):
        text = options[other[1]]
    assert set(re.findall(r"`([^`]+)`", text)) == set(own(spec))


def test_every_command_of_artisan_is_named() -> None:
    """In the table of commands; the names that we know are those that the program knows."""
    table = TEXT.partition("## Commands")[2].partition("### ")[0]
    for name in ARTISAN_NAMES:
        assert f"`{name}`" in table
        known = name in by_name() or name in by_name().get(name.removeprefix("queue:"), Spec("", "", "", "")).aliases
        assert known or name in ("queue:listen", "queue:retry-batch", "queue:prune-batches", "reload")


def test_options_of_all_commands_are_there() -> None:
    """Artisan's and ours."""
    listed = set(rows("Everywhere"))
    ours = {name for option in build().params for name in option.opts if name.startswith("--")}
    assert listed >= ARTISAN_GLOBALS | ours


def test_keys_of_the_configuration_are_there() -> None:
    """Each key of a connection that Laravel has, too, or that changes what Laravel's means."""
    for key in set(CONNECTION) - {"driver", "timeout", "max_payload", "unknown_job_grace", "push_timeout"}:
        assert f"`{key}`" in TEXT or f"`{key} " in TEXT, key
