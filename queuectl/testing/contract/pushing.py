"""What `push` promises."""

from __future__ import annotations

import pytest

from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.drivers.contract import Driver
from queuectl.errors import InvalidName, PayloadTooLarge
from queuectl.jobs.outcome import Done, Release, Unique
from queuectl.testing.contract.base import (
    APPLIED,
    Contract,
    entry,
    failure,
    push,
    reserve,
    reserve_one,
    settle,
    uuid_of,
    uuids_of,
)

WELCOME = Unique("welcome:1", ttl=60)


class Pushing(Contract):
    """Accepting jobs."""

    def test_push_returns_the_uuids_in_order(self, driver: Driver) -> None:
        """Each entry's uuid stands where the entry stood."""
        entries = [entry(), entry("high"), entry(delay=5), entry()]
        assert driver.push(entries) == [one.uuid for one in entries]

    def test_pushing_nothing_does_nothing(self, driver: Driver) -> None:
        """No entries, no uuids, no jobs."""
        assert driver.push([]) == []
        assert driver.counts() == {}

    def test_a_pushed_job_is_reserved_with_its_payload(self, driver: Driver) -> None:
        """Queue, payload and the first attempt arrive at the worker."""
        sent = entry("mail", arguments='{"user_id":1}')
        driver.push([sent])
        got = reserve_one(driver, "mail")
        assert (got.queue, got.attempts, uuid_of(got)) == ("mail", 1, sent.uuid)
        assert b'{\\"user_id\\":1}' in got.payload

    def test_a_delayed_job_is_not_early_by_a_second(self, driver: Driver, clock: FakeClock) -> None:
        """With a delay of 10 it cannot be had after 9 seconds."""
        push(driver, entry(delay=10))
        for _ in range(9):
            clock.sleep(1)
            assert reserve(driver) == []

    def test_a_delayed_job_is_ready_at_its_second(self, driver: Driver, clock: FakeClock) -> None:
        """With a delay of 10 it can be had after 10 seconds."""
        push(driver, entry(delay=10))
        clock.sleep(10)
        assert len(reserve(driver)) == 1

    def test_a_delay_is_counted_from_the_push(self, driver: Driver, clock: FakeClock) -> None:
        """An idle hour before it changes nothing."""
        assert reserve(driver) == []
        clock.sleep(3600)
        push(driver, entry(delay=2))
        clock.sleep(1)
        assert reserve(driver) == []
        clock.sleep(1)
        assert len(reserve(driver)) == 1

    def test_fractions_of_a_second_make_nothing_early(self, driver: Driver, clock: FakeClock) -> None:
        """A second counts from the fraction at which it began; it may take until the next whole one, never less."""
        clock.sleep(0.75)
        push(driver, entry(delay=1))
        clock.sleep(0.9)
        assert reserve(driver) == []
        clock.sleep(1.1)
        assert len(reserve(driver)) == 1

    def test_a_job_without_delay_is_ready_at_any_fraction_of_a_second(self, driver: Driver, clock: FakeClock) -> None:
        """Pushed or released, it can be had in the same moment."""
        for _ in range(4):
            clock.sleep(0.3)
            push(driver)
            settle(driver, reserve_one(driver), Release(0))
            settle(driver, reserve_one(driver), Done())

    def test_hundreds_in_one_push_keep_their_order(self, driver: Driver) -> None:
        """However a driver divides them."""
        uuids = push(driver, *(entry() for _ in range(700)))
        assert uuids_of(reserve(driver, room=700)) == uuids

    def test_a_queue_that_cannot_be_named_so_is_refused(self, driver: Driver) -> None:
        """`InvalidName`, and the good entries beside it are not pushed either."""
        for name in ("", "two words", "line\nbreak", "a" * 192, "é", "'; DROP TABLE jobs; --"):
            with pytest.raises(InvalidName):
                driver.push([entry("mail"), entry(name)])
        assert reserve(driver, room=10) == []

    def test_odd_queue_names_work(self, driver: Driver) -> None:
        """Every character a name may have, and 191 of them."""
        for name in ("mail-high_1.x:y", "{mail}", "user@host", "-", "q" * 191):
            [uuid] = push(driver, entry(name))
            assert uuids_of(reserve(driver, name)) == [uuid]

    def test_a_payload_may_be_as_large_as_allowed(self, driver: Driver, connection: Connection) -> None:
        """`max_payload` bytes come back whole."""
        payload = _padded(connection.max_payload)
        push(driver, entry(payload=payload))
        assert len(reserve_one(driver).payload) == len(payload)

    def test_a_larger_payload_is_refused(self, driver: Driver, connection: Connection) -> None:
        """`PayloadTooLarge`, and the small entry before it is not pushed either."""
        with pytest.raises(PayloadTooLarge):
            push(driver, entry(), entry(payload=_padded(connection.max_payload + 1)))
        assert reserve(driver, room=10) == []

    def test_a_taken_key_pushes_nothing_and_names_its_holder(self, driver: Driver) -> None:
        """The second entry with the key gets the first one's uuid."""
        [first] = push(driver, entry(unique=WELCOME))
        assert push(driver, entry(unique=WELCOME)) == [first]
        assert uuids_of(reserve(driver, room=10)) == [first]

    def test_one_push_may_hold_a_key_twice(self, driver: Driver) -> None:
        """Of two entries with one key in one call, the first is pushed; others are not disturbed."""
        first, second, other = entry(unique=WELCOME), entry(unique=WELCOME), entry(unique=Unique("welcome:2", 60))
        assert push(driver, first, second, other) == [first.uuid, first.uuid, other.uuid]
        assert uuids_of(reserve(driver, room=10)) == [first.uuid, other.uuid]

    def test_a_key_stays_taken_while_its_job_runs_and_waits(self, driver: Driver) -> None:
        """Reserving and releasing a job does not free its key."""
        [first] = push(driver, entry(unique=WELCOME))
        settle(driver, reserve_one(driver), Release(30))
        assert push(driver, entry(unique=WELCOME)) == [first]

    def test_a_key_is_free_after_its_time(self, driver: Driver, clock: FakeClock) -> None:
        """After `ttl` seconds another entry may hold it, whatever became of the first."""
        [first] = push(driver, entry(unique=WELCOME))
        clock.sleep(59)
        assert push(driver, entry(unique=WELCOME)) == [first]
        clock.sleep(1)
        second = entry(unique=WELCOME)
        assert push(driver, second) == [second.uuid]

    def test_a_key_is_free_when_its_job_is_done(self, driver: Driver) -> None:
        """`Done(unlock=…)` frees the key in the same step."""
        push(driver, entry(unique=WELCOME))
        assert settle(driver, reserve_one(driver), Done(unlock=(WELCOME.key,))) is APPLIED
        second = entry(unique=WELCOME)
        assert push(driver, second) == [second.uuid]

    def test_a_key_is_free_when_its_job_has_failed(self, driver: Driver, clock: FakeClock) -> None:
        """`Failed(unlock=…)` frees the key in the same step."""
        push(driver, entry(unique=WELCOME))
        reserved = reserve_one(driver)
        assert settle(driver, reserved, failure(reserved, clock, unlock=(WELCOME.key,))) is APPLIED
        second = entry(unique=WELCOME)
        assert push(driver, second) == [second.uuid]

    def test_a_key_is_freed_by_its_holder_only(self, driver: Driver, clock: FakeClock) -> None:
        """A job that outlived its key's time does not free it for the job that holds it since."""
        push(driver, entry(unique=WELCOME))
        slow = reserve_one(driver)
        clock.sleep(60)
        driver.renew([slow])
        [second] = push(driver, entry(unique=WELCOME))
        assert settle(driver, slow, Done(unlock=(WELCOME.key,))) is APPLIED
        assert push(driver, entry(unique=WELCOME)) == [second]

    def test_a_follower_may_hold_the_key_that_its_predecessor_frees(self, driver: Driver) -> None:
        """In one `Done` keys are freed first, then what follows is pushed."""
        push(driver, entry(unique=WELCOME))
        then = entry("next", unique=WELCOME)
        settle(driver, reserve_one(driver), Done(then=(then,), unlock=(WELCOME.key,)))
        assert uuids_of(reserve(driver, "next")) == [then.uuid]
        assert push(driver, entry(unique=WELCOME)) == [then.uuid]


def _padded(size: int) -> bytes:
    payload = entry(arguments="").payload
    return entry(arguments="x" * (size - len(payload))).payload
