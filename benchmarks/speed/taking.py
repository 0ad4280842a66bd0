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
    seconds = [_once(make) for _ in range(int(sys.argv[1]) + 1)][1:]
    peak = peak_of(Path("/proc/self/status"))
    print(json.dumps({"seconds": statistics.median(seconds), "peak": peak, "idle": idle}))


def _once(make: Callable[[Path], object]) -> float:
    photo = Path(shutil.copy("photo.jpg", "pictures/photo.jpg"))
    started = time.perf_counter()
    make(photo)
    return time.perf_counter() - started
