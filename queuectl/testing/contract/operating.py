"""What operators see and do: counts, pages, clearing, and words without secrets."""

from __future__ import annotations

import traceback
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.drivers.contract import Counts, Driver, State
from queuectl.errors import DriverUnavailable
from queuectl.jobs.outcome import Done, Release, Unique
from queuectl.jobs.payload import identity
from queuectl.testing.contract.base import (
    Contract,
    entry,
    fail_one,
    push,
    reserve,
    reserve_one,
    settle,
    uuid_of,
)

CANARY = "s3cr3t-canary"


class Operating(Contract):
    """Numbers that are true, listings that hold still, nothing secret."""

    def test_counts_tell_the_states_apart(self, driver: Driver) -> None:
        """Pending, delayed and reserved; their sum is the size."""
        push(driver, *(entry() for _ in range(4)), entry(delay=60), entry(delay=60))
        reserve_one(driver)
        counts = driver.counts(["mail"])["mail"]
        assert (counts.pending, counts.delayed, counts.reserved, counts.size) == (3, 2, 1, 6)

    def test_counts_follow_the_clock(self, driver: Driver, clock: FakeClock) -> None:
        """A delayed job is pending when it is due, whether or not a worker has looked."""
        push(driver, entry(delay=60))
        clock.sleep(60)
        counts = driver.counts(["mail"])["mail"]
        assert (counts.pending, counts.delayed) == (1, 0)

    def test_counts_follow_the_outcomes(self, driver: Driver, clock: FakeClock) -> None:
        """What was settled is counted where it went."""
        push(driver, *(entry() for _ in range(3)))
        one, two, _ = reserve(driver, room=3)
        settle(driver, one, Done())
        settle(driver, two, Release(60))
        counts = driver.counts(["mail"])["mail"]
        assert (counts.pending, counts.delayed, counts.reserved) == (0, 1, 1)

    def test_named_queues_are_counted_even_if_empty(self, driver: Driver) -> None:
        """Zeros, and nothing oldest."""
        push(driver)
        counts = driver.counts(["mail", "nobody"])
        assert (counts["mail"].pending, counts["nobody"]) == (1, Counts())
        assert list(counts) == ["mail", "nobody"]

    def test_every_queue_there_is_can_be_asked_for(self, driver: Driver) -> None:
        """Those with jobs in whatever state, and no others."""
        push(driver, entry("mail"), entry("low", delay=60), entry("busy"), entry("done"))
        reserve_one(driver, "busy")
        settle(driver, reserve_one(driver, "done"), Done())
        found = {queue for queue, counts in driver.counts().items() if counts.size}
        assert found == {"mail", "low", "busy"}

    def test_the_oldest_pending_job_is_known(self, driver: Driver, clock: FakeClock) -> None:
        """When it was pushed; once it is reserved, the next one counts."""
        pushed = clock.now()
        push(driver)
        clock.sleep(100)
        push(driver, entry(at=clock.now()))
        clock.sleep(50)
        assert driver.counts(["mail"])["mail"].oldest == pytest.approx(pushed, abs=1)
        reserve_one(driver)
        assert driver.counts(["mail"])["mail"].oldest == pytest.approx(pushed + 100, abs=1)

    def test_delayed_and_reserved_jobs_are_not_the_oldest(self, driver: Driver) -> None:
        """Nobody waits for a worker there."""
        push(driver, entry(), entry(delay=60))
        reserve_one(driver)
        assert driver.counts(["mail"])["mail"].oldest is None

    @pytest.mark.parametrize("state", ["ready", "delayed", "reserved"])
    def test_pages_show_each_job_of_a_state_once(self, driver: Driver, clock: FakeClock, state: State) -> None:
        """In order, in as many pages as it takes; other states are not among them."""
        uuids = _seven(driver, clock, state)
        seen, cursor = [], None
        for _ in range(5):
            page = driver.page("mail", state, cursor=cursor, limit=3)
            assert len(page.items) <= 3
            seen += [identity(stored.payload)[0] for stored in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        assert (seen, cursor) == (uuids, None)

    def test_a_page_says_what_it_shows(self, driver: Driver, clock: FakeClock) -> None:
        """Queue, state, attempts, payload, and when it is due or its lease ends."""
        push(driver, entry(delay=60))
        [delayed] = driver.page("mail", "delayed").items
        assert (delayed.queue, delayed.state, delayed.attempts) == ("mail", "delayed", 0)
        assert delayed.at == pytest.approx(clock.now() + 60, abs=1)
        clock.sleep(60)
        taken = reserve_one(driver)
        [held] = driver.page("mail", "reserved").items
        assert (held.state, held.attempts, held.payload) == ("reserved", 1, taken.payload)
        assert held.at == pytest.approx(clock.now() + driver.retry_after, abs=1)

    @pytest.mark.parametrize("state", ["ready", "delayed"])
    def test_pages_do_not_shift_when_jobs_come(self, driver: Driver, clock: FakeClock, state: State) -> None:
        """Jobs that come between two pages neither repeat nor hide another."""
        uuids = _seven(driver, clock, state)
        first = driver.page("mail", state, limit=3)
        assert first.cursor is not None
        clock.sleep(1)
        push(driver, entry(), entry(delay=5000))
        rest = driver.page("mail", state, cursor=first.cursor, limit=100)
        assert [identity(stored.payload)[0] for stored in first.items + rest.items][:7] == uuids
        assert len(first.items + rest.items) == 8

    def test_pages_do_not_shift_when_jobs_leave(self, driver: Driver, clock: FakeClock) -> None:
        """Jobs that workers take between two pages hide no other."""
        uuids = _seven(driver, clock, "ready")
        first = driver.page("mail", "ready", limit=3)
        reserve(driver, room=2)
        rest = driver.page("mail", "ready", cursor=first.cursor, limit=100)
        assert [identity(stored.payload)[0] for stored in first.items + rest.items] == uuids

    @pytest.mark.parametrize("state", ["ready", "delayed", "reserved"])
    def test_an_empty_page_ends_at_once(self, driver: Driver, state: State) -> None:
        """No items, no cursor."""
        page = driver.page("nobody", state)
        assert (page.items, page.cursor) == ([], None)

    def test_clearing_takes_every_state_of_one_queue(self, driver: Driver) -> None:
        """It says how many; other queues keep theirs."""
        push(driver, entry(), entry(), entry(delay=60), entry("low"))
        reserve_one(driver)
        assert [driver.clear("mail"), driver.clear("mail")] == [3, 0]
        assert (driver.counts(["mail"])["mail"].size, driver.counts(["low"])["low"].size) == (0, 1)

    def test_a_cleared_queue_works_on(self, driver: Driver, clock: FakeClock) -> None:
        """What is pushed afterwards is reserved, and the failed store was not cleared."""
        fail_one(driver, clock)
        driver.clear("mail")
        [uuid] = push(driver)
        assert uuid_of(reserve_one(driver)) == uuid
        assert driver.failed.count() == 1

    def test_looking_changes_nothing(self, driver: Driver, clock: FakeClock) -> None:
        """Counts, pages and facts cost no attempt and no place in the queue."""
        uuids = push(driver, entry(), entry(unique=Unique("k", 60)))
        driver.counts()
        driver.page("mail", "ready")
        driver.about()
        driver.concerns()
        driver.check()
        got = reserve(driver, room=5)
        assert [(uuid_of(reserved), reserved.attempts) for reserved in got] == [(uuid, 1) for uuid in uuids]

    def test_a_driver_can_be_closed_and_used_again(self, driver: Driver) -> None:
        """Connections open when they are needed; closing twice is no error."""
        driver.push([entry()])
        if driver.immediate:
            return  # its store would be the object
        driver.close()
        driver.close()
        assert len(reserve(driver)) == 1

    def test_places_and_facts_hold_no_secret(self, connection: Connection, clock: FakeClock) -> None:
        """Where the store is, without its password; before any connection too."""
        driver = self.build(_with_secret(connection), clock)
        assert CANARY not in driver.place + repr(driver)
        driver.close()

    def test_facts_are_words(self, driver: Driver) -> None:
        """Texts under short names."""
        about = driver.about()
        assert about
        assert all(isinstance(word, str) for pair in about.items() for word in pair)

    def test_concerns_are_sentences_with_a_remedy(self, driver: Driver) -> None:
        """And each is told once."""
        concerns = driver.concerns()
        assert all(concern.text.endswith(".") and concern.fix for concern in concerns)
        assert len(set(concerns)) == len(concerns)

    def test_the_time_is_that_of_the_clock(self, driver: Driver, clock: FakeClock) -> None:
        """The one that delays and leases follow: here the bound one."""
        clock.sleep(12.5)
        assert driver.now() == pytest.approx(clock.now(), abs=0.001)

    @pytest.mark.shared_store
    def test_two_connections_to_the_same_store_have_the_same_place(self, driver: Driver, rival: Driver) -> None:
        """Whatever they are called; that is how commands tell which failed stores are one."""
        assert driver.place == rival.place

    def test_an_unreachable_store_is_told_without_its_secret(self, connection: Connection, clock: FakeClock) -> None:
        """`DriverUnavailable`, for every kind of call, with no password in message or traceback."""
        if not urlsplit(connection.url).hostname:
            pytest.skip("there is no server that could be unreachable")
        driver = self.build(replace(_with_secret(connection, port=1), timeout=1.0), clock)
        for call in (
            driver.check,
            lambda: driver.push([entry()]),
            lambda: driver.exchange([], ["mail"], 1),
            driver.failed.count,
            driver.control.marks,
        ):
            with pytest.raises(DriverUnavailable) as caught:
                call()
            assert CANARY not in "".join(traceback.format_exception(caught.value))
        driver.close()


def _seven(driver: Driver, clock: FakeClock, state: State) -> list[str]:
    """The uuids of seven jobs in this state, soonest first, with seven of each other state beside them."""
    reserved = []
    for _ in range(7):
        reserved += push(driver)
        reserve_one(driver)
        clock.sleep(1)
    ready = push(driver, *(entry() for _ in range(7)))
    delayed = push(driver, *(entry(delay=1000 + number) for number in range(7)))
    return {"reserved": reserved, "ready": ready, "delayed": delayed}[state]


def _with_secret(connection: Connection, port: int | None = None) -> Connection:
    """The same connection with a password in its URL."""
    parts = urlsplit(connection.url)
    if not parts.hostname:
        return connection
    user = parts.username or ""
    return replace(
        connection,
        url=parts._replace(netloc=f"{user}:{CANARY}@{parts.hostname}:{port or parts.port}").geturl(),
    )
