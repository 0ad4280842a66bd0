"""Keeping the leases of what runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from queuectl.drivers.database import texts
from queuectl.drivers.database.session import Session, Token


def renew(session: Session, tokens: Sequence[Token], lease: float) -> Collection[Token]:
    """Renew these, and return those of them that are still good.

    A row that the job's own transaction is removing is locked: waiting for it would let all other leases run out. It
    is passed by and counts as good, for as long as it is there to be read.
    """
    ids = sorted({row for row, _ in tokens})
    with session.transaction():
        here = _leased(session, texts.LEASED_HERE, ids) & set(tokens)
        if here:
            session.run(texts.RENEW, ids=[row for row, _ in sorted(here)], lease=lease)
    if len(here) == len(tokens):
        return here
    return here | (_leased(session, texts.LEASED, ids) & set(tokens))


def _leased(session: Session, text: str, ids: Sequence[int]) -> set[Token]:
    return {(int(row), str(token)) for row, token in session.run(text, ids=list(ids)).rows}
