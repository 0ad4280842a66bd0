"""The worker's line to its store says what matters once, and does not hammer at a closed door."""

from __future__ import annotations

import time

import pytest

from queuectl.errors import ConfigurationError, DriverUnavailable, StoreFull
from queuectl.worker.link import HURRIED_PAUSE, StoreLink


class Store:
    """Answers, or raises what it is told to."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.calls = 0

    def __call__(self) -> int:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return self.calls


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def link(notes: list[str]) -> StoreLink:
    return StoreLink(notes.append)


@pytest.mark.parametrize("error", [DriverUnavailable("gone"), StoreFull("full")])
def test_an_outage_is_told_once_and_its_end_once(link: StoreLink, notes: list[str], error: Exception) -> None:
    """However many calls fall into it."""
    store = Store()
    store.error = error
    for _ in range(3):
        assert link.attempt(store) is None
        time.sleep(link.retry_in)
    assert link.down
    assert len(notes) == 1
    store.error = None
    assert link.attempt(store) is not None
    assert not link.down
    assert len(notes) == 2
    assert "there again after" in notes[1]


def test_a_store_that_only_answers_questions_is_not_back(link: StoreLink, notes: list[str]) -> None:
    """Locked, full or read-only: the outage lasts, and is told once, until something can be written."""
    store = Store()
    store.error = StoreFull("full")
    link.attempt(store)
    store.error = None
    time.sleep(link.retry_in)
    assert link.ask(store) is not None
    assert link.down
    assert link.attempt(store) is not None
    assert not link.down
    assert len(notes) == 2


def test_an_outage_that_a_question_found_ends_with_an_answer(link: StoreLink) -> None:
    """Nothing else need be wrong."""
    store = Store()
    store.error = DriverUnavailable("gone")
    link.ask(store)
    store.error = None
    time.sleep(link.retry_in)
    assert link.ask(store) is not None
    assert not link.down


def test_no_call_is_made_before_the_pause_is_over(link: StoreLink) -> None:
    """The store is left in peace; the caller is told at once that there is nothing to have."""
    store = Store()
    store.error = DriverUnavailable("gone")
    link.attempt(store)
    link.attempt(store)
    assert store.calls == 1


def test_what_waiting_cannot_mend_is_the_callers_to_see(link: StoreLink, notes: list[str]) -> None:
    """A wrong configuration is no outage."""
    store = Store()
    store.error = ConfigurationError("wrong")
    with pytest.raises(ConfigurationError):
        link.attempt(store)
    assert notes == []
    assert not link.down


def test_do_tells_whether_it_was_done(link: StoreLink) -> None:
    """For calls whose answer is nothing."""
    assert link.do(lambda: None)
    store = Store()
    store.error = DriverUnavailable("gone")
    assert not link.do(store)


def test_who_is_about_to_leave_makes_short_pauses(link: StoreLink) -> None:
    """However long the pauses had become: it must not be waiting when the store comes back."""
    store = Store()
    store.error = DriverUnavailable("gone")
    for _ in range(4):
        link.attempt(store)
        time.sleep(link.retry_in)
    link.attempt(store)
    assert link.retry_in > HURRIED_PAUSE  # 1.6 s, give or take a half
    link.hurry()
    for _ in range(3):
        assert link.retry_in <= 1.5 * HURRIED_PAUSE
        time.sleep(link.retry_in)
        link.attempt(store)
