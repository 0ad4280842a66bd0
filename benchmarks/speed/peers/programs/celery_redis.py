"""Celery on Redis, results ignored."""

from __future__ import annotations

import os

from celery import Celery

from speed.deeds import deed
from speed.producing import TEXT, run

app = Celery("speed", broker=os.environ["SPEED_URL"])
app.conf.task_ignore_result = True


@app.task(name="work")
def work(number: int, text: str) -> None:
    deed(number)


if __name__ == "__main__":
    run(lambda number: work.delay(number, TEXT))
