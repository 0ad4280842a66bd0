"""A Python process with this folder on its path reads a wall clock that is off by what the file `SKEW` says."""

import os
import time
from pathlib import Path

_right, _file = time.time, Path(os.environ["SKEW"])


def _skewed() -> float:
    return _right() + float(_file.read_text())


time.time = _skewed
