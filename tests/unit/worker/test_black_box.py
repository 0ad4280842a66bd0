"""What a dead child has left behind."""

from __future__ import annotations

import os

import pytest

from queuectl.worker.black_box import BlackBox, Writer


def test_it_tells_what_began_last_and_where_it_ended() -> None:
    """Whoever wrote it, through the same open file."""
    box = BlackBox.make(3)
    writer = Writer(box.fileno(), 3)
    assert (box.begun, box.trace) == (frozenset(), "")
    writer.begin(3)
    writer.begin(-1)
    os.write(box.fileno(), b"Fatal Python error\n  in handle\n")
    writer.begin(4)
    writer.begin(5, place=2)
    assert (box.begun, box.trace) == ({4, 5}, "Fatal Python error\n  in handle")
    box.close()


def test_it_tells_what_may_have_completed_itself() -> None:
    """A run that has begun, and more."""
    box = BlackBox.make(2)
    writer = Writer(box.fileno(), 2)
    writer.begin(3)
    writer.begin(4, place=1)
    writer.begin(3, joined=True)
    assert (box.begun, box.joined) == ({3, 4}, {3})
    writer.begin(5)
    assert (box.begun, box.joined) == ({5, 4}, frozenset())
    box.close()


def test_what_it_forgot_does_not_come_back() -> None:
    """The next trace begins where the first one did."""
    box = BlackBox.make()
    os.write(box.fileno(), b"a long story of yesterday")
    box.forget()
    assert box.trace == ""
    os.write(box.fileno(), b"today")
    assert box.trace == "today"
    box.close()


def test_what_a_child_starts_does_not_get_it() -> None:
    """A subprocess of a job has nothing to say about it."""
    made = BlackBox.make()
    os.set_inheritable(made.fileno(), True)
    assert Writer(made.fileno()).fileno() == made.fileno()
    assert not os.get_inheritable(made.fileno())
    made.close()


def test_it_is_closed_once() -> None:
    """Its number may be another file's by then."""
    box = BlackBox.make()
    number = box.fileno()
    box.close()
    box.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)
