"""Calls that a type checker accepts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, ClassVar, assert_type

import psycopg
from sqlalchemy.orm import Session

from queuectl import Job, Pending, current_job, job, transaction


class Welcome(Job):
    user_id: int
    locale: str = "fr"
    tags: list[str] = field(default_factory=list)

    queue = "mail"
    connection = "redis"
    tries = 3
    backoff = (10, 30, 60)
    timeout = 20
    fail_on_timeout = True
    max_exceptions = 2
    retry_until = timedelta(hours=1)
    delay = 5
    name = "welcome"

    def handle(self) -> None:
        assert_type(self.user_id, int)
        assert_type(self.attempts, int)
        assert_type(self.uuid, str)
        self.release(5)
        self.release(timedelta(minutes=1))
        self.fail("no such user")
        self.fail(ValueError("no such user"))
        self.fail()

    def failed(self, error: BaseException) -> None: ...


class Farewell(Welcome):
    reason: str = ""

    backoff = (5, 5, 5)
    tries: ClassVar[int] = 5


class Fetch(Job):
    url: str

    async def handle(self) -> bytes:
        return b""

    async def failed(self, error: BaseException) -> None: ...

    def retry_until(self) -> datetime:
        return datetime.now() + timedelta(hours=1)


@job
def add(left: int, right: int = 1) -> int:
    return left + right


@job(tries=3, backoff=[1, 2], queue="q", delay=timedelta(minutes=1))
async def fetch(url: str, *, retries: int = 0) -> bytes:
    assert_type(current_job().attempts, int)
    return b""


def jobs() -> Iterator[Job]:
    yield Welcome(1)
    yield Fetch("https://example.com")
    yield add.to_job(1, right=2)


def calls() -> None:
    assert_type(Welcome.dispatch(1), str)
    assert_type(Welcome.dispatch(user_id=1, locale="en", tags=["a"]), str)
    assert_type(Farewell.dispatch(1, "en", reason="moved"), str)
    Welcome.dispatch_sync(1)
    Welcome.on_queue("high").later(60).dispatch(1)
    Welcome.later(timedelta(minutes=1)).on_connection("redis").using("other").dispatch(user_id=1)
    Welcome.later(datetime.now()).dispatch_sync(1, "en")
    Welcome.using(sqlite3.connect("app.sqlite")).dispatch(user_id=1)
    Welcome.on_queue("high").using(Session()).after_commit().dispatch(user_id=1)
    with transaction(psycopg.connect("")) as inside:
        Welcome.using(inside).dispatch(1)
    assert_type(Job.dispatch_many(jobs()), list[str])
    assert_type(Job.dispatch_stream(jobs()), int)
    assert_type(Welcome.on_queue("bulk").dispatch_many([Welcome(1), Welcome(2)]), list[str])
    assert_type(Welcome(1), Welcome)

    assert_type(add(1, right=2), int)
    assert_type(add.dispatch(1, right=2), str)
    add.on_queue("high").later(60).dispatch(1)
    add.dispatch_sync(left=1)
    fetch.dispatch("https://example.com", retries=2)

    pending: Pending[Any] = Welcome.on_queue("high")
    pending.dispatch(1)
