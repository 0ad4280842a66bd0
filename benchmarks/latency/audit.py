"""After the answers: is everything that was accepted done, and done once?"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from latency.stage import PATIENCE, Stage
from latency.traffic import Answer

ACCEPTED = 202
TYPES = {
    "/api/evaluations": "evaluation",
    "/api/conges": "conge",
    "/api/attendance": "attendance",
    "/api/notifications": "benchmark",
}
"""What kind of notification a request at each endpoint leads to: one each."""
SENT, UNSENT = "broadcast_at IS NOT NULL", "broadcast_at IS NULL"
BOX, SMALL_BOX = 1200, 300
"""What photos and thumbnails are to fit into."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What became of the requests: `notified` is `accepted`, and what is wrong is nothing."""

    accepted: int
    notified: int
    refused: int
    lost: int
    twice: int
    unfit: int
    """Photos that were not made to fit, or have no thumbnail."""
    left_over: int
    """Jobs that lie in a queue, in the outbox or among the failed ones."""
    seconds: float
    """From the last answer, or the end of the outage, until everything was done."""

    @property
    def is_sound(self) -> bool:
        return not (self.refused or self.lost or self.twice or self.unfit or self.left_over)


def audit(stage: Stage, answers: Sequence[Answer], *, patience: float = PATIENCE) -> Audit:
    """Wait until the workers have nothing left to do, and count; what does not come in time is lost."""
    started = time.monotonic()
    accepted = [answer for answer in answers if answer.status == ACCEPTED]
    photos = sum(answer.endpoint == "/api/attendance" for answer in accepted)
    stage.comes_true(lambda: _count(stage, SENT) >= len(accepted) and _thumbnails(stage) >= photos, patience)
    seconds = time.monotonic() - started
    stage.comes_true(lambda: _waiting(stage) == 0)  # the last acknowledgement comes after the last effect
    expected, found, broadcast = _expected(accepted), _notifications(stage), _broadcasts(stage)
    return Audit(
        accepted=len(accepted),
        notified=found.total(),
        refused=len(answers) - len(accepted),
        lost=(expected - found).total() + _count(stage, UNSENT),
        twice=(found - expected).total() + broadcast.total() - len(broadcast),
        unfit=photos - sum(map(_is_fit, stage.photos.glob("*_thumb.jpg"))),
        left_over=_waiting(stage) + len(stage.rows("failed")),
        seconds=seconds,
    )


def _expected(accepted: Sequence[Answer]) -> Counter[tuple[str, str]]:
    """The notifications that these requests lead to."""
    return Counter(_known_by(TYPES[answer.endpoint], answer.mark) for answer in accepted)


def _notifications(stage: Stage) -> Counter[tuple[str, str]]:
    """The rows that are there."""
    return Counter(_known_by(*row) for row in _query(stage, "SELECT type, title FROM notifications"))


def _known_by(kind: str, title: str) -> tuple[str, str]:
    """By what a notification is told from others: by the request's mark, where the example lets us write the title."""
    return kind, title if kind == TYPES["/api/notifications"] else ""


def _broadcasts(stage: Stage) -> Counter[str]:
    """How often each row was broadcast."""
    return Counter(stage.ledger.read_text().split()) if stage.ledger.exists() else Counter()


def _count(stage: Stage, condition: str) -> int:
    """Of notifications."""
    [(count,)] = _query(stage, f"SELECT count(*) FROM notifications WHERE {condition}")  # noqa: S608  # two of our own
    return int(count)


def _thumbnails(stage: Stage) -> int:
    return sum(1 for _ in stage.photos.glob("*_thumb.jpg"))


def _is_fit(thumbnail: Path) -> bool:
    photo = thumbnail.with_name(thumbnail.name.replace("_thumb", ""))
    return _longest_side(thumbnail) <= SMALL_BOX and _longest_side(photo) <= BOX


def _longest_side(file: Path) -> int:
    with Image.open(file) as picture:
        return max(picture.size)


def _waiting(stage: Stage) -> int:
    """How many jobs lie in the queues and in the outbox, as an operator sees it."""
    return sum(int(row["size"]) for row in stage.rows("monitor"))


def _query(stage: Stage, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{stage.database_file}?mode=ro", uri=True, timeout=30)) as connection:
        return connection.execute(query).fetchall()
