"""What scripts promise beyond the contract: nothing lost to a full or forgetful server, and `notify` stays true."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
import redis

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Reserved, Settlement, Verdict
from queuectl.drivers.redis import RedisDriver
from queuectl.errors import ConfigurationError, StoreFull
from queuectl.jobs.outcome import Done, Parked, Release, Unique
from queuectl.testing.contract.base import entry, fail_one, failure, push, reserve, reserve_one, settle, uuids_of
from queuectl.testing.servers import Valkey


@pytest.fixture
def driver(server: Valkey, prefix: str, open_driver: Callable[..., RedisDriver], clock: FakeClock) -> RedisDriver:
    return open_driver(server.url, prefix=prefix, clock=clock)


@pytest.mark.fault("F27")
def test_forgotten_scripts_are_loaded_again(driver: RedisDriver, client: redis.Redis, clock: FakeClock) -> None:
    """A restarted or flushed server does not know them; nobody notices, also in the middle of a pipeline."""
    client.script_flush()
    push(driver, *(entry() for _ in range(4)))
    client.script_flush()
    first, second, third = reserve(driver, room=3)
    client.script_flush()
    settlements = [
        Settlement(first, Done()),
        Settlement(second, Release(5)),
        Settlement(third, failure(third, clock)),
    ]
    verdicts, [fourth] = driver.exchange(settlements, ["mail"], 1)
    assert verdicts == [Verdict.APPLIED] * 3
    client.script_flush()
    assert driver.renew([fourth]) == []
    assert driver.failed.count() == 1
    client.script_flush()
    assert driver.control.tally("x") == 1


def test_a_new_connection_keeps_the_order_of_a_trip(
    driver: RedisDriver, client: redis.Redis, open_driver: Callable[..., RedisDriver], server: Valkey, prefix: str
) -> None:
    """On a server that knows no script yet, what follows a job is there when the same exchange reserves."""
    push(driver)
    reserved = reserve_one(driver)
    client.script_flush()
    fresh = open_driver(server.url, prefix=prefix, clock=FakeClock())
    then = entry("next")
    _, got = fresh.exchange([Settlement(reserved, Done(then=(then,)))], ["next"], 1)
    assert uuids_of(got) == [then.uuid]


@pytest.mark.fault("F26")
def test_a_full_server_refuses_pushes_and_drains(
    own_server: Valkey, open_driver: Callable[..., RedisDriver], clock: FakeClock
) -> None:
    """`StoreFull` with nothing written; everything that takes a job onwards still works."""
    driver = open_driver(own_server.url, clock=clock)
    uuid = fail_one(driver, clock)
    push(driver, *(entry() for _ in range(5)), entry(delay=5), entry(delay=6))
    with redis.Redis.from_url(own_server.url) as client:
        client.config_set("maxmemory", 1)
        for refused in (entry(), entry(delay=5), entry(unique=Unique("k", 60))):
            with pytest.raises(StoreFull):
                push(driver, refused)
        assert driver.counts(["mail"])["mail"].size == 7
        assert not client.keys("queuectl:unique:*")
    done, released, delayed, parked, failed = reserve(driver, room=5)
    outcomes = (Done(), Release(0), Release(5), Parked("unknown", 5), failure(failed, clock))
    settlements = [
        Settlement(one, outcome)
        for one, outcome in zip((done, released, delayed, parked, failed), outcomes, strict=True)
    ]
    assert driver.renew([done, released]) == []
    assert driver.exchange(settlements, [], 0)[0] == [Verdict.APPLIED] * 5
    clock.sleep(7)
    assert len(reserve(driver, room=9)) == 5
    clock.sleep(31)
    assert len(reserve(driver, room=9)) == 5
    assert driver.failed.retry([uuid]) == [uuid]
    assert driver.control.acquire("lock", "me", 10)
    assert driver.clear("mail") == 6


@pytest.mark.fault("F26")
def test_a_full_server_hands_out_what_scripts_do_not_understand(
    own_server: Valkey, open_driver: Callable[..., RedisDriver]
) -> None:
    """Junk at the head, no token beside it, no memory left."""
    driver = open_driver(own_server.url)
    with redis.Redis.from_url(own_server.url) as client:
        client.rpush("queues:mail", b"junk", entry().payload)
        client.config_set("maxmemory", 1)
    assert len(reserve(driver, room=5)) == 2


def test_notify_has_a_token_while_there_is_a_job(
    driver: RedisDriver, client: redis.Redis, prefix: str, clock: FakeClock
) -> None:
    """After every call of ours, whatever others did to the tokens before; and never more tokens than jobs."""
    chance = random.Random(7)
    jobs, tokens = f"{prefix}queues:mail", f"{prefix}queues:mail:notify"
    held: list[Reserved] = []
    moves: list[Callable[[], object]] = [
        lambda: push(driver, entry()),
        lambda: push(driver, entry(), entry(delay=chance.randrange(9)), entry()),
        lambda: held.extend(reserve(driver, room=chance.randrange(1, 4))),
        lambda: held and settle(driver, held.pop(), Done()),
        lambda: held and settle(driver, held.pop(), Release(chance.choice([0, 3]))),
        lambda: held and settle(driver, held.pop(), Release(spared=True)),
        lambda: clock.sleep(chance.choice([1, 5, 31])) or reserve(driver, room=1),
        lambda: driver.failed.retry([fail_one(driver, clock)]),
        lambda: driver.cancel(driver.page("mail", "ready").items[:2], keep="op-1"),
        lambda: driver.clear("mail", keep="op-1"),
        lambda: driver.removed.put_back("op-1", running=True),
        lambda: driver.clear("mail"),
    ]
    for _ in range(400):
        client.lpop(tokens, chance.randrange(1, 3))
        if chance.random() < 0.2:
            client.rpush(tokens, *["1"] * 5)
        before = client.llen(jobs)
        chance.choices(moves, [8, 8, 6, 4, 4, 4, 4, 2, 3, 1, 2, 1])[0]()
        ready, announced = client.llen(jobs), client.llen(tokens)
        if ready != before:
            assert min(ready, 1) <= announced <= ready


@pytest.mark.fault("F41")
def test_a_bulk_arrives_in_its_order_behind_what_was_due(
    driver: RedisDriver, client: redis.Redis, prefix: str, clock: FakeClock
) -> None:
    """However many there are, and with a token for each."""
    push(driver, entry(delay=5))
    clock.sleep(6)
    bulk = [entry() for _ in range(2_345)]
    assert driver.push(bulk) == [one.uuid for one in bulk]
    assert client.llen(f"{prefix}queues:mail:notify") >= len(bulk)
    assert uuids_of(reserve(driver, room=2_346))[1:] == [one.uuid for one in bulk]


@pytest.mark.fault("F41")
def test_thousands_that_fall_due_at_once_move_in_slices(
    driver: RedisDriver, client: redis.Redis, prefix: str, clock: FakeClock
) -> None:
    """No script holds the server up for all of them; the order is by when they became ready."""
    uuids = push(driver, *(entry(delay=10 + place / 1000) for place in range(2000)))
    clock.sleep(20)
    first = reserve(driver, room=1)
    assert 0 < client.llen(f"{prefix}queues:mail") <= 100
    rest = first
    while more := reserve(driver, room=150):
        rest = rest + more
    assert uuids_of(rest) == uuids


def test_expired_and_delayed_come_in_the_order_in_which_they_became_ready(
    driver: RedisDriver, clock: FakeClock
) -> None:
    """Leases and delays fall due on one line of time, and a later push queues behind both."""
    push(driver, entry())
    [abandoned] = reserve(driver)
    early, late = push(driver, entry(delay=29), entry(delay=31))
    clock.sleep(40)
    [pushed] = push(driver, entry())
    assert uuids_of(reserve(driver, room=9)) == [early, *uuids_of([abandoned]), late, pushed]


@pytest.mark.fault("F34")
@pytest.mark.parametrize("suffix", ["", ":delayed", ":reserved", ":notify"])
def test_a_key_of_another_type_is_named_and_costs_nothing(
    driver: RedisDriver, client: redis.Redis, prefix: str, suffix: str
) -> None:
    """`ConfigurationError` that says which key; once it is gone, every job is there."""
    key = f"{prefix}queues:mail{suffix}"
    [uuid] = push(driver, entry())
    reserved = reserve_one(driver)
    spare = push(driver, entry()) if suffix else []
    client.rename(key, "aside") if client.exists(key) else client.delete("aside")
    client.set(key, "no queue")
    for call in (
        lambda: push(driver, entry()),
        lambda: reserve(driver),
        lambda: settle(driver, reserved, Release(0)),
        lambda: driver.counts(["mail"]),
    ):
        if call.__code__.co_consts and suffix == ":notify" and "counts" in call.__code__.co_names:
            continue  # counting does not look at the tokens
        with pytest.raises(ConfigurationError, match=key):
            call()
    client.delete(key)
    if client.exists("aside"):
        client.rename("aside", key)
    settle(driver, reserved, Release(0))
    assert sorted(uuids_of(reserve(driver, room=5))) == sorted([uuid, *spare])


def test_jobs_that_came_with_a_failed_settlement_go_back(
    driver: RedisDriver, client: redis.Redis, prefix: str, clock: FakeClock
) -> None:
    """An exchange that raises hands out nothing, and what it had reserved is not counted as an attempt."""
    push(driver, entry(), entry())
    reserved = reserve_one(driver)
    client.set(f"{prefix}queuectl:mail:failed", "no sorted set")
    with pytest.raises(ConfigurationError):
        driver.exchange([Settlement(reserved, failure(reserved, clock))], ["mail"], 1)
    assert reserve_one(driver).attempts == 1
    client.delete(f"{prefix}queuectl:mail:failed")
    assert settle(driver, reserved, failure(reserved, clock)) is Verdict.APPLIED
