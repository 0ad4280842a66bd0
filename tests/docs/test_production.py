"""The rights that the page about production grants are enough, and not more than it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pymysql
import pytest
import redis

from queuectl.testing.servers import Server
from tests.docs.pages import DOCS, Block, blocks
from tests.docs.walk import Walk

PAGE = DOCS / "production.md"
JOBS = """\
from queuectl import Job


class Fine(Job):
    def handle(self) -> None: ...


class Broken(Job):
    def handle(self) -> None:
        raise ValueError("broken")
"""
CONFIGURATION = """\
default = "{name}"
jobs = ["app"]

[connections.{name}]
driver = "{name}"
{more}
"""
A_DAYS_WORK = """\
dispatch Fine
dispatch Broken
monitor
pause mail --for=1h
resume mail
restart
work --stop-when-empty
failed
retry all
work --stop-when-empty
forget all --yes
clear --force
about
"""
PROGRAM = """\
import sys
from queuectl.cli import main

for line in sys.stdin:
    code = main(line.split())
    assert code == 0, f"{line}{code}"
"""
"""One process for all commands: starting one costs more than what it does."""


def shop(folder: Path, name: str, more: str = "") -> Walk:
    """An application with two jobs on this connection."""
    walk = Walk(folder)
    walk.write("app.py", JOBS)
    walk.write("conf/queue.toml", CONFIGURATION.format(name=name, more=more))
    return walk


def do_a_days_work(walk: Walk) -> None:
    walk.write("program.py", PROGRAM)
    walk.write("work.txt", A_DAYS_WORK)
    walk.run("python program.py < work.txt")


def quoted(beginning: str) -> Block:
    """The block of the page that begins so."""
    [found] = [block for block in blocks(PAGE, "sql", "conf") if block.text.startswith(beginning)]
    return found


@pytest.fixture
def limited_redis(valkey: Server) -> Iterator[str]:
    """An address with the name of the user that the page describes."""
    with redis.Redis.from_url(valkey.url) as client:
        client.execute_command("ACL", "SETUSER", *quoted("user ").text.split()[1:])
        yield valkey.url.replace("://", "://shop:SECRET@")
        client.execute_command("ACL", "DELUSER", "shop")


@pytest.mark.fault("X15")
def test_the_user_of_redis_can_do_a_days_work(tmp_path: Path, limited_redis: str) -> None:
    """And can neither list nor delete what belongs to others."""
    walk = shop(tmp_path, "redis", 'prefix = "shop:"')
    walk.environment["REDIS_URL"] = limited_redis
    do_a_days_work(walk)
    with redis.Redis.from_url(limited_redis) as client:
        for refused in ("FLUSHALL", "KEYS *", "GET other", "PUBLISH other x"):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*refused.split())


@pytest.fixture
def limited_postgres(postgres_url: str) -> Iterator[str]:
    """The address of a role that may do nothing yet."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE shop LOGIN")
        yield re.sub("//[^@]*@", "//shop@", postgres_url)
        connection.execute("DROP OWNED BY shop")
        connection.execute("DROP ROLE shop")


@pytest.mark.fault("X15")
def test_the_role_of_postgresql_can_do_a_days_work(tmp_path: Path, postgres_url: str, limited_postgres: str) -> None:
    """After its owner has migrated; then it finds nothing to migrate."""
    walk = shop(tmp_path, "database")
    walk.environment["QUEUE_DATABASE_URL"] = postgres_url
    walk.run("queuectl migrate")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(quoted("GRANT ").text.encode())
    walk.environment["QUEUE_DATABASE_URL"] = limited_postgres
    assert urlsplit(limited_postgres).username == "shop"
    do_a_days_work(walk)
    assert "Nothing to migrate" in walk.run("queuectl migrate")


@pytest.fixture
def limited_mariadb(mariadb_url: str) -> Iterator[tuple[pymysql.Connection[Any], str]]:
    """The owner's connection, and the address of a user who may do nothing yet."""
    parts = urlsplit(mariadb_url)
    owner = pymysql.connect(host="127.0.0.1", port=parts.port or 0, user="root", database=parts.path[1:])
    with owner, owner.cursor() as cursor:
        cursor.execute("CREATE USER shop")
        yield owner, mariadb_url.replace("//root@", "//shop@")
        cursor.execute("DROP USER shop")


@pytest.mark.fault("X15")
def test_the_user_of_mariadb_can_do_a_days_work(
    tmp_path: Path, mariadb_url: str, limited_mariadb: tuple[pymysql.Connection[Any], str]
) -> None:
    """With the first line, once for each table."""
    owner, limited = limited_mariadb
    walk = shop(tmp_path, "database")
    walk.environment["QUEUE_DATABASE_URL"] = mariadb_url
    walk.run("queuectl migrate")
    rights, tables, user = re.split(" ON | TO ", quoted("GRANT ").text.splitlines()[0].rstrip(";"))
    with owner.cursor() as cursor:
        for table in tables.split(", "):
            cursor.execute(f"{rights} ON {table} TO {user}")
        cursor.execute("GRANT SELECT ON job_batches TO shop")
    walk.environment["QUEUE_DATABASE_URL"] = limited
    do_a_days_work(walk)
    assert "Nothing to migrate" in walk.run("queuectl migrate")


def test_a_backup_of_sqlite_is_whole(tmp_path: Path) -> None:
    """The line of the page copies what lies in the journal beside the file, too."""
    walk = shop(tmp_path, "database")
    walk.run("queuectl migrate -q && queuectl dispatch Fine")
    [command] = [line for block in blocks(PAGE, "sh") for line in block.text.splitlines() if ".backup(" in line]
    walk.run(command)
    walk.environment["QUEUE_DATABASE_URL"] = "sqlite:///backup.sqlite"
    assert "[1] OK" in walk.run("queuectl monitor")
