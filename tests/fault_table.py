"""`@pytest.mark.fault("F12")` says which fault a test proves; with `--fault-table` the run ends with tables of them.

The faults are those of docs/reliability.md. Figures that a test notes with `record_property` are added up, by fault and
by store: `jobs`, `done`, `lost`, `doubled`, and `struck`, how often something was made to go wrong. `recovery` holds
seconds by kind of trouble, from the trouble to work going on: of these the tables show the middle and the longest.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import pytest

from tests.acceptance.project import Project

STORES = ("sync", "sqlite", "postgres", "mariadb", "valkey", "redis62", "-")
NAMES = {"postgresql": "postgres", "mysql": "mariadb", "redis": "valkey"}
FIGURES = ("struck", "jobs", "done", "lost", "doubled")
USUAL_SEED = 1
"""Of a run that is to be the same each time."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fault-table", action="store_true", help="end with tables of faults and stores")
    parser.addoption("--long", action="store_true", help="run the tests marked long as well: soaks and big sweeps")
    parser.addoption("--seed", type=int, help="of tests that draw lots, only the run that this number made")
    parser.addoption("--concurrency", type=int, default=1, help="of the workers that tests start")
    parser.addoption("--soak", type=float, default=600.0, metavar="SECONDS", help="how long each soak of --long is")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "fault(*numbers): which faults of docs/reliability.md this test proves")
    config.addinivalue_line("markers", "long: takes minutes; runs with --long only")
    Project.concurrency = config.option.concurrency
    if not hasattr(config.option, "draw"):  # chosen once, and handed on to the processes that run tests
        config.option.draw = _draw(config)


def _draw(config: pytest.Config) -> int:
    if config.option.seed is not None:
        return int(config.option.seed)
    return random.SystemRandom().randrange(10**6) if config.option.long else USUAL_SEED


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: {config.option.draw}"


@pytest.fixture
def draw(pytestconfig: pytest.Config) -> int:
    """The seed of what is drawn by lot in this run: `--seed`, or a fresh one under `--long`, or always the same."""
    number: int = pytestconfig.option.draw
    return number


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
    callspec = getattr(item, "callspec", None)
    words = {NAMES.get(word, word) for word in (callspec.id.lower().split("-") if callspec else ())}
    return next((store for store in STORES if store in words), "-")


@dataclass(frozen=True)
class Result:
    """One test of the run."""

    outcome: str
    faults: Sequence[str]
    store: str
    figures: Mapping[str, int]
    recovery: Mapping[str, Sequence[float]]
    report: Sequence[str]
    """Lines that it has to say to whoever reads the tables."""


@dataclass
class Sum:
    """What several tests come to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    figures: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        self.outcomes[result.outcome] += 1
        self.figures.update(result.figures)

    @property
    def cell(self) -> str:
        bad = self.outcomes["failed"] + self.outcomes["error"]
        words = [f"{bad} FAILED"] if bad else []
        words += [f"{self.outcomes['passed']}"] if self.outcomes["passed"] else []
        words += [f"{self.outcomes['skipped']} skip"] if self.outcomes["skipped"] and not words else []
        return " ".join(words or ["·"])

    @property
    def words(self) -> list[str]:
        return [f"{self.figures[name]:,}" for name in FIGURES]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if not config.getoption("--fault-table"):
        return
    results = list(_results(terminalreporter))
    for title, lines in _sections(results):
        terminalreporter.section(title)
        for line in lines:
            terminalreporter.write_line(line)
    terminalreporter.write_line(f"\nseed: {config.option.draw}")


def _results(terminalreporter: Any) -> Iterator[Result]:
    for outcome in ("passed", "failed", "error", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            noted = dict(report.user_properties)
            if (outcome == "passed" and report.when != "call") or "faults" not in noted:
                continue
            figures = {name: noted[name] for name in FIGURES if isinstance(noted.get(name), int)}
            measured = noted.get("recovery", {}), noted.get("report", ())
            yield Result(outcome, noted["faults"], noted["store"], figures, *measured)


def _sections(results: Sequence[Result]) -> Iterator[tuple[str, Iterable[str]]]:
    yield "faults and stores: tests passed", _by_fault(results, "F")
    if any(_faults(result, "X") for result in results):
        yield "the security list: tests passed", _by_fault(results, "X")
    yield "stores", _by_store(results)
    recovered = _recovery(results)
    if recovered:
        yield "seconds until work went on: times measured, the middle one, the longest", _recoveries(recovered)
    told = [line for result in results for line in result.report]
    if told:
        yield "what else was measured", told


def _by_fault(results: Sequence[Result], kind: str) -> Iterator[str]:
    rows: dict[str, dict[str, Sum]] = defaultdict(lambda: defaultdict(Sum))
    for result in results:
        for fault in _faults(result, kind):
            rows[fault][result.store].add(result)
            rows[fault]["all"].add(result)
    used = [store for store in STORES if any(store in row for row in rows.values())]
    yield _line(kind, [*used, *FIGURES])
    for fault in sorted(rows, key=lambda name: int(name[1:])):
        yield _line(fault, [*(rows[fault][store].cell for store in used), *rows[fault]["all"].words])


def _by_store(results: Sequence[Result]) -> Iterator[str]:
    """Each test once, however many faults it stands for."""
    rows: dict[str, Sum] = defaultdict(Sum)
    for result in results:
        rows[result.store].add(result)
        rows["all"].add(result)
    yield _line("store", ["passed", *FIGURES])
    for store in (*STORES, "all"):
        if store in rows:
            yield _line(store, [rows[store].cell, *rows[store].words])


def _recovery(results: Sequence[Result]) -> dict[str, dict[str, list[float]]]:
    """By kind of trouble and store."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        for trouble, seconds in result.recovery.items():
            found[trouble][result.store] += seconds
    return found


def _recoveries(found: Mapping[str, Mapping[str, Sequence[float]]]) -> Iterator[str]:
    used = [store for store in STORES if any(store in row for row in found.values())]
    yield _line("", used, width=18, first=28)
    for trouble in sorted(found):
        yield _line(trouble, [_spread(found[trouble].get(store, ())) for store in used], width=18, first=28)


def _spread(seconds: Sequence[float]) -> str:
    return f"{len(seconds)}x {median(seconds):.2f} {max(seconds):.2f}" if seconds else "·"


def _faults(result: Result, kind: str) -> list[str]:
    return [fault for fault in result.faults if fault.startswith(kind)]


def _line(label: str, rest: Sequence[str], *, width: int = 10, first: int = 9) -> str:
    return f"{label:<{first}}" + "".join(f"{word:>{width}}" for word in rest)
