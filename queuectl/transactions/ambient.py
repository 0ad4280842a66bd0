"""The transaction that the code is in without having been handed it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from queuectl.errors import UsageError
from queuectl.transactions.caller import Caller, Transactional
from queuectl.transactions.django import open_transaction
from queuectl.transactions.kinds import recognise

_ambient: ContextVar[Caller | None] = ContextVar("queuectl_transaction", default=None)


def ambient() -> Caller | None:
    """That of the innermost `transaction` block, or of Django's `atomic`; None outside of both."""
    return _ambient.get() or open_transaction()


def caller_of(connection: Transactional) -> Caller:
    """The transaction of this connection or session: that of the block around, if there is one of it."""
    caller, outer = recognise(connection), _ambient.get()
    return outer if outer is not None and _is_same(outer, caller) else caller


def _is_same(one: Caller, other: Caller) -> bool:
    return type(one) is type(other) and one.raw is other.raw


@contextmanager
def transaction(connection: Transactional) -> Iterator[Caller]:
    """A block that is a transaction of this connection or session: committed at its end, rolled back if it raises.

    Jobs that are to follow the commit (`after_commit`) are pushed once it is over; jobs that are to be a part of it
    are dispatched with `using`, of the connection or of what the block gives. Savepoints that are rolled back take with
    them what was to follow the commit where the library tells of them: sessions of SQLAlchemy, and Django.
    """
    caller = recognise(connection)
    outer = _ambient.get()
    if outer is not None and _is_same(outer, caller):
        raise UsageError("This connection is in a transaction() block already, which will commit it.")
    held: list[Callable[[], object]] = []
    caller.held = None if caller.tells else held
    token = _ambient.set(caller)
    try:
        with caller.block():
            yield caller
    finally:
        caller.held = None
        _ambient.reset(token)
    for call in held:
        call()
