"""Payloads are kept as they are, whatever they are."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver
from queuectl.errors import MalformedPayload
from queuectl.jobs.outcome import Done, Release
from queuectl.jobs.payload import TAIL, decode, parse
from queuectl.testing.contract.base import APPLIED, Contract, entry, failure, push, reserve, reserve_one, settle

HOSTILE = [2**70, -(2**63), 1.0, 1e300, 1e-300, -0.0, 0.1, [], {}, [[]], {"": {}}, "\u0000é😀", "\u2028", None, True]
JUNK: dict[str, bytes] = {
    "nothing": b"",
    "space": b" ",
    "words": b"not JSON at all",
    "cut off": b'{"uuid":"1","job":"x","data":{',
    "not UTF-8": b"\xff\xfe\xfa",
    "NUL": b'\x00{"job":"x"}\x00',
    "a list": b"[1,2,3]",
    "a number": b"12345678901234567890123",
    "null": b"null",
    "an empty object": b"{}",
    "a false counter": b'{"job":"x","attempts":"many"}',
    "a counter that is a list": b'{"job":"x","id":"1","attempts":[3]}',
    "a counter in the middle": b'{"attempts":7,"job":"x","id":"a"}',
    "our tail inside a text": b'{"job":"x","data":"\\"id\\":\\"a\\",\\"attempts\\":0}"}',
    "our tail and more": b'{"job":"x","id":"a","attempts":0}}',
    "too deep": b"[" * 50_000,
    "a Lua pattern": b'%d+%s*}%% {"a":"%1"}',
    "a format": b"{0!r} %(x)s $1 ?",
}
SUITED = [
    HealthCheck.function_scoped_fixture,  # each example leaves the store empty
    HealthCheck.differing_executors,  # a suite is inherited: every driver's class runs the same test
    HealthCheck.too_slow,  # on a busy machine
]


def json_values() -> st.SearchStrategy[Any]:
    """Any JSON value, some of them a hundred deep."""
    numbers = st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False)
    texts = st.text(st.characters(exclude_categories=["Cs"]))
    leaves = st.none() | st.booleans() | numbers | texts | st.sampled_from(HOSTILE)
    trees = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=20)
    return st.builds(_buried, trees, st.sampled_from([0, 0, 1, 50, 100]))


def _buried(value: Any, depth: int) -> Any:
    for level in range(depth):
        value = [value] if level % 2 else {"k": value}
    return value


class Keeping(Contract):
    """What was pushed is what is run, at every attempt."""

    @settings(deadline=None, suppress_health_check=SUITED)
    @given(value=json_values(), spared=st.booleans())
    @example(value=HOSTILE, spared=False)
    @example(value=_buried(HOSTILE, 100), spared=True)
    def test_arguments_are_identical_at_every_attempt(
        self, driver: Driver, clock: FakeClock, value: Any, spared: bool
    ) -> None:
        """Attempts 1, 2 and 3, and that of a retry after the failure, get the bytes that were pushed; only the counter
        at the tail may differ."""
        arguments = json.dumps(value, ensure_ascii=False)
        sent = entry(arguments=arguments)
        driver.push([sent])
        for _ in range(3):
            reserved = reserve_one(driver)
            assert _without_tail(reserved.payload) == _without_tail(sent.payload)
            assert decode(reserved.payload).arguments == arguments
            assert json.loads(arguments) == value
            assert settle(driver, reserved, Release(0, spared=spared)) is APPLIED
        reserved = reserve_one(driver)
        assert settle(driver, reserved, failure(reserved, clock)) is APPLIED
        assert driver.failed.retry([sent.uuid]) == [sent.uuid]
        retried = reserve_one(driver)
        assert _without_tail(retried.payload) == _without_tail(sent.payload)
        settle(driver, retried, Done())

    @pytest.mark.parametrize("payload", JUNK.values(), ids=JUNK.keys())
    def test_junk_is_handed_out_whole(self, driver: Driver, clock: FakeClock, payload: bytes) -> None:
        """What is not a job is reserved like one, so that somebody may fail it; then it is kept, whole."""
        push(driver, entry(payload=payload), entry())
        reserved = reserve_one(driver)
        assert _same(reserved.payload, payload)
        failed = failure(reserved, clock)
        assert settle(driver, reserved, failed) is APPLIED
        found = driver.failed.get(failed.record.uuid)
        assert found is not None
        assert _same(found.payload, payload)

    def test_junk_does_not_stop_the_queue(self, driver: Driver) -> None:
        """Good jobs before, between and behind it are reserved with it, in order."""
        sent = [entry()]
        for payload in JUNK.values():
            sent += [entry(payload=payload), entry()]
        driver.push(sent)
        got = reserve(driver, room=len(sent) + 5)
        assert len(got) == len(sent)
        assert all(_same(reserved.payload, one.payload) for reserved, one in zip(got, sent, strict=True))

    def test_junk_of_a_vanished_worker_comes_back(self, driver: Driver, clock: FakeClock) -> None:
        """Nothing is lost because it cannot be counted."""
        driver.push([entry(payload=payload) for payload in JUNK.values()])
        reserve(driver, room=50)
        clock.sleep(driver.retry_after + 1)
        again = [reserved.payload for reserved in reserve(driver, room=50)]
        assert len(again) == len(JUNK)
        assert all(any(_same(payload, back) for back in again) for payload in JUNK.values())

    @pytest.mark.parametrize("payload", [b"junk", b'{"job":"x"}', b""])
    def test_equal_payloads_are_several_jobs(self, driver: Driver, clock: FakeClock, payload: bytes) -> None:
        """Three pushes are three reservations, three settlements, and nothing is left."""
        push(driver, *(entry(payload=payload) for _ in range(3)))
        reserved = reserve(driver, room=5)
        assert len(reserved) == 3
        assert [settle(driver, one, failure(one, clock)) for one in reserved] == [APPLIED] * 3
        assert driver.counts(["mail"])["mail"].size == 0

    def test_equal_payloads_are_several_delayed_jobs(self, driver: Driver, clock: FakeClock) -> None:
        """Equal bytes due at the same moment are not one job either."""
        push(driver, *(entry(payload=b"junk", delay=5) for _ in range(3)))
        clock.sleep(5)
        assert len(reserve(driver, room=5)) == 3

    def test_a_foreign_object_is_counted_at_every_attempt(self, driver: Driver) -> None:
        """A payload without our tail keeps its other keys and gets honest attempts."""
        payload = b'{"job": "App\\\\Jobs\\\\Mail", "data": {"big": 1180591620717411303424, "f": 1.0, "e": []}}'
        push(driver, entry(payload=payload))
        for attempt in (1, 2, 3):
            reserved = reserve_one(driver)
            assert (reserved.attempts, _same(reserved.payload, payload)) == (attempt, True)
            settle(driver, reserved, Release(0))


def _without_tail(payload: bytes) -> bytes:
    tail = TAIL.search(payload)
    assert tail is not None
    return payload[: tail.start()]


def _same(left: bytes, right: bytes) -> bool:
    """Byte for byte; of JSON objects, all but the counter and the identity that a store must write into them."""
    return bool(_comparable(left) == _comparable(right))


def _comparable(payload: bytes) -> Any:
    try:
        found = parse(payload)
    except MalformedPayload:
        return payload
    return json.dumps({key: value for key, value in found.items() if key not in ("id", "attempts")})
