"""The worker's trade with its store: everything that ended goes in, as much as can start now comes out."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Sequence

from queuectl.drivers.contract import Driver, Reserved, Verdict
from queuectl.errors import DataRefused
from queuectl.worker.appetite import Appetite
from queuectl.worker.docket import Docket, Unsettled, minimal
from queuectl.worker.link import StoreLink


class Exchanges:
    """Makes them when there is a reason to, and keeps what they brought."""

    def __init__(
        self, driver: Driver, link: StoreLink, docket: Docket, appetite: Appetite, note: Callable[[str], None]
    ) -> None:
        self._driver, self._link, self._docket, self._appetite = driver, link, docket, appetite
        self._note = note
        self.reserved: deque[Reserved] = deque()
        """Jobs that have not been handed out yet."""
        self.hooks: deque[Unsettled] = deque()
        """Jobs whose failure is durable, and whose `failed` hook is to be called."""

    def make(self, queues: Sequence[str], room: int) -> None:
        """One exchange, if there is an outcome to send or it is time to ask for up to *room* jobs."""
        sending = self._docket.unsettled
        if not sending and (not room or self._appetite.asks_in):
            return
        if self._link.down and self._link.retry_in:
            return
        try:
            answer = self._exchange(sending, queues, room)
        except DataRefused:
            for item in sending:
                self._settle_alone(item)
            return
        if answer is not None:
            self._appetite.fed(len(answer), room)
            self.reserved.extend(answer)

    def _exchange(self, sending: Sequence[Unsettled], queues: Sequence[str], room: int) -> list[Reserved] | None:
        """Send outcomes, take their verdicts, return what was reserved; None while the store is not there."""
        settlements = [item.settlement for item in sending]
        answer = self._link.attempt(lambda: self._driver.exchange(settlements, queues, room), wrote=_wrote)
        if answer is None:
            for item in sending:
                item.sent = True
            return None
        verdicts, reserved = answer
        if sending:
            self.hooks.extend(self._docket.take(sending, verdicts))
        return reserved

    def _settle_alone(self, item: Unsettled) -> None:
        """The store refused something as data: settle this one with a record that cannot be refused, if it is it."""
        for outcome in (item.outcome, minimal(item.outcome)):
            item.outcome = outcome
            with contextlib.suppress(DataRefused):
                self._exchange([item], [], 0)
                return
        self._docket.give_up([item])
        self._note(f"The store refuses the outcome of {item.running.attempt.uuid}; its lease will run out.")


def _wrote(answer: tuple[list[Verdict], list[Reserved]]) -> bool:
    """An exchange of nothing proves only that the store can be read."""
    return any(answer)
