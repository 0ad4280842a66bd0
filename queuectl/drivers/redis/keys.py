"""The keys of a queue: Laravel's own, and ours beside them under the same hash tag."""

from __future__ import annotations

from dataclasses import dataclass

from queuectl.errors import InvalidName
from queuectl.jobs.payload import check_queue_name

LARAVEL = b"queues:"
OURS = b"queuectl:"
SUFFIXES = (b":delayed", b":reserved", b":notify")


@dataclass(frozen=True, slots=True)
class KeptKeys:
    """What one operation removed from one queue: as it lay in the queue, and in the failed store."""

    list: bytes
    delayed: bytes
    reserved: bytes
    failed: tuple[bytes, bytes, bytes, bytes]

    @property
    def jobs(self) -> tuple[bytes, bytes, bytes]:
        return self.list, self.delayed, self.reserved

    @property
    def seven(self) -> tuple[bytes, ...]:
        """In the order in which scripts take them."""
        return *self.jobs, *self.failed


@dataclass(frozen=True, slots=True)
class QueueKeys:
    """Every key of one queue, client prefix included."""

    name: str
    list: bytes
    delayed: bytes
    reserved: bytes
    notify: bytes
    own: bytes
    """What our own keys of this queue start with."""

    @property
    def four(self) -> tuple[bytes, bytes, bytes, bytes]:
        """In the order in which every script takes them."""
        return self.list, self.delayed, self.reserved, self.notify

    @property
    def parked(self) -> bytes:
        """Sorted set: which job, since when."""
        return self.own + b"parked"

    @property
    def scratch(self) -> bytes:
        """A key that never exists; deleting it is a first write that a full server allows."""
        return self.own + b"scratch"

    @property
    def failed(self) -> tuple[bytes, bytes, bytes, bytes]:
        """The failed store's part: order (sorted set), rows, payloads and texts (hashes), all by uuid."""
        return _failed(self.own + b"failed")

    def kept(self, operation: str) -> KeptKeys:
        """What an operation removed from this queue. A slash is in no queue's name, so these are no other queue's."""
        base = self.own + b"removed/" + operation.encode("utf-8", "surrogatepass") + b"/"
        return KeptKeys(base + b"list", base + b"delayed", base + b"reserved", _failed(base + b"failed"))

    def once(self, mark: str) -> bytes:
        return self.own + b"once:" + mark.encode()


class Namespace:
    """All the keys of one connection."""

    def __init__(self, prefix: str, *, sharded: bool) -> None:
        self.prefix = prefix.encode()
        self.sharded = sharded
        self._queues: dict[str, QueueKeys] = {}

    def queue(self, name: str) -> QueueKeys:
        """The keys of a queue; `InvalidName` for what is not a name of one."""
        found = self._queues.get(name)
        if found is None:
            found = self._queues[name] = self._build(check_queue_name(name))
        return found

    def unique(self, queue: QueueKeys, key: str) -> bytes:
        """Where a unique key is held: for the whole store, or on a cluster, where a script sees one slot, a queue."""
        base = queue.own if self.sharded else self.prefix + OURS
        return base + b"unique:" + key.encode("utf-8", "surrogateescape")

    def control(self, name: str) -> bytes:
        """A key of the control store; all share one slot."""
        return self.prefix + OURS + b"{control}:" + name.encode()

    def discovered(self, key: bytes) -> str | None:
        """The queue that a key found in the store belongs to, if it is one of a queue's."""
        base = key.removeprefix(self.prefix + LARAVEL)
        for suffix in SUFFIXES:
            base = base.removesuffix(suffix)
        if self.sharded and base.startswith(b"{") and base.endswith(b"}"):
            base = base[1:-1]
        try:
            return check_queue_name(base.decode("ascii"))
        except (UnicodeDecodeError, InvalidName):
            return None

    def _build(self, name: str) -> QueueKeys:
        tagged = self._tagged(name).encode()
        base = self.prefix + LARAVEL + tagged
        return QueueKeys(
            name, base, base + b":delayed", base + b":reserved", base + b":notify", self.prefix + OURS + tagged + b":"
        )

    def _tagged(self, name: str) -> str:
        """On a cluster every key of a queue must hash alike: by the tag the name has, or by the whole name."""
        if not self.sharded or hash_tag(name.encode()) is not None:
            return name
        if name.startswith("}"):
            raise InvalidName(f"{name!r} cannot be a queue of a cluster: a name may not begin with }} there.")
        return f"{{{name}}}"


def _failed(base: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    return base, base + b":rows", base + b":payloads", base + b":texts"


def hash_tag(key: bytes) -> bytes | None:
    """The part of a key between its first `{` and the next `}`, if it has one that is not empty."""
    _, opened, rest = key.partition(b"{")
    tag, closed, _ = rest.partition(b"}")
    return tag if opened and closed and tag else None
