"""Behind Sentinels: the master is found, and found again after a failover."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from queuectl.drivers.contract import Verdict
from queuectl.drivers.redis import RedisDriver
from queuectl.errors import DriverUnavailable
from queuectl.jobs.outcome import Done
from queuectl.testing.contract.base import entry, push, reserve_one, settle
from queuectl.testing.topologies import RedisSentinels, ask, await_fact

Open = Callable[..., RedisDriver]


@pytest.mark.fault("F27")
def test_a_failover_costs_one_error(sentinels: RedisSentinels, open_driver: Open) -> None:
    """One of the Sentinels is down from the start; the replica has every job and every lease when it takes over."""
    driver = open_driver(sentinels.url)
    push(driver, entry(), entry())
    held = reserve_one(driver)
    watch = driver.watch(["other"])
    watch.next_check_in()
    await_fact(lambda: ask(sentinels.master, "WAIT", 1, 100) == 1, "the replica lags behind")
    await_fact(lambda: ask(sentinels.replica, "ZCARD", "queues:mail:reserved") == 1, "the replica lags behind")
    sentinels.master.kill()
    with pytest.raises(DriverUnavailable):
        settle(driver, held, Done())
    with pytest.raises(DriverUnavailable):
        watch.drain()
    sentinels.await_failover()
    assert settle(driver, held, Done()) is Verdict.APPLIED
    assert driver.counts(["mail"])["mail"].size == 1
    watch.next_check_in()
    assert watch.fileno() is not None
    watch.close()


@pytest.mark.fault("F23")
def test_a_service_that_nobody_knows_is_unavailable(sentinels: RedisSentinels, open_driver: Open) -> None:
    """The message says whom we asked."""
    driver = open_driver(sentinels.url.replace("/queue/", "/other/"))
    with pytest.raises(DriverUnavailable, match=f"{sentinels.sentinel.port}: names nobody"):
        driver.check()
