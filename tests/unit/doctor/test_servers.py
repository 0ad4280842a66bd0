"""Servers that are away, that refuse, that forget, and whose clock is wrong."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest
import redis

from queuectl.app import App
from queuectl.clock import FakeClock
from queuectl.config import Connection
from queuectl.doctor.finding import Status
from queuectl.doctor.patient import Patient
from queuectl.doctor.reaching import knock
from queuectl.doctor.servers import clock
from queuectl.drivers.database import postgres_concerns
from queuectl.testing.servers import Server
from tests.unit.cli.conftest import Site
from tests.unit.doctor.conftest import CANARY, Examine

REDIS = 'default = "redis"\n[connections.redis]\nurl = "{}"\n'
DATABASE = 'default = "database"\n[connections.database]\nurl = "{}"\n'
CLOCKS = 'default = "redis"\n[connections.redis]\nurl = "{}"\n[connections.database]\n'


@pytest.fixture
def valkey_site(site: Site, own_valkey: Server) -> Iterator[tuple[Site, redis.Redis]]:
    """A project on a server of its own, and what its administrator uses."""
    site.write(REDIS.format(own_valkey.url))
    with redis.Redis.from_url(own_valkey.url) as admin:
        yield site, admin


@pytest.fixture
def postgres_site(site: Site, postgres_url: str) -> Site:
    """A project on PostgreSQL, with its tables."""
    site.write(DATABASE.format(postgres_url))
    assert site.run("migrate").code == 0
    return site


# Away


def test_a_server_that_was_stopped_fails(own_valkey: Server, site: Site, examine: Examine) -> None:
    """With a command that asks for a sign of life, and where the address was read."""
    site.write(REDIS.format(own_valkey.url))
    assert examine("server").status("server", "redis") == "ok"
    own_valkey.stop()
    found = examine("server", "writes", "clock", "durability", "workers").checks
    [server] = found  # what can only be known of a server that answers is left out
    assert server["status"] == "failed"
    assert server["fix"] == (
        f"redis-cli -h 127.0.0.1 -p {own_valkey.port} ping  # is it running? Where it is comes from conf/queue.toml:3"
    )


@pytest.mark.fault("X10")
@pytest.mark.parametrize(
    ("url", "command"),
    [
        (f"redis://app:{CANARY}@cache:7000/0", "redis-cli -h cache -p 7000 ping"),
        (f"unix://:{CANARY}@/run/redis.sock?db=1", "redis-cli -s /run/redis.sock ping"),
        (f"postgresql://app:{CANARY}@db:5433/x", "pg_isready -h db -p 5433"),
        (f"mysql://app:{CANARY}@db/x", "mysqladmin -h db ping"),
        ("sqlite:////srv/a b.sqlite", "fuser -v '/srv/a b.sqlite'"),
        ("redis://h:port/0", "queuectl about"),
    ],
)
def test_what_to_type_holds_no_secret(url: str, command: str) -> None:
    """One command for each kind of server."""
    kind = "redis" if url.startswith(("redis", "unix")) else "database"
    assert knock(Connection("x", kind, url=url)) == command


def test_wrong_credentials_point_at_their_origin(
    valkey_site: tuple[Site, redis.Redis], examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable, or the line of the file."""
    _, admin = valkey_site
    admin.config_set("requirepass", "right")
    monkeypatch.setenv("REDIS_URL", f"redis://:{CANARY}@127.0.0.1:{admin.connection_pool.connection_kwargs['port']}/0")
    found = examine("server").of("server")
    assert found["status"] == "failed"
    assert "user and password come from REDIS_URL" in found["fix"]


def test_a_package_that_is_missing_is_named(site: Site, examine: Examine) -> None:
    """A driver that nobody has installed is a wrong configuration, not a crash."""
    site.write('default = "x"\n[connections.x]\ndriver = "rabbit"\n')
    assert "There is no driver 'rabbit'" in examine("server").of("server")["detail"]


# Writing


def test_a_replica_takes_no_jobs(valkey_site: tuple[Site, redis.Redis], examine: Examine) -> None:
    """It answers all the same, so nothing but this tells."""
    _, admin = valkey_site
    admin.replicaof("127.0.0.1", 1)
    examined = examine("server", "writes")
    assert (examined.status("server"), examined.status("writes")) == ("ok", "failed")
    assert examined.of("writes")["fix"] == "url = redis://127.0.0.1:1/0"


def test_a_read_only_database_takes_no_jobs(postgres_site: Site, postgres_url: str, examine: Examine) -> None:
    """With the statement that changes it, which does."""
    name = urlsplit(postgres_url).path[1:]
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        found = examine("writes").of("writes")
        assert found["status"] == "failed"
        admin.execute("SET default_transaction_read_only = off")
        admin.execute(found["fix"].partition("  --")[0])
    assert examine("writes").status("writes") == "ok"


def test_a_file_that_somebody_holds_takes_no_jobs(ready: Site, examine: Examine) -> None:
    """With the command that says who."""
    ready.write('default = "database"\n[connections.database]\ntimeout = 0.5\n')
    with sqlite3.connect(ready.root / "storage/queue.sqlite", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        found = examine("writes").of("writes")
    other.close()
    assert found["status"] == "failed"
    assert found["fix"].startswith(f"fuser -v {ready.root}/storage/queue.sqlite")


def test_a_user_without_rights_takes_no_jobs(
    valkey_site: tuple[Site, redis.Redis], examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may only look; and who may not ask for the server's state is told what that hides."""
    _, admin = valkey_site
    admin.execute_command("ACL SETUSER looker on >secret allkeys +@read +@connection +evalsha +eval +script +time")
    port = admin.connection_pool.connection_kwargs["port"]
    monkeypatch.setenv("REDIS_URL", f"redis://looker:secret@127.0.0.1:{port}/0")
    examined = examine("server", "writes", "durability")
    assert (examined.status("server"), examined.status("writes")) == ("ok", "failed")
    assert "may not ask for INFO" in examined.of("durability")["detail"]


LEAST = "on >secret ~* -@all +@read +@write +@connection +@scripting +time -@dangerous +info"


@pytest.mark.fault("X15")
def test_few_rights_are_enough(
    valkey_site: tuple[Site, redis.Redis], examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that a worker needs; nothing is asked of CONFIG."""
    _, admin = valkey_site
    admin.config_set("appendonly", "yes")
    admin.execute_command(f"ACL SETUSER worker {LEAST}")
    port = admin.connection_pool.connection_kwargs["port"]
    monkeypatch.setenv("REDIS_URL", f"redis://worker:secret@127.0.0.1:{port}/0")
    assert {one["status"] for one in examine(options=("--skip", "jobs,pictures")).checks} == {"ok"}


# Durability, eviction


def test_a_redis_that_forgets_is_warned_of(valkey_site: tuple[Site, redis.Redis], examine: Examine) -> None:
    """Until it keeps an append-only file."""
    _, admin = valkey_site
    found = examine("durability").of("durability")
    assert found["status"] == "warning"
    assert found["fix"].startswith("appendonly yes")
    admin.config_set("appendonly", "yes")
    assert examine("durability").of("durability")["detail"] == "append-only file"


def test_a_redis_that_throws_jobs_away_fails(valkey_site: tuple[Site, redis.Redis], examine: Examine) -> None:
    """Whatever policy it is, but the one that refuses instead."""
    _, admin = valkey_site
    assert examine("eviction").status("eviction") == "ok"
    admin.config_set("maxmemory-policy", "allkeys-lru")
    found = examine("eviction").of("eviction")
    assert found["status"] == "failed"
    assert "maxmemory-policy noeviction" in found["fix"]


def test_a_redis_that_is_nearly_full_is_warned_of(valkey_site: tuple[Site, redis.Redis], examine: Examine) -> None:
    """Before it refuses jobs."""
    _, admin = valkey_site
    admin.config_set("maxmemory", int(admin.info("memory")["used_memory"] * 1.05))
    assert "soon jobs will be refused" in examine("eviction").of("eviction")["detail"]


def test_a_postgresql_that_may_lose_everything_is_warned_of(postgres_site: Site, examine: Examine) -> None:
    """The servers of these tests are like that."""
    found = {one["fix"]: one["status"] for one in examine("durability").checks}
    assert found == {
        "ALTER SYSTEM SET fsync = on; SELECT pg_reload_conf();  -- in psql": "warning",
        "ALTER SYSTEM SET full_page_writes = on; SELECT pg_reload_conf();  -- in psql": "warning",
    }


def test_a_mariadb_that_may_lose_a_second_is_warned_of(site: Site, mariadb_url: str, examine: Examine) -> None:
    """Likewise."""
    site.write(DATABASE.format(mariadb_url))
    assert examine("durability").of("durability")["fix"].startswith("SET GLOBAL innodb_flush_log_at_trx_commit = 1;")


def test_a_mariadb_that_is_read_only_takes_no_jobs(site: Site, mariadb_url: str, examine: Examine) -> None:
    """From anybody but an administrator, who is warned."""
    site.write(DATABASE.format(mariadb_url))
    assert site.run("migrate").code == 0
    with _administered(mariadb_url) as cursor:
        cursor.execute("CREATE USER app@'127.0.0.1'")
        cursor.execute(f"GRANT ALL ON {urlsplit(mariadb_url).path[1:]}.* TO app@'127.0.0.1'")
        cursor.execute("SET GLOBAL read_only = ON")
        try:
            assert examine("writes").status("writes") == "warning"
            site.write(DATABASE.format(mariadb_url.replace("root@", "app@")))
            assert examine("writes").status("writes") == "failed"
            cursor.execute(examine("writes").of("writes")["fix"].partition("  --")[0])
            assert examine("writes").status("writes") == "ok"
        finally:
            cursor.execute("SET GLOBAL read_only = OFF")
            cursor.execute("DROP USER app@'127.0.0.1'")


@contextmanager
def _administered(url: str) -> Iterator[pymysql.cursors.Cursor]:
    parts = urlsplit(url)
    connection = pymysql.connect(host=parts.hostname, port=parts.port or 0, user=parts.username, autocommit=True)
    with connection, connection.cursor() as cursor:
        yield cursor


def test_sqlite_says_how_it_writes(ready: Site, examine: Examine) -> None:
    """And that some of its versions have a fault which our own processes keep clear of."""
    examined = examine("server", "durability")
    assert examined.of("durability")["detail"].startswith("journal_mode=wal, synchronous=FULL")
    if sqlite3.sqlite_version_info < (3, 51, 3):
        assert "3.7.0 to 3.51.2" in examined.of("server")["facts"]["note"]


def test_a_transaction_that_nobody_ends_is_warned_of(
    postgres_site: Site, postgres_url: str, examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that was deleted meanwhile can be cleared away."""
    monkeypatch.setattr(postgres_concerns, "LONG", 0.0)
    with psycopg.connect(postgres_url) as forgotten:
        forgotten.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        forgotten.execute("SELECT count(*) FROM jobs")
        found = examine("upkeep").of("upkeep")
        assert found["fix"].startswith(f"SELECT pg_terminate_backend({forgotten.info.backend_pid});")
    assert examine("upkeep").checks == []


# Clocks


def test_a_clock_that_is_wrong_is_warned_of(site: Site, valkey: Server, postgres_url: str) -> None:
    """Whichever is ahead."""
    site.write(
        f'[connections.redis]\nurl = "{valkey.url}"\n[connections.pg]\ndriver = "database"\nurl = "{postgres_url}"\n'
    )
    for skew, words in ((100.0, "s ahead of"), (-100.0, "s behind")):
        app = App(App.load().config, clock=FakeClock(time.time() + skew))
        found = [one for one in clock(Patient(app)) if one.subject in ("redis", "pg")]
        app.close()
        assert [one.status for one in found] == [Status.WARNING] * 2
        assert all(words in one.detail for one in found)


def test_clocks_that_agree_are_told_so(site: Site, valkey: Server, examine: Examine) -> None:
    """As they do on one machine."""
    site.write(CLOCKS.format(valkey.url))
    assert site.run("migrate").code == 0
    assert {one["status"] for one in examine("clock").checks} == {"ok"}
