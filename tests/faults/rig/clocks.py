"""Processes whose wall clock is not everybody's, and jumps; their monotonic clock does not, as on a host that is set.

libfaketime would do so for any program, but it makes waits of Python's last for hours when the clock jumps.
"""

from __future__ import annotations

from pathlib import Path

SITE = Path(__file__).with_name("skewed")


class WallClock:
    """A clock that Python processes read which are started with `environment`; it can be set while they run."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.environment = {"PYTHONPATH": str(SITE), "SKEW": str(file)}
        self.set(0)

    def set(self, seconds: int) -> None:
        """So far from the host's clock."""
        whole = self._file.with_suffix(".new")
        whole.write_text(str(seconds))
        whole.rename(self._file)
