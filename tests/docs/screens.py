"""Draws what docs/screens.md shows. `python -m tests.docs.screens` writes the page; a test holds it to the program."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from queuectl.cli import main
from queuectl.clock import FakeClock
from queuectl.commands.filters import Filter
from queuectl.commands.output import Output
from queuectl.commands.session import Session
from queuectl.commands.text import visible
from queuectl.commands.top_history import History
from queuectl.commands.top_look import Wanted, take
from queuectl.commands.top_screen import Frame, draw
from tests.docs.shop import CONFIGURATION, Shop, uuid

PAGE = Path(__file__).parents[2] / "docs" / "screens.md"
WIDTHS = (80, 140)
HEIGHT = 32
PACE = (18, 25, 31, 22, 16, 9, 12, 20, 27, 35, 30, 24, 21, 26, 29)
"""Invoices sent within each two seconds, as `top` watches."""

PARKED, RUNS, WAITS = uuid(1), uuid(14), uuid(166)
SCREENS = (
    ("How full are the queues?", ("monitor", "mail-high,image")),
    ("What failed, and why?", ("failed", "--limit", "6")),
    ("How many causes are there?", ("failed", "--group")),
    ("What lies in the queues?", ("jobs:list", "--limit", "6")),
    ("Why does this job not run?", ("explain", WAITS)),
    ("And this one?", ("explain", PARKED)),
    ("Who runs this one?", ("explain", RUNS)),
    ("Why does nothing of this queue run?", ("explain", "--queue", "image")),
    ("Everything at a glance", ("top",)),
)
HEAD = """\
# What it looks like

Every screen as a terminal of 80 columns shows it, and one of 140: a small shop on a bad day. Its mail has failed since
a deployment, its images wait for a worker that is gone, and one job was dispatched by code that the workers do not have
yet. `python -m tests.docs.screens` draws this page anew, and a test compares.

Colours are left out here. They are those of the terminal's own theme, dark or light, in front of its own background,
and they say nothing that the words do not say as well. `NO_COLOR=1` turns them off. In a pipe there are none, and no
line is cut.
"""


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


class Studio:
    """The shop's project, and screens of it."""

    def __init__(self, folder: Path) -> None:
        self._clock = FakeClock()
        (folder / "conf").mkdir()
        (folder / "conf/queue.toml").write_text(CONFIGURATION)
        self.run(("migrate",))
        with self._session() as session:
            self._shop = Shop(session.app.driver(), self._clock)
            self._shop.open()

    def run(self, words: tuple[str, ...], environment: dict[str, str] | None = None) -> str:
        """What a terminal shows after this command."""
        out = Terminal()
        code = main(words, Output(out, StringIO(), StringIO(), environment or {"NO_COLOR": "1"}), clock=self._clock)
        assert code == 0, words
        return out.getvalue()

    def top(self, width: int) -> str:
        """After half a minute, with the urgent queue chosen."""
        history, chosen = History(), ("database", "mail-high")
        with self._session() as session:
            wanted = Wanted(["database"], Filter())
            for count in PACE:
                self._shop.serve(count, seconds=2)
                look = take(session, wanted)
                history.add(look)
            return draw(look, history, Frame(width, HEIGHT, chosen)).plain

    @contextmanager
    def _session(self) -> Iterator[Session]:
        session = Session(Output(Terminal(), StringIO(), StringIO(), {}), clock=self._clock)
        yield session
        session.close()


@contextmanager
def studio(width: int) -> Iterator[Studio]:
    """In a folder and a time zone of its own, before a terminal of this width."""
    before = dict(os.environ)
    with TemporaryDirectory() as folder, chdir(folder):
        for name in ("QUEUE_CONNECTION", "QUEUE_DATABASE_URL", "REDIS_URL", "QUEUECTL_CONFIG"):
            os.environ.pop(name, None)
        os.environ.update(COLUMNS=str(width), LINES=str(HEIGHT), TZ="UTC")
        time.tzset()
        try:
            yield Studio(Path(folder))
        finally:
            os.environ.clear()
            os.environ.update(before)
            time.tzset()


def screens(width: int) -> dict[tuple[str, ...], str]:
    """Every screen at this width, by its command."""
    with studio(width) as seen:
        found = {words: seen.run(words) for _, words in SCREENS if words != ("top",)}
        return {**found, ("top",): seen.top(width)}


def page() -> str:
    """The whole of docs/screens.md."""
    drawn = {width: screens(width) for width in WIDTHS}
    parts = [HEAD]
    for title, words in SCREENS:
        parts.append(f"## {title}\n\n`queuectl {' '.join(words)}`\n")
        parts += [_block(drawn[width][words]) for width in WIDTHS]
    return "\n".join(parts)


def _block(screen: str) -> str:
    lines = "\n".join(line.rstrip() for line in visible(screen).strip("\n").splitlines())
    return f"```text\n{lines}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(page())
