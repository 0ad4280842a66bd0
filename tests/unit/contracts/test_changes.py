"""What is said about two versions of the jobs."""

from __future__ import annotations

import pytest

from queuectl.contracts.changes import Kind, changes
from queuectl.contracts.contract import Contract, Field

TEXT, WHOLE, NUMBER = {"type": "string"}, {"type": "integer"}, {"type": "number"}


def contract(*fields: Field) -> dict[str, Contract]:
    return {"Mail": Contract(fields)}


TO, COPIES = Field("to", True, TEXT), Field("copies", False, WHOLE)

CASES = [
    ("an argument is removed", (TO,), [("copies", Kind.ARGUMENT_REMOVED, True)]),
    ("one with a default is added", (TO, COPIES, Field("cc", False, TEXT)), [("cc", Kind.ARGUMENT_ADDED, False)]),
    ("one without is added", (TO, COPIES, Field("cc", True, TEXT)), [("cc", Kind.ARGUMENT_ADDED, True)]),
    ("a default is taken away", (TO, Field("copies", True, WHOLE)), [("copies", Kind.ARGUMENT_REQUIRED, True)]),
    ("a default is given", (Field("to", False, TEXT), COPIES), [("to", Kind.ARGUMENT_OPTIONAL, False)]),
    ("a type takes more", (TO, Field("copies", False, NUMBER)), [("copies", Kind.TYPE_CHANGED, False)]),
    ("a type takes other values", (TO, Field("copies", False, TEXT)), [("copies", Kind.TYPE_CHANGED, True)]),
    ("two change places", (COPIES, TO), [("", Kind.ORDER_CHANGED, True)]),
    (
        "one comes before the others",
        (Field("cc", False, TEXT), TO, COPIES),
        [("cc", Kind.ARGUMENT_ADDED, False), ("", Kind.ORDER_CHANGED, True)],
    ),
    ("nothing changes", (TO, COPIES), []),
]


@pytest.mark.parametrize(
    ("fields", "expected"), [case[1:] for case in CASES], ids=[case[0].replace(" ", "-") for case in CASES]
)
def test_each_change_has_its_name(fields: tuple[Field, ...], expected: list[tuple[str, Kind, bool]]) -> None:
    """And whether it may break what waits."""
    found = changes(contract(TO, COPIES), contract(*fields))
    assert [(change.argument, change.kind, change.breaks) for change in found] == expected


def test_jobs_come_and_go() -> None:
    """One that is gone breaks what waits for it; a new one breaks nothing."""
    old, new = {"A": Contract(())}, {"B": Contract(())}
    assert [(one.job, one.kind, one.breaks) for one in changes(old, new)] == [
        ("A", Kind.JOB_REMOVED, True),
        ("B", Kind.JOB_ADDED, False),
    ]
