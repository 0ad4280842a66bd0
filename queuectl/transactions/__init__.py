"""Transactions of the application itself, which jobs can be made part of.

`recognise` makes a `Caller` of whatever connection or session the application has; nothing here imports a client
library before an object of it has been given.
"""

from __future__ import annotations

from queuectl.transactions.ambient import ambient, caller_of, transaction
from queuectl.transactions.caller import Caller, Transactional
from queuectl.transactions.kinds import recognise

__all__ = ["Caller", "Transactional", "ambient", "caller_of", "recognise", "transaction"]
