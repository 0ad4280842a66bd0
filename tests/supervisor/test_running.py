"""Under a real Supervisor: workers start, come back, stop politely, and take up new code."""

from __future__ import annotations

import os
import signal
import threading

from tests.acceptance.project import until
from tests.supervisor.conftest import MakeSite, Site, Supervise

RELEASE = '''

class Release(Job):
    """Starts and waits until the file `open` is there."""

    key: str

    def handle(self) -> None:
        write("start", f"{self.key} of {VERSION}")
        while not Path("open").exists():
            time.sleep(0.01)
        write("done", f"{self.key} of {VERSION}")


VERSION = "the first release"
'''
EXPECTED = {
    "old0": "the first release",
    "old1": "the first release",
    "new0": "the second one",
    "new1": "the second one",
}


def test_the_three_lines_start_the_file_as_it_stands(site: Site, supervise: Supervise) -> None:
    """`reread`, `update`, `start`: two workers, that do what is queued and write into the project's log."""
    supervisord = supervise(site)
    site.ship()
    assert supervisord.ctl("reread") == "queuectl-worker: available\n"
    assert supervisord.ctl("update") == "queuectl-worker: added process group\n"
    started = supervisord.ctl("start", "queuectl-worker:*")
    assert "no such" not in started
    assert set(supervisord.running(2)) == {"queuectl-worker_00", "queuectl-worker_01"}
    until(lambda: site.monitor("notifications")[0]["workers"] == 2, "the signs of life")
    site.dispatch('Ledger.on_queue("notifications").dispatch(key="k")')
    until(lambda: site.done()["k"], "the job")
    until(lambda: "DONE" in site.worker_log.read_text(), "the log")


def test_a_killed_worker_comes_back(make_site: MakeSite, supervise: Supervise) -> None:
    """And what it ran is run again."""
    site = make_site(retry_after=2)
    site.ship()
    supervisord = supervise(site)
    before = supervisord.running(2)
    site.dispatch('Gate.on_queue("notifications").dispatch(key="k")')
    until(lambda: site.starts("k"), "the job to start")
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    until(lambda: not set(before.values()) & set(supervisord.running(2).values()), "new workers")
    until(lambda: site.done()["k"], "the job, in its second attempt")
    assert [event["attempt"] for event in site.starts("k")] == [1, 2]
    assert "terminated by SIGKILL; not expected" in supervisord.log()


def test_a_stop_lets_the_running_job_finish(site: Site, supervise: Supervise) -> None:
    """It is done, not abandoned, and what waits behind it is not begun."""
    site.ship()
    supervisord = supervise(site)
    supervisord.running(2)
    site.dispatch('Gate.on_queue("notifications").dispatch(key=f"k{n}")', times=3)
    until(lambda: len(site.events()) == 2, "both workers to be busy")
    stop = threading.Thread(target=supervisord.ctl, args=("stop", "queuectl-worker:*"))
    stop.start()
    until(lambda: set(supervisord.status().values()) == {"STOPPING"}, "the stop")
    (site.folder / "open").touch()
    stop.join()
    assert set(supervisord.status().values()) == {"STOPPED"}
    assert site.done().total() == 2
    [queue] = site.monitor("notifications")
    assert (queue["pending"], queue["reserved"], site.failed()) == (1, 0, [])
    assert supervisord.log().count("stopped: queuectl-worker_0") == supervisord.log().count("(exit status 0)") == 2


def test_a_time_limit_ends_well_and_starts_anew(site: Site, supervise: Supervise) -> None:
    """`--max-time` is exit 0, which Supervisor expects, and the next worker takes over."""
    site.generate("--numprocs=1", "--max-time=2", "--sleep=0.1")
    supervisord = supervise(site)
    first = supervisord.running(1)
    until(lambda: "exited: queuectl-worker_00 (exit status 0; expected)" in supervisord.log(), "the end of its time")
    until(lambda: supervisord.running(1) != first, "the next worker")
    site.dispatch('Ledger.dispatch(key="k")')
    until(lambda: site.done()["k"], "the job")


def test_a_restart_brings_both_back_with_new_code(site: Site, supervise: Supervise) -> None:
    """Running jobs end on the code that they began with."""
    jobs = site.folder / "ledger_jobs.py"
    jobs.write_text(jobs.read_text() + RELEASE)
    site.ship()
    supervisord = supervise(site)
    before = supervisord.running(2)
    site.dispatch('Release.on_queue("notifications").dispatch(key=f"old{n}")', times=2)
    until(lambda: len(site.events()) == 2, "both workers to be busy")
    jobs.write_text(jobs.read_text().replace("the first release", "the second one"))
    site.cli("restart")
    (site.folder / "open").touch()
    until(lambda: not set(before.values()) & set(supervisord.running(2).values()), "new workers")
    (site.folder / "open").unlink()
    site.dispatch('Release.on_queue("notifications").dispatch(key=f"new{n}")', times=2)
    until(lambda: len(site.events()) == 6, "both of the new workers to be busy")
    (site.folder / "open").touch()
    until(lambda: site.done().total() == 4, "all jobs")
    assert set(site.done()) == {f"{key} of {release}" for key, release in EXPECTED.items()}
    assert supervisord.log().count("(exit status 0; expected)") == 2


def test_an_outage_is_no_expected_end(make_site: MakeSite, supervise: Supervise) -> None:
    """Exit 69: even with `autorestart=unexpected` the worker is started again."""
    site = make_site(connection="redis")
    site.generate("redis", "--numprocs=1", "--max-downtime=2")
    site.edit("autorestart=true", "autorestart=unexpected")
    supervisord = supervise(site)
    ended = "exited: queuectl-worker_00 (exit status 69; not expected)"
    until(lambda: supervisord.log().partition(ended)[2].count("spawned: 'queuectl-worker_00'"), "a start after the end")
