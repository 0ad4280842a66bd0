"""Dispatching from coroutines: the loop goes on, on every store."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import pytest

from queuectl import InvalidArguments, Job, job
from queuectl.app import App
from queuectl.jobs.context import carrying
from queuectl.testing import InlineWorker

heard: list[Any] = []


class Mail(Job):
    number: int

    def handle(self) -> None:
        heard.append(self.number)


@job
def told(text: str) -> None:
    heard.append((text, threading.current_thread().name))


@pytest.fixture(autouse=True)
def _silence() -> None:
    heard.clear()


def test_many_at_once_are_all_there(app: App, worker: InlineWorker) -> None:
    """Each once, with its own uuid; places and delays as with `dispatch`."""

    async def main() -> list[str]:
        uuids = await asyncio.gather(*(Mail.adispatch(number) for number in range(20)))
        await told.adispatch("hello")
        await Mail.on_queue("low").later(60).adispatch(99)
        return uuids

    uuids = asyncio.run(main())
    assert len(set(uuids)) == 20
    assert app.driver("main").counts(["low"])["low"].delayed == 1
    worker.run_due()
    assert sorted(one for one in heard if isinstance(one, int)) == list(range(20))


@pytest.mark.usefixtures("app")
class TestTheLoop:
    """One store will do."""

    @pytest.fixture(params=["sqlite"])
    def store(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    def test_it_goes_on_while_a_job_runs_at_once(self) -> None:
        """On `sync` the job itself runs beside it; what it raises reaches who awaits."""

        async def main() -> int:
            ticks = 0
            going = asyncio.create_task(Slow.on_connection("sync").adispatch())
            while not going.done():
                await asyncio.sleep(0.01)
                ticks += 1
            with pytest.raises(ValueError, match="slow"):
                await going
            return ticks

        assert asyncio.run(main()) > 3

    def test_arguments_are_checked_before_anything_is_sent(self) -> None:
        """As with `dispatch`."""

        async def main() -> None:
            await Mail.adispatch("seven")  # type: ignore[arg-type]  # that is the point

        with pytest.raises(InvalidArguments):
            asyncio.run(main())

    def test_what_is_carried_goes_along(self, worker: InlineWorker) -> None:
        """Though it is another thread that sends."""

        async def main() -> None:
            with carrying(request_id="7"):
                await Carried.adispatch()

        asyncio.run(main())
        worker.run_due()
        assert heard == ["7"]


class Slow(Job):
    def handle(self) -> None:
        time.sleep(0.1)
        raise ValueError("slow")


class Carried(Job):
    def handle(self) -> None:
        from queuectl.jobs.context import carried

        heard.append(carried()["request_id"])
