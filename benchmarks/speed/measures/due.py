"""Many delayed jobs that fall due in the same second: how long nothing is handed out, at the longest."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise

from queuectl.app import App
from queuectl.jobs.outcome import Entry
from queuectl.jobs.payload import encode, new_uuid
from speed.contestants import Contestant, own
from speed.figures import percentile
from speed.places import Place
from speed.run import Run

CHUNK = 1_000
SHARES = {"mariadb": 0.2}
"""Of the jobs, where all would take too long."""
PUSHED = 10_000
"""Jobs a second, as which their pushing is reckoned with."""


def measure(run: Run) -> None:
    for store in run.stores:
        with run.trying("longest stall", store, "queuectl"):
            stalled(run, own(store))


def stalled(run: Run, contestant: Contestant) -> None:
    store, who = contestant.store, contestant.name
    jobs = int(run.size.due * SHARES.get(store, 1))
    with Place(run.stores[store], jobs=jobs) as place:
        contestant.prepare(place)
        delay_all(place, jobs, run.size.ahead)
        worker = place.work(contestant.worker)
        worker.awaits(lambda: 0.0 not in place.begun(), run.size.ahead + 60 + jobs / 400)
        times = sorted(place.begun())
        gaps = [later - earlier for earlier, later in pairwise(times)]
        run.note("longest stall", store, who, max(gaps) * 1000, "ms")
        run.note("p99 of all gaps", store, who, percentile(sorted(gaps), 99) * 1000, "ms")
        run.note("drain of what fell due", store, who, (jobs - 1) / (times[-1] - times[0]), "/s")


def delay_all(place: Place, jobs: int, ahead: float) -> None:
    """Push them so that all are due in the same second."""
    app = App.load(place.folder / "conf/queue.toml", env={})
    with closing(app):
        driver = app.driver()
        due = int(driver.now() + ahead + jobs / PUSHED) + 0.5
        for first in range(0, jobs, CHUNK):
            delay = max(due - driver.now(), 0.0)
            driver.push([delayed(number, delay) for number in range(first, min(first + CHUNK, jobs))])


def delayed(number: int, delay: float) -> Entry:
    uuid, arguments = new_uuid(), f'{{"number":{number},"text":""}}'
    return Entry("default", encode(job="Work", arguments=arguments, uuid=uuid, delay=delay), uuid, delay=delay)
