"""A PHP application on the same tables: what its workers reserve, take over, push and fail."""

from __future__ import annotations

import pytest

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Settlement, Verdict
from queuectl.drivers.database import DatabaseDriver
from queuectl.jobs.outcome import Done, Release
from queuectl.testing.contract.base import entry, failure, push, reserve
from tests.unit.database.conftest import Raw
from tests.unit.database.laravel import EXCEPTION, FAIL, PHP_JOB, PUSH, STRING_JOB

TAKE = "update jobs set reserved_at = ?, attempts = attempts + 1"
"""What Laravel's worker does to a row."""


def test_a_job_that_php_pushed_is_handed_out_as_it_is(driver: DatabaseDriver, raw: Raw, clock: FakeClock) -> None:
    """Byte for byte, though its payload has no counter and no id."""
    raw(PUSH, "mail", STRING_JOB, int(clock.now()), int(clock.now()))
    [reserved] = reserve(driver)
    assert (reserved.payload.decode(), reserved.attempts) == (STRING_JOB, 1)


def test_php_does_not_steal_what_is_renewed(driver: DatabaseDriver, raw: Raw, clock: FakeClock) -> None:
    """Renewing moves `reserved_at`, by which PHP judges."""
    push(driver)
    reserved = reserve(driver)
    for _ in range(10):
        clock.sleep(10)
        assert driver.renew(reserved) == []
    [(seen,)] = raw("select reserved_at from jobs")
    assert seen == int(clock.now())


def test_a_lease_that_php_took_over_is_phps(driver: DatabaseDriver, raw: Raw, clock: FakeClock) -> None:
    """Our late worker changes nothing, and the sweep gives PHP its whole time."""
    push(driver)
    [reserved] = reserve(driver)
    clock.sleep(95)
    raw(TAKE, int(clock.now()))
    for outcome in (Done(), Release(0)):
        assert driver.exchange([Settlement(reserved, outcome)], ["mail"], 1) == ([Verdict.GONE], [])
    assert driver.renew([reserved]) == [reserved]
    clock.sleep(91)
    [again] = reserve(driver)
    assert again.attempts == 3


def test_rows_that_php_failed_are_listed_with_name_and_error(driver: DatabaseDriver, raw: Raw) -> None:
    """Read from payload and exception; a serialised object is foreign, a string job is not."""
    raw(FAIL, "b1a6", "database", "mail", PHP_JOB, EXCEPTION, "2027-01-15 08:00:00")
    raw(FAIL, "c2b7", "database", "mail", STRING_JOB, EXCEPTION, "2027-01-15 08:00:01")
    string, php = driver.failed.page().items
    assert (php.job, php.foreign, string.job, string.foreign) == (r"App\Jobs\Mail", True, "SendWelcome", False)
    assert (php.error, php.message) == (
        "RuntimeException",
        "no route to host: 10.0.0.1 in /var/www/app/Jobs/Mail.php:12",
    )
    assert (php.failed_at, php.payload) == (1_800_000_000.0, b"")
    whole = driver.failed.get("b1a6")
    assert whole is not None
    assert (whole.payload.decode(), whole.text, whole.foreign) == (PHP_JOB, EXCEPTION, True)


def test_a_row_that_php_failed_can_be_retried(driver: DatabaseDriver, raw: Raw) -> None:
    """With the uuid it had, and everything that was in its payload."""
    raw(FAIL, "c2b7", "database", "mail", STRING_JOB, EXCEPTION, "2027-01-15 08:00:01")
    assert driver.failed.retry(["c2b7"]) == ["c2b7"]
    [reserved] = reserve(driver)
    assert reserved.payload.startswith(STRING_JOB[:-1].encode())


def test_flush_by_age_knows_the_age_of_phps_rows(driver: DatabaseDriver, raw: Raw) -> None:
    """`failed_at` is UTC."""
    raw(FAIL, "old", "database", "mail", PHP_JOB, EXCEPTION, "2027-01-15 08:00:00")
    raw(FAIL, "new", "database", "mail", PHP_JOB, EXCEPTION, "2027-01-15 08:00:02")
    assert driver.failed.flush(before=1_800_000_001.0) == 1
    assert [job.uuid for job in driver.failed.page().items] == ["new"]


def test_our_failed_rows_say_when_in_laravels_words(driver: DatabaseDriver, raw: Raw) -> None:
    """`Y-m-d H:i:s` in UTC, beside the exact time."""
    push(driver)
    [reserved] = reserve(driver)
    driver.exchange([Settlement(reserved, failure(reserved, FakeClock()))], [], 0)
    [(failed_at,)] = raw("select failed_at from failed_jobs")
    assert str(failed_at) == "2027-01-15 08:00:00"


@pytest.mark.fault("F34")
@pytest.mark.parametrize("payload", ["", "not json", "null", "[]", '{"job":', "\ufffd", "base64:###"])
def test_junk_is_handed_out_like_any_row(driver: DatabaseDriver, raw: Raw, clock: FakeClock, payload: str) -> None:
    """A driver judges nothing: the worker fails it with its bytes."""
    raw(PUSH, "mail", payload, int(clock.now()), int(clock.now()))
    push(driver, entry())
    junk, good = reserve(driver, room=5)
    assert junk.payload == payload.encode()
    assert good.attempts == 1
