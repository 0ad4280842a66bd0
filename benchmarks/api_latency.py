"""How long the HR API takes to answer, with its jobs inside the request and with its jobs in a queue, in one run.

Exit code 1: a promise did not hold, or something that was accepted was lost or done twice.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from latency.audit import audit
from latency.figures import Result, bounds
from latency.modes import MODES, Mode
from latency.report import as_json, show, write_into
from latency.stage import PATIENCE, Stage
from latency.traffic import ENDPOINTS, Visitor, camera_photo, drive
from rich.console import Console

from queuectl.testing.servers import Server, Valkey

WIDTH = 110
"""Columns of a table, where no terminal says otherwise."""


def main() -> int:
    options = parsed(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # through everything that is to be stopped on the way
    run = surroundings(options)
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    console.print(describe(run))
    photo = options.photo.read_bytes() if options.photo else camera_photo()
    results = [measured(mode, options, photo) for mode in options.modes]
    promises = bounds(results) if options.bounds else []
    show(console, results, promises)
    keep(options, results, as_json(results, promises, run), describe(run))
    sound = all(result.audit.is_sound for result in results)
    return 0 if sound and all(promise.holds for promise in promises) else 1


def measured(mode: Mode, options: argparse.Namespace, photo: bytes) -> Result:
    """One phase, on a stage of its own."""
    print(f"{mode.title} …", file=sys.stderr)
    with ExitStack() as stack:
        server: Server | None = stack.enter_context(Valkey(durable=True)) if mode.connection == "redis" else None
        stage = stack.enter_context(Stage(mode.connection, broadcast_ms=options.broadcast_ms, server=server))
        stage.start(workers=options.workers if mode.is_queued else 0)
        visitors = [Visitor(stage.url, photo) for _ in range(options.concurrency)]
        for visitor in visitors:
            stack.callback(visitor.close)
        first = drive(visitors, range(len(ENDPOINTS) * len(visitors)))  # opens connections, imports what is late
        patience = PATIENCE + (options.requests + len(first)) * (options.broadcast_ms / 1000 + 1)
        audit(stage, first, patience=patience)
        with mode.trouble(stage):
            answers = drive(visitors, range(len(first), len(first) + options.requests))
        return Result(mode, answers, audit(stage, [*first, *answers], patience=patience))


def keep(options: argparse.Namespace, results: Sequence[Result], figures: str, about: str) -> None:
    """Write the files that were asked for."""
    if options.json:
        options.json.write_text(figures)
    if options.plot:
        from latency.plot import plot  # its library is an extra

        plot(results, options.plot, about)
    if options.readme:
        write_into(options.readme, results, about)


def surroundings(options: argparse.Namespace) -> dict[str, Any]:
    """What a reader of the figures wants to know about how they came about."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "requests": options.requests,
        "before": len(ENDPOINTS) * options.concurrency,
        "concurrency": options.concurrency,
        "workers": options.workers,
        "broadcast_ms": options.broadcast_ms,
        "photo": options.photo.name if options.photo else "12 megapixels",
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
    }


def describe(run: dict[str, Any]) -> str:
    return (
        f"{run['requests']} requests a row, after {run['before']} to warm up, "
        f"by {run['concurrency']} clients at a time; "
        f"{run['workers']} workers, a broadcast of {run['broadcast_ms']:g} ms, photos of {run['photo']}; "
        f"Python {run['python']}, {run['cpus']} CPUs, load {run['load']} at the start, {run['at'][:10]}."
    )


def parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=requests, default=240, help="of each mode, a quarter to each endpoint (240)")
    parser.add_argument("--modes", type=modes, default=list(MODES.values()), help=f"some of {','.join(MODES)} (all)")
    parser.add_argument("--concurrency", type=int, default=2, help="clients at a time (2)")
    parser.add_argument("--workers", type=int, default=2, help="of each queued mode (2)")
    parser.add_argument("--broadcast-ms", type=float, default=300, help="that each broadcast takes (300)")
    parser.add_argument("--photo", type=Path, help="to clock in with (the example's, at twelve megapixels)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures there")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw them there, and FILE-dark.svg beside it")
    parser.add_argument("--readme", type=Path, metavar="FILE.md", help="put the table between its api-latency lines")
    parser.add_argument("--no-bounds", dest="bounds", action="store_false", help="judge what was lost, not how long")
    return parser.parse_args(arguments)


def requests(number: str) -> int:
    """As many as percentiles can be made of."""
    if int(number) < 2 * len(ENDPOINTS):
        raise argparse.ArgumentTypeError(f"at least {2 * len(ENDPOINTS)}, two to each endpoint")
    return int(number)


def modes(names: str) -> list[Mode]:
    """The modes of these names, in the order in which they are run."""
    unknown = set(names.split(",")) - MODES.keys()
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))}: choose from {', '.join(MODES)}")
    return [mode for mode in MODES.values() if mode.name in names.split(",")]


if __name__ == "__main__":
    sys.exit(main())
