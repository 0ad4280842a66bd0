"""Drivers on throw-away servers, and a plain client beside them that does what other programs do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import redis

from queuectl.clock import Clock
from queuectl.config import Connection
from queuectl.drivers.redis import RedisDriver
from queuectl.testing.plugin import start
from queuectl.testing.servers import Redis62, Valkey

Open = Callable[..., RedisDriver]


@pytest.fixture
def open_driver() -> Iterator[Open]:
    """Builds drivers, and closes them after the test."""
    with ExitStack() as opened:

        def build(url: str, *, clock: Clock | None = None, **settings: object) -> RedisDriver:
            driver = RedisDriver.from_config(Connection("redis", "redis", url=url, **settings), clock=clock)
            opened.callback(driver.close)
            return driver

        yield build


@pytest.fixture(params=["valkey", "redis62"])
def server(request: pytest.FixtureRequest) -> Valkey | Redis62:
    """The session's Valkey, then its Redis 6.2."""
    found: Valkey | Redis62 = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=[Valkey, Redis62])
def own_server(request: pytest.FixtureRequest, pytestconfig: pytest.Config) -> Iterator[Valkey | Redis62]:
    """A server of this test's own, to be mistreated."""
    running = start(request.param, pytestconfig)
    yield running
    running.close()


@pytest.fixture
def driver(server: Valkey | Redis62, prefix: str, open_driver: Open) -> RedisDriver:
    return open_driver(server.url, prefix=prefix)


@pytest.fixture
def client(server: Valkey | Redis62) -> Iterator[redis.Redis]:
    """Somebody else's connection."""
    with redis.Redis.from_url(server.url) as plain:
        yield plain
