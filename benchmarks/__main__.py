"""How fast queuectl is, how fast its stores would let it be, and, with `--peers`, how fast others are: in one run."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))  # where the programs of this folder have their packages
    from speed.program import main

    sys.exit(main(sys.argv[1:]))
