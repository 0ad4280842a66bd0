"""Started by `jobs`: imports the application and says what it found, as one JSON object on stdout."""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from typing import Any

from queuectl.app import App
from queuectl.errors import QueuectlError


def main() -> int:
    """The application's own words go to stderr."""
    faulthandler.enable()
    ours = os.dup(1)
    os.dup2(2, 1)
    found = _found()
    with os.fdopen(ours, "w") as answer:
        json.dump(found, answer)
    return 0


def _found() -> dict[str, Any]:
    try:
        declared = App.load().registry.declarations()
    except (QueuectlError, ImportError) as error:
        return {"error": str(error)}
    return {"timeouts": {name: found.settings.timeout for name, found in declared.items()}}


if __name__ == "__main__":
    sys.exit(main())
