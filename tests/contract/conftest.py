"""Which tests of the contract prove which fault: it is shipped for other drivers, and knows nothing of our numbers."""

from __future__ import annotations

import pytest

PROVEN = {
    "test_arguments_are_identical_at_every_attempt": ["F35"],
    "test_junk_is_handed_out_whole": ["F34"],
    "test_junk_does_not_stop_the_queue": ["F34"],
    "test_junk_of_a_vanished_worker_comes_back": ["F34"],
    "test_equal_payloads_are_several_jobs": ["F34"],
    "test_equal_payloads_are_several_delayed_jobs": ["F34"],
    "test_a_foreign_object_is_counted_at_every_attempt": ["F35"],
    "test_a_payload_that_nobody_can_read_is_kept_byte_for_byte": ["F34"],
    "test_a_parked_job_is_not_an_attempt": ["F33"],
    "test_parking_remembers_its_beginning": ["F33"],
    "test_a_payload_may_be_as_large_as_allowed": ["F36"],
    "test_a_larger_payload_is_refused": ["F36", "X18"],
    "test_listings_are_newest_first_and_without_bodies": ["F36"],
    "test_a_taken_key_pushes_nothing_and_names_its_holder": ["F40"],
    "test_one_push_may_hold_a_key_twice": ["F40"],
    "test_a_key_stays_taken_while_its_job_runs_and_waits": ["F40"],
    "test_a_key_is_free_after_its_time": ["F40"],
    "test_every_lost_job_comes_back": ["F41"],
    "test_delayed_jobs_come_in_the_order_they_fall_due": ["F41"],
    "test_clearing_a_queue_fences_its_running_jobs": ["F42"],
    "test_clearing_takes_every_state_of_one_queue": ["F42"],
    "test_a_cleared_queue_works_on": ["F42"],
    "test_a_queue_that_cannot_be_named_so_is_refused": ["F42", "X14"],
    "test_odd_queue_names_work": ["F42", "X14"],
    "test_queues_with_odd_names_can_be_paused": ["F42", "X14"],
    "test_places_and_facts_hold_no_secret": ["X10"],
    "test_an_unreachable_store_is_told_without_its_secret": ["X10"],
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/tests/contract/" in item.path.as_posix() and isinstance(item, pytest.Function):
            for fault in PROVEN.get(item.originalname, ()):
                item.add_marker(pytest.mark.fault(fault))
