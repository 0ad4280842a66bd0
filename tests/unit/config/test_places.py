"""Keys are found in the text, whatever stands between them."""

from __future__ import annotations

import pytest

from queuectl.config.places import line_of, places

TEXT = '''\
default = "a # not a comment" # a comment
jobs = [
    "one",  # ] not the end
    "two",
]

[connections.redis]
url = """
[not.a.table]
key = 1
"""
prefix = 'it''s = x'

[connections . "with.dot"]
options = { a = 1, b = [1, 2] }
dotted.key = 3
'''


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("default",), 1),
        (("jobs",), 2),
        (("connections", "redis"), 7),
        (("connections", "redis", "url"), 8),
        (("connections", "redis", "prefix"), 12),
        (("connections", "with.dot"), 14),
        (("connections", "with.dot", "options"), 15),
        (("connections", "with.dot", "options", "a"), 15),
        (("connections", "with.dot", "dotted", "key"), 16),
        (("nowhere",), None),
    ],
)
def test_the_line_of_a_key(key: tuple[str, ...], line: int | None) -> None:
    """Strings, lists and comments that look like keys are stepped over."""
    assert line_of(TEXT.replace("it''s", "it is"), key) == line


def test_a_text_of_any_kind_ends() -> None:
    """Even where the text is no TOML at all, the search comes to an end."""
    assert list(places("= = [[[ ''' \"\"\" }")) == []
