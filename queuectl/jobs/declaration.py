"""What a worker's parent, which never imports a job, knows of each: its children tell it as they start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from queuectl.jobs.limits import Settings


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a job class says of its runs."""

    settings: Settings
    has_failed: bool
    """Is there a `failed` hook?"""

    def to_json(self) -> dict[str, Any]:
        return {"settings": asdict(self.settings), "has_failed": self.has_failed}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Declaration:
        settings = dict(found["settings"])
        if settings["backoff"] is not None:
            settings["backoff"] = tuple(settings["backoff"])
        return cls(Settings(**settings), bool(found["has_failed"]))
