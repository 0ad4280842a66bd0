"""The figures as tables: for a terminal, for a README, for programs."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from latency.figures import Bound, Figures, Result, baseline

HEADINGS = ("p50", "p95", "p99", "slowest")
MARKS = re.compile(r"(<!-- api-latency -->\n).*?(<!-- /api-latency -->\n)", re.DOTALL)
"""What stands between these lines of a file is ours to replace."""


def show(console: Console, results: Sequence[Result], bounds: Sequence[Bound]) -> None:
    """Three tables: how long answers took, what became of the requests, what held."""
    console.print(_times(results), _fates(results), _verdicts(bounds), sep="\n")


def _times(results: Sequence[Result]) -> Table:
    table = _table("Milliseconds until the answer", "", *HEADINGS, "sync p95 / this")
    before = baseline(results)
    for result in results:
        table.add_row(result.mode.title, *_numbers(result.figures), _ratio(before, result), style="bold")
        for endpoint, figures in result.by_endpoint().items():
            table.add_row(f"  POST {endpoint}", *_numbers(figures), _ratio(before, result, endpoint))
    return table


def _fates(results: Sequence[Result]) -> Table:
    headings = ("accepted", "refused", "notified", "lost", "twice", "unfit photos", "left over", "done after")
    table = _table("What became of the requests", "", *headings)
    for result in results:
        audit = result.audit
        counts = (audit.accepted, audit.refused, audit.notified, audit.lost, audit.twice, audit.unfit, audit.left_over)
        style = "" if audit.is_sound else "red"
        table.add_row(result.mode.title, *map(str, counts), f"{audit.seconds:.1f} s", style=style)
    return table


def _verdicts(bounds: Sequence[Bound]) -> Table:
    table = Table(box=None, show_header=False)
    for bound in bounds:
        table.add_row("holds" if bound.holds else "BROKEN", bound.says, style="green" if bound.holds else "bold red")
    return table


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, box=None, title_justify="left", title_style="", header_style="dim", pad_edge=False)
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left", no_wrap=True)
    return table


def _numbers(figures: Figures) -> list[str]:
    return [f"{value:.1f}" for value in dataclasses.astuple(figures)]


def _ratio(before: Result | None, result: Result, endpoint: str = "") -> str:
    if before is None or before is result:
        return ""
    slow, quick = (one.by_endpoint()[endpoint] if endpoint else one.figures for one in (before, result))
    return f"{slow.p95 / quick.p95:.1f}"


def as_json(results: Sequence[Result], bounds: Sequence[Bound], run: Mapping[str, Any]) -> str:
    """Everything that is shown, and the times of single requests."""
    phases = {
        result.mode.name: {
            "title": result.mode.title,
            "all": dataclasses.asdict(result.figures),
            "endpoints": {name: dataclasses.asdict(figures) for name, figures in result.by_endpoint().items()},
            "requests": dataclasses.asdict(result.audit),
            "milliseconds": [round(answer.seconds * 1000, 2) for answer in result.answers],
        }
        for result in results
    }
    held = [dataclasses.asdict(bound) for bound in bounds]
    return json.dumps({"run": run, "modes": phases, "bounds": held}, indent=2) + "\n"


def write_into(file: Path, results: Sequence[Result], about: str) -> None:
    """Replace the table in a Markdown file; raises `ValueError` if it has no place for one."""
    text, found = MARKS.subn(lambda marks: f"{marks[1]}{_markdown(results, about)}{marks[2]}", file.read_text())
    if not found:
        raise ValueError(f"{file} has no lines <!-- api-latency --> and <!-- /api-latency -->.")
    file.write_text(text)


def _markdown(results: Sequence[Result], about: str) -> str:
    return "".join(f"{line}\n" for line in (*_lines(results), "", about))


def _lines(results: Sequence[Result]) -> Iterator[str]:
    yield "| ms until the answer | p50 | p95 | p99 | slowest | sync p95 / this | accepted | notified | lost | twice |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    before = baseline(results)
    for result in results:
        audit = result.audit
        fate = map(str, (audit.accepted, audit.notified, audit.lost, audit.twice))
        numbers = [f"{value:.0f}" for value in dataclasses.astuple(result.figures)]
        yield f"| {' | '.join((result.mode.title, *numbers, _ratio(before, result), *fate))} |"
