"""A folder with a configuration, in which commands are run as from a shell, but in this process."""

from __future__ import annotations

import json
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from queuectl.cli import main
from queuectl.commands.output import Output

CONFIG = """\
default = "database"
jobs = ["shop"]

[connections.database]
"""
SHOP = '''\
"""The jobs of an application."""

from queuectl import Job


class Mail(Job):
    """Send a letter."""

    to: str
    copies: int = 1

    queue = "mail"
    tries = 3
    backoff = (10, 30)

    def handle(self) -> None: ...
'''


class Terminal(StringIO):
    """A stream that people sit at."""

    def isatty(self) -> bool:
        return True


@dataclass(frozen=True)
class Run:
    """What came of one command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Site:
    """A project that uses queuectl."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, config: str = CONFIG) -> None:
        file = self.root / "conf" / "queue.toml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(config)

    def run(self, *words: str, stdin: str | None = None, terminal: bool = False) -> Run:
        """Run `queuectl WORDS`. *terminal*: all three streams are one."""
        stream = Terminal if terminal else StringIO
        out, err = stream(), stream()
        environment = {"TERM": "xterm"}
        with redirect_stdout(out):  # the parser prints its help by itself
            code = main(words, Output(out, err, stream(stdin or ""), environment))
        return Run(code, out.getvalue(), err.getvalue())


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A project on SQLite, without tables yet."""
    for name in ("QUEUE_CONNECTION", "QUEUE_DATABASE_URL", "REDIS_URL", "QUEUECTL_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    found = Site(tmp_path)
    found.write()
    (tmp_path / "shop.py").write_text(SHOP)
    return found
