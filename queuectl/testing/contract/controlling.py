"""What the control store promises: marks, beats, counters, locks."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver
from queuectl.drivers.control import BEAT_TTL, EVERY_QUEUE, REMEMBERED, Beat, LastSeen, Pause, PutOff
from queuectl.drivers.ends import End
from queuectl.drivers.operation import Operation, new_operation_id
from queuectl.testing.contract.base import Contract, push, reserve_one


class Controlling(Contract):
    """Small texts with an expiry, shared by everybody who uses the store."""

    def test_a_restart_mark_is_seen_by_all(self, driver: Driver, rival: Driver) -> None:
        """It stays, and a new one replaces it."""
        assert driver.control.marks().restart is None
        for mark in ("2026-11-24 a", "2026-11-24 b"):
            driver.control.ask_restart(mark)
            assert rival.control.marks().restart == mark

    def test_a_paused_queue_is_paused_until_resumed(self, driver: Driver, rival: Driver, clock: FakeClock) -> None:
        """With its reason; other queues are not."""
        pause = Pause(reason="déploiement 😀", since=clock.now(), by="awa@web-1")
        driver.control.pause("mail", pause)
        clock.sleep(1_000_000)
        marks = rival.control.marks()
        assert marks.paused == {"mail": pause}
        assert (marks.is_paused("mail"), marks.is_paused("mail-high")) == (True, False)
        assert [rival.control.resume("mail"), rival.control.resume("mail")] == [True, False]
        assert not driver.control.marks().is_paused("mail")

    def test_a_pause_may_have_an_end(self, driver: Driver, clock: FakeClock) -> None:
        """After its seconds the queue is open again, and there is nothing to resume."""
        driver.control.pause("mail", Pause(until=clock.now() + 600), ttl=600)
        clock.sleep(599)
        assert driver.control.marks().is_paused("mail")
        clock.sleep(1)
        assert not driver.control.marks().is_paused("mail")
        assert driver.control.resume("mail") is False

    def test_every_queue_can_be_paused_at_once(self, driver: Driver) -> None:
        """Queues nobody has heard of too."""
        driver.control.pause(EVERY_QUEUE, Pause())
        assert driver.control.marks().is_paused("any")

    def test_a_pause_does_not_stop_the_driver(self, driver: Driver) -> None:
        """Workers keep it; a driver only stores it."""
        push(driver)
        driver.control.pause("mail", Pause())
        assert reserve_one(driver).attempts == 1

    def test_queues_with_odd_names_can_be_paused(self, driver: Driver) -> None:
        """A name is never a pattern."""
        for name in ("{mail}", "a:b", "user@host", "q" * 191, "a_b", "a.b"):
            driver.control.pause(name, Pause(reason=name))
        assert driver.control.marks().paused["q" * 191].reason == "q" * 191
        assert driver.control.resume("axb") is False
        assert len(driver.control.marks().paused) == 6

    def test_a_beat_is_seen_while_it_is_renewed(self, driver: Driver, rival: Driver, clock: FakeClock) -> None:
        """A worker that misses several is taken for gone."""
        driver.control.beat(_beat("host:1:a", clock))
        clock.sleep(BEAT_TTL - 1)
        driver.control.beat(_beat("host:1:a", clock))
        clock.sleep(BEAT_TTL - 1)
        [beat] = rival.control.beats()
        assert beat.running == ({"job": "SendWelcome", "uuid": "u"},)
        clock.sleep(1)
        assert rival.control.beats() == []

    def test_a_worker_that_leaves_has_no_beat(self, driver: Driver, clock: FakeClock) -> None:
        """Others keep theirs."""
        for worker in ("host:1:a", "host:2:b"):
            driver.control.beat(_beat(worker, clock))
        driver.control.leave("host:1:a")
        assert [beat.worker for beat in driver.control.beats()] == ["host:2:b"]

    def test_who_served_a_queue_last_is_remembered(self, driver: Driver, rival: Driver, clock: FakeClock) -> None:
        """Long after the beat, queue by queue, and the latest counts."""
        driver.control.serve(("mail", "{image}"), LastSeen("default", "web-1", clock.now()))
        clock.sleep(86_400)
        last = LastSeen("default", "web-2", clock.now(), left=True)
        rival.control.serve(("mail",), last)
        found = driver.control.last_seen()
        assert (found["mail"], found["{image}"].host) == (last, "web-1")

    def test_operations_are_written_down(self, driver: Driver, rival: Driver, clock: FakeClock) -> None:
        """By everybody who uses the store, the newest first; each for a month."""
        first = Operation(new_operation_id(), "flush", "flush --force", "ann@shop", clock.now())
        driver.control.record(first)
        driver.control.record(replace(first, count=3, undoable=True))
        clock.sleep(1)
        second = Operation(new_operation_id(), "pause", "pause mail", "bo@shop", clock.now(), count=1)
        rival.control.record(second)
        assert driver.control.operations() == [second, replace(first, count=3, undoable=True)]
        rival.control.strike(second.id)
        clock.sleep(REMEMBERED - 1)
        assert driver.control.operations() == []

    def test_the_end_of_a_job_is_told_to_who_waits_for_it(
        self, driver: Driver, rival: Driver, clock: FakeClock
    ) -> None:
        """Under a name of their own, for an hour or until they have read it."""
        ends = [End(uuid, "Mail", "{mail}", uuid == "a", 3, clock.now(), "ValueError", "no 😀") for uuid in "ab"]
        for end in ends:
            driver.control.tell_end("op-1", end)
        driver.control.tell_end("op-10", ends[0])
        driver.control.tell_end("op-1", replace(ends[0], uuid="é" * 200))  # of another program: no part of a key
        assert sorted(rival.control.ends("op-1"), key=lambda end: end.uuid) == ends
        rival.control.strike_end("op-1", "a")
        assert [end.uuid for end in driver.control.ends("op-1")] == ["b"]
        clock.sleep(3600)
        assert driver.control.ends("op-1") == driver.control.ends("op-10") == []

    def test_why_a_job_was_put_off_is_told_until_it_is_due(
        self, driver: Driver, rival: Driver, clock: FakeClock
    ) -> None:
        """And a minute longer."""
        driver.control.put_off("u", "another was at work", at=clock.now(), seconds=30, holder="v")
        assert rival.control.why_put_off("u") == PutOff("another was at work", clock.now() + 30, "v")
        assert rival.control.why_put_off("v") is None
        clock.sleep(90)
        assert rival.control.why_put_off("u") is None

    def test_counters_add_up(self, driver: Driver, rival: Driver) -> None:
        """From several workers."""
        driver.control.count({"done:mail": 12, "failed:mail": 1})
        rival.control.count({"done:mail": 30})
        assert driver.control.counters() == {"done:mail": 42, "failed:mail": 1}

    def test_counting_at_once_loses_nothing(self, driver: Driver, rival: Driver) -> None:
        """Additions are one step each."""
        with ThreadPoolExecutor(4) as pool:
            for future in [
                pool.submit(one.control.count, {"done:mail": 1}) for one in (driver, rival) for _ in range(20)
            ]:
                future.result()
        assert driver.control.counters() == {"done:mail": 40}

    def test_a_tally_counts_from_one_and_is_forgotten(self, driver: Driver, clock: FakeClock) -> None:
        """Its time counts from the first, not from the last."""
        assert [driver.control.tally("crash:u", ttl=100) for _ in range(2)] == [1, 2]
        clock.sleep(99)
        assert driver.control.tally("crash:u", ttl=100) == 3
        clock.sleep(1)
        assert driver.control.tally("crash:u", ttl=100) == 1

    def test_a_lock_has_one_owner(self, driver: Driver, rival: Driver) -> None:
        """Only who has it gives it back."""
        assert driver.control.acquire("report", "me", 60) is True
        assert rival.control.acquire("report", "you", 60) is False
        assert rival.control.release("report", "you") is False
        assert rival.control.holder("report") == "me"
        assert driver.control.release("report", "me") is True
        assert rival.control.acquire("report", "you", 60) is True

    def test_a_lock_ends_with_its_time(self, driver: Driver, clock: FakeClock) -> None:
        """Then it is free, and its former owner gives back nothing."""
        driver.control.acquire("report", "me", 60)
        clock.sleep(59)
        assert driver.control.holder("report") == "me"
        clock.sleep(1)
        assert driver.control.holder("report") is None
        assert driver.control.release("report", "me") is False
        assert driver.control.acquire("report", "you", 60) is True
        assert driver.control.release("report", "me") is False

    def test_of_many_who_want_a_lock_one_gets_it(self, driver: Driver, rival: Driver) -> None:
        """Taking it is one step."""
        with ThreadPoolExecutor(8) as pool:
            got = [
                pool.submit((driver, rival)[number % 2].control.acquire, "report", f"worker {number}", 60)
                for number in range(16)
            ]
            assert sum(future.result() for future in got) == 1

    def test_texts_are_kept_as_they_are(self, driver: Driver) -> None:
        """Long ones, empty ones, any Unicode."""
        for text in ("", "é😀\n\t'\"\\%_", "x" * 100_000):
            driver.control.pause("mail", Pause(reason=text))
            assert driver.control.marks().paused["mail"].reason == text


def _beat(worker: str, clock: FakeClock) -> Beat:
    return Beat(
        worker=worker,
        name="default",
        host="host",
        pid=1,
        queues=("mail", "low"),
        since=clock.now(),
        at=clock.now(),
        children=1,
        processed=7,
        running=({"job": "SendWelcome", "uuid": "u"},),
    )
