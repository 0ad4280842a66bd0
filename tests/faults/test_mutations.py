"""Whatever promise is broken on purpose, the suite notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.mutations import MUTATIONS, REPOSITORY, Mutation, try_out

all_of_them = pytest.mark.parametrize("mutation", MUTATIONS, ids=[mutation.name for mutation in MUTATIONS])


@all_of_them
def test_a_mutation_still_finds_what_it_changes(mutation: Mutation, tmp_path: Path) -> None:
    """Else it would break nothing, and be caught by nobody."""
    for file in {change.file for change in mutation.changes}:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text((REPOSITORY / file).read_text())
    for change in mutation.changes:
        change.apply(tmp_path)


@pytest.mark.long
@pytest.mark.timeout(1200)
@all_of_them
def test_a_broken_promise_is_noticed(mutation: Mutation) -> None:
    """By each of the tests that are there for it."""
    missed = [verdict.words for verdict in try_out(mutation) if not verdict.caught]
    assert missed == []
