"""A queue's name becomes a key, a pattern and a line of configuration: what is none is refused everywhere."""

from __future__ import annotations

import pytest

from tests.unit.cli.conftest import Site

NAMES = ("two words", "line\nbreak", "q" * 192, "😀", "a;b", "*", "'; DROP TABLE jobs; --", "../x", "a/b", "\x1b[2J")
COMMANDS = (
    ["dispatch", "Mail", '["ann"]', "--queue", "{}"],
    ["work", "--once", "--queue", "{}"],
    ["clear", "--force", "--queue", "{}"],
    ["monitor", "{}"],
    ["pause", "{}"],
    ["supervisor:config", "--queue", "{}"],
)


@pytest.mark.fault("F42", "X14")
@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_what_is_no_queue_name_is_a_usage_error(ready: Site, words: list[str]) -> None:
    """Exit 2, before any store is asked."""
    for name in NAMES:
        run = ready.run(*(word.replace("{}", name) for word in words))
        assert (name, run.code) == (name, 2), run.err
        assert "is not a queue name" in run.err
        assert "\x1b" not in run.err
    assert ready.size("default") == 0
