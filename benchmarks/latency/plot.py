"""The figures as a picture: one row a mode, one dot a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl
from drawing import SETTINGS
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, NullLocator

from latency.figures import LIMIT, Figures, Result

TICKS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
GOLDEN = 0.618034
"""Spreads dots evenly, and the same way every time."""
SPREAD = 0.5
"""Of a row's height, for its dots."""
OTHER, PHOTO = "o", "^"
WITH_PHOTO = "/api/attendance"
PERCENTILES: dict[str, dict[str, Any]] = {
    "p50": {"marker": "o", "markersize": 6, "linestyle": "none"},
    "p95": {"marker": "D", "markersize": 6, "linestyle": "none"},
    "p99": {"marker": "|", "markersize": 10, "markeredgewidth": 2, "linestyle": "none"},
}


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours for one kind of surroundings."""

    ink: str
    faint: str
    grid: str
    inline: str
    queued: str
    outage: str

    def of(self, result: Result) -> str:
        if not result.mode.is_queued:
            return self.inline
        return self.outage if result.mode.is_outage else self.queued


LIGHT = Paint("#1f2328", "#59636e", "#d8dee4", "#d1570b", "#0969da", "#8250df")
DARK = Paint("#f0f6fc", "#9198a1", "#30363d", "#f0883e", "#58a6ff", "#bc8cff")


def plot(results: Sequence[Result], file: Path, about: str) -> None:
    """Draw for light surroundings into *file*, and for dark ones into `NAME-dark` beside it."""
    with mpl.rc_context(SETTINGS):
        for paint, target in ((LIGHT, file), (DARK, file.with_stem(f"{file.stem}-dark"))):
            figure = _drawn(results, paint, about)
            figure.savefig(target, transparent=True, metadata=_metadata(target))


def _metadata(target: Path) -> dict[str, Any]:
    return {"Date": None} if target.suffix == ".svg" else {}


def _drawn(results: Sequence[Result], paint: Paint, about: str) -> Figure:
    figure = Figure(figsize=(9, 1.5 + 0.62 * len(results)), layout="constrained")
    figure.suptitle("Time until the answer", x=0.01, ha="left", color=paint.ink, fontsize=13, fontweight="bold")
    axes = figure.add_subplot()
    for row, result in enumerate(results):
        _draw_dots(axes, row, result, paint.of(result))
        _draw_marks(axes, row, result.figures, paint)
    _draw_scale(axes, results, paint)
    _draw_legend(axes, paint)
    figure.supxlabel(about, color=paint.faint, fontsize=7.5, x=0.01, ha="left")
    return figure


def _draw_dots(axes: Axes, row: int, result: Result, color: str) -> None:
    for shape in (OTHER, PHOTO):
        times = [
            answer.seconds * 1000 for answer in result.answers if (shape == PHOTO) == (answer.endpoint == WITH_PHOTO)
        ]
        heights = [row + SPREAD * ((place * GOLDEN) % 1 - 0.5) for place in range(len(times))]
        axes.plot(times, heights, shape, color=color, alpha=0.45, markersize=3.5, markeredgewidth=0)


def _draw_marks(axes: Axes, row: int, figures: Figures, paint: Paint) -> None:
    axes.plot([figures.p50, figures.p99], [row, row], color=paint.ink, linewidth=1.2, zorder=3)
    for value, shape in zip((figures.p50, figures.p95, figures.p99), PERCENTILES.values(), strict=True):
        axes.plot(value, row, color=paint.ink, zorder=4, **shape)
    words, above = f"{figures.p95:.0f} ms", (0, 11.5)
    place = (figures.p95, row)
    axes.annotate(words, place, above, textcoords="offset points", ha="center", color=paint.ink, weight="bold", size=9)


def _draw_scale(axes: Axes, results: Sequence[Result], paint: Paint) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(TICKS))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} ms")
    axes.set_yticks(range(len(results)), [result.mode.title for result in results])
    axes.set_ylim(len(results) - 0.4, -0.6)
    axes.tick_params(colors=paint.faint, length=0)
    for label, result in zip(axes.get_yticklabels(), results, strict=True):
        label.set_color(paint.of(result))
    axes.grid(axis="x", color=paint.grid, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    axes.axvline(LIMIT, color=paint.ink, linewidth=1, linestyle=(0, (4, 3)))


def _draw_legend(axes: Axes, paint: Paint) -> None:
    dots = [
        Line2D([], [], marker=shape, color=paint.faint, linestyle="none", markersize=4, label=label)
        for shape, label in ((OTHER, "a request"), (PHOTO, "with a photo"))
    ]
    marks = [Line2D([], [], color=paint.ink, label=label, **shape) for label, shape in PERCENTILES.items()]
    handles, corner = [*dots, *marks], (1, 1)
    axes.legend(handles=handles, ncols=5, loc="lower right", bbox_to_anchor=corner, frameon=False, labelcolor=paint.ink)
