"""Deadlocks and lock time-outs at every statement: whoever meets one tries again, and nobody hears of it."""

from __future__ import annotations

from contextlib import closing
from itertools import count

import pytest

from queuectl.clock import FakeClock
from tests.faults.rig.conflicts import ERRORS, Conflicts
from tests.faults.rig.lines import Line
from tests.faults.rig.operations import OPERATIONS, Scene, acted


@pytest.mark.fault("F28")
@pytest.mark.parametrize(
    ("line", "code"),
    [(store, code) for store, codes in ERRORS.items() for code in codes],
    indirect=["line"],
)
def test_any_statement_may_end_in_a_conflict(line: Line, code: str, clock: FakeClock) -> None:
    """Every operation is done once, in one call, whichever of its statements is refused."""
    with (
        closing(Conflicts(line.url)) as conflicts,
        closing(line.driver(spoiled=False, clock=clock)) as driver,
    ):
        for name in OPERATIONS:
            for number in count(1):
                with acted(name, Scene(f"{name[:3]}{len(name)}.{number}", driver, driver, clock)) as act:
                    conflicts.order(number, code)
                    act()
                    conflicts.cancel()
                    struck = conflicts.changes >= number
                if not struck:
                    break
            assert number > 1
