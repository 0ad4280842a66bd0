"""Ask several connections for something; one that does not answer does not spoil the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from queuectl.commands.exit_codes import DONE, PARTLY
from queuectl.commands.session import Session
from queuectl.drivers.contract import Driver
from queuectl.errors import ConfigurationError, DriverUnavailable, QueuectlError, TableMissing

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answers(Generic[T]):
    """What the connections said, by name."""

    given: dict[str, T] = field(default_factory=dict)
    lost: dict[str, QueuectlError] = field(default_factory=dict)
    bare: dict[str, QueuectlError] = field(default_factory=dict)
    """Connections without tables: they hold nothing and serve no worker, so leaving them out is no loss."""

    @property
    def exit_code(self) -> int:
        return PARTLY if self.lost else DONE


def ask(session: Session, names: Iterable[str], question: Callable[[str, Driver], T]) -> Answers[T]:
    """Ask each; warn about those that cannot answer, and raise only if none can."""
    answers = gather(session, names, question)
    if not answers.given:
        raise_first((*answers.lost.values(), *answers.bare.values()))
    _tell(session, answers)
    return answers


def gather(session: Session, names: Iterable[str], question: Callable[[str, Driver], T]) -> Answers[T]:
    """Ask each, and say nothing about those that cannot answer."""
    answers: Answers[T] = Answers()
    for name in names:
        try:
            answers.given[name] = question(name, session.app.driver(name))
        except TableMissing as error:
            answers.bare[name] = error
        except (DriverUnavailable, ConfigurationError) as error:
            answers.lost[name] = error
    return answers


def raise_first(errors: Sequence[QueuectlError]) -> None:
    if errors:
        raise errors[0]


def _tell(session: Session, answers: Answers[T]) -> None:
    for name, lost in answers.lost.items():
        session.tell(lost, f"[{name}] {lost}", None)
    for name, bare in answers.bare.items():
        if session.verbosity:
            session.output.warn(f"[{name}] left out: {bare}")


def stores(session: Session, chosen: str | None = None) -> list[str]:
    """The connections that keep jobs, or the one that was chosen; a note if there are none."""
    from queuectl.commands.addresses import require_connection

    if chosen:
        return [require_connection(chosen, session.app.connection_names)]
    names = session.app.store_names
    if not names:
        session.output.warn("No connection keeps jobs: they run at once. QUEUE_CONNECTION=database changes that.")
    return names


def places(session: Session) -> list[str]:
    """The connections that keep jobs, each store once: under the default connection's name where it is that one's."""
    names = stores(session)
    firsts = sorted(names, key=lambda name: name != session.config.default)
    owners = {session.app.driver(name).place: name for name in reversed(firsts)}
    return [name for name in names if name in owners.values()]
