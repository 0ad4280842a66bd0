"""`queue:listen`: `work --listen` under the name that artisan has for it."""

from __future__ import annotations

import inspect
from typing import Any

import typer

from queuectl.commands.work import work


def listen(context: typer.Context, **given: Any) -> int:
    """Run jobs, and start anew whenever the code changes: `work --listen`, for development."""
    return work(context, **given, listen=True)


_OF_WORK = inspect.signature(work, eval_str=True)
vars(listen)["__signature__"] = _OF_WORK.replace(
    parameters=[one for name, one in _OF_WORK.parameters.items() if name != "listen"]
)
