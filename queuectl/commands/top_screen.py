"""The screen of `top`: one look in as many lines and cells as the terminal has.

Colours are the terminal's own (no background is ever set), so that they are readable on dark and on light ones; they
say nothing that the text does not say as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.text import Text

from queuectl.commands.seen import Key
from queuectl.commands.sparkline import BARS, sparkline
from queuectl.commands.text import padded, safe, shortened
from queuectl.commands.text import width as cells_of
from queuectl.commands.top_history import History
from queuectl.commands.top_look import Look
from queuectl.commands.top_rows import Row
from queuectl.commands.top_tables import Table, headline, tables
from queuectl.errors import QueuectlError
from queuectl.jobs.masking import mask

STYLES = {"": "", "warn": "yellow", "bad": "red"}
GAP = 2
LEAST = 6
"""Cells that every column keeps."""
TREND = 30
"""Cells of the widest sparkline beside a queue."""
KEYS = "up/down choose   p pause or resume   r retry what failed   q quit"
FIXED = 9
"""Lines beside the tables' rows: the two at the top, three headings, three blank ones, the keys."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where it is drawn, and what the person at the keyboard is doing."""

    width: int
    height: int | None = None
    """None: as long as it gets, and nobody at the keyboard."""
    chosen: Key | None = None
    message: str = ""
    """Instead of the keys."""
    bars: str = BARS


def draw(look: Look, history: History, frame: Frame) -> Text:
    """The whole screen."""
    queues, workers, failures = tables(look, history, frame.chosen)
    rows = [len(table.rows) or 1 for table in (queues, workers, failures)]
    room = shares(None if frame.height is None else frame.height - FIXED - len(look.lost), rows)
    trends = [sparkline(history.waiting(queue.key), TREND, bars=frame.bars) for queue in look.queues]
    lines = [
        *_top(look, history, frame),
        *_lines(queues, frame.width, room[0], trends),
        Text(),
        *_lines(workers, frame.width, room[1]),
        Text(),
        *_lines(failures, frame.width, room[2]),
        *_bottom(frame),
    ]
    return Text("\n").join(lines)


def _bottom(frame: Frame) -> list[Text]:
    if frame.height is None:
        return []
    said = shortened(safe(frame.message or KEYS), frame.width)
    return [Text(), Text(said, style="bold" if frame.message else "dim")]


def shares(room: int | None, wanted: Sequence[int]) -> list[int]:
    """How many rows each table gets: what it wants where there is room, and a fair share where there is not."""
    if room is None or sum(wanted) <= room:
        return list(wanted)
    given = [0] * len(wanted)
    for _ in range(max(room, 0)):
        hungry = [place for place, want in enumerate(wanted) if given[place] < want]
        given[min(hungry, key=lambda place: given[place])] += 1
    return given


def _top(look: Look, history: History, frame: Frame) -> list[Text]:
    """The sums, how fast it goes and the time; below that, who does not answer."""
    clock = f"{datetime.fromtimestamp(look.at).astimezone():%H:%M:%S}"
    said = headline(look, history)
    room = frame.width - cells_of(said) - len(clock) - 2 * GAP
    trend = sparkline(history.throughput, min(max(room, 0), TREND), bars=frame.bars).lstrip()
    left = shortened(f"{said}{' ' * GAP}{trend}", frame.width - len(clock) - 1)
    first = Text(padded(left, frame.width - len(clock)) + clock, style="bold")
    return [first, *(_lost(name, error, frame.width) for name, error in look.lost.items()), Text()]


def _lost(name: str, error: QueuectlError, width: int) -> Text:
    return Text(shortened(f"[{safe(name)}] {safe(mask(str(error)))}", width), style=STYLES["bad"])


def _lines(table: Table, width: int, room: int, trends: Sequence[str] = ()) -> list[Text]:
    """Heading and rows; where not all fit, those around the chosen one, and how many there are."""
    first = _first(len(table.rows), room, table.chosen)
    shown = [_marked(row, table.chosen, place) for place, row in enumerate(table.rows[first : first + room], first)]
    header = _mark(table.header, "" if table.chosen is None else "  ")
    widths = fit(header, [row.cells for row in shown], width)
    lines = [Text(shortened(_heading(_row(header, widths, table.numbers), table, first, len(shown)), width), "bold")]
    for place, row in enumerate(shown, first):
        text = _row(row.cells, widths, table.numbers)
        lines.append(_styled(text, trends[place] if trends else "", width, row.mood, chosen=place == table.chosen))
    return lines if table.rows or not room else [*lines, Text(table.empty, style="dim")]


def _heading(titles: str, table: Table, first: int, shown: int) -> str:
    if shown == len(table.rows):
        return titles.rstrip()
    some = f"{first + 1}-{first + shown} of {len(table.rows)}" if shown else f"({len(table.rows)})"
    return f"{titles.rstrip()}{' ' * GAP}{some}"


def _styled(text: str, trend: str, width: int, mood: str, *, chosen: bool) -> Text:
    room = width - cells_of(text) - GAP
    line = Text(shortened(text, width), style="reverse" if chosen else STYLES[mood])
    if trend and room > 1:
        line = Text.assemble(line, " " * GAP, (trend[-room:], "cyan"))
    return line


def _first(rows: int, room: int, chosen: int | None) -> int:
    return 0 if chosen is None else min(max(chosen - room // 2, 0), max(rows - room, 0))


def _marked(row: Row, chosen: int | None, place: int) -> Row:
    mark = "" if chosen is None else "> " if place == chosen else "  "
    return Row(_mark(tuple(map(safe, row.cells)), mark), row.mood)


def _mark(cells: Sequence[str], mark: str) -> tuple[str, ...]:
    return (mark + cells[0], *cells[1:])


def _row(cells: Iterable[str], widths: Sequence[int], numbers: frozenset[int]) -> str:
    parts = []
    for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        shown = shortened(cell, width)
        parts.append(" " * (width - cells_of(shown)) + shown if place in numbers else padded(shown, width))
    return (" " * GAP).join(parts)


def fit(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """The width of each column: what it needs; where that is too much, the widest give way first."""
    wanted = [max(map(cells_of, column)) for column in zip(header, *rows, strict=True)]
    room = width - GAP * (len(header) - 1)
    while sum(wanted) > room and max(wanted) > LEAST:
        wanted[wanted.index(max(wanted))] -= 1
    return wanted
