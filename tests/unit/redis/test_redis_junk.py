"""Whatever other programs write into a queue's keys: nothing is lost, bytes are kept, and the jobs around it run."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import redis

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Reserved, Settlement
from queuectl.drivers.redis import RedisDriver
from queuectl.errors import MalformedPayload
from queuectl.jobs.outcome import Done, Outcome, Parked, Release
from queuectl.jobs.payload import decode, parse
from queuectl.testing.contract.base import entry, failure, push, reserve, reserve_one, settle, uuid_of
from queuectl.testing.servers import Valkey

JUNK = {
    "text": b"not json",
    "empty object": b"{}",
    "null": b"null",
    "number": b"5",
    "list": b"[]",
    "attempts null": b'{"attempts":null}',
    "attempts text": b'{"attempts":"x"}',
    "deep": b"[" * 1001 + b"]" * 1001,
    "overflow": b'{"job":"Mail","n":1e400}',
    "not UTF-8": b"\xff\xfe\x00\x80",
    "nothing": b"",
    "empty name": b'{"job":"","attempts":0,"data":{}}',
    "attempts first": b'{"attempts":0,"job":"Mail","data":{"big":1180591620717411303424,"f":1.0,"e":[]}}',
}
Put = Callable[[bytes], None]
Open = Callable[..., RedisDriver]
KEYS = ("", ":delayed", ":reserved")


@pytest.fixture
def driver(server: Valkey, prefix: str, open_driver: Open, clock: FakeClock) -> RedisDriver:
    return open_driver(server.url, prefix=prefix, clock=clock)


@pytest.fixture(params=KEYS, ids=["list", "delayed", "reserved"])
def put(request: pytest.FixtureRequest, client: redis.Redis, prefix: str, clock: FakeClock) -> Put:
    """Writes bytes into one of the queue's keys, due at once."""

    def write(payload: bytes) -> None:
        key = f"{prefix}queues:mail{request.param}"
        if request.param:
            client.zadd(key, {payload: clock.now() - 1})
        else:
            client.rpush(key, payload)

    return write


@pytest.mark.fault("F34")
@pytest.mark.parametrize("room", [1, 5, 50])
def test_all_of_it_comes_out_with_the_jobs_around_it(
    driver: RedisDriver, clock: FakeClock, put: Put, room: int
) -> None:
    """Thirteen kinds between ten jobs: each reserved once, the junk failed with its bytes, nothing left behind."""
    valid = push(driver, *(entry() for _ in range(5)))
    for payload in JUNK.values():
        put(payload)
    valid += push(driver, *(entry() for _ in range(5)))
    done, failed = _drain(driver, clock, room)
    assert sorted(done) == sorted(valid)
    assert sorted(map(_comparable, failed)) == sorted(map(_comparable, JUNK.values()))
    assert driver.counts(["mail"])["mail"].size == 0
    kept = [driver.failed.get(row.uuid) for row in driver.failed.page().items]
    assert sorted(_comparable(row.payload) for row in kept if row) == sorted(map(_comparable, JUNK.values()))


@pytest.mark.fault("F34")
@pytest.mark.parametrize("payload", JUNK.values(), ids=JUNK.keys())
@pytest.mark.parametrize("outcome", [Release(), Release(10), Release(spared=True), Parked("unknown", 10), None])
def test_it_survives_every_outcome(
    driver: RedisDriver, clock: FakeClock, put: Put, payload: bytes, outcome: Outcome | None
) -> None:
    """Released, spared, parked or abandoned (None), it comes back whole, with an honest count."""
    put(payload)
    first = reserve_one(driver)
    assert (first.attempts, _comparable(first.payload)) == (1, _comparable(payload))
    if outcome is not None:
        settle(driver, first, outcome)
    clock.sleep(31)
    second = reserve_one(driver)
    assert _comparable(second.payload) == _comparable(payload)
    assert second.attempts == (1 if outcome in (Release(spared=True), Parked("unknown", 10)) else 2)
    assert second.token != first.token


@pytest.mark.fault("F34")
@pytest.mark.parametrize("payload", [*JUNK.values(), b'{"job":"Mail","attempts":0}'], ids=[*JUNK, "no id"])
def test_equal_bytes_stay_two_jobs(
    driver: RedisDriver, clock: FakeClock, client: redis.Redis, prefix: str, payload: bytes
) -> None:
    """A sorted set would merge them: reserved together, released together, expired together."""
    client.rpush(f"{prefix}queues:mail", payload, payload)
    both = reserve(driver, room=5)
    assert len(both) == 2
    driver.exchange([Settlement(one, Release(5)) for one in both], [], 0)
    assert driver.counts(["mail"])["mail"].delayed == 2
    clock.sleep(6)
    assert len(reserve(driver, room=5)) == 2
    clock.sleep(31)
    assert len(reserve(driver, room=5)) == 2


def test_equal_bytes_released_one_by_one_stay_two_jobs(driver: RedisDriver, client: redis.Redis, prefix: str) -> None:
    """The first lies delayed already when its twin is released."""
    for _ in range(2):
        client.rpush(f"{prefix}queues:mail", b'{"job":"Mail","attempts":0}')
        settle(driver, reserve_one(driver), Release(5))
    assert driver.counts(["mail"])["mail"].delayed == 2


def test_equal_delayed_pushes_stay_two_jobs(driver: RedisDriver, clock: FakeClock) -> None:
    """In one push and in another, with an `id` and without."""
    for payload in (entry().payload, b'{"job":"Mail","attempts":0}', b"junk"):
        push(driver, *(entry(payload=payload, delay=5) for _ in range(2)))
        push(driver, entry(payload=payload, delay=5))
    clock.sleep(6)
    assert len(reserve(driver, room=20)) == 9


@pytest.mark.fault("F35")
def test_what_laravel_pushed_keeps_its_bytes(
    driver: RedisDriver, clock: FakeClock, client: redis.Redis, prefix: str
) -> None:
    """A PHP job goes back as it came, but for the counter and the id."""
    php = (
        rb'{"uuid":"5f1c","displayName":"App\\Jobs\\Mail","job":"Illuminate\\Queue\\CallQueuedHandler@call","data":'
        rb'{"f":1.0,"x":[]},"createdAt":1800000000,"id":"abcDEF123","attempts":0,"delay":null}'
    )
    client.rpush(f"{prefix}queues:mail", php)
    first = reserve_one(driver)
    assert (first.id, first.attempts, first.payload) == ("abcDEF123", 1, php.replace(b'"attempts":0', b'"attempts":1'))
    settle(driver, first, Parked("unknown", 10))
    clock.sleep(11)
    second = reserve_one(driver)
    assert (second.id != first.id, second.attempts) == (True, 1)
    assert second.payload.replace(second.id.encode(), first.id.encode()) == first.payload


def _drain(driver: RedisDriver, clock: FakeClock, room: int) -> tuple[list[str], list[bytes]]:
    """The uuids of jobs done, and the payloads of those that cannot run."""
    done: list[str] = []
    failed: list[bytes] = []
    while reservations := reserve(driver, room=room):
        for reserved in reservations:
            if _is_job(reserved):
                done.append(uuid_of(reserved))
                settle(driver, reserved, Done())
            else:
                failed.append(reserved.payload)
                settle(driver, reserved, failure(reserved, clock))
    return done, failed


def _is_job(reserved: Reserved) -> bool:
    try:
        return decode(reserved.payload).job == "SendWelcome"
    except MalformedPayload:
        return False


def _comparable(payload: bytes) -> str:
    """Bytes as they are; of JSON objects that name a job, or count at their tail, all but the counter and the id."""
    try:
        found = parse(payload)
    except MalformedPayload:
        return repr(payload)
    if not found.get("job") and not isinstance(found.get("attempts"), int):
        return repr(payload)
    return json.dumps({key: value for key, value in found.items() if key not in ("id", "attempts")}, sort_keys=True)
