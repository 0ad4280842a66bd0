"""Any sequence of anything: no job is ever lost, doubled, or counted wrongly.

A random history is played on two driver objects of one store beside a small model that knows where each job must be.
Workers vanish, come late, and do not hear the answer to what they asked: then they ask again.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from queuectl.clock import FakeClock
from queuectl.drivers.contract import Driver
from queuectl.testing.contract.base import Contract
from queuectl.testing.contract.keeping import SUITED
from queuectl.testing.contract.model import OUTCOMES, World
from queuectl.testing.contract.operator import HIGH, LOW, OPERATION

Step = tuple[str, tuple[Any, ...]]


def histories() -> st.SearchStrategy[list[Step]]:
    """Steps of a history: the name of a method of `World`, and its arguments. Dense, so that much meets by chance."""
    queue, which = st.sampled_from([HIGH, HIGH, LOW]), st.sampled_from([0, 0, 1, 1, 2, 3])
    queues, room = st.sampled_from([(HIGH, LOW), (HIGH, LOW), (LOW, HIGH), (LOW,)]), st.integers(0, 3)
    pause, outcome = st.sampled_from([0, 0, 1, 5]), st.sampled_from(list(OUTCOMES))
    who, heard = st.integers(0, 1), st.sampled_from([True, True, True, False])
    endings = st.lists(st.tuples(which, outcome, pause), max_size=3, unique_by=lambda ending: ending[0])
    turn = st.tuples(st.just("turn"), st.tuples(who, endings, queues, room, heard))
    push = st.tuples(st.just("push"), st.tuples(who, st.lists(st.tuples(queue, pause), min_size=1, max_size=4), heard))
    late = st.tuples(st.just("come_late"), st.tuples(who, which, outcome))
    later = st.tuples(st.just("pass_time"), st.tuples(st.sampled_from([1, 2, 5, 29, 31, 31])))
    keep = st.sampled_from([OPERATION, OPERATION, None])
    others = [
        st.tuples(st.just("renew"), st.tuples(who, st.lists(which, max_size=3, unique=True))),
        st.tuples(st.just("vanish"), st.tuples()),
        st.tuples(st.sampled_from(["retry", "forget"]), st.tuples(who, which, heard)),
        st.tuples(
            st.just("delete_all"), st.tuples(who, st.sampled_from([HIGH, LOW, "failed", "failed long ago"]), keep)
        ),
        st.tuples(st.just("look"), st.tuples(who, queue)),
        *(st.tuples(st.just("cancel"), st.tuples(who, keep, heard)) for _ in range(2)),
        st.tuples(st.just("undo"), st.tuples(who, st.sampled_from([1, 2, 500]))),
    ]
    often = [*(turn for _ in range(10)), *(push, push, push, late, late, later, later)]
    return st.lists(st.sampled_from([*often, *others]).flatmap(lambda step: step), min_size=40, max_size=80)


class Conserving(Contract):
    """The promises together."""

    @settings(deadline=None, suppress_health_check=SUITED)
    @given(history=histories())
    def test_no_history_loses_or_doubles_a_job(
        self, driver: Driver, rival: Driver, clock: FakeClock, history: list[Step]
    ) -> None:
        """At every step each job is where the model says, and at the end all that is left comes out once."""
        world = World((driver, rival), clock)
        for name, arguments in history:
            getattr(world, name)(*arguments)
            world.check_counts()
        world.drain()
