"""huey, on Redis or in a SQLite file."""

from __future__ import annotations

import os

from huey import RedisHuey, SqliteHuey

from speed.deeds import deed
from speed.producing import TEXT, run

URL = os.environ["SPEED_URL"]
huey = RedisHuey(url=URL) if URL.startswith("redis") else SqliteHuey(filename=URL.removeprefix("sqlite:///"))


@huey.task()
def work(number: int, text: str) -> None:
    deed(number)


if __name__ == "__main__":
    from speed.peers.programs import huey_any

    run(lambda number: huey_any.work(number, TEXT))
