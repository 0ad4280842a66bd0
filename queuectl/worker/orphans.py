"""Processes that end with the one that started them."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def signal_when_orphaned(number: signal.Signals, parent: int) -> bool:
    """Have the kernel send *number* to this process when its parent dies; whether *parent* still is that.

    Where it is not, it died before we asked to be told, and nobody will. Only Linux tells.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
    return os.getppid() == parent
