"""The quick start works as it is written."""

from __future__ import annotations

from pathlib import Path

from tests.docs.pages import DOCS, ROOT, blocks
from tests.docs.walk import Walk


def test_the_quick_start_can_be_followed(tmp_path: Path) -> None:
    """Every file and every command of the page, in its order, shows what the page shows."""
    assert Walk(tmp_path).follow(DOCS / "quick-start.md") == 11


def test_the_readme_can_be_followed(tmp_path: Path) -> None:
    """Its job, its configuration and its three commands, after `queuectl migrate`."""
    walk = Walk(tmp_path)
    [configuration, *_] = blocks(ROOT / "README.md", "toml")
    walk.write("conf/queue.toml", configuration.text)
    walk.run("queuectl migrate")
    assert walk.follow(ROOT / "README.md") == 3
