"""On a cluster of three: the whole contract, and what only a cluster can do wrong."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator

import pytest
from redis.crc import key_slot

from queuectl.config import Connection
from queuectl.drivers.contract import Settlement, Verdict
from queuectl.drivers.redis import RedisDriver
from queuectl.errors import DriverUnavailable, InvalidName, PayloadTooLarge
from queuectl.jobs.outcome import Done, Unique
from queuectl.testing.contract import DriverContract
from queuectl.testing.contract.base import entry, push, reserve, reserve_one, settle, uuids_of
from queuectl.testing.topologies import RedisCluster, SlotMove

QUEUES = ("alpha", "beta", "gamma", "delta")


class TestOnACluster(DriverContract):
    """With a clock that tests move."""

    @pytest.fixture
    def connection(self, cluster: RedisCluster, prefix: str) -> Connection:
        return Connection("redis", "redis", url=f"redis+cluster://127.0.0.1:{cluster.nodes[0].port}", prefix=prefix)

    def test_a_follower_may_hold_the_key_that_its_predecessor_frees(self, driver: RedisDriver) -> None:
        """Here a unique key belongs to one queue, because a script sees one slot: a follower in the same queue."""
        unique = Unique("welcome", 60)
        push(driver, entry(unique=unique))
        then = entry(unique=unique)
        settle(driver, reserve_one(driver), Done(then=(then,), unlock=(unique.key,)))
        assert uuids_of(reserve(driver)) == [then.uuid]
        assert push(driver, entry(unique=unique)) == [then.uuid]


@pytest.fixture
def driver(cluster: RedisCluster, prefix: str, open_driver: Callable[..., RedisDriver]) -> RedisDriver:
    return open_driver(cluster.url, prefix=prefix)


def test_the_queues_of_a_test_lie_on_several_servers(cluster: RedisCluster) -> None:
    """Else the tests below would show nothing."""
    assert len({cluster.home(key_slot(name.encode())) for name in QUEUES}) > 1


def test_one_exchange_settles_and_reserves_across_servers(driver: RedisDriver) -> None:
    """Queues are served strictly left to right, wherever each of them lies."""
    sent = [push(driver, *(entry(name) for _ in range(3))) for name in QUEUES]
    found = reserve(driver, *QUEUES, room=10)
    assert uuids_of(found) == [uuid for some in sent for uuid in some][:10]
    verdicts, rest = driver.exchange([Settlement(one, Done()) for one in found], QUEUES, 10)
    assert verdicts == [Verdict.APPLIED] * 10
    assert uuids_of(rest) == sent[-1][1:]


def test_a_follow_up_on_another_server_is_pushed_once(driver: RedisDriver) -> None:
    """Also when the settlement is sent again because its reply was lost."""
    push(driver, entry("alpha"))
    reserved = reserve_one(driver, "alpha")
    done = Done(then=tuple(entry(name) for name in QUEUES))
    assert [settle(driver, reserved, done) for _ in range(2)] == [Verdict.APPLIED, Verdict.GONE]
    assert [driver.counts([name])[name].pending for name in QUEUES] == [1, 1, 1, 1]


def test_a_resend_after_half_a_settlement_pushes_nothing_twice(driver: RedisDriver) -> None:
    """The follow-up had been pushed, and the worker's call broke off before the job was removed."""
    push(driver, entry("alpha"))
    reserved = reserve_one(driver, "alpha")
    settlement = Settlement(reserved, Done(then=(entry("beta"),)))
    driver._prepare([settlement])
    assert settle(driver, reserved, settlement.outcome) is Verdict.APPLIED
    assert driver.counts(["alpha", "beta"])["beta"].pending == 1


@pytest.mark.fault("F26")
def test_every_key_of_a_queue_has_one_slot(driver: RedisDriver) -> None:
    """Ours too; a tag that a name brings along is kept."""
    for name in (*QUEUES, "mail:{tenant}", "{default}", "a{}b", "{}", "x{", "a}b"):
        keys = driver._store.names.queue(name)
        ours = [keys.parked, keys.scratch, *keys.failed, keys.once("x"), driver._store.names.unique(keys, "k")]
        ours += keys.kept("op-{1}").seven
        assert len({key_slot(key) for key in (*keys.four, *ours)}) == 1


def test_a_name_that_cannot_be_tagged_is_refused(driver: RedisDriver) -> None:
    """A name in front of which no tag can be opened would spread its keys over the cluster."""
    with pytest.raises(InvalidName):
        push(driver, entry("}x"))


@pytest.fixture
def move(cluster: RedisCluster) -> Iterator[SlotMove]:
    """Of the slot of `alpha` to another server; back again after the test."""
    slot = key_slot(b"alpha")
    source = cluster.home(slot)
    target = next(node for node in cluster.nodes if node is not source)
    yield SlotMove(slot, source, target)
    back = SlotMove(slot, target, source)
    back.begin()
    back.end()


@pytest.mark.fault("F27")
def test_a_slot_that_has_moved_is_found_again(move: SlotMove, driver: RedisDriver) -> None:
    """A stale map costs one more trip, and nobody notices."""
    [uuid] = push(driver, entry("alpha"))
    move.begin()
    move.end()
    assert uuids_of(reserve(driver, "alpha")) == [uuid]


@pytest.mark.fault("F27")
def test_a_slot_on_the_move_is_waited_for(move: SlotMove, driver: RedisDriver) -> None:
    """Scripts need all keys of a queue in one place: until then the queue is unavailable, and nothing is lost."""
    [uuid] = push(driver, entry("alpha"))
    move.begin()
    with pytest.raises(DriverUnavailable):
        reserve(driver, "alpha")
    move.end()
    assert uuids_of(reserve(driver, "alpha")) == [uuid]


def test_watching_several_servers_is_one_descriptor(driver: RedisDriver) -> None:
    """A push to any of the queues makes it readable."""
    watch = driver.watch(QUEUES)
    assert reserve(driver, *QUEUES) == []
    watch.next_check_in()
    for name in QUEUES:
        push(driver, entry(name))
        _await_readable(watch.fileno())
        assert watch.drain()
        settle(driver, reserve_one(driver, name), Done())
        watch.next_check_in()
    watch.close()


def _await_readable(descriptor: int | None) -> None:
    assert descriptor is not None
    assert select.select([descriptor], [], [], 10)[0]


def test_a_follow_up_that_is_too_large_changes_nothing(
    cluster: RedisCluster, prefix: str, open_driver: Callable[..., RedisDriver]
) -> None:
    """Neither here nor on the server of the other follow-up, which would have been pushed first."""
    driver = open_driver(cluster.url, prefix=prefix, max_payload=1_000)
    push(driver, entry("alpha"))
    reserved = reserve_one(driver, "alpha")
    with pytest.raises(PayloadTooLarge):
        settle(driver, reserved, Done(then=(entry("beta"), entry("gamma", arguments="x" * 1_000))))
    assert driver.counts(QUEUES)["beta"].size == 0
    assert settle(driver, reserved, Done()) is Verdict.APPLIED
