"""What a page quotes from a file is in that file."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import DOCS, Block, all_blocks, blocks

_SOURCE = re.compile(r"\]\((\.\./(?:examples|queuectl|conf|scripts)/[^)#]+)\)")


def source(block: Block) -> str:
    """The file that the paragraph above a block links to, last; empty if the block is no quote."""
    found = _SOURCE.findall(block.before)
    return found[-1] if found and block.before.rstrip().endswith(":") else ""


QUOTES = [block for block in all_blocks("python", "toml", "sh") if source(block)]


@pytest.mark.parametrize("quote", QUOTES, ids=str)
def test_it_is_there(quote: Block) -> None:
    """Its lines follow each other in the file, at whatever depth; a single line may be a part of one."""
    wanted = [line.strip() for line in quote.text.splitlines()]
    there = [line.strip() for line in (quote.page.parent / source(quote)).read_text().splitlines()]
    if len(wanted) == 1:
        assert any(wanted[0] in line for line in there), f"{quote} quotes what {source(quote)} does not say"
        return
    starts = range(len(there) - len(wanted) + 1)
    assert any(there[n : n + len(wanted)] == wanted for n in starts), f"{quote} differs from {source(quote)}"


def test_each_good_practice_has_its_lines() -> None:
    """Five practices, at least one quote each."""
    page = DOCS / "good-practices.md"
    text = page.read_text()
    headings = [text.count("\n", 0, found.start()) + 1 for found in re.finditer(r"^## \d\.", text, re.MULTILINE)]
    quoted = [block.line for block in blocks(page, "python", "toml", "sh") if source(block)]
    assert len(headings) == 5
    for start, end in zip(headings, [*headings[1:], 10_000], strict=True):
        assert any(start < line < end for line in quoted), f"nothing is quoted behind line {start}"
