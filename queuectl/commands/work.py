"""`queue:work`: one worker, with artisan's options and their meaning."""

from __future__ import annotations

import logging
import math
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from queuectl.commands.addresses import chosen_connection, split_list
from queuectl.commands.exit_codes import CONFIGURATION, DONE
from queuectl.commands.session import Session
from queuectl.commands.times import seconds
from queuectl.commands.version import version
from queuectl.errors import UsageError

if TYPE_CHECKING:
    from queuectl.commands.work_console import Console, JsonConsole
    from queuectl.commands.work_log import WorkLog
    from queuectl.worker.options import WorkerOptions
    from queuectl.worker.stop import Stop

CHILD = (sys.executable, "-P", "-m", "queuectl.child")
"""Without the working directory on the path: a file called json.py there is not the json that we mean."""
Seconds = str
"""A number, or words such as 10m: what `times.seconds` reads."""


def work(
    context: typer.Context,
    connection: Annotated[str, typer.Argument(metavar="CONNECTION", show_default=False)] = "",
    queue: Annotated[str, typer.Option("--queue", metavar="NAMES", help="Comma-separated, served left to right.")] = "",
    name: Annotated[
        str, typer.Option("--name", metavar="NAME", help="What this worker is called where workers are listed.")
    ] = "default",
    once: Annotated[bool, typer.Option("--once", help="Only the next job.")] = False,
    stop_when_empty: Annotated[bool, typer.Option("--stop-when-empty", help="Stop when the queues are empty.")] = False,
    stop_when_empty_for: Annotated[
        Seconds, typer.Option("--stop-when-empty-for", metavar="TIME", help="Stop when they have been empty so long.")
    ] = "0",
    backoff: Annotated[
        str,
        typer.Option(
            "--backoff", metavar="SECONDS", help="Before another attempt, for jobs that say nothing: 3, or 1,5,10."
        ),
    ] = "0",
    delay: Annotated[str, typer.Option("--delay", hidden=True)] = "0",
    max_jobs: Annotated[
        int, typer.Option("--max-jobs", metavar="N", min=0, help="Stop after so many jobs; 0: never.")
    ] = 0,
    max_time: Annotated[
        Seconds, typer.Option("--max-time", metavar="TIME", help="Stop after so long; 0: never.")
    ] = "0",
    force: Annotated[bool, typer.Option("--force", help="Work in maintenance mode as well.")] = False,
    memory: Annotated[
        int, typer.Option("--memory", min=0, metavar="MB", help="Replace a child above this; 0: never.")
    ] = 128,
    sleep: Annotated[
        Seconds, typer.Option("--sleep", metavar="TIME", help="The longest wait between two looks.")
    ] = "3",
    rest: Annotated[Seconds, typer.Option("--rest", metavar="TIME", help="Wait after each job.")] = "0",
    timeout: Annotated[Seconds, typer.Option("--timeout", metavar="TIME", help="A job's time limit; 0: none.")] = "60",
    tries: Annotated[
        int, typer.Option("--tries", metavar="N", min=0, help="Attempts of a job that says nothing; 0: no limit.")
    ] = 1,
    workers: Annotated[int, typer.Option("--workers", metavar="N", min=1, help="Processes that run jobs.")] = 1,
    concurrency: Annotated[
        int, typer.Option("--concurrency", metavar="N", min=1, max=1000, help="Jobs that each process runs at once.")
    ] = 1,
    grace: Annotated[
        Seconds,
        typer.Option("--grace", metavar="TIME", help="How long a stop waits for running jobs.", show_default=False),
    ] = "",
    kill_after: Annotated[
        Seconds, typer.Option("--kill-after", metavar="TIME", help="From a job's timeout to its process's end.")
    ] = "2",
    max_downtime: Annotated[
        Seconds,
        typer.Option("--max-downtime", metavar="TIME", help="Exit 69 without the server for so long; 0: never."),
    ] = "0",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    listen: Annotated[
        bool, typer.Option("--listen", help="Start anew whenever the code changes; for development.")
    ] = False,
    daemon: Annotated[bool, typer.Option("--daemon", hidden=True)] = False,
) -> int:
    """Run jobs until told to stop. TERM or Ctrl-C: finish the running ones first."""
    from queuectl.worker.options import WorkerOptions

    session = Session.of(context)
    chosen = chosen_connection(session.app, connection)
    if session.app.driver(chosen).immediate:
        return _nothing_to_work(session, chosen, may_end=once or stop_when_empty or seconds(stop_when_empty_for) > 0)
    options = WorkerOptions(
        queues=queues_of(session, chosen, queue),
        name=name,
        version=version(),
        once=once,
        stop_when_empty=stop_when_empty,
        stop_when_empty_for=seconds(stop_when_empty_for, "--stop-when-empty-for"),
        backoff=max(steps(backoff, "--backoff"), steps(delay, "--delay")),
        max_jobs=max_jobs,
        max_time=seconds(max_time, "--max-time"),
        force=force,
        memory=memory,
        sleep=seconds(sleep, "--sleep"),
        rest=seconds(rest, "--rest"),
        timeout=math.ceil(seconds(timeout, "--timeout")),
        tries=tries,
        workers=workers,
        concurrency=concurrency,
        grace=seconds(grace, "--grace") if grace else None,
        kill_after=seconds(kill_after, "--kill-after"),
        max_downtime=seconds(max_downtime, "--max-downtime"),
    )
    if listen:
        from queuectl.commands.attendant import attend, is_attended

        if not is_attended():
            return attend(session, may_end=options.may_end)
    return run(session, chosen, options, as_json=as_json)


def run(session: Session, connection: str, options: WorkerOptions, *, as_json: bool) -> int:
    """Work, say why it ended, and start anew where that was what the signal meant."""
    from queuectl.commands.unblocked import Unblocked
    from queuectl.commands.work_log import each
    from queuectl.worker.stop import StopReason
    from queuectl.worker.worker import Worker

    _tell_children(session)
    log = _open_log(session)
    console = _console(session, as_json=as_json)
    worker = Worker(
        session.app.driver(connection),
        options,
        child_command=CHILD,
        listener=each(log, Unblocked(console, session.output)),
        unheard=log.unheard & console.unheard,
        unknown_job_grace=session.app.connection(connection).unknown_job_grace,
        relays=session.app.relays(connection, options.queues, each(log.warn, session.output.warn)),
    )
    with log.last_words():
        stop = worker.run()
    _tell(session, stop)
    log.stopped(stop)
    if stop.reason is StopReason.RELOADED:
        session.close()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606  # the same words, on the new code
    return stop.exit_code


def _tell(session: Session, stop: Stop) -> None:
    """An end that nobody planned is always told; a planned one only if there is something to say."""
    line, _, details = stop.text.partition("\n")
    if stop.exit_code:
        session.output.error(line or f"The worker stops: {stop.reason.word}.", details=details)
    elif line:
        session.output.info(line)


def queues_of(session: Session, connection: str, words: str) -> tuple[str, ...]:
    from queuectl.jobs.payload import check_queue_name

    return tuple(map(check_queue_name, split_list(words) or [session.app.connection(connection).queue]))


def steps(words: str, option: str) -> tuple[int, ...]:
    """`3` or `1,5,10` as seconds before attempts 2, 3, …"""
    found = tuple(math.ceil(seconds(part, option)) for part in words.split(",") if part.strip())
    if not found:
        raise UsageError(f"{option} needs a number of seconds, or several with commas between them.")
    return found


def _console(session: Session, *, as_json: bool) -> Console | JsonConsole:
    from queuectl.commands.work_console import Console, JsonConsole

    return JsonConsole(session.output) if as_json else Console(session.output, verbosity=session.verbosity)


def _open_log(session: Session) -> WorkLog:
    """Where this worker writes things down; the path is said once, for whoever will look for it."""
    from queuectl.commands.work_log import WorkLog

    session.app.keep_log()
    if session.config.log_file is None:
        return WorkLog(None)
    session.output.info(f"What goes wrong is written to {session.config.log_file}.")
    return WorkLog(logging.getLogger("queuectl.worker"))


def _tell_children(session: Session) -> None:
    """A child reads the same file as we do, wherever `--config` pointed."""
    if session.config.path is not None:
        os.environ["QUEUECTL_CONFIG"] = str(session.config.path)


def _nothing_to_work(session: Session, connection: str, *, may_end: bool) -> int:
    text = f"[{connection}] runs jobs at once, inside dispatch: there is nothing to work."
    if may_end:
        session.output.info(text)
        return DONE
    session.output.error(text, "Set QUEUE_CONNECTION=database to have jobs wait in a queue.")
    return CONFIGURATION
