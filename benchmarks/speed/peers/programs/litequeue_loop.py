"""litequeue in a SQLite file. It has no worker: `work` as an argument is a bare loop."""

from __future__ import annotations

import json
import os
import sys
import time

from litequeue import LiteQueue

from speed.deeds import deed
from speed.producing import TEXT, run

queue = LiteQueue(os.environ["SPEED_URL"].removeprefix("sqlite:///"))


def consume() -> None:
    while True:
        message = queue.pop()
        if message is None:
            time.sleep(0.05)
            continue
        deed(json.loads(message.data)["number"])
        queue.done(message.message_id)


if __name__ == "__main__":
    if sys.argv[1] == "work":
        consume()
    run(lambda number: queue.put(json.dumps({"number": number, "text": TEXT})))
