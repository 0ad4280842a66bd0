"""`@pytest.mark.fault("F12")` says which fault a test proves; with `--fault-table` the run ends with a table.

The faults are those of docs/reliability.md. Figures that a test notes with `record_property` (jobs, lost, doubled) are
added up in the row of its fault.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

STORES = ("sync", "sqlite", "postgres", "mariadb", "valkey", "redis62", "-")
NAMES = {"postgresql": "postgres", "mysql": "mariadb", "redis": "valkey"}
FIGURES = ("jobs", "lost", "doubled")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fault-table", action="store_true", help="end with a table of faults and stores")
    parser.addoption("--long", action="store_true", help="run the tests marked long as well: soaks and big sweeps")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(*numbers): which faults of docs/reliability.md this test proves")
    config.addinivalue_line("markers", "long: takes minutes; runs with --long only")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--long"):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


def pytest_runtest_setup(item: pytest.Item) -> None:
    numbers = [number for mark in item.iter_markers("fault") for number in mark.args]
    if numbers:
        item.user_properties += [("faults", numbers), ("store", _store(item))]


def _store(item: pytest.Item) -> str:
    """As its parameters name it, or its file, or the server it asks for."""
    callspec = getattr(item, "callspec", None)
    named = re.split(r"[-\[\]]", callspec.id) if callspec else []
    fixtures = [name.removesuffix("_url") for name in getattr(item, "fixturenames", ())]
    for words in (named, item.path.stem.split("_"), fixtures):
        found = {NAMES.get(word.lower(), word.lower()) for word in words}
        if store := next((store for store in STORES if store in found), None):
            return store
    return "-"


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if not config.getoption("--fault-table"):
        return
    cells: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    figures: dict[str, Counter[str]] = defaultdict(Counter)
    for outcome, fault, store, noted in _reports(terminalreporter):
        cells[fault][store][outcome] += 1
        figures[fault].update(noted)
    terminalreporter.section("faults and stores: tests passed")
    for line in _table(cells, figures):
        terminalreporter.write_line(line)


def _reports(terminalreporter: Any) -> Iterator[tuple[str, str, str, Counter[str]]]:
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            if outcome == "passed" and report.when != "call":
                continue
            noted = dict(report.user_properties)
            sums = Counter({name: noted[name] for name in FIGURES if isinstance(noted.get(name), int)})
            for fault in noted.get("faults", ()):
                yield outcome, fault, noted["store"], sums


def _table(cells: dict[str, dict[str, Counter[str]]], figures: dict[str, Counter[str]]) -> Iterator[str]:
    used = [store for store in STORES if any(store in row for row in cells.values())]
    yield _line("fault", [*used, *FIGURES])
    for fault in sorted(cells, key=lambda name: (name[0], int(name[1:]))):
        yield _line(fault, [*(_cell(cells[fault].get(store)) for store in used), *_sums(figures[fault])])
    total: Counter[str] = sum(figures.values(), Counter())
    yield _line("all", ["" for _ in used] + _sums(total))


def _line(first: str, rest: list[str]) -> str:
    return f"{first:<6}" + "".join(f"{word:>10}" for word in rest)


def _cell(outcomes: Counter[str] | None) -> str:
    if not outcomes:
        return "·"
    bad = outcomes["failed"] + outcomes["error"]
    words = [f"{bad} FAILED"] if bad else []
    words += [f"{outcomes['passed']}"] if outcomes["passed"] else []
    return " ".join(words or [f"{outcomes['skipped']} skip"])


def _sums(figures: Counter[str]) -> list[str]:
    return [f"{figures[name]:,}" for name in FIGURES]
