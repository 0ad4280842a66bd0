"""What a worker prints into a pipe that nobody empties."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import StringIO
from typing import TextIO

import pytest

from queuectl.commands import unblocked
from queuectl.commands.output import Output
from queuectl.commands.unblocked import Unblocked
from queuectl.events import Event, WorkerNote

Pipe = tuple[int, TextIO]


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """The end to read from, and the stream that is printed to."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    with os.fdopen(write, "w") as stream:
        yield read, stream
    os.close(read)


def test_lines_are_left_out_while_the_pipe_is_full_and_told_of_afterwards(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one who prints is never held up for long."""
    monkeypatch.setattr(unblocked, "PATIENCE", 0.01)
    read, stdout = pipe
    notes, seen = StringIO(), list[Event]()

    def listen(event: Event) -> None:
        seen.append(event)
        stdout.write("x" * 4095 + "\n")
        stdout.flush()

    listener = Unblocked(listen, Output(stdout, notes, StringIO()))
    for _ in range(1000):
        listener(WorkerNote("", 0))
    printed = len(seen)
    assert 0 < printed < 1000
    os.read(read, 1 << 20)
    listener(WorkerNote("", 0))
    assert len(seen) == printed + 1
    assert notes.getvalue() == f"warn: {1000 - printed} lines were not printed here: nobody read them.\n"
