"""The peers: how each is installed, prepared and run, and what its documentation promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from speed.contestants import Contestant
from speed.peers.venvs import ready
from speed.places import MeasureFailed, Place
from speed.run import Run

PROGRAMS = "speed.peers.programs"
BY_ITSELF = ("-",)
ABSENT = {
    "Laravel": "is PHP, and not on PyPI",
}
"""Whom one would look for in vain, and why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One way of one library; words of *worker* that begin with `bin/` are programs of its environment."""

    name: str
    venv: str
    store: str
    program: str
    worker: tuple[str, ...]
    kept: str
    """What its documentation says of a job whose worker was killed."""
    at_once: tuple[str, ...] = ()
    jobs: float = 1.0
    jobs_at_once: float = 0.0
    bulk: bool = False
    prepare: tuple[str, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)

    def contestant(self, say: Callable[[str], None]) -> Contestant:
        """With its environment ready; raises `MeasureFailed` where that cannot be made."""
        python = ready(self.venv, say)
        return Contestant(
            self.name,
            self.store,
            producer=(python, "-m", f"{PROGRAMS}.{self.program}"),
            worker=_resolved(self.worker, python),
            jobs=self.jobs,
            jobs_at_once=self.jobs_at_once,
            bulk=self.bulk,
            kept=self.kept,
            prepare=_preparing(_resolved(self.prepare, python)),
            environment=self.environment,
            at_once=self.at_once,
        )


def contestants(run: Run) -> Iterator[Contestant]:
    """All that can be run here, on the stores of this run; the others become lines with a reason."""
    for peer in PEERS:
        if peer.store in run.stores:
            with run.trying("drain", peer.store, peer.name):
                yield peer.contestant(run.say)


def _resolved(words: tuple[str, ...], python: Path) -> tuple[str | Path, ...]:
    return tuple(python.with_name(word[4:]) if word.startswith("bin/") else word for word in words)


def _preparing(command: tuple[str | Path, ...]) -> Callable[[Place], None]:
    def prepare(place: Place) -> None:
        if command:
            done = place.run(command, libpq(place.url))
            if done.code:
                raise MeasureFailed(f"could not make its tables: {done.output.strip()[-200:]}")

    return prepare


def libpq(url: str) -> dict[str, str]:
    """What PostgreSQL's own library calls the parts of a URL; `pgq` takes them from there."""
    server, _, database = url.partition("@")[2].partition("/")
    host, _, port = server.partition(":")
    return {"PGHOST": host, "PGPORT": port, "PGUSER": "postgres", "PGDATABASE": database}


PEERS = (
    Peer(
        "taskiq, stream",
        "taskiq",
        "redis",
        "taskiq_stream",
        ("bin/taskiq", "worker", f"{PROGRAMS}.taskiq_stream:broker", "--workers=1", "--log-level=ERROR"),
        kept="another worker claims it after idle_timeout, 10 min by default",
        at_once=BY_ITSELF,
    ),
    Peer(
        "huey",
        "huey",
        "redis",
        "huey_any",
        ("bin/huey_consumer", f"{PROGRAMS}.huey_any.huey", "--workers=1", "--quiet"),
        kept="lost: taken off the list before it runs",
        at_once=("--workers=50",),
    ),
    Peer(
        "saq",
        "saq",
        "redis",
        "saq_redis",
        ("bin/saq", f"{PROGRAMS}.saq_redis.settings", "--quiet"),
        kept="swept when its time-out or heartbeat has passed; retried if it has retries left",
        at_once=BY_ITSELF,
        jobs=0.6,
    ),
    Peer(
        "dramatiq",
        "dramatiq",
        "redis",
        "dramatiq_redis",
        ("bin/dramatiq", f"{PROGRAMS}.dramatiq_redis", "--processes=1", "--threads=1", "--skip-logging"),
        kept="put back once its worker's heartbeat is 60 s old",
        at_once=("--threads=50",),
        jobs=0.6,
    ),
    Peer(
        "celery, solo pool",
        "celery",
        "redis",
        "celery_redis",
        ("bin/celery", "-A", f"{PROGRAMS}.celery_redis", "worker", "--pool=solo", "--loglevel=ERROR"),
        kept="acknowledged when it begins unless acks_late is set; what stays unacknowledged returns after 1 h",
        jobs=0.4,
    ),
    Peer(
        "rq, SimpleWorker",
        "rq",
        "redis",
        "rq_redis",
        ("bin/python", "-m", f"{PROGRAMS}.rq_redis", "work"),
        kept="moved to the failed jobs once its time is over",
        jobs=0.15,
    ),
    Peer(
        "arq, 50 at once",
        "arq",
        "redis",
        "arq_redis",
        ("bin/arq", f"{PROGRAMS}.arq_redis.WorkerSettings"),
        kept="run again once its time-out has passed, 5 min by default",
        at_once=BY_ITSELF,
        jobs=0.15,
    ),
    Peer(
        "pgqueuer",
        "pgqueuer",
        "postgres",
        "pgqueuer_app",
        ("bin/python", "-m", f"{PROGRAMS}.pgqueuer_app", "work"),
        kept="picked again when its heartbeat is 30 s old; done ones are held back 0.1 s, and run twice",
        at_once=BY_ITSELF,
        jobs_at_once=6.0,
        bulk=True,
        prepare=("bin/pgq", "install"),
    ),
    Peer(
        "procrastinate",
        "procrastinate",
        "postgres",
        "procrastinate_app",
        ("bin/procrastinate", f"--app={PROGRAMS}.procrastinate_app.app", "worker"),
        kept="stays as `doing` until a task of the application's own looks for stalled jobs",
        at_once=("--concurrency=50",),
        jobs=0.2,
        bulk=True,
        prepare=("bin/procrastinate", f"--app={PROGRAMS}.procrastinate_app.app", "schema", "--apply"),
    ),
    Peer(
        "chancy, 50 at once",
        "chancy",
        "postgres",
        "chancy_app",
        ("bin/python", "-m", f"{PROGRAMS}.chancy_app", "work"),
        kept="rescued by its Recovery plug-in; done ones are held back up to 1 s, and run twice",
        at_once=BY_ITSELF,
        jobs=0.6,
        jobs_at_once=2.0,
        bulk=True,
        prepare=("bin/python", "-m", f"{PROGRAMS}.chancy_app", "migrate"),
    ),
    Peer(
        "oban",
        "oban",
        "postgres",
        "oban_app",
        ("bin/python", "-m", f"{PROGRAMS}.oban_app", "work"),
        kept="its Lifeline rescues it when it has run for 5 min",
        at_once=BY_ITSELF,
        jobs=0.6,
        jobs_at_once=2.0,
        bulk=True,
        prepare=("bin/python", "-m", f"{PROGRAMS}.oban_app", "install"),
    ),
    Peer(
        "huey",
        "huey",
        "sqlite",
        "huey_any",
        ("bin/huey_consumer", f"{PROGRAMS}.huey_any.huey", "--workers=1", "--quiet"),
        kept="lost: its row is deleted before it runs",
    ),
    Peer(
        "litequeue, a bare loop",
        "litequeue",
        "sqlite",
        "litequeue_loop",
        ("bin/python", "-m", f"{PROGRAMS}.litequeue_loop", "work"),
        kept="stays locked until the application looks for it; there is no worker",
    ),
)
