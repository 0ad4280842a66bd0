"""Jobs that installed distributions bring."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "queuectl.jobs"
_METADATA = (".dist-info", ".egg-info", "EGG-INFO")


def installed_jobs() -> Iterable[EntryPoint]:
    """The entry points of our group.

    Most often there is none, which is seen for a tenth of the time that it takes to import and ask what knows them all.
    """
    if not any(map(_may_bring_jobs, sys.path)):
        return ()
    from importlib.metadata import entry_points

    return entry_points(group=GROUP)


def _may_bring_jobs(place: str) -> bool:
    """Does any distribution that lies there speak of our group? Of what is no folder, an archive, we cannot tell."""
    try:
        found = list(Path(place).iterdir())
    except NotADirectoryError:
        return True
    except OSError:
        return False
    return any(_speaks_of_us(path) for path in found if path.name.endswith(_METADATA))


def _speaks_of_us(distribution: Path) -> bool:
    try:
        return GROUP.encode() in (distribution / "entry_points.txt").read_bytes()
    except OSError:
        return False
