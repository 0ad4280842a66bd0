"""The watch: wakes an idle worker for a push, and makes it look in time for what falls due without a word."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterator

import pytest
import redis

from queuectl.clock import FakeClock
from queuectl.drivers.redis import RedisDriver
from queuectl.drivers.redis.watch import RedisWatch
from queuectl.errors import DriverUnavailable
from queuectl.testing.contract.base import entry, push, reserve, reserve_one
from queuectl.testing.servers import Valkey
from queuectl.testing.topologies import await_fact

Open = Callable[..., RedisDriver]


@pytest.fixture
def watch(driver: RedisDriver) -> Iterator[RedisWatch]:
    """Over two queues that have been found empty."""
    assert reserve(driver, "high", "mail") == []
    watch = driver.watch(["high", "mail"])
    yield watch
    watch.close()


@pytest.mark.parametrize("queue", ["high", "mail"])
def test_a_push_makes_it_readable(driver: RedisDriver, watch: RedisWatch, queue: str) -> None:
    """To whichever of its queues."""
    assert 0.9 < watch.next_check_in() <= 1.0
    push(driver, entry(queue))
    _await(watch)
    assert watch.drain()
    assert reserve_one(driver, "high", "mail").queue == queue


def test_a_push_before_it_was_armed_counts_too(driver: RedisDriver, watch: RedisWatch) -> None:
    """No gap between the last look and the first wait."""
    push(driver)
    watch.next_check_in()
    _await(watch)
    assert watch.drain()


def test_its_own_silence_is_no_news(driver: RedisDriver, watch: RedisWatch) -> None:
    """The end of a blocking slice is not a reason to look; the next slice starts when asked."""
    watch.next_check_in()
    _await(watch)  # two seconds: the server gives up waiting
    watch._check_at = float("inf")  # the second after which it would look in any case is over by now
    assert not watch.drain()
    watch.next_check_in()
    push(driver)
    _await(watch)
    assert watch.drain()


def test_after_a_second_it_is_time_to_look(driver: RedisDriver, watch: RedisWatch) -> None:
    """Leases run out without a word."""
    watch.next_check_in()
    assert not watch.drain()
    watch._check_at = 0.0
    assert watch.drain()


def test_a_delay_that_ends_soon_shortens_the_wait(driver: RedisDriver, watch: RedisWatch) -> None:
    """As far as the last look told."""
    push(driver, entry(delay=0.5), entry("high", delay=30))
    reserve(driver, "high", "mail")
    assert 0 < watch.next_check_in() <= 0.5


def test_one_token_wakes_one_of_two(driver: RedisDriver, watch: RedisWatch) -> None:
    """A token that nobody acts on is made again by the next script."""
    other = driver.watch(["mail"])
    for one in (watch, other):
        one.next_check_in()
    push(driver)
    ready = select.select([watch.fileno(), other.fileno()], [], [], 10)[0]
    assert len(ready) == 1
    push(driver)
    _await(watch)
    _await(other)
    other.close()


def test_a_php_push_wakes_it(driver: RedisDriver, watch: RedisWatch, client: redis.Redis, prefix: str) -> None:
    """It leaves a token as we do."""
    watch.next_check_in()
    client.rpush(f"{prefix}queues:mail", b'{"job":"Mail@send","attempts":0}')
    client.rpush(f"{prefix}queues:mail:notify", 1)
    _await(watch)
    assert watch.drain()


@pytest.mark.fault("F20")
def test_it_survives_a_restart(open_driver: Open) -> None:
    """The descriptor turns readable, `drain` says what happened, and the next wait is armed on a new connection."""
    with Valkey(durable=True) as server:
        driver = open_driver(server.url)
        watch = driver.watch(["mail"])
        watch.next_check_in()
        server.kill()
        _await(watch)
        with pytest.raises(DriverUnavailable):
            watch.drain()
        assert (watch.next_check_in(), watch.fileno()) == (1.0, None)
        server.start()
        watch.next_check_in()
        push(driver)
        _await(watch)
        assert watch.drain()
        watch.close()


def test_closing_it_frees_the_server(driver: RedisDriver, watch: RedisWatch, client: redis.Redis) -> None:
    """No connection stays behind in a blocking pop."""
    before = client.info("clients")["blocked_clients"]
    watch.next_check_in()
    await_fact(lambda: client.info("clients")["blocked_clients"] == before + 1, "nobody waits")
    watch.close()
    watch.close()
    assert watch.fileno() is None
    await_fact(lambda: client.info("clients")["blocked_clients"] == before, "somebody still waits")


def test_a_bound_clock_tells_what_is_due(server: Valkey, prefix: str, open_driver: Open, clock: FakeClock) -> None:
    """The wait is in seconds of that clock."""
    driver = open_driver(server.url, prefix=prefix, clock=clock)
    watch = driver.watch(["mail"])
    push(driver, entry(delay=60))
    reserve(driver)
    assert watch.next_check_in() > 0.9
    clock.sleep(59.75)
    reserve(driver)
    assert watch.next_check_in() <= 0.25
    watch.close()


def _await(watch: RedisWatch) -> None:
    descriptor = watch.fileno()
    assert descriptor is not None
    assert select.select([descriptor], [], [], 10)[0]
