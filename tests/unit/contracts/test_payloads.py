"""What is remembered of payloads that would not run."""

from __future__ import annotations

from queuectl.contracts.payloads import MOST_REASONS, SAMPLES, Found, Inspection, Place
from queuectl.jobs.payload import encode, new_uuid
from queuectl.jobs.registry import Registry

HERE = Place("database", "mail", "ready", "1")


def unknown(name: str) -> bytes:
    return encode(job=name, arguments="{}", uuid=new_uuid())


def test_memory_stays_small_whatever_lies_there() -> None:
    """A few samples of each reason; of reasons only so many, and all that comes after them together."""
    inspection = Inspection(Registry())
    for number in range(2 * MOST_REASONS):
        for _ in range(2 * SAMPLES):
            inspection.look(Found(HERE, unknown(f"Job{number}")))
    assert inspection.refused == inspection.checked == 4 * MOST_REASONS * SAMPLES
    rest, *others = inspection.troubles
    assert (rest.reason, rest.count, len(rest.samples)) == ("many other reasons", 2 * MOST_REASONS * SAMPLES, SAMPLES)
    assert len(others) == MOST_REASONS
    assert {len(one.samples) for one in others} == {SAMPLES}


def test_what_was_refused_before_is_no_news() -> None:
    """Of failed jobs: those that failed for anything else are tried."""
    inspection = Inspection(Registry())
    inspection.look(Found(HERE, b"", "queuectl.errors.MalformedPayload"))
    inspection.look(Found(HERE, unknown("Gone"), "queuectl.errors.UnknownJob"))
    inspection.look(Found(HERE, unknown("Gone"), "builtins.ValueError"))
    assert (inspection.checked, inspection.refused, inspection.refused_before) == (3, 1, 2)
