"""rq on Redis; `work` as an argument makes it a worker that runs jobs in its own process."""

from __future__ import annotations

import os
import sys

from redis import Redis
from rq import Queue, SimpleWorker

from speed.deeds import deed
from speed.producing import TEXT, run


def work(number: int, text: str) -> None:
    deed(number)


if __name__ == "__main__":
    queue = Queue(connection=Redis.from_url(os.environ["SPEED_URL"]))
    if sys.argv[1] == "work":
        SimpleWorker([queue], connection=queue.connection).work(logging_level="ERROR")
    run(lambda number: queue.enqueue("speed.peers.programs.rq_redis.work", number, TEXT, result_ttl=0))
