"""Making outcomes durable: what each of them means in SQL. A stale token hits no row and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from queuectl.drivers.contract import Reserved, Settlement, Verdict
from queuectl.drivers.database import texts
from queuectl.drivers.database.entries import insert, unlock
from queuectl.drivers.database.failed import write
from queuectl.drivers.database.session import Session, Token
from queuectl.jobs.outcome import Completed, Done, Failed, Outcome, Parked, Release


def is_plain(outcome: Outcome) -> bool:
    """Is there nothing to do but to forget the job? Losing that to a crash costs a repetition, never a job."""
    return isinstance(outcome, Completed) or (isinstance(outcome, Done) and not (outcome.then or outcome.unlock))


def plain_tokens(settlements: Sequence[Settlement]) -> list[Token]:
    return [each.reserved.token for each in settlements if isinstance(each.outcome, Done) and is_plain(each.outcome)]


def verdicts(settlements: Sequence[Settlement], hits: dict[Token, bool]) -> list[Verdict]:
    """A verdict for each, in order. What has no hit to it had nothing to do in the store."""
    return [Verdict.APPLIED if hits.get(each.reserved.token, True) else Verdict.GONE for each in settlements]


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
    insert(session, done.then)
    unlock(session, done.unlock)
    return True


def _fail(session: Session, reserved: Reserved, failed: Failed) -> bool:
    if not _remove(session, reserved):
        return False
    write(session, failed.record)
    unlock(session, failed.unlock)
    return True


def _remove(session: Session, reserved: Reserved) -> bool:
    row, token = reserved.token
    return session.run(texts.REMOVE, id=row, token=token).count > 0


def _put_back(session: Session, text: str, reserved: Reserved, after: float) -> bool:
    row, token = reserved.token
    return session.run(text, id=row, token=token, delay=float(after)).count > 0
