"""The jobs of the measured application, and its producer."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from queuectl import Job
from speed.deeds import async_deed, deed
from speed.producing import TEXT, run

CHUNK = 1_000


class Work(Job):
    number: int
    text: str

    def handle(self) -> None:
        deed(self.number)


class AsyncWork(Job):
    number: int
    text: str

    async def handle(self) -> None:
        await async_deed(self.number)


def jobs(kind: type[Work] | type[AsyncWork], count: int) -> Iterator[Job]:
    for number in range(count):
        yield kind(number=number, text=TEXT)


def main() -> None:
    """`python -m speed.workload KIND …`: the rest is a producer's command line."""
    kind = sys.argv.pop(1)
    if kind == "ready":
        push_ready()
        return
    job = AsyncWork if kind == "async" else Work
    many = job.dispatch_stream if kind == "stream" else job.dispatch_many
    run(lambda number: job.dispatch(number=number, text=TEXT), lambda count: many(jobs(job, count)))


def push_ready() -> None:
    """Payloads that were made before anybody looked at the clock, straight to the driver."""
    from queuectl.app import App
    from speed.filling import entry

    driver, entries = App.load().driver(), [entry() for _ in range(int(sys.argv[2]))]
    run(
        lambda number: driver.push([entries[number]]),
        lambda count: [driver.push(entries[first : first + CHUNK]) for first in range(0, count, CHUNK)],
    )


if __name__ == "__main__":
    from speed import workload  # the registered jobs are those of the module, not those of the program

    workload.main()
