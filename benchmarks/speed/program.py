"""`python -m benchmarks` from its first line to its last."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence

from speed.measures.catalog import MEASURES
from speed.options import parsed
from speed.report import show, show_targets
from speed.run import Run, started
from speed.sizes import SIZES
from speed.surroundings import Surroundings

ABOUT = "Measure queuectl, what its stores allow, and others, in one run; medians of several rounds."


def main(arguments: Sequence[str]) -> int:
    options = parsed(arguments, ABOUT)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # through everything that is to be stopped on the way
    with started(options.stores, lambda text: print(text, file=sys.stderr)) as stores:
        run = Run(stores, SIZES[options.size], options.rounds)
        surroundings = Surroundings.now(run, arguments)
        print(surroundings.described())
        if options.peers:
            from speed.peers.catalog import contestants

            run.peers = list(contestants(run))
        try:
            measure(run, options.only)
        finally:  # an end before the end leaves what was found by then
            show_targets(run.figures, full=options.size == "full")
            if options.write:
                from speed.results import write

                write(run.figures, surroundings.ended(run))
    return 0


def measure(run: Run, names: Sequence[str]) -> None:
    """One after the other, each with its table."""
    for name in names:
        run.say(f"— {name}")
        before = set(run.figures.measures())
        MEASURES[name](run)
        show(run.figures, [measure for measure in run.figures.measures() if measure not in before])
