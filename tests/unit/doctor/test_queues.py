"""Jobs that nobody works on, that wait too long, that lie in an outbox, that failed."""

from __future__ import annotations

import time

from queuectl.app import App
from queuectl.commands.version import version
from queuectl.drivers.control import Beat
from queuectl.jobs.outcome import Entry
from queuectl.jobs.payload import encode, new_uuid
from tests.unit.cli.conftest import Site
from tests.unit.doctor.conftest import Examine

OUTBOX = (
    'default = "redis"\n[connections.redis]\nurl = "redis://127.0.0.1:1/0"\noutbox = "app"\n'
    '[connections.app]\ndriver = "database"\nurl = "sqlite:///storage/app.sqlite"\n'
)


def entry(queue: str) -> Entry:
    uuid = new_uuid()
    return Entry(queue, encode(job="Mail", arguments="{}", uuid=uuid), uuid)


def is_alive(site: Site, *queues: str, of: str = version()) -> None:
    """A worker of these queues shows a sign of life."""
    now = time.time()
    with site.driver() as driver:
        driver.control.beat(Beat("h:1:x", "night", "h", 1, queues, now, now, 1, 0, version=of))


def test_a_queue_that_nobody_works_on_fails(ready: Site, examine: Examine) -> None:
    """Each of them, with the line that starts a worker for it."""
    ready.push("mail", 3)
    ready.push("later", delay=60)
    ready.push("served")
    is_alive(ready, "served")
    found = {one["fix"]: one["detail"] for one in examine("workers").checks}
    assert list(found) == ["queuectl work database --queue=later", "queuectl work database --queue=mail"]
    assert found["queuectl work database --queue=mail"].startswith("Queue mail holds 3 jobs, the oldest for ")


def test_a_worker_for_each_queue_is_enough(ready: Site, examine: Examine) -> None:
    """It is named; queues without jobs need nobody."""
    assert examine("workers").of("workers")["detail"] == "No worker is alive, and no queue holds a job."
    ready.push("mail")
    is_alive(ready, "mail", "low")
    assert examine("workers").of("workers")["detail"] == "1 worker alive: night on h (mail,low)."


def test_a_worker_of_another_version_is_warned_of(ready: Site, examine: Examine) -> None:
    """It still runs the code from before the deploy."""
    is_alive(ready, "mail", of="0.0.1")
    [outdated] = [one for one in examine("workers").checks if one["status"] == "warning"]
    assert "0.0.1" in outdated["detail"]
    assert outdated["fix"] == "queuectl restart"


def test_what_is_paused_is_warned_of(ready: Site, examine: Examine) -> None:
    """With its reason, and the command that ends it, which does."""
    assert examine("pauses").status("pauses") == "ok"
    ready.run("pause", "database:mail", "--reason", "the printer is empty")
    ready.run("pause", "--all")
    found = examine("pauses").checks
    assert [one["fix"] for one in found] == ["queuectl resume --all", "queuectl resume database:mail"]
    assert found[1]["detail"].endswith("the printer is empty.")
    for one in found:
        assert ready.run(*one["fix"].split()[1:]).code == 0
    assert examine("pauses").status("pauses") == "ok"


def test_a_job_that_waits_too_long_is_warned_of(ready: Site, examine: Examine, an_hour_ago: App) -> None:
    """Although somebody works on its queue: it needs more of them."""
    ready.push("mail")
    assert examine("waiting").status("waiting") == "ok"
    an_hour_ago.driver("database").push([entry("mail")])
    found = examine("waiting").of("waiting")
    assert found["status"] == "warning"
    assert found["detail"].startswith("The oldest job has waited 1 hour")
    assert found["fix"].startswith("queuectl work database --queue=mail --workers=2")


def test_what_an_outbox_keeps_too_long_fails(site: Site, examine: Examine) -> None:
    """It is nobody's queue: workers of the connection it is meant for carry it over, and so does the remedy."""
    site.write(OUTBOX)
    assert site.run("migrate").code == 0
    assert examine("outbox").status("outbox") == "ok"
    _keep("mail", ago=10)
    examined = examine("outbox", "workers", "waiting")
    assert examined.of("outbox")["detail"].startswith("The outbox [app] keeps 1 job, the oldest for 1")
    assert examined.status("workers") == examined.status("waiting") == "ok"
    _keep("low", ago=120)
    found = examine("outbox").of("outbox", "redis")
    assert (found["status"], found["fix"]) == (
        "failed",
        "queuectl relay redis  # as its workers do: queuectl work redis --queue=low,mail",
    )


def _keep(queue: str, *, ago: float) -> None:
    from queuectl.clock import FakeClock

    app = App(App.load().config, clock=FakeClock(time.time() - ago))
    outbox = app.outbox("redis")
    assert outbox is not None
    outbox.keep([entry(queue)])
    app.close()


def test_jobs_that_failed_lately_are_warned_of(ready: Site, examine: Examine) -> None:
    """How many, and the newest; those of last week are yesterday's news."""
    ready.fail("00000001-0000-4000-8000-000000000000", ago=7 * 86_400)
    assert examine("failed").of("failed")["detail"] == "No job failed within the last day."
    ready.fail("00000002-0000-4000-8000-000000000000", "00000003-0000-4000-8000-000000000000", ago=3600)
    found = examine("failed").of("failed")
    assert found["detail"] == (
        "2 jobs failed for good within the last day; the newest, Mail: OSError: the server is away"
    )
    assert ready.run(*found["fix"].split()[1:]).out.count("OSError") == 2
