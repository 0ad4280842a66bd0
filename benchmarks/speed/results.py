"""RESULTS.md: what a run found, with all that is needed to judge it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from speed.figures import Figure, Figures, Key, shown
from speed.peers.catalog import ABSENT
from speed.surroundings import Surroundings
from speed.targets import TARGETS, TITLES

BENCHMARKS = Path(__file__).parents[1]
FILE = BENCHMARKS / "RESULTS.md"
PICTURE = BENCHMARKS.parent / "docs/figures/speed.svg"
SECTIONS = {
    "drain": "One worker, one job at a time",
    "concurrency": "One worker, many jobs in flight",
    "dispatch": "Dispatch, one at a time",
    "bulk": "Dispatch in bulk",
    "naps": "500 jobs that wait 20 ms, 50 at once",
    "workers": "CPU-bound jobs, one worker process and two",
    "latency p50": "Idle latency, median: from the call of `dispatch` to the first line of `handle`",
    "latency p99": "Idle latency, 99th percentile",
    "boot": "From a worker's start to its first job",
    "start": "Commands",
}
"""Titles of the measures that have a table of their own; the others share the last one."""


def write(figures: Figures, surroundings: Surroundings, file: Path = FILE, picture: Path = PICTURE) -> None:
    file.write_text("\n".join(_lines(figures, surroundings)) + "\n")
    from speed.plot import plot  # its library is an extra

    plot(figures, picture, surroundings.described().splitlines()[0])


def _lines(figures: Figures, surroundings: Surroundings) -> Iterator[str]:
    yield "# What `python -m benchmarks` found"
    yield ""
    yield from _about(surroundings)
    yield from _picture()
    yield from _targets(figures)
    yield from _fates(figures)
    for measure in SECTIONS:
        yield from _section(SECTIONS[measure], {measure: figures.of(measure)})
    rest = [measure for measure in figures.measures() if measure not in SECTIONS]
    yield from _section("Everything else", {measure: figures.of(measure) for measure in rest})
    yield from _missing(figures)


def _about(surroundings: Surroundings) -> Iterator[str]:
    yield f"`{surroundings.command}`, {surroundings.at}, {surroundings.minutes:.0f} minutes."
    yield ""
    yield f"- Machine: {surroundings.machine}; load before the run {surroundings.load:.2f}."
    for doubt in surroundings.doubts:
        yield f"- **{doubt}**"
    for version, about in surroundings.stores.values():
        yield f"- {version}: {about}."
    yield f"- Clients: {', '.join(f'{name} {version}' for name, version in surroundings.clients.items())}."
    yield f"- Medians of {surroundings.rounds} rounds, in each of which everybody takes a turn; payloads of 120 bytes."
    yield "- queuectl: `queuectl work -q`, everything else as it comes: leases, fencing, attempts, durable pushes."
    yield ""


def _picture() -> Iterator[str]:
    yield "<picture>"
    yield '  <source media="(prefers-color-scheme: dark)" srcset="../docs/figures/speed-dark.svg">'
    yield '  <img alt="Jobs a second, by store and library" src="../docs/figures/speed.svg">'
    yield "</picture>"
    yield ""


def _targets(figures: Figures) -> Iterator[str]:
    rows = [(target.says, reached) for target in TARGETS if (reached := target.reached(figures)) is not None]
    met = sum(reached.is_met for _, reached in rows)
    yield f"## Targets: {met} of {len(rows)} met"
    yield ""
    yield from _table(("target", "reached", "met?"), "llc")
    for says, reached in rows:
        yield f"| {says} | {reached.words} | {'yes' if reached.is_met else '**no**'} |"
    yield ""


def _fates(figures: Figures) -> Iterator[str]:
    if not figures.kept:
        return
    yield "## What becomes of a job whose worker is killed"
    yield ""
    yield "Measured: `kill -9` to the worker with all its processes half a second after a job began; is the job still"
    yield "in the store? What happens then is what each library's own documentation says."
    yield ""
    yield from _table(("store", "who", "measured", "by its documentation"), "llll")
    for key, words in figures.kept.items():
        measured, _, documented = words.partition("; ")
        yield f"| {TITLES[key.store]} | {key.who} | {measured} | {documented} |"
    yield ""


def _section(title: str, found: dict[str, dict[Key, Figure]]) -> Iterator[str]:
    """One measure needs no column that names it."""
    if not any(found.values()):
        return
    named = len(found) > 1
    yield f"## {title}"
    yield ""
    yield from _table((*(("measure",) if named else ()), "store", "who", "median", "from … to"), "lllrr"[not named :])
    for measure, rows in found.items():
        for key, figure in rows.items():
            cells = (TITLES.get(key.store, ""), key.who, shown(figure.median, figure.unit), figure.spread)
            yield f"| {' | '.join((measure, *cells) if named else cells)} |"
    yield ""


def _missing(figures: Figures) -> Iterator[str]:
    yield "## Not measured"
    yield ""
    for name, reason in ABSENT.items():
        yield f"- {name}: {reason}."
    for key, reason in figures.missing.items():
        yield f"- {key.who}{f' on {TITLES[key.store]}' if key.store else ''}, {key.measure}: {reason}."


def _table(headings: Sequence[str], sides: str) -> Iterator[str]:
    lines = {"l": "---", "r": "---:", "c": ":---:"}
    yield f"| {' | '.join(headings)} |"
    yield f"|{'|'.join(lines[side] for side in sides)}|"
