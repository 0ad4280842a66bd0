"""Making outcomes durable: what each of them means in SQL. A stale token hits no row and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from queuectl.drivers.contract import Reserved, Settlement, Verdict
from queuectl.drivers.database import texts
from queuectl.drivers.database.entries import insert, unlock
from queuectl.drivers.database.failed import write
from queuectl.drivers.database.session import Session, Statements, Token
from queuectl.jobs.outcome import Completed, Done, Failed, Outcome, Parked, Release
from queuectl.jobs.payload import identity


def plain_tokens(settlements: Sequence[Settlement]) -> list[Token]:
    """Of the jobs that there is nothing to do for but to forget them.

    Losing such a settlement to a crash of the server costs a repetition, never a job.
    """
    return [each.reserved.token for each in settlements if _is_plain(each.outcome)]


def settle_all(session: Session, settlements: Sequence[Settlement]) -> dict[int, bool]:
    """Apply all that are not plain, inside a transaction; by position, whether the token was good."""
    rich = [number for number, each in enumerate(settlements) if not _is_plain(each.outcome)]
    rich.sort(key=lambda number: settlements[number].reserved.token)  # one order for everybody: fewer deadlocks
    return {number: settle(session, settlements[number]) for number in rich}


def merged(settlements: Sequence[Settlement], rich: dict[int, bool], plain: Sequence[bool]) -> list[Verdict]:
    """A verdict for each, in order."""
    others = iter(plain)
    hits = [rich[number] if number in rich else next(others) for number in range(len(settlements))]
    return [Verdict.APPLIED if hit else Verdict.GONE for hit in hits]


def settle(session: Session, settlement: Settlement) -> bool:
    """Apply one settlement inside a transaction; False if its token is stale."""
    reserved, outcome = settlement.reserved, settlement.outcome
    match outcome:
        case Done():
            return _finish(session, reserved, outcome)
        case Release(after=after, spared=spared):
            return _put_back(session, texts.RELEASE_SPARED if spared else texts.RELEASE, reserved, after)
        case Failed():
            return _fail(session, reserved, outcome)
        case Parked(after=after):
            return _put_back(session, texts.PARK, reserved, after)
        case Completed():
            return True
        case _:
            assert_never(outcome)


def _finish(session: Session, reserved: Reserved, done: Done) -> bool:
    if not _remove(session, reserved):
        return False
    follow(session, reserved, done)
    return True


def follow(session: Statements, reserved: Reserved, done: Done) -> None:
    """What comes with the end of a job that has just been removed, inside the same transaction."""
    if done.unlock:
        unlock(session, done.unlock, holder=identity(reserved.payload)[0])
    insert(session, done.then)


def _fail(session: Session, reserved: Reserved, failed: Failed) -> bool:
    if not _remove(session, reserved):
        return False
    write(session, failed.record)
    unlock(session, failed.unlock, holder=failed.record.uuid)
    return True


def _remove(session: Session, reserved: Reserved) -> bool:
    row, token = reserved.token
    return session.run(texts.REMOVE, id=row, token=token).count > 0


def _put_back(session: Session, text: str, reserved: Reserved, after: float) -> bool:
    row, token = reserved.token
    return session.run(text, id=row, token=token, delay=float(after)).count > 0


def _is_plain(outcome: Outcome) -> bool:
    return type(outcome) is Done and not (outcome.then or outcome.unlock)
