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

WHOLE = frozenset({"ID", "UUID", "GROUP"})
"""Never cut: half an id is none."""
FIRM = WHOLE | {"JOBS", "FAILED AT", "FIRST", "LAST", "STATE", "SINCE", "ATTEMPTS", "AT"}
"""Cut after all others: half a time or number says little."""
LEAST, LITTLE = 4, 12
"""Cells that every column keeps, and those of which the others keep no more while the firm ones are whole."""
GAP = 2
"""Cells between two columns; as many are at both edges together."""


def render(header: Sequence[str], rows: Iterable[tuple[str, ...]], *, width: int, colour: bool) -> str:
    """The table as text in at most *width* cells; long cells end in an ellipsis."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
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
    """How wide each column may be: the widest give way first, ids never, and times and numbers last."""
    wanted = [max(map(cells_of, column)) for column in zip(header, *rows, strict=True)]
    room = width - GAP * len(header)
    for kept, least in ((FIRM, LITTLE), (WHOLE, LEAST)):
        for most in range(max(wanted), least - 1, -1):
            caps = [each if name in kept else min(each, most) for name, each in zip(header, wanted, strict=True)]
            if sum(caps) <= room:
                return caps
    return caps
