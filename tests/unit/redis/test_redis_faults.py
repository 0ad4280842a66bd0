"""Servers that refuse, hang, restart or forget: each is one of our errors, soon, and the next call starts afresh."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
import redis

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Verdict
from queuectl.drivers.redis import RedisDriver, wire
from queuectl.errors import AccessDenied, ConfigurationError, DriverUnavailable, QueuectlError
from queuectl.jobs.outcome import Done, Release, Unique
from queuectl.testing.contract.base import entry, fail_one, push, reserve, reserve_one, settle
from queuectl.testing.servers import Redis62, Valkey
from queuectl.testing.topologies import await_fact

Open = Callable[..., RedisDriver]
SECRET = "s3cr3t-canary"
RIGHTS = (
    "~queues:* ~queuectl:* resetchannels -@all +@read +@write +@scripting +@blocking -@dangerous +time +info +ping "
    "+select +client|setname +client|id +auth +hello"
)
"""The least that a worker needs."""


@pytest.fixture
def admin(own_server: Valkey) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(own_server.url) as client:
        yield client


@pytest.mark.fault("X15")
def test_a_user_with_the_documented_rights_can_do_everything(
    own_server: Valkey, admin: redis.Redis, open_driver: Open, clock: FakeClock
) -> None:
    """Neither KEYS nor CONFIG nor anybody else's keys."""
    admin.execute_command("ACL", "SETUSER", "worker", "on", f">{SECRET}", *RIGHTS.split())
    driver = open_driver(own_server.url.replace("://", f"://worker:{SECRET}@"), clock=clock)
    driver.check()
    push(driver, entry(), entry(unique=Unique("key", 60)))
    settle(driver, reserve_one(driver), Done(then=(entry("next"),), unlock=("key",)))
    settle(driver, reserve_one(driver, "next"), Release(0))
    assert sorted(driver.counts()) == ["mail", "next"]
    uuid = fail_one(driver, clock)
    assert [row.uuid for row in driver.failed.page().items] != []
    driver.failed.retry([uuid])
    assert driver.page("mail", "ready").items
    driver.control.ask_restart("now")
    assert driver.control.marks().restart == "now"
    assert "Redis" in driver.about()["server"] or "Valkey" in driver.about()["server"]
    watch = driver.watch(["mail"])
    watch.next_check_in()
    watch.close()
    _remove_and_put_back(driver, clock)
    assert driver.clear("mail") > 0


def _remove_and_put_back(driver: RedisDriver, clock: FakeClock) -> None:
    """Everything that an operator may do and undo, twice each: the second time what is kept is there already."""
    for _ in range(2):
        [uuid] = push(driver, entry("spare"))
        assert len(driver.cancel(driver.find([uuid]), keep="op-1")) == 1
        push(driver, entry("spare"), entry("spare", delay=60))
        assert driver.clear("spare", keep="op-1") == 2
        failed = fail_one(driver, clock, "failing")
        assert driver.failed.forget([failed], keep="op-1") == [failed]
        fail_one(driver, clock, "failing")
        assert driver.failed.flush(keep="op-1") >= 1
    driver.removed.most = 7
    push(driver, entry("other"))
    assert driver.clear("other", keep="op-2") == 1
    assert driver.removed.put_back("op-1", running=True).jobs
    assert driver.removed.purge() == 1


@pytest.mark.fault("F23")
@pytest.mark.parametrize("credentials", ["worker:wrong", f"nobody:{SECRET}", ""])
def test_wrong_credentials_are_hopeless(
    own_server: Valkey, admin: redis.Redis, open_driver: Open, credentials: str
) -> None:
    """`AccessDenied`, which nobody retries, without the password."""
    admin.execute_command("ACL", "SETUSER", "worker", "on", f">{SECRET}", *RIGHTS.split())
    admin.execute_command("ACL", "SETUSER", "default", "resetpass", "off")
    driver = open_driver(own_server.url.replace("://", f"://{credentials}@") if credentials else own_server.url)
    with pytest.raises(AccessDenied) as denied:
        push(driver)
    assert SECRET not in str(denied.value)
    assert "wrong" not in driver.place


@pytest.mark.fault("F26")
def test_a_forbidden_command_is_named(own_server: Valkey, admin: redis.Redis, open_driver: Open) -> None:
    """So that an operator knows what to allow."""
    admin.execute_command("ACL", "SETUSER", "worker", "on", f">{SECRET}", *RIGHTS.split(), "-evalsha")
    driver = open_driver(own_server.url.replace("://", f"://worker:{SECRET}@"))
    with pytest.raises(AccessDenied, match=r"(?i)evalsha"):
        push(driver)


def test_a_watch_that_may_not_wait_looks_instead(own_server: Valkey, admin: redis.Redis, open_driver: Open) -> None:
    """Without the right to block, a worker polls; that is no outage."""
    admin.execute_command("ACL", "SETUSER", "worker", "on", f">{SECRET}", *RIGHTS.split(), "-blpop")
    driver = open_driver(own_server.url.replace("://", f"://worker:{SECRET}@"))
    watch = driver.watch(["mail"])
    watch.next_check_in()
    await_fact(watch.drain, "the refusal has not arrived")
    assert (watch.next_check_in(), watch.fileno()) == (1.0, None)


@pytest.mark.fault("F23")
def test_a_database_that_is_not_there_is_hopeless(own_server: Valkey, open_driver: Open) -> None:
    """Number 99 of 16."""
    with pytest.raises(ConfigurationError):
        open_driver(own_server.url.replace("/0", "/99")).check()


@pytest.mark.fault("F18")
def test_a_frozen_server_costs_one_timeout(own_server: Valkey, open_driver: Open) -> None:
    """And the reply that comes late, to a call given up, is never taken for another's."""
    driver = open_driver(own_server.url, timeout=0.2)
    [uuid] = push(driver)
    own_server.freeze()
    with pytest.raises(DriverUnavailable):
        driver.counts(["mail"])
    own_server.thaw()
    assert driver.failed.count() == 0
    assert [one.id for one in driver.page("mail", "ready").items] != []
    assert driver.control.tally("x") == 1
    assert uuid


@pytest.mark.fault("F27")
def test_a_busy_server_is_unavailable(own_server: Valkey, admin: redis.Redis, open_driver: Open) -> None:
    """A script of somebody else's that does not end."""
    admin.config_set("lua-time-limit", 20)
    driver = open_driver(own_server.url)
    push(driver)
    hog = threading.Thread(target=_run_for_ever, args=(own_server.url,))
    hog.start()
    await_fact(lambda: _is_busy(driver), "the script does not hold the server up")
    with pytest.raises(DriverUnavailable):
        reserve(driver)
    admin.script_kill()
    hog.join()
    assert len(reserve(driver)) == 1


@pytest.mark.fault("F27")
def test_a_replica_takes_no_jobs(own_server: Valkey, admin: redis.Redis, open_driver: Open) -> None:
    """After a failover the old address answers READONLY: worth retrying, not hopeless."""
    driver = open_driver(own_server.url)
    push(driver)
    admin.execute_command("REPLICAOF", "127.0.0.1", 1)
    for call in (push, reserve, lambda driver: driver.control.ask_restart("x")):
        with pytest.raises(DriverUnavailable):
            call(driver)
    admin.execute_command("REPLICAOF", "NO", "ONE")
    assert len(reserve(driver)) == 1


@pytest.mark.fault("F20")
@pytest.mark.parametrize("server_class", [Valkey, Redis62])
def test_a_restart_between_two_calls_is_not_noticed(
    server_class: type[Valkey], open_driver: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that was silent for a while is looked at before it is used."""
    monkeypatch.setattr(wire, "IDLE", 0.0)
    with server_class(durable=True) as server:
        driver = open_driver(server.url)
        push(driver)
        server.restart()
        assert len(reserve(driver)) == 1


@pytest.mark.fault("F19")
def test_a_killed_server_is_unavailable_until_it_is_back(open_driver: Open) -> None:
    """Durable, so every job is there again; one error, no waiting."""
    with Valkey(durable=True) as server:
        driver = open_driver(server.url)
        push(driver, *(entry() for _ in range(50)))
        held = reserve_one(driver)
        server.kill()
        with pytest.raises(DriverUnavailable):
            settle(driver, held, Done())
        server.start()
        assert settle(driver, held, Done()) is Verdict.APPLIED
        assert driver.counts(["mail"])["mail"].size == 49


def _run_for_ever(url: str) -> None:
    with redis.Redis.from_url(url, socket_timeout=30) as client, pytest.raises(redis.RedisError):
        client.eval("while true do end", 0)


def _is_busy(driver: RedisDriver) -> bool:
    try:
        driver.failed.count()
    except QueuectlError:
        return True
    return False
