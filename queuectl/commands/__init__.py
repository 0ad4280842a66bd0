"""The table of commands: each listed once, known under all its names, and imported only when it is called."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

PREFIX = "queue:"
PANELS = ("Workers", "Queues", "Failed jobs", "Setup")


@dataclass(frozen=True, slots=True)
class Spec:
    """One command."""

    name: str
    target: str
    """`module:function`."""
    help: str
    panel: str
    aliases: tuple[str, ...] = ()


def _spec(panel: str, name: str, target: str, text: str, *aliases: str) -> Spec:
    return Spec(name, f"queuectl.commands.{target}", text, panel, aliases)


def _workers(name: str, target: str, text: str, *aliases: str) -> Spec:
    return _spec("Workers", name, target, text, f"{PREFIX}{name}", *aliases)


def _queues(name: str, target: str, text: str, *aliases: str) -> Spec:
    return _spec("Queues", name, target, text, f"{PREFIX}{name}", *aliases)


def _failures(name: str, target: str, text: str, *aliases: str) -> Spec:
    return _spec("Failed jobs", name, target, text, f"{PREFIX}{name}", *aliases)


def _setup(name: str, target: str, text: str, *aliases: str) -> Spec:
    return _spec("Setup", name, target, text, *aliases)


COMMANDS = (
    _workers("work", "work:work", "Run jobs, one after the other, until told to stop."),
    _workers("listen", "listen:listen", "Run jobs, and start anew whenever the code changes; for development."),
    _workers("restart", "restart:restart", "Let all workers finish their jobs and stop."),
    _workers("pause", "pause:pause", "Let workers leave a queue alone."),
    _workers("resume", "pause:resume", "Let workers take a paused queue again.", "continue", f"{PREFIX}continue"),
    _workers("drain", "drain:drain", "Pause queues, and wait until nothing of theirs runs."),
    _workers("health", "health:health", "Answer a probe: is a worker alive, or would jobs be run?"),
    _queues("monitor", "monitor:monitor", "Show how full the queues are; exit 4 above a threshold."),
    _queues("top", "top:top", "Show queues, workers and failures as they change."),
    _queues("explain", "explain:explain", "Say why a job does not run, or a queue stands still."),
    _queues("dispatch", "dispatch:dispatch", "Put a job on its way."),
    _queues("relay", "relay:relay", "Carry what outboxes keep over to its connection; workers do so by themselves."),
    _queues("clear", "clear:clear", "Delete every job of a queue."),
    _queues("jobs", "jobs:jobs", "List the jobs that can be dispatched, with fields and settings."),
    _queues("jobs:list", "jobs_list:jobs_list", "List the jobs that wait or run."),
    _queues("jobs:show", "jobs_show:jobs_show", "Show one job that waits or runs whole."),
    _queues("jobs:cancel", "jobs_cancel:jobs_cancel", "Take jobs out of their queues before they run."),
    _queues("undo", "undo:undo", "Bring back what flush, forget, clear or jobs:cancel removed."),
    _queues("audit", "audit:audit", "List who changed what, and when."),
    _failures("failed", "failed:failed", "List the jobs that failed for good."),
    _failures("failed:show", "failed_show:failed_show", "Show one failed job whole."),
    _failures("retry", "retry:retry", "Put failed jobs back on their queues."),
    _failures("forget", "forget:forget", "Delete failed jobs."),
    _failures("flush", "flush:flush", "Delete all failed jobs, the old ones, or those that options select."),
    _failures("prune-failed", "prune_failed:prune_failed", "Delete failed jobs older than some hours; for cron."),
    _setup("migrate", "migrate:migrate", "Create or upgrade the tables."),
    _setup("table", "tables_ddl:jobs_table", "Print the table of jobs.", f"{PREFIX}table", "make:queue-table"),
    _setup(
        "failed-table",
        "tables_ddl:failed_table",
        "Print the table of failed jobs.",
        f"{PREFIX}failed-table",
        "make:queue-failed-table",
    ),
    _setup(
        "batches-table",
        "tables_ddl:batches_table",
        "Print the table of batches.",
        f"{PREFIX}batches-table",
        "make:queue-batches-table",
    ),
    _setup("config", "config:config", "Print every setting and where it came from."),
    _setup(
        "supervisor:config", "supervisor_config:supervisor_config", "Print a section for Supervisor that runs workers."
    ),
    _setup("systemd:config", "systemd_config:systemd_config", "Print a unit for systemd that runs workers."),
    _setup("about", "about:about", "Say what is installed, configured and reachable."),
    _setup("doctor", "doctor:doctor", "Check everything, and say what to do about what is wrong."),
    _setup("check", "check:check", "Hold the jobs against their lock file, and what waits against the jobs."),
    _setup("completion", "completion:completion", "Print a script that completes words in bash, zsh or fish."),
    _setup("help", "help:help_", "Explain a command, or the exit codes."),
)


def listed() -> tuple[Spec, ...]:
    """Every command once."""
    return COMMANDS


@cache
def by_name() -> dict[str, Spec]:
    """Every command by every name it has."""
    return {name: spec for spec in COMMANDS for name in (spec.name, *spec.aliases)}
