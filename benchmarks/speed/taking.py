"""A program that makes a picture some times and prints what that took. The standard library only."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

from speed.producing import peak_of


def run(make: Callable[[Path], object]) -> None:
    """*make* replaces a photo by one of 1200 px, and puts a thumbnail of 300 px beside it."""
    idle = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    took = [_once(make) for _ in range(int(sys.argv[1]) + 1)][1:]
    seconds, cpu = (statistics.median(values) for values in zip(*took, strict=True))
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak_of(Path("/proc/self/status")), "idle": idle}))


def _once(make: Callable[[Path], object]) -> tuple[float, float]:
    photo = Path(shutil.copy("photo.jpg", "pictures/photo.jpg"))
    started, cpu = time.perf_counter(), time.process_time()
    make(photo)
    return time.perf_counter() - started, time.process_time() - cpu
