"""The control store: marks, beats, operations, ends of jobs, counters and locks, on six primitives of a driver."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from queuectl.drivers.ends import KEPT, End, key_of
from queuectl.drivers.operation import Operation

EVERY_QUEUE = "*"
BEAT_TTL = 20.0
"""A beat is written every 5 s; a worker that missed three is taken for gone."""
CANCEL_TTL, PROGRESS_TTL = 3600.0, 86_400.0
COUNTER_TTL = 10 * 365 * 86_400.0
REMEMBERED = 30 * 86_400.0
"""Seconds that an operation stays in the record."""
MOST_OPERATIONS = 1000
"""More than this are not kept: a cron job may do something every minute."""
SEEN_TTL = 30 * 86_400.0
PUT_OFF_TTL = 60.0
"""Seconds that word of a delay outlives it."""


class KeyValue(ABC):
    """Six primitives with expiry by the store's clock. Keys are ours (ASCII, at most 255); values are text."""

    @abstractmethod
    def put(self, key: str, value: str, ttl: float | None = None) -> None:
        """Write; *ttl* in seconds, None for ever."""

    @abstractmethod
    def put_new(self, key: str, value: str, ttl: float | None = None) -> bool:
        """Write if nothing living is there, in one step; whether it was written."""

    @abstractmethod
    def get(self, key: str) -> str | None: ...

    @abstractmethod
    def scan(self, prefix: str) -> dict[str, str]:
        """Every living key that starts with *prefix*, with its value."""

    @abstractmethod
    def delete(self, key: str, *, holding: str | None = None) -> bool:
        """Delete, only if it holds *holding* when given, in one step; whether something was deleted."""

    @abstractmethod
    def increment(self, key: str, by: int = 1, ttl: float | None = None) -> int:
        """Add to an integer in one step (0 if absent; *ttl* counts from its creation) and return the sum."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A queue that workers leave alone."""

    reason: str = ""
    since: float = 0.0
    until: float | None = None
    by: str = ""
    """Who asked for it, `user@host`."""

    @classmethod
    def from_text(cls, text: str) -> Pause:
        """A newer command may say more than we know of."""
        return cls(**_known(cls, json.loads(text)))


@dataclass(frozen=True, slots=True)
class Cancel:
    """A running job is to end."""

    by: str = ""
    """Who asked for it, `user@host`."""
    within: float = 10.0
    """Seconds that it may take to see that by itself, before it is interrupted."""

    @classmethod
    def from_text(cls, text: str) -> Cancel:
        return cls(**_known(cls, json.loads(text)))


@dataclass(frozen=True, slots=True)
class Marks:
    """What operators ask of workers, read in one go."""

    restart: str | None = None
    """Changes each time a restart is asked for."""
    paused: Mapping[str, Pause] = field(default_factory=dict)
    cancelled: Mapping[str, Cancel] = field(default_factory=dict)
    """Running jobs that are to end, by uuid."""

    def is_paused(self, queue: str) -> bool:
        return self.pause_of(queue) is not None

    def pause_of(self, queue: str) -> Pause | None:
        """What keeps workers from this queue: a pause of its own, or one of everything."""
        return self.paused.get(queue) or self.paused.get(EVERY_QUEUE)


@dataclass(frozen=True, slots=True)
class PutOff:
    """A job that could have run, and comes back later."""

    why: str
    until: float
    holder: str = ""
    """The job that holds it up, by its uuid."""

    @classmethod
    def from_text(cls, text: str) -> PutOff:
        return cls(**_known(cls, json.loads(text)))


@dataclass(frozen=True, slots=True)
class Beat:
    """A sign of life of one worker."""

    worker: str
    """`host:pid:random`."""
    name: str
    host: str
    pid: int
    queues: tuple[str, ...]
    since: float
    at: float
    children: int
    processed: int
    running: tuple[Mapping[str, object], ...] = ()
    """One mapping a running job: job, uuid, queue, since."""
    version: str = ""
    """Of the code that the worker started with."""
    paused: tuple[str, ...] | None = None
    """Those of its queues that it leaves alone; None from a worker that does not tell."""

    @classmethod
    def from_text(cls, text: str) -> Beat:
        """A newer worker may say more than we know of."""
        found = json.loads(text)
        several = {name: tuple(found[name]) for name in ("queues", "running", "paused") if found.get(name) is not None}
        return cls(**{**_known(cls, found), **several})

    def to_text(self) -> str:
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class LastSeen:
    """The worker that was the last to serve a queue: what is known when none is alive."""

    name: str
    host: str
    at: float
    """To the minute, unless it said good-bye."""
    left: bool = False
    """It stopped in good order."""

    @classmethod
    def from_text(cls, text: str) -> LastSeen:
        return cls(**_known(cls, json.loads(text)))


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job says it is."""

    fraction: float
    """From 0 to 1."""
    text: str = ""

    @classmethod
    def from_text(cls, text: str) -> Progress:
        return cls(**_known(cls, json.loads(text)))


def _under(prefix: str, found: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Of what was scanned, what is behind this prefix."""
    return ((key.removeprefix(prefix), value) for key, value in found.items() if key.startswith(prefix))


def _known(cls: type[Pause | Cancel | PutOff | Beat | LastSeen | Progress], found: Mapping[str, Any]) -> dict[str, Any]:
    return {name: found[name] for name in (field.name for field in fields(cls)) if name in found}


class ControlStore:
    """Marks, beats, operations, counters and locks of one connection."""

    def __init__(self, store: KeyValue) -> None:
        self._store = store

    # Marks

    def ask_restart(self, mark: str) -> None:
        """Workers that started under another mark finish their jobs and stop. *mark*: any text not used before."""
        self._store.put("mark:restart", mark)

    def pause(self, queue: str, pause: Pause, *, ttl: float | None = None) -> None:
        """Leave *queue* (or `EVERY_QUEUE`) alone, for *ttl* seconds or until resumed."""
        self._store.put(f"mark:pause:{queue}", json.dumps(asdict(pause)), ttl)

    def resume(self, queue: str) -> bool:
        """Whether it had been paused."""
        return self._store.delete(f"mark:pause:{queue}")

    def cancel_running(self, uuid: str, cancel: Cancel) -> None:
        """Ask the worker that runs this job to end it; heard within a second or so, and for an hour."""
        self._store.put(f"mark:cancel:{uuid}", json.dumps(asdict(cancel)), CANCEL_TTL)

    def was_cancelled(self, uuid: str) -> None:
        """It has ended."""
        self._store.delete(f"mark:cancel:{uuid}")

    def marks(self) -> Marks:
        found = self._store.scan("mark:")
        paused = {queue: Pause.from_text(value) for queue, value in _under("mark:pause:", found)}
        cancelled = {uuid: Cancel.from_text(value) for uuid, value in _under("mark:cancel:", found)}
        return Marks(found.get("mark:restart"), paused, cancelled)

    # Progress

    def show_progress(self, uuid: str, fraction: float, text: str) -> None:
        """How far a running job is, from 0 to 1, for people to see; forgotten after a day without news."""
        self._store.put(f"progress:{uuid}", json.dumps({"fraction": fraction, "text": text}), PROGRESS_TTL)

    def progress(self, uuid: str) -> Progress | None:
        """What the job said last, in any of its attempts."""
        found = self._store.get(f"progress:{uuid}")
        return None if found is None else Progress.from_text(found)

    def put_off(self, uuid: str, why: str, *, at: float, seconds: float, holder: str = "") -> None:
        """Why a job comes back so many seconds after *at*, for people to see until then."""
        word = PutOff(why, at + seconds, holder)
        self._store.put(f"put-off:{uuid}", json.dumps(asdict(word)), seconds + PUT_OFF_TTL)

    def why_put_off(self, uuid: str) -> PutOff | None:
        found = self._store.get(f"put-off:{uuid}")
        return None if found is None else PutOff.from_text(found)

    # Beats

    def beat(self, beat: Beat) -> None:
        self._store.put(f"beat:{beat.worker}", beat.to_text(), BEAT_TTL)

    def beats(self) -> list[Beat]:
        return [Beat.from_text(text) for text in self._store.scan("beat:").values()]

    def leave(self, worker: str) -> None:
        self._store.delete(f"beat:{worker}")

    def serve(self, queues: Iterable[str], last: LastSeen) -> None:
        """Note for each of these queues who serves it, for the time when nobody does."""
        text = json.dumps(asdict(last))
        for queue in queues:
            self._store.put(f"seen:{queue}", text, SEEN_TTL)

    def last_seen(self) -> dict[str, LastSeen]:
        """By queue."""
        found = self._store.scan("seen:")
        return {key.removeprefix("seen:"): LastSeen.from_text(text) for key, text in found.items()}

    # Operations

    def record(self, operation: Operation) -> None:
        """Write down what somebody does, or how far it has got; the oldest make room for a new one."""
        self._store.put(f"operation:{operation.id}", operation.to_text(), REMEMBERED)
        if not operation.count:  # it begins
            for old in self.operations()[MOST_OPERATIONS:]:
                self.strike(old.id)

    def strike(self, operation: str) -> None:
        """Nothing came of it."""
        self._store.delete(f"operation:{operation}")

    def operations(self) -> list[Operation]:
        """The newest first."""
        found = map(Operation.from_text, self._store.scan("operation:").values())
        return sorted(found, key=lambda operation: (operation.at, operation.id), reverse=True)

    # Ends of jobs that somebody waits for

    def tell_end(self, watch: str, end: End) -> None:
        """Keep for an hour how a job ended, for whoever waits under the name *watch*."""
        key = key_of(watch, end.uuid)
        if key is not None:
            self._store.put(key, end.to_text(), KEPT)

    def ends(self, watch: str) -> list[End]:
        """What has been told under this name and not been struck since."""
        return [End.from_text(text) for text in self._store.scan(f"outcome:{watch}:").values()]

    def strike_end(self, watch: str, uuid: str) -> None:
        """It has been read."""
        self._store.delete(f"outcome:{watch}:{uuid}")

    # Counters

    def count(self, deltas: Mapping[str, int]) -> None:
        """Add to running totals, e.g. `{"done:mail": 12}`."""
        for name, delta in deltas.items():
            self._store.increment(f"count:{name}", delta, COUNTER_TTL)

    def counters(self) -> dict[str, int]:
        return {key.removeprefix("count:"): int(value) for key, value in self._store.scan("count:").items()}

    def tally(self, key: str, *, ttl: float = 86_400.0) -> int:
        """Count one more of something about one job (its exceptions, its crashes) and return how many."""
        return self._store.increment(f"tally:{key}", 1, ttl)

    # Unique and debounced jobs

    def note_unique(self, queue: str) -> None:
        """Jobs with unique keys are pushed there: who clears it has keys to free."""
        self._store.put(f"unique-in:{queue}", "1", COUNTER_TTL)

    def has_unique(self, queue: str) -> bool:
        return self._store.get(f"unique-in:{queue}") is not None

    def be_newest(self, key: str, at: float, ttl: float) -> None:
        """A job that was dispatched then is the last one of its kind, unless a later one is noted."""
        if self.newest(key) <= at:
            self._store.put(f"newest:{key}", repr(at), ttl)

    def newest(self, key: str) -> float:
        """When the last job of this kind was dispatched; 0.0 if that is not known."""
        return float(self._store.get(f"newest:{key}") or 0.0)

    # Limits

    def use(self, key: str, by: int, ttl: float) -> int:
        """Add to a count, which ends *ttl* seconds after it began, and return it."""
        return self._store.increment(f"use:{key}", by, ttl)

    def used(self, key: str) -> int:
        return int(self._store.get(f"use:{key}") or 0)

    def reset(self, key: str) -> bool:
        """Whether there was anything to begin anew."""
        return self._store.delete(f"use:{key}")

    # Locks

    def acquire(self, key: str, owner: str, ttl: float) -> bool:
        return self._store.put_new(f"lock:{key}", owner, ttl)

    def release(self, key: str, owner: str) -> bool:
        """Only by its owner."""
        return self._store.delete(f"lock:{key}", holding=owner)

    def holder(self, key: str) -> str | None:
        return self._store.get(f"lock:{key}")
