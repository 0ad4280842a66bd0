"""`[connection:]queue`, as artisan writes a queue."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from queuectl.config.checking import did_you_mean
from queuectl.errors import UsageError
from queuectl.jobs.payload import check_queue_name

if TYPE_CHECKING:
    from queuectl.app import App
    from queuectl.drivers.contract import Driver


@dataclass(frozen=True, slots=True)
class Address:
    """A queue, and the connection it was named with."""

    connection: str | None
    queue: str

    @classmethod
    def parse(cls, words: str, connections: Iterable[str], default_queue: str = "default") -> Address:
        """Split at the first colon; `UsageError` for an unknown connection, `InvalidName` for a bad queue."""
        before, colon, after = words.partition(":")
        if not colon:
            return cls(None, check_queue_name(before))
        require_connection(before, connections)
        return cls(before, check_queue_name(after or default_queue))


def require_connection(name: str, known: Iterable[str]) -> str:
    """The name itself, or `UsageError` with what was probably meant."""
    names = list(known)
    if name not in names:
        raise UsageError(
            f"The [{name}] queue connection has not been configured.{did_you_mean(name, names)}",
            hint=f"Configured: {', '.join(names)}.",
        )
    return name


def chosen_connection(app: App, name: str | None) -> str:
    """The connection that was named, or the default one."""
    return require_connection(name, app.connection_names) if name else app.config.default


def split_list(words: str) -> list[str]:
    """A comma list without blanks and repetitions, in its order."""
    return list(dict.fromkeys(part.strip() for part in words.split(",") if part.strip()))


def known_queues(driver: Driver) -> set[str]:
    """The queues that hold something or that a living worker serves."""
    served = {queue for beat in driver.control.beats() for queue in beat.queues}
    return served | set(driver.counts())


def doubt(queue: str, known: Iterable[str]) -> str:
    """A sentence for a queue that nobody knows but that looks like one somebody does; empty otherwise."""
    names = set(known)
    meant = "" if queue in names else did_you_mean(queue, names)
    return f"Nothing is known of a queue [{queue}].{meant}" if meant else ""
