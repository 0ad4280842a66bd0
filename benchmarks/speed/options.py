"""The command line of `python -m benchmarks`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence

from speed.measures.catalog import MEASURES
from speed.sizes import SIZES
from speed.stores import STORES


def parsed(arguments: Sequence[str], about: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=about)
    parser.add_argument(
        "--only", type=some_of(MEASURES), default=list(MEASURES), metavar="NAMES", help=f"of {', '.join(MEASURES)}"
    )
    parser.add_argument(
        "--stores", type=some_of(STORES), default=list(STORES), metavar="NAMES", help=f"of {', '.join(STORES)}"
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="of which medians are taken (3)")
    parser.add_argument("--size", choices=SIZES, default="full", help="how much is measured (full)")
    parser.add_argument("--quick", dest="size", action="store_const", const="quick", help="the same as --size quick")
    parser.add_argument("--peers", action="store_true", help="other libraries too, installed from PyPI")
    parser.add_argument("--write", action="store_true", help="write RESULTS.md and its plot")
    return parser.parse_args(arguments)


def some_of(known: Iterable[str]) -> Callable[[str], list[str]]:
    """Those of the names given, in the order in which they are known."""
    names = list(known)

    def chosen(words: str) -> list[str]:
        unknown = set(words.split(",")) - set(names)
        if unknown:
            raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: choose from {', '.join(names)}")
        return [name for name in names if name in words.split(",")]

    return chosen
