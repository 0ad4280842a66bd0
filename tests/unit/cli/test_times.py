"""Durations and moments, typed and shown."""

from __future__ import annotations

import pytest

from queuectl.commands.times import ago, iso, moment, runtime, seconds
from queuectl.errors import UsageError


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("0", 0),
        ("90", 90),
        ("1.5", 1.5),
        ("500ms", 0.5),
        ("10m", 600),
        ("1h30m", 5400),
        ("2 h", 7200),
        ("7d", 604_800),
        ("1W", 604_800),
    ],
)
def test_durations_are_words(words: str, expected: float) -> None:
    """A plain number is seconds, as artisan has them."""
    assert seconds(words) == expected


@pytest.mark.parametrize("words", ["", "ten", "10x", "-5", "m10", "1e400", "inf", "nan", "9" * 400])
def test_what_is_no_duration_is_refused(words: str) -> None:
    """The sentence names the option and what would have been right."""
    with pytest.raises(UsageError, match="--for"):
        seconds(words, "--for")


def test_a_moment_is_a_date_or_a_duration_ago() -> None:
    """Both are counted from now."""
    assert moment("2h", 10_000.0, "--since") == 2_800.0
    assert moment("2026-01-01T00:00:00+00:00", 0, "--since") == 1_767_225_600.0


@pytest.mark.parametrize("words", ["x", "2026-13-01", "-5"])
def test_what_is_no_moment_is_refused(words: str) -> None:
    """The sentence shows both ways to write one."""
    with pytest.raises(UsageError, match=r"--since: .* is neither a time ago nor a date\..*2026-01-31"):
        moment(words, 0, "--since")


def test_json_times_are_utc() -> None:
    """ISO 8601 with milliseconds and a Z."""
    assert iso(1_767_225_600.25) == "2026-01-01T00:00:00.250Z"


@pytest.mark.parametrize(
    ("duration", "shown"),
    [(0.01234, "12.34ms"), (1.0, "1,000.00ms"), (1.2, "1s"), (123, "2m 3s"), (3600, "1h"), (90_061, "1d 1h 1m 1s")],
)
def test_run_times_read_as_artisans(duration: float, shown: str) -> None:
    """Milliseconds up to a second, then whole units."""
    assert runtime(duration) == shown


def test_ago_has_one_unit() -> None:
    """The largest that fits."""
    assert [ago(0.4), ago(1), ago(200), ago(7300)] == ["0 seconds ago", "1 second ago", "3 minutes ago", "2 hours ago"]
