"""The figures on a terminal, as they come."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from speed.figures import Figures, shown
from speed.targets import TARGETS

WIDTH = 130
"""Columns where no terminal says otherwise."""


def show(figures: Figures, measures: Sequence[str]) -> None:
    """A table of what has just been measured."""
    table = Table(box=None, title_justify="left", header_style="dim", pad_edge=False)
    for heading in ("measure", "store", "who"):
        table.add_column(heading, no_wrap=True)
    for heading in ("median", "from … to"):
        table.add_column(heading, justify="right", no_wrap=True)
    for measure in sorted(measures):
        for key, figure in figures.of(measure).items():
            table.add_row(measure, key.store, key.who, shown(figure.median, figure.unit), figure.spread)
    _print(table)


def show_targets(figures: Figures, *, full: bool) -> None:
    """*full*: with the numbers of jobs and rows that they speak of."""
    title = "Targets" if full else "Targets, measured with fewer jobs and rows than they speak of"
    table = Table(box=None, title=title, title_justify="left", title_style="", header_style="dim", pad_edge=False)
    for heading in ("target", "reached", "met?"):
        table.add_column(heading)
    for target in TARGETS:
        reached = target.reached(figures)
        if reached is not None:
            style = "green" if reached.is_met else "bold red"
            table.add_row(target.says, reached.words, "yes" if reached.is_met else "no", style=style)
    _print(table)


def _print(table: Table) -> None:
    console = Console()
    (console if console.is_terminal else Console(width=WIDTH)).print(table)
