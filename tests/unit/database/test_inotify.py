"""News of a file, where the system gives them."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from queuectl.drivers.database.inotify import news_of

OPEN = Path("/proc/self/fd")
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has it")


def _descriptors() -> int:
    return len(list(OPEN.iterdir()))


def test_a_write_is_news_once(tmp_path: Path) -> None:
    """Whichever of the files it was in; what has been taken is not told again."""
    first, second = tmp_path / "first", tmp_path / "second"
    first.touch()
    second.touch()
    news = news_of([str(first), str(second)])
    assert news is not None
    assert not news.take()
    for file in (first, second):
        file.write_text("something")
        assert news.take()
        assert not news.take()
    news.close()


def test_a_file_that_is_not_there_tells_nothing(tmp_path: Path) -> None:
    """And leaves no descriptor open."""
    before = _descriptors()
    assert news_of([str(tmp_path / "nowhere")]) is None
    assert _descriptors() == before


def test_closing_twice_closes_once(tmp_path: Path) -> None:
    """The number may be another file's by then."""
    file = tmp_path / "file"
    file.touch()
    news = news_of([str(file)])
    assert news is not None
    news.close()
    other = os.open(file, os.O_RDONLY)
    news.close()
    os.close(other)
