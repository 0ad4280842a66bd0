"""`dispatch --wait`: see one job through to its end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from queuectl.commands.exit_codes import DECLINED, DONE, FAILED
from queuectl.commands.times import iso, runtime
from queuectl.commands.unserved import Doubts
from queuectl.jobs.masking import mask

if TYPE_CHECKING:
    from queuectl.awaiting import Awaited
    from queuectl.commands.session import Session
    from queuectl.commands.waiting import Patience
    from queuectl.dispatch import Sent
    from queuectl.drivers.ends import End


@dataclass(frozen=True, slots=True)
class Seen:
    """What somebody who waited for a job has seen of it."""

    uuid: str
    job: str
    connection: str
    status: str
    """`done`, `failed`, `lost` (nobody knows how it ended) or `waiting` (it has not ended)."""
    waited: float
    end: End | None = None

    @property
    def exit_code(self) -> int:
        return {"done": DONE, "waiting": DECLINED}.get(self.status, FAILED)

    def to_json(self) -> dict[str, Any]:
        end = self.end
        return {
            "uuid": self.uuid,
            "job": self.job,
            "connection": self.connection,
            "status": self.status,
            "queue": end and end.queue,
            "attempts": end and end.attempts,
            "error": (end and end.error) or None,
            "message": (end and mask(end.message)) or None,
            "ended_at": end and iso(end.at),
            "waited": round(self.waited, 3),
        }


def see_through(session: Session, awaited: Awaited, sent: Sent, *, job: str, patience: Patience) -> Seen:
    """Wait until the one job that is awaited has ended, or the time is up."""
    doubts = Doubts(session)
    for found in patience.looks(awaited.look):
        for ended in found:
            status = "lost" if ended.end is None else "done" if ended.end.done else "failed"
            return Seen(sent.uuid, job, sent.driver.name, status, patience.waited, ended.end)
        doubts.about(sent.driver, sent.queue)
    return Seen(sent.uuid, job, sent.driver.name, "waiting", patience.waited)


def tell(session: Session, seen: Seen) -> None:
    """The end of it in one line, with what to do next."""
    output, waited = session.output, runtime(seen.waited)
    match seen.status:
        case "done":
            output.info(f"Done after {waited}.")
        case "failed" if seen.end is not None:
            why = mask(f"{seen.end.error}: {seen.end.message}")
            output.error(f"The job failed: {why}", f"`queuectl failed:show {seen.uuid}` shows the whole of it.")
        case "waiting":
            output.error(
                f"The job has not ended after {waited}; it stays where it is.",
                f"`queuectl explain {seen.uuid}` says what it waits for.",
            )
        case _:
            output.error(
                "The job has ended, but nobody knows how: it is in no queue, and has not failed.",
                "Its worker was killed at that moment, somebody deleted it, or a PHP worker ran it.",
            )
