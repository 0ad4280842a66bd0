"""An incident from the alarm to the all-clear, as somebody on call plays it: real workers, commands, exit codes."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import Project, Worker

CHARGES, SHIPMENTS = 300, 200
JOBS = """\
from ledger import write

from queuectl import Job


class Charge(Job):
    order: int
    queue = "billing"

    def handle(self) -> None:
        {charge}
        write("done", f"charge {{self.order}}")


class Ship(Job):
    order: int
    queue = "shipping"

    def handle(self) -> None:
        {ship}
        write("done", f"ship {{self.order}}")
"""
FINE = "write('start', str(self.order))"
NO_CARD = 'raise ValueError(f"order {self.order}: the card service answers 503")'
NO_TRUCK = 'raise OSError(f"order {self.order}: no route to truck 10.0.0.{self.order % 250}")'
QUEUES = "--queue=billing,shipping"


def release(project: Project, *, charge: str, ship: str) -> None:
    (project.folder / "shop.py").write_text(JOBS.format(charge=charge, ship=ship))


def deploy(project: Project, worker: Worker, **code: str) -> Worker:
    """New code, and workers that end with the old one; what a supervisor does then."""
    release(project, **code)
    project.cli("restart")
    assert worker.ends() == 0
    return project.work(QUEUES)


def report(project: Project, *words: str, code: int = 0) -> Any:
    return json.loads(project.cli(*words, "--json", code=code).stdout)


def groups(project: Project) -> dict[str, dict[str, Any]]:
    """By job."""
    return {group["job"]: group for group in report(project, "failed", "--group")}


def counts(project: Project) -> dict[str, int]:
    return {job: group["count"] for job, group in groups(project).items()}


@pytest.fixture(params=["sqlite", pytest.param("valkey", marks=pytest.mark.long)])
def shop(request: pytest.FixtureRequest, make_project: MakeProject) -> Project:
    project = make_project(request.param)
    file = project.folder / "conf/queue.toml"
    file.write_text(file.read_text().replace('jobs = ["ledger_jobs"]', 'jobs = ["shop"]'))
    release(project, charge=NO_CARD, ship=NO_TRUCK)
    dispatch = "{0}.dispatch_many([{0}(order=number) for number in range({1})])"
    calls = [dispatch.format("Charge", CHARGES), dispatch.format("Ship", SHIPMENTS)]
    project.python("\n".join(["from shop import *", *calls]))
    return project


def test_an_incident_from_the_alarm_to_the_all_clear(shop: Project) -> None:
    """Two causes of 500 failures are told apart; canaries tell that one is not repaired, and then that it is; the
    others follow at a rate; a wrong flush is undone; every job is done once in the end."""
    worker = shop.work(QUEUES)
    shop.cli("drain", "--empty", "--timeout=60")
    shop.cli("failed", "--since=10m", "--max=0", "--ids", code=4)  # the alarm
    found = groups(shop)
    assert counts(shop) == {"Charge": CHARGES, "Ship": SHIPMENTS}
    assert (found["Charge"]["place"], found["Ship"]["error"]) == ("shop.py:handle", "builtins.OSError")
    charges = ["retry", "--group", found["Charge"]["fingerprint"], "--canary=5", "--timeout=60"]

    found = report(shop, *charges, code=1)  # nobody has repaired anything
    assert (found["stopped"], found["canaries"], found["done"]) == ("canary", 5, 0)
    shop.cli("drain", "--empty", "--timeout=60")
    assert counts(shop) == {"Charge": CHARGES, "Ship": SHIPMENTS}
    assert [verb["count"] for verb in report(shop, "audit") if verb["verb"] == "retry"] == [
        5
    ]  # nothing else was touched

    worker = deploy(shop, worker, charge=FINE, ship=NO_TRUCK)
    found = report(shop, *charges, "--rate=200/s", "--stop-on-failure=10%", "--wait")
    assert (found["stopped"], found["retried"], found["done"], found["open"]) == (None, CHARGES, CHARGES, 0)
    assert counts(shop) == {"Ship": SHIPMENTS}

    flushed = report(shop, "flush", "--force")  # by mistake
    assert (flushed["deleted"], counts(shop)) == (SHIPMENTS, {})
    shop.cli("undo", flushed["operation"])
    assert counts(shop) == {"Ship": SHIPMENTS}

    worker = deploy(shop, worker, charge=FINE, ship=FINE)
    assert report(shop, "retry", "all", "--wait", "--timeout=60")["done"] == SHIPMENTS
    shop.cli("failed", "--max=0")  # the all-clear
    orders = [f"charge {order}" for order in range(CHARGES)] + [f"ship {order}" for order in range(SHIPMENTS)]
    assert shop.done() == Counter(orders)
