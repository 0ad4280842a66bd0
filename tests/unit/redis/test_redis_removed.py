"""What cancelling and undo promise on Redis beyond the contract: full servers, twins, long lists, an end by itself."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
import redis

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver, Stored
from queuectl.drivers.redis import RedisDriver
from queuectl.drivers.removed import KEPT, Restored
from queuectl.errors import ConfigurationError
from queuectl.jobs.outcome import FailedRecord
from queuectl.testing.contract.base import entry, fail_one, push, record, reserve, reserve_one, uuids_of
from queuectl.testing.servers import Valkey

OPERATION = "op-7k2f9q"
Open = Callable[..., RedisDriver]
REMOVALS: dict[str, Callable[[Driver, str], object]] = {
    "flush": lambda driver, uuid: driver.failed.flush(keep=OPERATION),
    "forget": lambda driver, uuid: driver.failed.forget([uuid], keep=OPERATION),
    "cancel": lambda driver, uuid: driver.cancel(_waiting(driver, "mail"), keep=OPERATION),
    "clear": lambda driver, uuid: driver.clear("mail", keep=OPERATION),
}


@pytest.fixture
def driver(server: Valkey, prefix: str, open_driver: Open, clock: FakeClock) -> RedisDriver:
    return open_driver(server.url, prefix=prefix, clock=clock)


def test_every_third_of_a_long_list_is_cancelled_and_the_others_keep_their_order(driver: RedisDriver) -> None:
    """In many slices, listed page by page as an operator does; an undo brings them back, in order among themselves."""
    uuids = push(driver, *(entry() for _ in range(2_000)))
    cancelled = 0
    cursor = None
    for _ in range(5):
        page = driver.page("mail", "ready", cursor=cursor, limit=450)
        cursor = page.cursor
        cancelled += len(driver.cancel(page.items[::3], keep=OPERATION))
    chosen = [uuid for start in range(0, 2_000, 450) for uuid in uuids[start : start + 450][::3]]
    assert (cursor, cancelled, driver.removed.count(OPERATION)) == (None, len(chosen), len(chosen))
    rest = [uuid for uuid in uuids if uuid not in set(chosen)]
    assert uuids_of(reserve(driver, room=2_000)) == rest
    while driver.removed.put_back(OPERATION).more:
        pass
    assert uuids_of(reserve(driver, room=2_000)) == chosen


def test_jobs_are_cancelled_in_whatever_order_they_are_named(driver: RedisDriver) -> None:
    """The list is searched on from where the last ones were, and then from its end."""
    push(driver, *(entry() for _ in range(700)))
    found = driver.page("mail", "ready", limit=700).items
    assert driver.cancel(found[600:610]) == found[600:610]
    chosen = [found[5], found[699], found[4]]
    assert {stored.id for stored in driver.cancel(chosen)} == {stored.id for stored in chosen}
    assert driver.counts(["mail"])["mail"].pending == 687


def test_large_jobs_are_cancelled_and_put_back_in_small_portions(driver: RedisDriver) -> None:
    """No script holds the server up with megabytes."""
    uuids = push(driver, *(entry(arguments=f'{{"text":"{letter * 400_000}"}}') for letter in "abcdef"))
    found = driver.page("mail", "ready").items
    assert driver.cancel(found, keep=OPERATION) == found
    portions = [driver.removed.put_back(OPERATION)]
    while portions[-1].more:
        portions.append(driver.removed.put_back(OPERATION))
    assert [portion.jobs for portion in portions] == [3, 3]
    assert uuids_of(reserve(driver, room=9)) == uuids


def test_large_failures_are_flushed_and_put_back_in_small_portions(driver: RedisDriver, clock: FakeClock) -> None:
    """Likewise; and `forget` answers for all of them."""
    push(driver)
    pattern = record(reserve_one(driver), clock, text="x" * 400_000)
    records = [replace(pattern, uuid=f"{number:036}") for number in range(6)]
    driver.failed.add(records)
    uuids = [one.uuid for one in records]
    assert driver.failed.forget(uuids, keep=OPERATION) == uuids
    assert _undo(driver) == Restored(failed=6)
    assert driver.failed.flush(keep=OPERATION) == 6
    assert driver.removed.put_back(OPERATION) == Restored(failed=3, more=True)


@pytest.mark.parametrize("delay", [0, 60])
def test_twins_of_another_program_stay_two_jobs(
    driver: RedisDriver, client: redis.Redis, prefix: str, clock: FakeClock, delay: int
) -> None:
    """Equal texts would merge in a sorted set; also where one is kept and another waits."""
    payload = b'{"uuid":"11111111-1111-4111-8111-111111111111","job":"Foreign","data":{}}'
    for _ in range(2):
        if delay:
            client.zadd(f"{prefix}queues:mail:delayed", {payload: clock.now() + delay})
        else:
            client.rpush(f"{prefix}queues:mail", payload)
        [found] = driver.page("mail", "delayed" if delay else "ready").items
        assert driver.cancel([found], keep=OPERATION) == [found]
    assert driver.removed.count(OPERATION) == 2
    assert driver.removed.put_back(OPERATION) == Restored(jobs=2)
    clock.sleep(delay)
    got = reserve(driver, room=5)
    assert (len(got), {one.payload.partition(b',"id"')[0] for one in got}) == (2, {payload[:-1]})


def test_both_of_two_twins_are_cancelled(driver: RedisDriver, client: redis.Redis, prefix: str) -> None:
    """Each listing of one stands for one."""
    client.rpush(f"{prefix}queues:mail", b'{"job":"Foreign"}', b'{"job":"Foreign"}', b'{"job":"Foreign"}')
    found = driver.page("mail", "ready").items
    assert len(driver.cancel(found[:2])) == 2
    assert driver.counts(["mail"])["mail"].pending == 1


def test_junk_that_a_worker_has_had_can_be_cancelled(driver: RedisDriver, client: redis.Redis, prefix: str) -> None:
    """It lies in an envelope of ours, which no listing shows."""
    client.rpush(f"{prefix}queues:mail", b"\xff no job \x00")
    driver._give_back(reserve(driver))
    [found] = driver.page("mail", "ready").items
    assert (found.payload, driver.cancel([found])) == (b"\xff no job \x00", [found])


def test_a_full_server_lets_jobs_go_and_takes_them_back(
    own_server: Valkey, open_driver: Open, clock: FakeClock
) -> None:
    """Nothing of it needs memory that was not used before."""
    driver = open_driver(own_server.url, clock=clock)
    failed = [fail_one(driver, clock) for _ in range(3)]
    push(driver, entry("mail"), entry("mail", delay=60), entry("low"), entry("low", delay=60))
    with redis.Redis.from_url(own_server.url) as client:
        client.config_set("maxmemory", 1)
    assert len(driver.cancel(_waiting(driver, "mail"), keep=OPERATION)) == 2
    assert driver.clear("low", keep=OPERATION) == 2
    assert driver.failed.forget(failed[:1], keep=OPERATION) == failed[:1]
    assert driver.failed.flush(keep=OPERATION) == 2
    assert driver.removed.put_back(OPERATION) == Restored(jobs=4, failed=3)
    assert driver.failed.count() == 3
    assert driver.clear("mail", keep=OPERATION) == 2
    assert driver.removed.purge() == 2


@pytest.mark.parametrize("part", ["list", "delayed", "reserved", "failed"])
@pytest.mark.parametrize("verb", ["flush", "forget", "cancel", "clear"])
def test_a_key_of_another_type_where_jobs_are_kept_costs_none(
    driver: RedisDriver, client: redis.Redis, prefix: str, clock: FakeClock, verb: str, part: str
) -> None:
    """A script that stops halfway has removed nothing that it had not kept."""
    key, uuid = f"{prefix}queuectl:mail:removed/{OPERATION}/{part}", fail_one(driver, clock)
    push(driver, entry(), entry(), entry(delay=60))
    reserve_one(driver)
    client.set(key, "no jobs")
    with suppress(ConfigurationError):
        REMOVALS[verb](driver, uuid)
    client.delete(key)
    driver.removed.put_back(OPERATION, running=True)
    assert (driver.counts(["mail"])["mail"].size, driver.failed.count()) == (3, 1)


def test_what_is_kept_ends_by_itself(driver: RedisDriver, client: redis.Redis, prefix: str, clock: FakeClock) -> None:
    """By the server's own expiry, so that it ends where nobody comes back to it."""
    fail_one(driver, clock)
    push(driver, entry("mail"), entry("mail", delay=60), entry("low"), entry("low", delay=60))
    reserve_one(driver)
    driver.cancel(_waiting(driver, "low"), keep=OPERATION)
    driver.clear("mail", keep=OPERATION)
    driver.failed.flush(keep=OPERATION)
    keys = client.keys(f"{prefix}*removed/*")
    assert len(keys) == 8
    assert all(0 < client.ttl(key) <= KEPT for key in keys)


def test_clearing_a_long_queue_aside_is_one_step(driver: RedisDriver, client: redis.Redis) -> None:
    """However many there are: its keys change their names."""
    push(driver, *(entry() for _ in range(3_000)))
    before = client.info("commandstats").get("cmdstat_rename", {"calls": 0})["calls"]
    assert driver.clear("mail", keep=OPERATION) == 3_000
    assert client.info("commandstats")["cmdstat_rename"]["calls"] == before + 1


def test_what_comes_meanwhile_joins_what_the_same_operation_cleared(driver: RedisDriver, clock: FakeClock) -> None:
    """Many, of every state, behind the others."""
    first = push(driver, *(entry() for _ in range(3)))
    driver.clear("mail", keep=OPERATION)
    second = push(driver, *(entry() for _ in range(1_200)), entry(delay=60))
    reserve_one(driver)
    assert driver.clear("mail", keep=OPERATION) == 1_201
    assert _undo(driver) == Restored(jobs=1_203, left=1)
    clock.sleep(60)
    assert uuids_of(reserve(driver, room=2_000)) == [*first, *second[1:]]


def test_a_newer_failure_in_another_queue_stays(driver: RedisDriver, clock: FakeClock) -> None:
    """A job has one row, wherever it failed; an older one makes room."""
    old = _record(driver, clock)
    clock.sleep(5)
    new = replace(old, queue="low", failed_at=clock.now(), attempts=7)
    driver.failed.add([old])
    driver.failed.flush(keep="op-old")
    driver.failed.add([new])
    assert (driver.removed.put_back("op-old"), driver.removed.count("op-old")) == (Restored(), 0)
    driver.failed.flush(keep="op-new")
    driver.failed.add([old])
    assert driver.removed.put_back("op-new") == Restored(failed=1)
    assert [(row.queue, row.attempts) for row in driver.failed.page().items] == [("low", 7)]


def _record(driver: Driver, clock: FakeClock) -> FailedRecord:
    push(driver)
    return record(reserve_one(driver), clock)


def _waiting(driver: Driver, queue: str) -> list[Stored]:
    return [*driver.page(queue, "ready").items, *driver.page(queue, "delayed").items]


def _undo(driver: Driver) -> Restored:
    """To its end; the sums."""
    portions = [driver.removed.put_back(OPERATION)]
    while portions[-1].more:
        portions.append(driver.removed.put_back(OPERATION))
    return Restored(sum(one.jobs for one in portions), sum(one.failed for one in portions), portions[-1].left)
