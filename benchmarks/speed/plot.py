"""The figures as a picture: how many jobs a second, a panel for each store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
from drawing import SETTINGS
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing

from speed.figures import Figures
from speed.measures.drain import FIFTY, ONE_TRIP
from speed.targets import TITLES

SUFFIXES = {"drain": "", "concurrency": ", many at once"}
NEAR = 0.85
"""Of a panel's width: beyond, there is no room for a limit's name."""
ROW = 0.3
"""Inches."""


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours for one kind of surroundings."""

    ink: str
    faint: str
    own: str
    other: str

    def of(self, who: str) -> str:
        return self.own if who.startswith("queuectl") else self.other


LIGHT = Paint("#1f2328", "#59636e", "#0969da", "#c5ccd3")
DARK = Paint("#f0f6fc", "#9198a1", "#58a6ff", "#484f58")


def plot(figures: Figures, file: Path, about: str) -> None:
    """Draw for light surroundings into *file*, and for dark ones into `NAME-dark` beside it."""
    panels = {store: rates for store in TITLES if (rates := _rates(figures, store))}
    with mpl.rc_context(SETTINGS):
        for paint, target in ((LIGHT, file), (DARK, file.with_stem(f"{file.stem}-dark"))):
            drawing = _drawn(figures, panels, paint, about)
            drawing.savefig(target, transparent=True, metadata={"Date": None} if target.suffix == ".svg" else {})


def _rates(figures: Figures, store: str) -> dict[str, float]:
    """Jobs a second by who did them, the most first."""
    found = {
        f"{key.who}{'' if key.who.startswith('queuectl') or 'once' in key.who else suffix}": figure.median
        for measure, suffix in SUFFIXES.items()
        for key, figure in figures.of(measure).items()
        if key.store == store and not key.who.startswith("limit")
    }
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _drawn(figures: Figures, panels: Mapping[str, dict[str, float]], paint: Paint, about: str) -> Drawing:
    heights = [len(rates) + 1.5 for rates in panels.values()]
    drawing = Drawing(figsize=(9, 1 + ROW * sum(heights)), layout="constrained")
    drawing.suptitle("Jobs a second, one worker", x=0.01, ha="left", color=paint.ink, fontsize=13, fontweight="bold")
    axes = drawing.subplots(max(len(panels), 1), height_ratios=heights or [1], squeeze=False)
    for (store, rates), (place,) in zip(panels.items(), axes, strict=False):
        _draw_bars(place, rates, paint)
        _draw_limits(place, figures, store, paint)
        place.set_title(TITLES[store], loc="left", color=paint.ink, fontsize=10, fontweight="bold")
    drawing.supxlabel(about, color=paint.faint, fontsize=7.5, x=0.01, ha="left")
    return drawing


def _draw_bars(axes: Axes, rates: Mapping[str, float], paint: Paint) -> None:
    names: Sequence[str] = list(rates)
    bars = axes.barh(names, list(rates.values()), color=[paint.of(name) for name in names], height=0.72)
    axes.bar_label(bars, [f"{rate:,.0f}" for rate in rates.values()], padding=4, color=paint.ink, fontsize=8.5)
    axes.set_ylim(len(names) - 0.2, -0.6)
    axes.margins(x=0.12)
    axes.tick_params(colors=paint.faint, length=0, labelbottom=False)
    axes.spines[:].set_visible(False)
    for label, name in zip(axes.get_yticklabels(), names, strict=False):
        label.set_color(paint.own if name.startswith("queuectl") else paint.faint)


def _draw_limits(axes: Axes, figures: Figures, store: str, paint: Paint) -> None:
    """Where a bare client ends, as far as that is within what is drawn."""
    for who, words in ((ONE_TRIP, "one round trip a job"), (FIFTY, "50 jobs a round trip")):
        rate = figures.median("drain", store, who)
        if rate is not None and rate < NEAR * axes.get_xlim()[1]:
            axes.axvline(rate, color=paint.ink, linewidth=1, linestyle=(0, (4, 3)))
            axes.annotate(
                f"bare client, {words}",
                (rate, 0),
                (4, 1),
                xycoords=("data", "axes fraction"),
                textcoords="offset points",
                color=paint.faint,
                fontsize=7.5,
                va="bottom",
            )
