"""The page of promises and the tests that are marked with its numbers agree."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT

PAGE = DOCS / "reliability.md"
ROWS = {found[1]: found[2] for found in re.finditer(r"^\| ([FX]\d+) \| (.+) \|$", PAGE.read_text(), re.MULTILINE)}
NUMBERS = [f"{kind}{n}" for kind in "FX" for n in range(1, 1 + sum(row[0] == kind for row in ROWS))]
EXCUSE = re.compile(r"Not run here: \w")
_LINK = re.compile(r"\[([^\]]+)\]\(\.\./([^)]+)\)")


def marked() -> dict[str, set[tuple[str, str]]]:
    """File and name of each test, by the numbers of its marks."""
    found: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for file in (ROOT / "tests").rglob("test_*.py"):
        for number, name in _marks(ast.parse(file.read_text())):
            found[number].add((str(file.relative_to(ROOT)), name))
    return found


def _marks(module: ast.Module) -> Iterator[tuple[str, str]]:
    for function in ast.walk(module):
        if isinstance(function, ast.FunctionDef):
            calls = [node for mark in function.decorator_list for node in ast.walk(mark) if isinstance(node, ast.Call)]
            for call in calls:
                if isinstance(call.func, ast.Attribute) and call.func.attr == "fault":
                    yield from ((ast.literal_eval(word), function.name) for word in call.args)


MARKED = marked()


def test_the_catalogue_is_whole() -> None:
    """Faults and attacks, each numbered, in order."""
    assert list(ROWS) == NUMBERS
    assert {"F44", "X20"} <= ROWS.keys()


@pytest.mark.parametrize("number", NUMBERS)
def test_each_number_has_its_tests(number: str) -> None:
    """The page names some, which are there and bear its mark; or it says why there is none, and then there is none."""
    named = {(file, "test_" + words.replace(" ", "_")) for words, file in _LINK.findall(ROWS[number])}
    assert bool(named) != bool(EXCUSE.search(ROWS[number]))
    assert named <= MARKED[number], f"{number}: {named - MARKED[number]}"
    assert bool(named) == bool(MARKED[number])


def test_no_test_bears_another_number() -> None:
    """Whoever reads a mark finds it on the page."""
    assert set(MARKED) <= set(NUMBERS)


def test_every_file_of_the_page_is_there() -> None:
    for _, file in _LINK.findall(PAGE.read_text()):
        assert Path(ROOT, file).is_file()
