"""`check`: a gate for deployments. Do the jobs keep their contracts, and would all that waits be run by this code?"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from queuectl.commands.addresses import doubt, known_queues, split_list
from queuectl.commands.check_report import Report, show, to_json
from queuectl.commands.exit_codes import CHECK_FAILED, DONE
from queuectl.commands.options import Connection, Json
from queuectl.commands.progress import Progress
from queuectl.commands.reach import ask, places, stores
from queuectl.commands.session import Session
from queuectl.errors import UsageError

if TYPE_CHECKING:
    from queuectl.contracts.contract import Contract
    from queuectl.contracts.payloads import Inspection
    from queuectl.drivers.contract import Driver


def check(
    context: typer.Context,
    against_queue: Annotated[
        bool, typer.Option("--against-queue", help="Also try every payload that waits, runs or failed.")
    ] = False,
    queue: Annotated[
        list[str] | None, typer.Option("--queue", metavar="GLOB", help="Only these; may be said several times.")
    ] = None,
    connection: Connection = "",
    lock: Annotated[str, typer.Option("--lock", metavar="FILE", help="Compare with this lock file.")] = "",
    exact: Annotated[
        bool, typer.Option("--exact", help="Fail for any difference to the lock file, harmless or not.")
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the lock file anew.")] = False,
    as_json: Json = False,
) -> int:
    """Compare the jobs with the lock file, and what waits with the jobs. Exit 9 for what would break.

    Imports the application.
    """
    session = Session.of(context)
    if (queue or connection) and not against_queue:
        raise UsageError("--queue and --connection choose what --against-queue looks at.")
    if write and exact:
        raise UsageError("Give --write or --exact, not both.")
    report = _compare(session, lock, writes=write, needed=not (write or against_queue), exact=exact)
    missed = DONE
    if against_queue:
        report.inspection, missed = _inspect(session, split_list(",".join(queue or ())), connection)
    if write:
        _write(report)
    if as_json:
        session.output.json(to_json(report))
    else:
        show(session.output, report)
    return CHECK_FAILED if report.fails else missed


def _compare(session: Session, lock: str, *, writes: bool, needed: bool, exact: bool) -> Report:
    from queuectl.contracts import lock_file
    from queuectl.contracts.changes import changes

    path = Path(lock) if lock else lock_file.place_of(session.config)
    try:
        former = lock_file.read(path)
    except lock_file.NoLockFile:
        if lock or not writes:  # what stands in our own place, a merge gone wrong perhaps, may be written over
            raise
        former = None
    now = _contracts(session)
    found = changes(former, now) if former is not None else []
    return Report(path, now, found, is_missing=former is None, needed=needed, exact=exact)


def _contracts(session: Session) -> dict[str, Contract]:
    from queuectl.contracts.contract import contracts_of

    with session.output.to_itself():
        return contracts_of(session.app.registry)


def _write(report: Report) -> None:
    from queuectl.contracts import lock_file

    lock_file.write(report.path, report.contracts)
    report.is_written = True


def _inspect(session: Session, queues: list[str], connection: str) -> tuple[Inspection, int]:
    """What came of it, and 7 instead of 0 if some connections could not be looked at."""
    from queuectl.contracts.payloads import Inspection, inspect

    inspection = Inspection(session.app.registry)

    def look(name: str, driver: Driver) -> set[str]:
        inspect(driver, inspection, queues=queues, tick=progress.tick)
        return set() if inspection.checked else known_queues(driver)

    with session.output.to_itself(), Progress(session.output, "payloads looked at") as progress:
        answers = ask(session, _names(session, connection), look)
    if not inspection.checked:
        _doubt(session, queues, set().union(*answers.given.values()))
    return inspection, answers.exit_code


def _doubt(session: Session, queues: Iterable[str], known: set[str]) -> None:
    for sentence in filter(None, (doubt(queue, known) for queue in queues)):
        session.output.warn(sentence)


def _names(session: Session, connection: str) -> Iterable[str]:
    """Each store once, also the one that collects failed jobs; or the connection that was chosen."""
    if connection:
        return stores(session, connection)
    names = places(session)
    seen = {session.app.driver(name).place for name in names}
    return [*names, *(name for name, driver in session.app.failed_stores() if driver.place not in seen)]
