"""What a worker is told: artisan's options with artisan's defaults, and four of ours."""

from __future__ import annotations

from dataclasses import dataclass

from queuectl.jobs.limits import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """Options of `work`. Times are seconds, 0 means no limit, unless said otherwise."""

    queues: tuple[str, ...]
    """Strictly left to right: a later queue is served only while the earlier ones are empty."""
    name: str = "default"
    version: str = ""
    """Of this code, for whoever looks at the workers."""
    once: bool = False
    stop_when_empty: bool = False
    stop_when_empty_for: float = 0.0
    backoff: tuple[int, ...] = (0,)
    max_jobs: int = 0
    max_time: float = 0.0
    force: bool = False
    memory: int = 128
    """MiB of resident memory: a child above it is replaced after its job, a parent above it stops with 12."""
    sleep: float = 3.0
    """The longest wait between two looks at empty queues; drivers usually wake the worker long before."""
    rest: float = 0.0
    timeout: int = 60
    tries: int = 1
    workers: int = 1
    """Child processes."""
    concurrency: int = 1
    """Jobs that each child runs at once: plain ones in threads, coroutines on one event loop."""
    grace: float | None = None
    """How long a stop waits for running jobs before it gives them back; None: until they end."""
    kill_after: float = 2.0
    """How long a job that reached its timeout may take to stop before its process is killed."""
    max_downtime: float = 0.0
    """How long the store may be unreachable before the worker gives up with 69."""

    @property
    def limits(self) -> Limits:
        """The limits of jobs that declare none."""
        return Limits(tries=self.tries, backoff=self.backoff, timeout=self.timeout)

    @property
    def job_limit(self) -> int:
        return 1 if self.once else self.max_jobs

    @property
    def may_end(self) -> bool:
        """Whether such a worker is to end by itself some time."""
        return self.once or self.stop_when_empty or bool(self.stop_when_empty_for or self.max_jobs or self.max_time)
