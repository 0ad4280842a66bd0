"""Failures of one cause share a fingerprint, whatever differs from job to job."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuectl.jobs.fingerprint import COMPARED, READ, fingerprint, normalised
from queuectl.jobs.outcome import Problem


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("no user 17", "no user <number>"),
        ("balance -5,000.25 EUR", "balance <number> EUR"),
        ("HTTP 500 for v2", "HTTP <number> for v2"),
        ("no order 123e4567-e89b-12d3-a456-426614174000", "no order <uuid>"),
        ("commit deadbeef01 is lost", "commit <hex> is lost"),
        ("the facade is down", "the facade is down"),
        ("no column 'prix' in \"orders\"", "no column <text> in <text>"),
        ("it's not the user's fault", "it's not the user's fault"),
        ("[Errno 2] No such file: /var/lib/shop/1.jpg", "[Errno <number>] No such file: <path>"),
        (r"C:\shop\1.jpg is locked", "<path> is locked"),
        ("either/or", "either/or"),
        ("GET https://api.example/users/17?x=1 failed", "GET <url> failed"),
        ("10.0.0.1:5432 refused", "<address> refused"),
        ("<Order object at 0x7f00aa>", "<Order object at <address>>"),
        ("awa@example.com bounced", "<mail> bounced"),
        ("not before 2026-01-02T10:11:12.5Z", "not before <time>"),
        ("late: 2026-01-02 10:11:12+01:00, 10:11:12", "late: <time>, <time>"),
        ("first line 1\nsecond line", "first line <number>"),
        ("", ""),
    ],
)
def test_what_differs_from_job_to_job_is_a_placeholder(message: str, expected: str) -> None:
    """And what tells causes apart stays."""
    assert normalised(message) == expected


def test_job_type_message_and_place_tell_causes_apart() -> None:
    """Twelve hex digits; the traceback does not count."""
    same = Problem("E", "no user 17", "Traceback …", "orders.py:charge")
    found = fingerprint("Mail", same)
    assert len(found) == 12
    assert int(found, 16) >= 0
    assert fingerprint("Mail", Problem("E", "no user 4711", "", "orders.py:charge")) == found
    others = [
        fingerprint("Invoice", same),
        fingerprint("Mail", Problem("F", "no user 17", "", "orders.py:charge")),
        fingerprint("Mail", Problem("E", "no order 17", "", "orders.py:charge")),
        fingerprint("Mail", Problem("E", "no user 17", "", "orders.py:refund")),
    ]
    assert len({found, *others}) == 5


def test_a_message_that_a_listing_cut_off_has_the_same_fingerprint() -> None:
    """Stores keep the beginning of its first line."""
    whole = "no user 17 in " + "x" * COMPARED + " 4711" * READ + "\nsecond line"
    assert normalised(whole[:READ]) == normalised(whole)


@given(st.text() | st.text("'\"`/.-:@0 a<>\n", max_size=600))
def test_any_message_has_one(message: str) -> None:
    """Whatever it holds, soon, and always the same."""
    problem = Problem("E", message, "")
    assert fingerprint("x\ud800", problem) == fingerprint("x\ud800", problem)
