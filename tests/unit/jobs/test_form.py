"""Our own payloads are written and read in parts: to the byte, and to the value, what JSON's own functions do."""

from __future__ import annotations

import json
import os
from typing import Any
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuectl.errors import MalformedPayload
from queuectl.jobs.envelope import Envelope, envelope_of
from queuectl.jobs.form import read
from queuectl.jobs.payload import encode, new_identities, new_uuid, parse, watched, with_attempts

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
numbers = st.none() | st.integers(0, 1_000)
settings: dict[str, Any] = {
    "tries": numbers,
    "max_exceptions": numbers,
    "fail_on_timeout": st.none() | st.booleans(),
    "backoff": st.none() | st.lists(st.integers(0, 100), min_size=1, max_size=3).map(tuple),
    "timeout": numbers,
    "retry_until": st.none() | st.floats(0, 2e9),
    "delay": st.none() | st.floats(0, 1e8),
    "created_at": st.floats(0, 2e9),
}
KEYS = (
    *("uuid", "displayName", "job", "maxTries", "maxExceptions", "failOnTimeout", "backoff", "timeout", "retryUntil"),
    *("data", "createdAt", "delay", "id", "attempts"),
)


def parsed(payload: bytes) -> Envelope | None:
    """What the parser finds."""
    try:
        return envelope_of(parse(payload))
    except MalformedPayload:
        return None


@given(names, texts, st.fixed_dictionaries({}, optional=settings))
def test_a_payload_is_what_a_json_library_would_write(job: str, arguments: str, said: dict[str, Any]) -> None:
    """Laravel's keys in Laravel's order, without a blank, every text as it is."""
    payload = encode(job=job, arguments=arguments, uuid=new_uuid(), **said)
    found = json.loads(payload)
    assert tuple(found) == KEYS
    assert (found["job"], found["displayName"], found["data"]) == (job, job, {"args": arguments})
    assert payload.decode() == json.dumps(found, ensure_ascii=False, separators=(",", ":"))


@given(names, texts, st.fixed_dictionaries({}, optional=settings), st.integers(0, 99))
def test_a_payload_is_read_as_a_parser_reads_it(job: str, arguments: str, said: dict[str, Any], attempts: int) -> None:
    """Whatever its counter has become, and whether somebody waits for it or not."""
    payload = with_attempts(encode(job=job, arguments=arguments, uuid=new_uuid(), **said), attempts)
    for found in (payload, watched(payload, "op-7k2f9q")):
        assert read(found.decode()) == parsed(found)
        assert job.isprintable() is (parsed(found) is not None)


pieces = st.sampled_from(
    [
        *('"data":{"args":"', '","', "}", "{", '"', "\\", ":", ",", "null", "-1", "1e999", "NaN", "\n", " ", "\x7f"),
        *('"job":"other",', '"uuid":"",', '"attempts":1', '"data":0,', "\\u0000", "[", "true", "é", "0", "9" * 30),
    ]
)
edits = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 12), pieces | texts), min_size=1, max_size=3)


@given(texts, edits)
def test_what_is_no_longer_ours_is_left_to_the_parser(arguments: str, changes: list[tuple[int, int, str]]) -> None:
    """Cut and patched anywhere: it is read as the parser reads it, or not at all."""
    text = encode(job="Mail", arguments=arguments, uuid=new_uuid(), tries=3).decode()
    for at, length, piece in changes:
        text = text[:at] + piece + text[at + length :]
    found = read(text)
    assert found is None or found == parsed(text.encode())


@pytest.mark.parametrize(
    "patch",
    [
        ('"job":"Mail"', '"job":"Mail","data":{"args":"{}"}'),
        ('"job":"Mail"', '"job":"Mail","job":"Other"'),
        ('"displayName":"Mail"', '"displayName":"\\"data\\":{\\"args\\":\\""'),
        ('"retryUntil":null', '"retryUntil":1e999'),
        ('"retryUntil":null', '"retryUntil":NaN'),
        ('"timeout":null', '"timeout":{"data":{"args":"'),
        ('"attempts":0', '"attempts":0,"job":"Other"'),
        ('"attempts":0', '"attempts":0,"attempts":1'),
        ('"attempts":0', '"attempts":00'),
        ('"id":', '"watch":"","id":'),
        ('"id":', '"watch":"a","watch":"b","id":'),
        ('"delay":null', '"watch":"a","delay":null'),
        ('"attempts":0', '"attempts":0,"watch":"a"'),
        ('"args":"{}"', '"args":"{}","job":"Other"'),
        ('"args":"{}"', '"args":"\n"'),
        ("{}", "\\ud800"),
        ('{"uuid":"', '{"uuid":"\\'),
    ],
)
def test_no_patch_makes_the_two_readers_differ(patch: tuple[str, str]) -> None:
    """Keys given twice, keys in strings, numbers that are none."""
    text = encode(job="Mail", arguments="{}", uuid=new_uuid(), tries=3).decode()
    assert patch[0] in text
    text = text.replace(*patch)
    found = read(text)
    assert found is None or found == parsed(text.encode())


def test_identities_are_random_uuids_of_version_4_and_ids_of_128_bits() -> None:
    """None twice, and every bit that is free to be both 0 and 1 is."""
    found = list(new_identities(1_000))
    assert len({uuid for uuid, _ in found} | {identity for _, identity in found}) == 2_000
    assert {(UUID(uuid).version, UUID(uuid).variant) for uuid, _ in found} == {(4, RFC_4122)}
    for numbers, bits in (([UUID(uuid).int for uuid, _ in found], 122), ([int(each, 16) for _, each in found], 128)):
        always, never = (1 << 128) - 1, 0
        for number in numbers:
            always, never = always & number, never | number
        assert (always ^ never).bit_count() == bits
    assert list(new_identities(0)) == []


def test_identities_do_not_repeat_after_a_fork() -> None:
    """Nothing is kept in stock that two processes could both use."""
    list(new_identities(3))
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, repr(list(new_identities(3))).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 10_000) != repr(list(new_identities(3))).encode()
    os.close(reading)
    os.close(writing)
