"""Tables for a terminal, drawn by rich; no text in them is ever taken for rich's markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from queuectl.commands.text import safe
from queuectl.commands.text import width as cells_of

WHOLE = ("ID", "UUID")
LEAST = 4
"""Cells that every column keeps."""
GAP = 3
"""Cells between two columns; as many are at both edges together."""


def render(header: Sequence[str], rows: Iterable[tuple[str, ...]], *, width: int, colour: bool) -> str:
    """The table as text in at most *width* cells; long cells end in an ellipsis."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    cells = [[safe(cell) for cell in row] for row in rows]
    for name, cap in zip(header, _caps(header, cells, width), strict=True):
        table.add_column(Text(name), no_wrap=True, overflow="ellipsis", min_width=cap, max_width=cap)
    for row in cells:
        table.add_row(*map(Text, row))
    console = Console(
        file=StringIO(),
        width=width,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        legacy_windows=False,
    )
    with console.capture() as captured:
        console.print(table)
    return captured.get()


def _caps(header: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[int]:
    """How wide each column may be: the widest give way first, and an id never does, for half an id is none."""
    wanted = [max(map(cells_of, column)) for column in zip(header, *rows, strict=True)]
    room = width - GAP * len(header)
    for most in range(max(wanted), LEAST, -1):
        caps = [each if name in WHOLE else min(each, most) for name, each in zip(header, wanted, strict=True)]
        if sum(caps) <= room:
            return caps
    return [each if name in WHOLE else min(each, LEAST) for name, each in zip(header, wanted, strict=True)]
