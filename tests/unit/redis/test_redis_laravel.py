"""Beside Laravel: its workers and ours take turns on the same keys."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import redis

from queuectl.clock import FakeClock
from queuectl.drivers.redis import RedisDriver
from queuectl.jobs.outcome import Done, Parked, Release
from queuectl.jobs.payload import decode
from queuectl.testing.contract.base import entry, push, reserve, reserve_one, settle
from queuectl.testing.servers import Valkey

POP = """
local job = redis.call('lpop', KEYS[1])
if not job then return {false, false} end
local held = cjson.decode(job)
held['attempts'] = held['attempts'] + 1
held = cjson.encode(held)
redis.call('zadd', KEYS[2], ARGV[1], held)
redis.call('lpop', KEYS[3])
return {job, held}
"""
"""What a Laravel worker does to a job when it takes it, corrupting numbers and empty lists on the way."""
ARGUMENTS = json.dumps(
    {"big": 2**70, "float": 1.0, "huge": 1e300, "list": [], "map": {}, "text": "\x00é😀", "deep": [[]]}
)


class Laravel:
    """As much of a PHP worker as matters here."""

    def __init__(self, client: redis.Redis, prefix: str, clock: FakeClock) -> None:
        self._client = client
        self._clock = clock
        self._list = f"{prefix}queues:mail"

    def pop(self) -> bytes | None:
        keys = (self._list, f"{self._list}:reserved", f"{self._list}:notify")
        held: bytes | None = self._client.eval(POP, 3, *keys, int(self._clock.now()) + 90)[1]
        return held

    def release(self, held: bytes, after: int) -> None:
        self._client.zrem(f"{self._list}:reserved", held)
        self._client.zadd(f"{self._list}:delayed", {held: int(self._clock.now()) + after})

    def push(self, payload: bytes) -> None:
        self._client.rpush(self._list, payload)
        self._client.rpush(f"{self._list}:notify", 1)


@pytest.fixture
def driver(server: Valkey, prefix: str, open_driver: Callable[..., RedisDriver], clock: FakeClock) -> RedisDriver:
    return open_driver(server.url, prefix=prefix, clock=clock)


@pytest.fixture
def laravel(client: redis.Redis, prefix: str, clock: FakeClock) -> Laravel:
    return Laravel(client, prefix, clock)


@pytest.mark.fault("F35")
def test_arguments_survive_a_laravel_worker(driver: RedisDriver, laravel: Laravel, clock: FakeClock) -> None:
    """It took the job, put it back, and wrote the payload anew: the arguments are the same, and the count goes on."""
    push(driver, entry(arguments=ARGUMENTS))
    for attempt in (1, 3):
        held = laravel.pop()
        assert held is not None
        laravel.release(held, 5)
        clock.sleep(6)
        reserved = reserve_one(driver)
        assert (reserved.attempts, decode(reserved.payload).arguments) == (attempt + 1, ARGUMENTS)
        settle(driver, reserved, Release(0))


def test_a_job_that_a_laravel_worker_abandoned_comes_back(
    driver: RedisDriver, laravel: Laravel, clock: FakeClock
) -> None:
    """When its own time, which it wrote beside the job, is over."""
    push(driver, entry())
    laravel.pop()
    clock.sleep(89)
    assert reserve(driver) == []
    clock.sleep(2)
    assert reserve_one(driver).attempts == 2


def test_laravel_takes_what_we_released(driver: RedisDriver, laravel: Laravel) -> None:
    """Whatever became of it here, its script finds JSON with a number of attempts, and loses nothing."""
    for payload in (None, b"junk", b"\xff", b"{}", b"[]"):
        push(driver, entry(payload=payload))
        settle(driver, reserve_one(driver), Release(0))
        held = laravel.pop()
        assert held is not None
        assert json.loads(held)["attempts"] == 2


def test_laravel_reads_the_numbers_it_expects(
    driver: RedisDriver, client: redis.Redis, prefix: str, clock: FakeClock
) -> None:
    """A list, two sorted sets and one token a ready job, under the names that its commands count."""
    push(driver, entry(), entry(), entry(), entry(delay=60), entry(delay=60.5))
    reserve_one(driver)
    base = f"{prefix}queues:mail"
    assert (client.llen(base), client.zcard(f"{base}:delayed"), client.zcard(f"{base}:reserved")) == (2, 2, 1)
    assert client.llen(f"{base}:notify") == 2
    assert [score for _, score in client.zrange(f"{base}:delayed", 0, -1, withscores=True)] == [
        clock.now() + 60,
        clock.now() + 60.5,
    ]
    assert client.zrange(f"{base}:reserved", 0, -1, withscores=True)[0][1] == clock.now() + 30


def test_our_own_keys_do_not_look_like_queues(driver: RedisDriver, client: redis.Redis, prefix: str) -> None:
    """Laravel takes every key that starts with `queues:` for one."""
    push(driver, entry())
    settle(driver, reserve_one(driver), Parked("unknown", 60))
    driver.control.ask_restart("now")
    found = {key.removeprefix(prefix.encode()).decode() for key in client.scan_iter(f"{prefix}*")}
    assert {key for key in found if key.startswith("queues:")} == {"queues:mail:delayed"}
    assert all(key.startswith(("queues:", "queuectl:")) for key in found)


def test_queues_that_php_made_are_counted(
    driver: RedisDriver, laravel: Laravel, client: redis.Redis, prefix: str
) -> None:
    """Nobody told us of them; keys that only look like queues do no harm."""
    laravel.push(b'{"job":"Mail@send","attempts":0,"createdAt":1799999990}')
    client.zadd(f"{prefix}queues:later:delayed", {b"{}": 1_900_000_000})
    client.set(f"{prefix}queues:odd", "no list")
    client.rpush(f"{prefix}queues:not a name", "x")
    found = driver.counts()
    assert {name: counts.size for name, counts in found.items()} == {"mail": 1, "later": 1}
    assert found["mail"].oldest == 1_799_999_990
    settle(driver, reserve_one(driver), Done())
    assert list(driver.counts()) == ["later"]
