"""What of a database is worth an operator's attention, where no server is needed to know it."""

from __future__ import annotations

import pytest

from queuectl.drivers.concern import certificate_concerns, is_near
from queuectl.drivers.database.sqlite import journal_concerns


@pytest.mark.parametrize(
    ("host", "near"),
    [
        ("", True),
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("/run/postgresql", True),
        ("db", False),
        ("10.0.0.7", False),
        ("a,b", False),
    ],
)
def test_near_is_what_crosses_no_network(host: str, near: bool) -> None:
    """This machine by any of its own names, or a socket."""
    assert is_near(host) is near


@pytest.mark.fault("X15")
@pytest.mark.parametrize(
    ("far", "encrypted", "verified", "words"),
    [
        (True, False, False, "clear text"),
        (True, True, False, "not verified"),
        (False, True, False, "not verified"),
        (True, True, True, ""),
        (False, False, False, ""),
    ],
)
def test_a_line_is_encrypted_and_verified_or_a_concern(far: bool, encrypted: bool, verified: bool, words: str) -> None:
    """On one machine it may be plain; whoever encrypts without looking at the certificate is told."""
    found = list(certificate_concerns(far=far, encrypted=encrypted, verified=verified, fix="?"))
    assert len(found) == bool(words)
    assert all(words in concern.text for concern in found)


def test_a_file_that_cannot_be_written_ahead_is_a_concern() -> None:
    """As on a file system of another machine."""
    assert journal_concerns("wal") == []
    [concern] = journal_concerns("delete")
    assert concern.subject == "durability"
