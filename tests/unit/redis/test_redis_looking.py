"""What listings and searches promise on Redis beyond the contract: foreign texts, many at one moment, moving jobs."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
import redis

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Settlement, State
from queuectl.drivers.redis import RedisDriver
from queuectl.jobs.fingerprint import fingerprint
from queuectl.jobs.outcome import Done, Parked, Problem, Release
from queuectl.testing.contract.base import entry, fail_one, push, record, reserve, reserve_one, settle
from queuectl.testing.servers import Valkey

Open = Callable[..., RedisDriver]


@pytest.fixture
def driver(server: Valkey, prefix: str, open_driver: Open, clock: FakeClock) -> RedisDriver:
    return open_driver(server.url, prefix=prefix, clock=clock)


@pytest.mark.parametrize(
    "payload",
    [
        b"\xff\xfe no job",
        b'{"job":"Foreign","attempts":3}',
        b'{ "id" : "abc-1", "job":"Foreign" }',
        json.dumps({"job": "Foreign", "uuid": "Zoë"}).encode(),
        json.dumps({"job": "Foreign", "uuid": "Zoë"}, ensure_ascii=False).encode(),
        b'{"queuectl:raw":"no base64!","id":"0","attempts":0}',
    ],
)
def test_what_another_program_pushed_is_found_by_what_its_listing_says(
    driver: RedisDriver, client: redis.Redis, prefix: str, payload: bytes
) -> None:
    """By the id that is shown, whatever text it lies in; before and after a worker has had it."""
    client.rpush(f"{prefix}queues:mail", entry().payload, payload)
    _, shown = driver.page("mail", "ready").items
    assert driver.find([shown.id]) == [shown]
    first, _ = reserve(driver, room=2)
    settle(driver, first, Done())
    [shown] = driver.page("mail", "reserved").items
    assert driver.find([shown.id]) == [shown]


def test_a_foreign_uuid_is_found_with_any_letters(driver: RedisDriver, client: redis.Redis, prefix: str) -> None:
    """However its program wrote them."""
    for ascii_only in (True, False):
        payload = json.dumps({"job": "Foreign", "uuid": "Zoë", "n": ascii_only}, ensure_ascii=ascii_only)
        client.rpush(f"{prefix}queues:mail", payload)
    assert len(driver.find(["Zoë"])) == 2


def test_a_key_that_only_looks_like_a_queue_is_passed_by(driver: RedisDriver, client: redis.Redis, prefix: str) -> None:
    """It costs nobody the jobs of the others."""
    client.set(f"{prefix}queues:a-text", "no queue")
    [uuid] = push(driver)
    assert len(driver.find([uuid])) == 1


def test_large_jobs_are_found_among_large_ones(driver: RedisDriver) -> None:
    """In ever smaller slices."""
    uuids = push(driver, *(entry(arguments=f'{{"text":"{letter * 300_000}"}}') for letter in "abcdefgh" * 3))
    assert len(driver.find([uuids[0], uuids[11], uuids[-1]])) == 3


def test_waiting_jobs_are_found_while_others_leave(
    driver: RedisDriver, server: Valkey, prefix: str, open_driver: Open
) -> None:
    """A worker at the head of the list moves those behind it, and none of them is passed by."""
    uuids = push(driver, *(entry() for _ in range(4_000)))
    worker = open_driver(server.url, prefix=prefix, clock=FakeClock())
    done = threading.Event()

    def work() -> None:
        held = reserve(worker, room=20)
        for _ in range(90):
            _, held = worker.exchange([Settlement(one, Done()) for one in held], ["mail"], 20)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    looks = 0
    while not done.is_set() or looks == 0:
        assert len(driver.find(uuids[2_000::400])) == 5
        looks += 1
    thread.join()


@pytest.mark.parametrize("state", ["delayed", "reserved"])
def test_many_of_one_moment_are_listed_once(driver: RedisDriver, clock: FakeClock, state: State) -> None:
    """A bulk falls due, or is reserved, all at the same time."""
    uuids = push(driver, *(entry(delay=60 if state == "delayed" else 0) for _ in range(400)))
    if state == "reserved":
        reserve(driver, room=400)
    seen: list[str] = []
    cursor = None
    for _ in range(7):
        page = driver.page("mail", state, cursor=cursor, limit=60)
        seen += [json.loads(stored.payload)["uuid"] for stored in page.items]
        cursor = page.cursor
    assert (cursor, len(seen), sorted(seen)) == (None, 400, sorted(uuids))


def test_failures_of_one_moment_are_listed_once(driver: RedisDriver, clock: FakeClock) -> None:
    """Across queues, and while those just shown are deleted."""
    push(driver)
    pattern = record(reserve_one(driver), clock)
    records = [replace(pattern, uuid=f"{number:036}", queue=f"q{number % 3}") for number in range(300)]
    driver.failed.add(records)
    seen: list[str] = []
    cursor = None
    for _ in range(5):
        page = driver.failed.page(cursor=cursor, limit=70)
        seen += driver.failed.forget([row.id for row in page.items])
        cursor = page.cursor
    assert (cursor, sorted(seen)) == (None, [one.uuid for one in records])


def test_a_listing_goes_on_where_it_was_though_its_jobs_were_cancelled(driver: RedisDriver) -> None:
    """All of a page, the last one too: none of the next is hidden or shown twice."""
    uuids = push(driver, *(entry() for _ in range(30)))
    first = driver.page("mail", "ready", limit=10)
    driver.cancel(first.items[2:])
    rest = driver.page("mail", "ready", cursor=first.cursor, limit=100).items
    assert [json.loads(stored.payload)["uuid"] for stored in rest] == uuids[10:]


def test_a_job_that_was_only_held_is_as_parked_as_before(driver: RedisDriver, clock: FakeClock) -> None:
    """A worker that stops gives it back untried."""
    since = clock.now()
    push(driver)
    settle(driver, reserve_one(driver), Parked("unknown job", 0))
    clock.sleep(5)
    settle(driver, reserve_one(driver), Release(0, spared=True))
    assert driver.page("mail", "ready").items[0].parked_at == pytest.approx(since, abs=1)


def test_rows_of_older_and_newer_workers_are_listed(
    driver: RedisDriver, client: redis.Redis, prefix: str, clock: FakeClock
) -> None:
    """A fingerprint is made from what the row has; what a later version adds is left alone."""
    [older, newer] = [fail_one(driver, clock), fail_one(driver, clock)]
    rows = f"{prefix}queuectl:mail:failed:rows"
    facts = json.loads(client.hget(rows, older))
    old = {name: value for name, value in facts.items() if name not in ("fingerprint", "place")}
    client.hset(rows, older, json.dumps(old))
    client.hset(rows, newer, json.dumps({**facts, "mood": "blue"}))
    listed = {row.uuid: row for row in driver.failed.page().items}
    expected = fingerprint("SendWelcome", Problem("builtins.ValueError", "no such user", ""))
    assert {row.fingerprint for row in listed.values()} == {expected}
    assert listed.keys() == {older, newer}
