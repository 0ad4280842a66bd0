"""Which version this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed

DISTRIBUTION = "queuectl-artisan"


def version() -> str:
    """The installed distribution's version; `unknown` when the package is only lying on the path."""
    try:
        return installed(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"
