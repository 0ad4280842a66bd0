"""Payloads that anybody may have written: read with bounds, and never more than read."""

from __future__ import annotations

import json
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuectl.errors import MalformedPayload, UsageError
from queuectl.jobs.envelope import MAX_TIMEOUT, MAX_TRIES
from queuectl.jobs.limits import Limits, Settings, resolve
from queuectl.jobs.payload import again, decode, identity, with_attempts
from queuectl.jobs.send_notification import SendNotificationJob
from queuectl.jobs.settings import MAX_DELAY, seconds_until

BOMBS = {
    "brackets": b'{"job":"x","data":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "braces": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "brackets without end": b"[" * 1_000_000,
    "a number of a megabyte": b'{"job":"x","maxTries":' + b"9" * 1_000_000 + b"}",
    "a power": b'{"job":"x","timeout":1e999999999}',
    "infinity": b'{"job":"x","timeout":Infinity}',
    "not a number": b'{"job":"x","timeout":NaN}',
    "UTF-16": '{"job":"x"}'.encode("utf-16"),
    "half a character": b'{"job":"\xed\xa0\x80"}',
}


@pytest.mark.fault("X2")
@pytest.mark.parametrize("payload", BOMBS.values(), ids=BOMBS)
def test_a_bomb_is_a_malformed_payload_or_nothing_special(payload: bytes) -> None:
    """No other exception, and no memory beyond a few times its size."""
    tracemalloc.start()
    for read in (decode, identity, lambda found: again(found, now=0.0), lambda found: with_attempts(found, 3)):
        with suppress(MalformedPayload):
            read(payload)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20 * len(payload) + 1_000_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("-1") | st.just("1,-2"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=4,
)
NUMBERS = st.sampled_from([-1, -(2**70), 0, 1, 10**9, 10**12, 2**70, 1.5, -0.0, 1e300, True])
FLAGS = Limits(tries=3, timeout=60)


@pytest.mark.fault("X18")
@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            ("maxTries", "maxExceptions", "failOnTimeout", "backoff", "timeout", "retryUntil", "createdAt", "delay"),
            JSON | NUMBERS | st.lists(NUMBERS),
        ),
    )
)
def test_what_a_payload_asks_for_is_within_bounds(wishes: dict[str, Any]) -> None:
    """Nonsense counts as not said, excess is cut, and the worker's own limits stand where nothing sensible was said."""
    try:
        envelope = decode(json.dumps({"job": "x", **wishes}).encode())
    except MalformedPayload:
        return
    limits = resolve(envelope, Settings(), FLAGS)
    assert 0 <= limits.tries <= MAX_TRIES
    assert 0 <= limits.timeout <= MAX_TIMEOUT
    assert limits.max_exceptions is None or 0 <= limits.max_exceptions <= MAX_TRIES
    assert all(0 <= step <= MAX_DELAY for step in limits.backoff)
    assert type(limits.fail_on_timeout) is bool
    assert limits.retry_until is None or abs(limits.retry_until) < 1e12


NOW = 1_800_000_000.0
FAR = datetime(9999, 12, 31, tzinfo=UTC)


@pytest.mark.fault("X18")
@pytest.mark.parametrize("when", [FAR, datetime.max, datetime.min, 1e12, float("inf"), float("nan"), -1, timedelta.max])
def test_no_job_is_put_off_for_more_than_ten_years(when: Any) -> None:
    """Nor by less than nothing, nor to a moment that no clock could show; no column has to hold such a number."""
    with pytest.raises(UsageError):
        seconds_until(SendNotificationJob.later(when).delay, NOW)
    assert seconds_until(datetime.fromtimestamp(NOW + MAX_DELAY, UTC), NOW) == MAX_DELAY


@pytest.mark.fault("X18")
@pytest.mark.parametrize("timeout", [-1, -(10**12), "60", None, [], 1.5, True])
def test_a_payload_cannot_switch_the_workers_time_limit_off_by_nonsense(timeout: object) -> None:
    """Only a whole number of its own replaces the worker's 60 seconds."""
    envelope = decode(json.dumps({"job": "x", "timeout": timeout}).encode())
    assert resolve(envelope, Settings(), FLAGS).timeout == 60
