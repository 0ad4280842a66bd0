"""Jobs of the ledger are told by the argument `key`."""

from __future__ import annotations

import json

from queuectl.errors import MalformedPayload
from queuectl.jobs.payload import decode


def key_of(payload: bytes) -> str:
    """The key of a ledger's job; the bytes themselves, as text, where there is no such job in them."""
    try:
        arguments = decode(payload).arguments
        return str(json.loads(arguments or "")["key"])
    except (MalformedPayload, ValueError, KeyError, TypeError):
        return payload.decode(errors="replace")
