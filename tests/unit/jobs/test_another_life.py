"""A failed payload that is made ready to run again."""

from __future__ import annotations

import json

import pytest

from queuectl.jobs.payload import again, decode, encode, new_uuid, parse, watched

WINDOW = {"retryUntil": 1_000, "createdAt": 900}


def test_only_its_identity_and_its_counter_change() -> None:
    """Byte for byte, for a payload of ours without a time window; an argument that looks like one is none."""
    arguments = '{"text":"\\"retryUntil\\":5, \\"id\\":\\"a\\",\\"attempts\\":9}"}'
    payload = encode(job="Mail", arguments=arguments, uuid=new_uuid()).replace(b'"attempts":0', b'"attempts":3')
    revived = again(payload, now=2_000)
    before, after = parse(payload), parse(revived)
    assert (before.pop("attempts"), after.pop("attempts")) == (3, 0)
    assert before.pop("id") != after.pop("id")
    assert list(before.items()) == list(after.items())
    assert len(revived) == len(payload)


@pytest.mark.parametrize("tail", [{}, {"id": "a", "attempts": 2}, {"id": "a", "attempts": 2, "delay": None}])
@pytest.mark.parametrize("data", [[], {"retryUntil": None}, {"retryUntil": 7}])
def test_a_time_window_is_moved_whoever_wrote_the_payload(tail: dict[str, object], data: object) -> None:
    """Its length stays; what is called so inside the arguments is none of ours."""
    payload = json.dumps({"job": "Mail", **WINDOW, "data": data, **tail}, separators=(",", ":")).encode()
    revived = parse(again(payload, now=2_000))
    assert (revived["retryUntil"], revived["createdAt"], revived["attempts"]) == (2_100, 2_000, 0)
    assert revived["data"] == data


ARGUMENTS = '{"text":"\\"watch\\":\\"x\\",", "watch":"y"}'


@pytest.mark.parametrize("window", [{}, {"retry_until": 1_000.0, "created_at": 900.0}])
def test_whoever_waits_for_a_life_waits_for_that_one_only(window: dict[str, float]) -> None:
    """The note stands behind everything but the identity and the counter, and the next life has its own or none."""
    first = watched(encode(job="Mail", arguments=ARGUMENTS, uuid=new_uuid(), **window), "op-7k2f9q")
    second = again(first, now=2_000, watch="canary-1")
    assert [decode(life).watch for life in (first, second, again(second, now=3_000))] == ["op-7k2f9q", "canary-1", ""]
    assert list(parse(second))[-3:] == ["watch", "id", "attempts"]
    assert decode(second).arguments == ARGUMENTS


def test_a_note_taken_back_leaves_nothing_behind() -> None:
    """Byte for byte; and bytes without an identity of ours have no place for one."""
    payload = encode(job="Mail", arguments=ARGUMENTS, uuid=new_uuid())
    assert watched(watched(watched(payload, "a"), "b"), None) == payload
    assert watched(b"not json", "a") == b"not json"
