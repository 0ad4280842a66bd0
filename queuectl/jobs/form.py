"""Our own envelope as a form with three blanks, so that a payload is neither built nor read key by key.

What stands between the uuid and the arguments is the same for all the jobs of a class; most of a dispatch and most of
a worker's reading went into writing and parsing it again for each.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import Any, NamedTuple

from queuectl.jobs.envelope import STRICT, WATCH, Envelope, envelope_of

HEAD_KEYS = (
    *("displayName", "job", "maxTries", "maxExceptions"),
    *("failOnTimeout", "backoff", "timeout", "retryUntil"),
)
_BEGINNING = '{"uuid":"'
_UUID = slice(len(_BEGINNING), len(_BEGINNING) + 36)
_HEAD = _UUID.stop + len('",')
_ARGUMENTS = '"data":{"args":"'
_REST = re.compile(
    r'\},"createdAt":(0|[1-9]\d{0,10}),"delay":(?:null|0|[1-9]\d{0,11})'
    rf'(?:,"watch":"({WATCH})")?,"id":"[0-9A-Za-z-]{{1,64}}"'
    r',"attempts":(?:0|[1-9]\d{0,8})\}'
)
_HEX = re.compile(r"[0-9a-f-]{36}")
_LONGEST_HEAD = 2_000


class Form(NamedTuple):
    """The envelope of jobs that differ in uuid, arguments and id only."""

    head: str
    """Everything between the uuid and the arguments."""
    behind: str
    """What stands behind the arguments."""

    def fill(self, uuid: str, arguments: str, identity: str, more: str = "") -> bytes:
        """The payload of a new job. `UnicodeEncodeError` if *arguments*, JSON text, holds lone surrogates.

        *more*: what `more` wrote.
        """
        return (
            f'{{"uuid":"{uuid}",{self.head}"data":{{"args":{quoted(arguments)}}}{self.behind}{more}'
            f',"id":"{identity}","attempts":0}}'
        ).encode()


def form(head: str, *, delay: float | None, created_at: float) -> Form:
    """The form with this `head`, for jobs of one moment."""
    wait = math.ceil(delay) if delay else "null"
    return Form(head, f',"createdAt":{int(created_at)},"delay":{wait}')


def more(values: Mapping[str, Any]) -> str:
    """What only some jobs have in their envelope, by key (`Envelope.more`); a payload with any is parsed, not read."""
    return f',"more":{json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False)}' if values else ""


@lru_cache(maxsize=1_000, typed=True)
def head(
    job: str,
    tries: int | None,
    max_exceptions: int | None,
    fail_on_timeout: bool | None,
    backoff: tuple[int, ...] | None,
    timeout: int | None,
    retry_until: int | None,
) -> str:
    """What the payloads of jobs with these settings have between their uuid and their arguments."""
    steps = None if backoff is None else ",".join(map(str, backoff))
    values = (job, job, tries, max_exceptions, bool(fail_on_timeout), steps, timeout, retry_until)
    keys = zip(HEAD_KEYS, values, strict=True)
    return "".join(f'"{key}":{json.dumps(value, ensure_ascii=False, allow_nan=False)},' for key, value in keys)


def read(text: str) -> Envelope | None:
    """The envelope of a payload that `Form.fill` wrote; None for any other, which has to be parsed.

    JSON may be read in parts: a text that begins and ends as ours do, with a whole string where the arguments are and
    a head that is a list of our keys, is the object that a parser would find.
    """
    uuid, at = text[_UUID], text.find(_ARGUMENTS, _HEAD, _HEAD + _LONGEST_HEAD)
    if at < 0 or not text.startswith(_BEGINNING) or text[_UUID.stop : _HEAD] != '",' or not _HEX.fullmatch(uuid):
        return None
    shared = _shared(text[_HEAD:at])
    if shared is None:
        return None
    try:
        arguments, end = STRICT.raw_decode(text, at + len(_ARGUMENTS) - 1)
    except ValueError:
        return None
    rest = _REST.fullmatch(text, end)
    return None if rest is None else _of_one(shared, uuid, arguments, created_at=float(rest[1]), watch=rest[2] or "")


def _of_one(shared: Envelope, uuid: str, arguments: str, *, created_at: float, watch: str) -> Envelope:
    return Envelope(
        uuid,
        shared.job,
        shared.display,
        {"args": arguments},
        shared.tries,
        shared.max_exceptions,
        shared.fail_on_timeout,
        shared.backoff,
        shared.timeout,
        shared.retry_until,
        created_at,
        watch,
    )


@lru_cache(maxsize=200)
def _shared(head: str) -> Envelope | None:
    """What jobs with this head have in common; None if it is not made of our keys."""
    try:
        found: dict[str, Any] = STRICT.decode(f"{{{head.removesuffix(',')}}}")
    except (ValueError, RecursionError):
        return None
    return envelope_of(found) if tuple(found) == HEAD_KEYS and head.endswith(",") else None
