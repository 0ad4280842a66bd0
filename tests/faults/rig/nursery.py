"""A nursery whose processes run behind `rig.faulty`, and know the jobs of the ledger from the start."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from queuectl.jobs.arguments import dump
from tests.acceptance import nursery
from tests.acceptance.nursery import REPOSITORY, Ended
from tests.faults.rig.faulty import stand_before_every_driver

__all__ = ["Ended", "Nursery"]


class Nursery(nursery.Nursery):
    """The process that is forked."""

    program = __name__
    path = f"{REPOSITORY / 'tests/acceptance'}:{REPOSITORY}"


def _warm_up() -> None:
    ledger: Any = import_module("ledger_jobs")
    dump(ledger.Ledger(key=""))  # the checking of arguments is imported, and built, on first use


if __name__ == "__main__":
    nursery.serve(_warm_up, stand_before_every_driver)
