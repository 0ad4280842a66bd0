"""dramatiq on Redis."""

from __future__ import annotations

import os

import dramatiq
from dramatiq.brokers.redis import RedisBroker

from speed.deeds import deed
from speed.producing import TEXT, run

dramatiq.set_broker(RedisBroker(url=os.environ["SPEED_URL"]))


@dramatiq.actor
def work(number: int, text: str) -> None:
    deed(number)


if __name__ == "__main__":
    run(lambda number: work.send(number, TEXT))
