"""The pytest fixtures: one server of each kind a session (and xdist worker), one database or key prefix a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from queuectl.clock import FakeClock
from queuectl.testing.databases import drop_database, fresh_database, fresh_prefix
from queuectl.testing.programs import PROGRAMS, VALKEY, Program, ProgramMissing, version_of
from queuectl.testing.servers import MariaDB, Postgres, Redis62, Server, Valkey
from queuectl.testing.topologies import RedisCluster, RedisSentinels

pytest.register_assert_rewrite("queuectl.testing.contract")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--require-servers",
        action="store_true",
        help="fail, not skip, tests whose program (Valkey, Redis 6.2, PostgreSQL, MariaDB, Chromium) is missing",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "shared_store: has a meaning only where several processes share the store")
    config.addinivalue_line("markers", "real_time: waits by the store's own clock")


def pytest_report_header() -> list[str]:
    return [f"servers: {', '.join(_installed())}"]


def _installed() -> list[str]:
    found = []
    for program in PROGRAMS:
        try:
            found.append(f"{program.title} {version_of(program.find())}")
        except ProgramMissing:
            found.append(f"{program.title} absent")
    return found


def start(server: type[Server], config: pytest.Config, *, durable: bool = False) -> Server:
    """A running server; skips the test if it is not installed, or fails it under `--require-servers`."""
    require(server.program, config)
    running = server(durable=durable)
    running.start()
    return running


def require(program: Program, config: pytest.Config) -> Path:
    """Where a program is; skips the test if it is not installed, or fails it under `--require-servers`."""
    try:
        return program.find()
    except ProgramMissing as missing:
        if config.getoption("--require-servers"):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))


def _serve(server: type[Server], config: pytest.Config) -> Iterator[Server]:
    running = start(server, config)
    yield running
    running.close()


@pytest.fixture(scope="session")
def valkey(pytestconfig: pytest.Config) -> Iterator[Server]:
    yield from _serve(Valkey, pytestconfig)


@pytest.fixture(scope="session")
def redis62(pytestconfig: pytest.Config) -> Iterator[Server]:
    yield from _serve(Redis62, pytestconfig)


@pytest.fixture(scope="session")
def cluster(pytestconfig: pytest.Config) -> Iterator[RedisCluster]:
    """Three nodes of Valkey."""
    require(VALKEY, pytestconfig)
    with RedisCluster() as running:
        yield running


@pytest.fixture
def sentinels(pytestconfig: pytest.Config) -> Iterator[RedisSentinels]:
    """A master, a replica, and who decides between them; of one test, which may make them decide."""
    require(VALKEY, pytestconfig)
    with RedisSentinels() as running:
        yield running


@pytest.fixture(scope="session")
def postgres(pytestconfig: pytest.Config) -> Iterator[Server]:
    yield from _serve(Postgres, pytestconfig)


@pytest.fixture(scope="session")
def mariadb(pytestconfig: pytest.Config) -> Iterator[Server]:
    yield from _serve(MariaDB, pytestconfig)


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """An empty database on PostgreSQL."""
    url = fresh_database(postgres)
    yield url
    drop_database(url)


@pytest.fixture
def mariadb_url(mariadb: MariaDB) -> Iterator[str]:
    """An empty database on MariaDB."""
    url = fresh_database(mariadb)
    yield url
    drop_database(url)


@pytest.fixture
def prefix() -> str:
    """A Redis key prefix of this test alone."""
    return fresh_prefix()


@pytest.fixture
def clock() -> FakeClock:
    """Moves only when a test says so."""
    return FakeClock()
