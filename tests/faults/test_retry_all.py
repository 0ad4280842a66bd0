"""A thousand failed jobs go back to their queues, whoever interrupts it, and whatever goes on meanwhile: each once."""

from __future__ import annotations

import json
import signal
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.faults.conftest import PAIRS, MakePair
from tests.faults.rig.arena import Arena, job
from tests.faults.rig.nursery import Ended, Nursery

MANY = 1000
SOME = 300
RETRY_ALL = ("retry", "all", "--json")

in_pairs = pytest.mark.parametrize(("queues", "failed"), PAIRS)


def buried(arena: Arena, count: int, connection: str) -> None:
    arena.bury(connection, *(job(f"k{number}") for number in range(count)))


def told(ended: Ended, word: str) -> int:
    assert ended.code == 0, ended
    count: int = json.loads(ended.stdout)[word]
    return count


def killed_and_continued(arena: Arena, nursery: Nursery, fault: tuple[str, int, str]) -> int:
    """How many the second run told that it retried; by then each job is on its queue, once."""
    first = nursery.run(arena.project, *RETRY_ALL, fault=arena.fault(*fault))
    assert (first.code, arena.struck) == (-signal.SIGKILL, 1)
    second = told(nursery.run(arena.project, *RETRY_ALL), "retried")
    assert Counter(place for places in arena.places().values() for place in places) == {"ready": MANY}
    arena.check()
    return second


@pytest.mark.fault("F39")
@pytest.mark.parametrize("fault", [("failed.retry", 2, "kill-before"), ("failed.retry", 1, "kill-after")])
def test_a_retry_of_all_that_is_killed_half_way_is_continued(
    arena: Arena, nursery: Nursery, fault: tuple[str, int, str]
) -> None:
    """One batch of five hundred had moved; the second run moves the other one."""
    buried(arena, MANY, arena.project.connection)
    assert killed_and_continued(arena, nursery, fault) == MANY // 2


@pytest.mark.fault("F39")
@in_pairs
@pytest.mark.parametrize(
    ("fault", "left"),
    [
        (("push", 500, "kill-after"), 501),
        pytest.param(("push", 500, "kill-before"), 501, marks=pytest.mark.long),
        pytest.param(("failed.forget", 500, "kill-before"), 501, marks=pytest.mark.long),
        pytest.param(("failed.forget", 500, "kill-after"), 500, marks=pytest.mark.long),
    ],
)
def test_a_retry_between_stores_that_is_killed_half_way_is_continued(
    queues: str, failed: str, fault: tuple[str, int, str], left: int, make_pair: MakePair, nursery: Nursery
) -> None:
    """A row whose job had been pushed, but that was not forgotten yet, is known again: its job is not pushed twice."""
    arena = make_pair(queues, failed)
    buried(arena, MANY, arena.collecting)
    assert killed_and_continued(arena, nursery, fault) == left


def retried_by_two(arena: Arena, nursery: Nursery) -> None:
    both = nursery.run_at_once(arena.project, RETRY_ALL, RETRY_ALL)
    assert sum(told(ended, "retried") for ended in both) == SOME
    assert Counter(place for places in arena.places().values() for place in places) == {"ready": SOME}
    arena.check()


@pytest.mark.fault("F39")
def test_two_operators_retry_all_at_once(arena: Arena, nursery: Nursery) -> None:
    """What they tell adds up to what there was, and each job is on its queue once."""
    buried(arena, SOME, arena.project.connection)
    retried_by_two(arena, nursery)


@pytest.mark.fault("F39")
@in_pairs
def test_two_operators_retry_all_at_once_between_stores(
    queues: str, failed: str, make_pair: MakePair, nursery: Nursery
) -> None:
    """Both push; the store takes each job once."""
    arena = make_pair(queues, failed)
    buried(arena, SOME, arena.collecting)
    retried_by_two(arena, nursery)


def at_once(arena: Arena, nursery: Nursery, other: Sequence[str]) -> dict[str, int]:
    """Retry all while another command deletes: how many either told."""
    one, two = nursery.run_at_once(arena.project, RETRY_ALL, other)
    found = {"retried": told(one, "retried"), "deleted": told(two, "deleted")}
    left = arena.places()
    arena.forgotten(arena.acknowledged - left.keys())
    assert Counter(place for places in left.values() for place in places) == Counter(ready=found["retried"])
    arena.check()
    return found


@pytest.mark.fault("F39")
@pytest.mark.parametrize("other", [("flush", "--force", "--json"), ("forget", "all", "--yes", "--json")])
def test_a_job_is_either_retried_or_deleted(arena: Arena, nursery: Nursery, other: tuple[str, ...]) -> None:
    """By two operators at once: what is told adds up to what there was."""
    buried(arena, SOME, arena.project.connection)
    assert sum(at_once(arena, nursery, other).values()) == SOME


@pytest.mark.fault("F39")
def test_all_is_retried_while_a_worker_drains(arena: Arena, nursery: Nursery) -> None:
    """Each job is done once, as its first attempt."""
    buried(arena, SOME, arena.project.connection)
    worker = arena.project.work("--workers=2")
    assert told(nursery.run(arena.project, *RETRY_ALL), "retried") == SOME
    arena.await_done({f"k{number}" for number in range(SOME)})
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0
    arena.check()
    assert {event["attempt"] for event in arena.project.events()} == {1}
