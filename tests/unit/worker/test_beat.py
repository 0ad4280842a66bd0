"""Signs of life between versions of the program."""

from __future__ import annotations

import json

from queuectl.drivers.control import Beat

BEAT = Beat("h:1:x", "default", "h", 1, ("mail",), 1.0, 2.0, 1, 0, version="1.2.3", paused=("mail",))


def test_a_beat_comes_back_as_it_was() -> None:
    """Through its text."""
    assert Beat.from_text(BEAT.to_text()) == BEAT


def test_a_newer_worker_may_say_more() -> None:
    """Whoever does not know the word reads over it, so a monitor outlives a deploy."""
    assert Beat.from_text(json.dumps({**json.loads(BEAT.to_text()), "mood": "good"})) == BEAT


def test_an_older_worker_may_say_less() -> None:
    """It tells no version, and nothing of pauses."""
    found = json.loads(BEAT.to_text())
    del found["version"], found["paused"]
    older = Beat.from_text(json.dumps(found))
    assert (older.version, older.paused) == ("", None)
