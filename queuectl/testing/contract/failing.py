"""What the failed store promises."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver
from queuectl.jobs.outcome import Done, Failed, Release
from queuectl.jobs.payload import decode, encode, new_uuid, parse
from queuectl.testing.contract.base import (
    APPLIED,
    Contract,
    entry,
    fail_one,
    failure,
    push,
    record,
    reserve,
    reserve_one,
    settle,
    uuid_of,
    uuids_of,
)

UNDECODABLE = [b"\xff\xfe\x00binary", b"text with a \x00 NUL", b"", b'{"job":"x"', b"base64:looks like ours"]


class Failing(Contract):
    """Jobs that failed for good: whole, once, and brought back once."""

    def test_a_failed_job_is_in_exactly_one_place(self, driver: Driver, clock: FakeClock) -> None:
        """Out of the queue and into the failed store."""
        uuid = fail_one(driver, clock)
        assert [job.uuid for job in driver.failed.page().items] == [uuid]
        assert driver.counts(["mail"])["mail"].size == 0

    def test_a_failed_job_is_kept_whole(self, driver: Driver, clock: FakeClock) -> None:
        """Everything the record says comes back; of the message, its first line."""
        push(driver, entry(arguments='{"name":"Zoë 😀"}'))
        reserved = reserve_one(driver)
        kept = record(reserved, clock, message="no Zoë 😀\nsecond line", text="Traceback …\n  héhé 😀\n" * 50)
        assert settle(driver, reserved, Failed(kept)) is APPLIED
        found = driver.failed.get(kept.uuid)
        assert found is not None
        assert (found.uuid, found.connection, found.queue, found.job) == (kept.uuid, "primary", "mail", "SendWelcome")
        assert (found.error, found.message, found.text) == ("builtins.ValueError", "no Zoë 😀", kept.problem.text)
        assert (found.payload, found.attempts, found.foreign) == (kept.payload, 1, False)
        assert found.failed_at == pytest.approx(clock.now(), abs=1)

    @pytest.mark.parametrize("payload", UNDECODABLE)
    def test_a_payload_that_nobody_can_read_is_kept_byte_for_byte(
        self, driver: Driver, clock: FakeClock, payload: bytes
    ) -> None:
        """Not UTF-8, with NULs, empty, cut off: it goes into the failed store as it came, and back again."""
        push(driver, entry(payload=payload))
        reserved = reserve_one(driver)
        kept = replace(record(reserved, clock), job="")
        settle(driver, reserved, Failed(kept))
        found = driver.failed.get(kept.uuid)
        assert found is not None
        assert (found.payload, found.job) == (payload, "")
        assert driver.failed.retry([kept.uuid]) == [kept.uuid]
        assert reserve_one(driver).payload == payload

    def test_an_added_record_replaces_its_former_self(self, driver: Driver, clock: FakeClock) -> None:
        """One uuid has one row, the newest."""
        push(driver)
        kept = record(reserve_one(driver), clock)
        driver.failed.add([kept])
        driver.failed.add([replace(kept, attempts=3)])
        [row] = driver.failed.page().items
        assert row.attempts == 3

    def test_an_older_failure_never_replaces_a_newer_one(self, driver: Driver, clock: FakeClock) -> None:
        """A relay that was frozen between two stores comes late with what has been retried, and has failed, since."""
        push(driver)
        old = record(reserve_one(driver), clock)
        clock.sleep(5)
        new = replace(old, attempts=3, failed_at=clock.now())
        driver.failed.add([new])
        driver.failed.add([old])
        [row] = driver.failed.page().items
        assert row.attempts == 3
        assert row.failed_at == pytest.approx(clock.now(), abs=1)

    def test_a_job_that_fails_again_has_one_record(self, driver: Driver, clock: FakeClock) -> None:
        """A record that an operator's retry left behind, or a relay copied, is replaced by the new failure."""
        push(driver)
        reserved = reserve_one(driver)
        driver.failed.add([record(reserved, clock)])
        clock.sleep(5)
        assert settle(driver, reserved, failure(reserved, clock)) is APPLIED
        assert driver.failed.count() == len(driver.failed.page().items) == 1

    def test_it_can_be_found_by_uuid_and_by_its_short_id(self, driver: Driver, clock: FakeClock) -> None:
        """Both are keys; what is neither finds nothing."""
        uuid = fail_one(driver, clock)
        [row] = driver.failed.page().items
        by_uuid, by_id = driver.failed.get(uuid), driver.failed.get(row.id)
        assert by_uuid is not None
        assert by_uuid == by_id
        assert [driver.failed.get(key) for key in ("", "0", "999999999999999999999", "x", new_uuid())] == [None] * 5

    def test_listings_are_newest_first_and_without_bodies(self, driver: Driver, clock: FakeClock) -> None:
        """What failed last stands first; payload and text are not loaded."""
        uuids = _fail(driver, clock, 3)
        page = driver.failed.page()
        assert [row.uuid for row in page.items] == uuids[::-1]
        assert {(row.payload, row.text) for row in page.items} == {(b"", "")}
        assert page.cursor is None

    def test_listings_can_be_of_one_queue(self, driver: Driver, clock: FakeClock) -> None:
        """Over several pages too."""
        mail = [fail_one(driver, clock, "mail") for _ in range(3) if fail_one(driver, clock, "low")]
        first = driver.failed.page(queue="mail", limit=2)
        second = driver.failed.page(queue="mail", limit=2, cursor=first.cursor)
        assert {row.uuid for row in first.items + second.items} == set(mail)
        assert second.cursor is None

    def test_listings_do_not_shift(self, driver: Driver, clock: FakeClock) -> None:
        """What fails or is forgotten between two pages neither repeats nor hides another row."""
        uuids = _fail(driver, clock, 6)
        first = driver.failed.page(limit=2)
        assert first.cursor is not None
        _fail(driver, clock, 2)
        driver.failed.forget([uuids[5]])
        rest = driver.failed.page(limit=100, cursor=first.cursor)
        assert [row.uuid for row in first.items + rest.items] == uuids[::-1]

    def test_an_exact_last_page_ends_the_listing(self, driver: Driver, clock: FakeClock) -> None:
        """However pages fall, following cursors ends, having shown each row once."""
        uuids, seen, cursor = _fail(driver, clock, 4), [], None
        for _ in range(5):
            page = driver.failed.page(limit=2, cursor=cursor)
            seen += [row.uuid for row in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        assert (seen, cursor) == (uuids[::-1], None)

    def test_a_retried_job_starts_afresh(self, driver: Driver, clock: FakeClock) -> None:
        """Attempts from 0, a new `id`, the same uuid and arguments, and no row left behind."""
        [uuid] = push(driver, entry(arguments='{"big":1180591620717411303424}'))
        first = reserve_one(driver)
        settle(driver, first, failure(first, clock))
        assert driver.failed.retry([uuid]) == [uuid]
        assert driver.failed.count() == 0
        second = reserve_one(driver)
        before, after = parse(first.payload), parse(second.payload)
        assert (uuid_of(second), second.attempts) == (uuid, 1)
        assert after["data"] == before["data"]
        assert after["id"] != before["id"]

    def test_retrying_moves_the_time_window(self, driver: Driver, clock: FakeClock) -> None:
        """A job that might run for an hour may do so again, counted from the retry."""
        uuid, pushed = new_uuid(), clock.now()
        payload = encode(job="Slow", arguments="{}", uuid=uuid, retry_until=pushed + 3600, created_at=pushed)
        push(driver, entry(payload=payload))
        reserved = reserve_one(driver)
        settle(driver, reserved, failure(reserved, clock))
        clock.sleep(100_000)
        driver.failed.retry([uuid])
        assert parse(reserve_one(driver).payload)["retryUntil"] == clock.now() + 3600

    def test_a_retried_job_is_ready_in_its_own_queue(self, driver: Driver, clock: FakeClock) -> None:
        """Each goes back to where it came from."""
        mail, low = fail_one(driver, clock, "mail"), fail_one(driver, clock, "low")
        assert sorted(driver.failed.retry([mail, low])) == sorted([mail, low])
        assert [uuid_of(reserve_one(driver, queue)) for queue in ("mail", "low")] == [mail, low]

    def test_a_retried_job_can_fail_and_be_retried_again(self, driver: Driver, clock: FakeClock) -> None:
        """Round after round."""
        [uuid] = push(driver)
        for _ in range(3):
            reserved = reserve_one(driver)
            assert reserved.attempts == 1
            settle(driver, reserved, failure(reserved, clock))
            assert driver.failed.retry([uuid]) == [uuid]

    def test_a_retry_says_who_waits_for_the_end(self, driver: Driver, clock: FakeClock) -> None:
        """In this life only: the next one has its own name to wait under, or none. Attempts leave it alone."""
        uuid = fail_one(driver, clock)
        for watch in ("op-7k2f9q", "op-2", None):
            assert driver.failed.retry([uuid], watch=watch) == [uuid]
            settle(driver, reserve_one(driver), Release())
            reserved = reserve_one(driver)
            assert (decode(reserved.payload).watch, reserved.attempts) == (watch or "", 2)
            settle(driver, reserved, failure(reserved, clock))

    def test_retrying_again_does_nothing(self, driver: Driver, clock: FakeClock) -> None:
        """The second call, and the second mention in one call, move nothing; unknown keys are left out."""
        uuid = fail_one(driver, clock)
        [row] = driver.failed.page().items
        assert driver.failed.retry([uuid, row.id, uuid, new_uuid(), "nonsense"]) == [uuid]
        assert driver.failed.retry([uuid]) == []
        assert driver.failed.retry([]) == []
        assert len(reserve(driver, room=5)) == 1

    def test_retrying_by_short_id_answers_with_the_uuid(self, driver: Driver, clock: FakeClock) -> None:
        """Operators type numbers; the answer is what the job is called everywhere."""
        uuid = fail_one(driver, clock)
        [row] = driver.failed.page().items
        assert driver.failed.retry([row.id]) == [uuid]

    def test_two_operators_retrying_at_once_push_each_job_once(
        self, driver: Driver, rival: Driver, clock: FakeClock
    ) -> None:
        """Between them they report, and push, every job exactly once."""
        uuids = _fail(driver, clock, 20)
        with ThreadPoolExecutor(4) as pool:
            moved = [*pool.map(lambda one: one.failed.retry(uuids), (driver, rival, driver, rival))]
        assert sorted(uuid for some in moved for uuid in some) == sorted(uuids)
        assert sorted(map(uuid_of, reserve(driver, room=50))) == sorted(uuids)
        assert driver.failed.count() == 0

    def test_forgetting_answers_for_what_it_deleted(self, driver: Driver, clock: FakeClock) -> None:
        """By uuid or short id, once; what is not there is left out."""
        first, second, third = _fail(driver, clock, 3)
        newest = driver.failed.page().items[0]
        assert sorted(driver.failed.forget([first, newest.id, first, "nonsense"])) == sorted([first, third])
        assert driver.failed.forget([first]) == []
        assert [row.uuid for row in driver.failed.page().items] == [second]
        assert reserve(driver) == []

    def test_flushing_deletes_everything(self, driver: Driver, clock: FakeClock) -> None:
        """It says how many; a second flush finds none."""
        _fail(driver, clock, 5)
        assert [driver.failed.flush(), driver.failed.flush()] == [5, 0]
        assert (driver.failed.count(), driver.failed.page().items) == (0, [])

    def test_flushing_may_spare_the_recent(self, driver: Driver, clock: FakeClock) -> None:
        """What failed at or before the given time goes, what failed after it stays."""
        uuids = _fail(driver, clock, 4)  # a minute apart
        assert driver.failed.flush(before=clock.now() - 180) == 2
        assert {row.uuid for row in driver.failed.page().items} == set(uuids[2:])

    def test_more_than_a_thousand_can_be_retried_or_flushed(self, driver: Driver, clock: FakeClock) -> None:
        """However a driver divides them."""
        push(driver)
        pattern = record(reserve_one(driver), clock)
        records = [replace(pattern, uuid=new_uuid()) for _ in range(1200)]
        driver.failed.add(records)
        assert driver.failed.count() == 1200
        keys = [one.uuid for one in records[:1100]]
        assert sorted(driver.failed.retry(keys)) == sorted(keys)
        assert driver.counts(["mail"])["mail"].pending == 1100
        assert driver.failed.flush() == 100
        assert driver.clear("mail") == 1101

    def test_large_jobs_are_retried_together(self, driver: Driver, clock: FakeClock) -> None:
        """More than a store takes in one step: each comes back whole, in the order in which they failed."""
        arguments = [json.dumps({"text": letter * 700_000}) for letter in "abcd"]
        uuids = push(driver, *(entry(arguments=text) for text in arguments))
        for reserved in reserve(driver, room=4):
            settle(driver, reserved, failure(reserved, clock))
        assert sorted(driver.failed.retry(uuids)) == sorted(uuids)
        again = reserve(driver, room=4)
        assert uuids_of(again) == uuids
        assert [parse(reserved.payload)["data"]["args"] for reserved in again] == arguments

    def test_the_rival_sees_the_same_failed_jobs(self, driver: Driver, rival: Driver, clock: FakeClock) -> None:
        """The failed store is the store's, not the object's."""
        uuid = fail_one(driver, clock)
        assert [row.uuid for row in rival.failed.page().items] == [uuid]
        assert rival.failed.forget([uuid]) == [uuid]
        assert driver.failed.count() == 0

    def test_a_neighbour_of_a_failed_job_is_untouched(self, driver: Driver, clock: FakeClock) -> None:
        """Failing one settles one."""
        push(driver, entry(), entry())
        one, other = reserve(driver, room=2)
        settle(driver, one, failure(one, clock))
        assert settle(driver, other, Done()) is APPLIED


def _fail(driver: Driver, clock: FakeClock, many: int) -> list[str]:
    """The uuids of so many failed jobs, oldest first, a minute apart; the clock stands a minute after the last."""
    uuids = []
    for _ in range(many):
        uuids.append(fail_one(driver, clock))
        clock.sleep(60)
    return uuids
