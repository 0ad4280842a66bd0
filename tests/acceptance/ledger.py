"""The ledger: what happens to jobs, one line an event, in a file that survives every kill."""

from __future__ import annotations

import json
import os
import time


def write(ev: str, key: str, **more: object) -> None:
    line = json.dumps({"ev": ev, "key": key, "pid": os.getpid(), "t": time.monotonic(), **more}) + "\n"
    descriptor = os.open(os.environ["LEDGER"], os.O_APPEND | os.O_CREAT | os.O_WRONLY, 0o600)
    os.write(descriptor, line.encode())
    os.close(descriptor)
