"""The outbox: no job is refused while one of two stores takes it, and none is pushed twice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from queuectl import outbox as module
from queuectl.app import App
from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.drivers.contract import Driver, Reserved
from queuectl.drivers.sync import SyncDriver
from queuectl.errors import ConfigurationError, DriverUnavailable, PayloadTooLarge, QueuectlError, TableMissing
from queuectl.jobs.outcome import Entry
from queuectl.jobs.payload import encode, new_uuid
from queuectl.outbox import Outbox, OutboxRelay, SurePush


def entry(queue: str = "mail", *, delay: float = 0.0) -> Entry:
    uuid = new_uuid()
    return Entry(queue, encode(job="Mail", arguments="{}", uuid=uuid), uuid, delay=delay)


class Moody(SyncDriver):
    """A store in memory whose server may be away, or answer only after its line is cut."""

    trouble: QueuectlError | None = None
    loses_replies = False
    pushes = 0

    def push(self, entries: Sequence[Entry]) -> list[str]:
        self.pushes += 1
        if self.trouble is not None:
            raise self.trouble
        uuids = super().push(entries)
        if self.loses_replies:
            raise DriverUnavailable("The line was cut before the answer.")
        return uuids


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def queue(clock: FakeClock) -> Iterator[Moody]:
    driver = Moody(Connection("queue", "sync"), clock)
    yield driver
    driver.close()


@pytest.fixture
def own(clock: FakeClock) -> Iterator[Moody]:
    """The application's own store."""
    driver = Moody(Connection("app", "sync"), clock)
    yield driver
    driver.close()


@pytest.fixture
def outbox(own: Moody) -> Outbox:
    return Outbox(own, "queue")


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that the breaker believes have passed."""
    passed = [1_000.0]
    monkeypatch.setattr(module, "monotonic", lambda: passed[0])
    return passed


def reserve(driver: Driver, queue: str = "mail", room: int = 1_000) -> list[Reserved]:
    return driver.exchange([], [queue], room)[1]


class TestPushing:
    def test_a_store_that_is_there_gets_the_job(self, queue: Moody, outbox: Outbox) -> None:
        """The outbox stays empty."""
        sent = entry()
        assert SurePush(queue, outbox).push([sent]) == [sent.uuid]
        assert queue.counts()["mail"].pending == 1
        assert outbox.queues() == []

    def test_a_store_that_is_away_gets_it_later(self, queue: Moody, own: Moody, outbox: Outbox) -> None:
        """It lies in a queue of the outbox that says where it belongs, with its delay."""
        queue.trouble = DriverUnavailable("gone")
        push = SurePush(queue, outbox)
        push.push([entry(), entry("photos", delay=60)])
        assert outbox.queues() == ["mail", "photos"]
        assert own.counts()["outbox:queue:mail"].pending == 1
        assert own.counts()["outbox:queue:photos"].delayed == 1

    def test_after_a_failure_the_store_is_left_alone_for_a_while(
        self, queue: Moody, outbox: Outbox, time: list[float]
    ) -> None:
        """One request pays for each try, not all of them."""
        queue.trouble = DriverUnavailable("gone")
        push = SurePush(queue, outbox)
        for _ in range(50):
            push.push([entry()])
        assert queue.pushes == 1
        time[0] += module.BREAK
        for _ in range(50):
            push.push([entry()])
        assert queue.pushes == 2

    def test_it_is_used_again_when_it_is_back(self, queue: Moody, outbox: Outbox, time: list[float]) -> None:
        """At the first try after the pause."""
        queue.trouble = DriverUnavailable("gone")
        push = SurePush(queue, outbox)
        push.push([entry()])
        queue.trouble = None
        time[0] += module.BREAK
        push.push([entry()])
        push.push([entry()])
        assert queue.counts()["mail"].pending == 2

    def test_a_slow_failure_is_paid_for_less_often(
        self, queue: Moody, outbox: Outbox, time: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two seconds of waiting, forty without."""
        push = SurePush(queue, outbox)

        def slow(entries: Sequence[Entry]) -> list[str]:
            time[0] += 2.0
            raise DriverUnavailable("no answer")

        monkeypatch.setattr(queue, "push", slow)
        push.push([entry()])
        before = time[0]
        time[0] += 39.0
        push.push([entry()])
        assert time[0] == before + 39.0

    @pytest.mark.parametrize("error", [TableMissing(), PayloadTooLarge("too large")])
    def test_what_is_no_outage_reaches_the_caller(self, queue: Moody, outbox: Outbox, error: QueuectlError) -> None:
        """A mistake would only be hidden by the outbox."""
        queue.trouble = error
        with pytest.raises(type(error)):
            SurePush(queue, outbox).push([entry()])
        assert outbox.queues() == []

    def test_when_both_fail_the_caller_learns_of_both(self, queue: Moody, own: Moody, outbox: Outbox) -> None:
        """Nothing was kept, so nothing is promised."""
        queue.trouble, own.trouble = DriverUnavailable("gone"), DriverUnavailable("locked")
        with pytest.raises(DriverUnavailable, match="locked") as caught:
            SurePush(queue, outbox).push([entry()])
        assert "gone" in caught.value.__notes__[0]


class TestRelaying:
    def test_what_was_kept_is_carried_over(self, queue: Moody, outbox: Outbox) -> None:
        """More than one batch, byte for byte, in order, with no attempt counted."""
        sent = [entry() for _ in range(250)]
        outbox.keep(sent)
        relay = OutboxRelay(outbox, queue, ["mail"], print)
        while relay():
            pass
        assert [found.payload for found in reserve(queue)] == [one.payload for one in sent]
        assert outbox.queues() == []
        assert relay.carried == 250

    def test_only_queues_of_the_worker_are_carried(self, queue: Moody, outbox: Outbox) -> None:
        """Others wait for a worker of theirs."""
        outbox.keep([entry("mail"), entry("photos")])
        OutboxRelay(outbox, queue, ["photos"], print)()
        assert outbox.queues() == ["mail"]

    @pytest.mark.fault("F40")
    def test_a_lost_reply_does_not_double_the_job(self, queue: Moody, outbox: Outbox) -> None:
        """The store had taken it; it knows the job again, even when it has run meanwhile."""
        queue.loses_replies = True
        SurePush(queue, outbox).push([entry()])
        queue.loses_replies = False
        assert len(reserve(queue)) == 1
        OutboxRelay(outbox, queue, ["mail"], print)()
        assert reserve(queue) == []
        assert outbox.queues() == []

    @pytest.mark.fault("F40")
    def test_a_relay_that_dies_between_the_stores_repeats_nothing(
        self, queue: Moody, outbox: Outbox, clock: FakeClock
    ) -> None:
        """Pushed there and not yet settled here: the lease ends, and the second push is recognised."""
        outbox.keep([entry()])
        queue.loses_replies = True
        with pytest.raises(DriverUnavailable):
            OutboxRelay(outbox, queue, ["mail"], print)()
        queue.loses_replies = False
        clock.sleep(outbox.store.retry_after + 1)
        OutboxRelay(outbox, queue, ["mail"], print)()
        assert len(reserve(queue)) == 1

    def test_while_the_store_is_away_the_jobs_stay(self, queue: Moody, outbox: Outbox) -> None:
        """Not reserved: any relay may carry them as soon as it is back."""
        outbox.keep([entry()])
        queue.trouble = DriverUnavailable("gone")
        with pytest.raises(DriverUnavailable):
            OutboxRelay(outbox, queue, ["mail"], print)()
        assert outbox.store.counts()["outbox:queue:mail"].pending == 1

    def test_an_outbox_that_is_away_is_told_once(self, queue: Moody, outbox: Outbox, time: list[float]) -> None:
        """And does not count as an outage of the worker's own store."""
        notes: list[str] = []

        class Locked(Moody):
            locked = True

            def exchange(self, *args: object, **kwargs: object) -> object:  # type: ignore[override]  # passes all on
                if self.locked:
                    raise DriverUnavailable("locked")
                return super().exchange(*args, **kwargs)  # type: ignore[arg-type]  # as they came

        store = Locked(Connection("app", "sync"), FakeClock())
        relay = OutboxRelay(Outbox(store, "queue"), queue, ["mail"], notes.append)
        for _ in range(3):
            relay()
            time[0] += module.PATIENCE
        Locked.locked = False
        relay()
        assert len(notes) == 2
        assert "locked" in notes[0]

    def test_a_job_that_the_store_refuses_blocks_no_other(
        self, queue: Moody, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It goes to the failed jobs, whole, under the connection it was meant for."""
        sent = [entry(), entry(), entry()]
        outbox.keep(sent)
        pushed: list[str] = []

        def picky(entries: Sequence[Entry]) -> list[str]:
            if any(one.uuid == sent[1].uuid for one in entries):
                raise PayloadTooLarge("larger than max_payload")
            pushed.extend(one.uuid for one in entries)
            return pushed

        monkeypatch.setattr(queue, "push", picky)
        OutboxRelay(outbox, queue, ["mail"], print)()
        assert pushed == [sent[0].uuid, sent[2].uuid]
        failed = outbox.store.failed.get(sent[1].uuid)
        assert failed is not None
        assert (failed.connection, failed.queue, failed.payload) == ("queue", "mail", sent[1].payload)


CONFIG = """\
[connections.database]
outbox = "app"
[connections.app]
driver = "database"
url = "sqlite:///{file}"
"""


class TestConfiguring:
    def app(self, folder: Path, text: str) -> App:
        (folder / "queue.toml").write_text(text)
        return App.load(folder / "queue.toml", env={})

    def test_an_outbox_in_the_same_store_is_none(self, tmp_path: Path) -> None:
        """It would be away at the same time."""
        same = self.app(tmp_path, CONFIG.format(file="storage/queue.sqlite"))
        assert same.outbox("database") is None
        assert same.pusher("database") is same.driver("database")
        other = self.app(tmp_path, CONFIG.format(file="storage/app.sqlite"))
        assert other.outbox("database") is not None

    @pytest.mark.parametrize(("name", "says"), [("ap", "Did you mean 'app'"), ("redis", "no database")])
    def test_it_is_a_configured_database(self, tmp_path: Path, name: str, says: str) -> None:
        """Anything else is refused with its line."""
        with pytest.raises(ConfigurationError, match=says) as caught:
            self.app(tmp_path, CONFIG.format(file="a.sqlite").replace('"app"', f'"{name}"'))
        assert "queue.toml:2" in str(caught.value)
