"""Tables for a terminal, drawn by rich; no text in them is ever taken for rich's markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from queuectl.commands.text import safe


def render(header: Sequence[str], rows: Iterable[tuple[str, ...]], *, width: int, colour: bool) -> str:
    """The table as text in at most *width* cells; long cells end in an ellipsis."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for name in header:
        table.add_column(Text(name), no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(safe(cell)) for cell in row))
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
