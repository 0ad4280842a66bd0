"""`about`: which server, and what its crash would cost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from queuectl.drivers.redis import RedisDriver
from queuectl.drivers.redis.address import parse
from queuectl.drivers.redis.facts import of_way
from queuectl.errors import UsageError
from queuectl.testing.contract.base import entry, push
from queuectl.testing.servers import Valkey

Open = Callable[..., RedisDriver]


def test_the_server_is_named(driver: RedisDriver, server: Valkey) -> None:
    """With its version, and where it is."""
    about = driver.about()
    assert about["server"].split(",")[0] == server.program.title.split()[0] + " " + server.version
    assert about["place"] == driver.place


@pytest.mark.fault("F19")
def test_a_server_without_persistence_is_warned_of(driver: RedisDriver) -> None:
    """Nothing it accepted would survive its crash."""
    assert "appendonly yes" in driver.about()["warning"]


@pytest.mark.fault("F26")
def test_a_durable_server_is_no_reason_to_warn(own_server: Valkey, open_driver: Open) -> None:
    """Unless it may throw jobs away to make room."""
    with redis.Redis.from_url(own_server.url) as admin:
        admin.config_set("appendonly", "yes")
        driver = open_driver(own_server.url)
        assert driver.about().keys() == {"place", "server", "durability", "eviction"}
        admin.config_set("maxmemory-policy", "allkeys-lru")
        assert "noeviction" in driver.about()["warning"]


@pytest.mark.fault("X15")
@pytest.mark.parametrize(
    ("url", "subjects"),
    [
        ("redis://127.0.0.1/0", []),
        ("redis://localhost/0", []),
        ("unix:///run/redis.sock", []),
        ("redis://[::1]/0", []),
        ("redis://cache/0", ["access", "encryption"]),
        ("redis://:secret@10.0.0.7/0", ["encryption"]),
        ("rediss://cache/0", ["access"]),
        ("rediss://:secret@cache/0", []),
        ("redis+cluster://127.0.0.1:7000,10.0.0.7:7000", ["access", "encryption"]),
    ],
)
def test_a_way_that_strangers_may_use_is_a_concern(url: str, subjects: list[str]) -> None:
    """Across a network: without a password, or in clear text."""
    assert [concern.subject for concern in of_way(parse(url))] == subjects


def test_more_than_a_script_should_take_is_refused_whole(driver: RedisDriver) -> None:
    """All or none: a part would be worse than nothing."""
    one = entry()
    with pytest.raises(UsageError, match="in parts"):
        driver.push([one] * 100_001)
    assert driver.counts() == {}
    assert push(driver, *(entry() for _ in range(2_000)))
    assert driver.counts()["mail"].pending == 2_000
