"""Which version this is."""

from __future__ import annotations

from queuectl import __version__


def version() -> str:
    return __version__
