"""Commands as bytes, and one connection that carries them: a pipelined write, then the replies."""

from __future__ import annotations

import os
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from redis.exceptions import NoScriptError, RedisError, ResponseError

from queuectl.drivers.redis.lua import Script

if TYPE_CHECKING:
    from queuectl.drivers.redis.address import Node

IDLE = 1.0
"""Seconds of silence after which a connection is looked at before it is used: the server may have closed it."""


class Connection(Protocol):
    """What a link uses of redis-py's connection, which is typed in parts only."""

    def send_packed_command(self, command: Sequence[bytes], check_health: bool = ...) -> None: ...

    def read_response(self) -> Any: ...

    def can_read(self, timeout: float) -> bool: ...

    def disconnect(self) -> None: ...


class Command(NamedTuple):
    """One command, ready to send."""

    keys: Sequence[bytes]
    """Its keys; the first decides which node of a cluster it goes to."""
    packed: bytes
    script: Script | None = None
    """To be loaded where it is not known."""


def pack(*words: bytes) -> bytes:
    """A command in Redis's protocol."""
    return b"*%d\r\n%b" % (len(words), strings(words))


def strings(words: Iterable[bytes]) -> bytes:
    """Words of a command, without their number."""
    return b"".join([b"$%d\r\n%b\r\n" % (len(word), word) for word in words])


def command(name: bytes, *keys: bytes, args: Sequence[bytes] = ()) -> Command:
    return Command(keys, pack(name, *keys, *args))


def call(script: Script, keys: Sequence[bytes], args: Sequence[bytes]) -> Command:
    """Run a script."""
    return Command(keys, pack(b"EVALSHA", script.sha, b"%d" % len(keys), *keys, *args), script)


def number(value: float) -> bytes:
    """A number as scripts read it, to the last bit."""
    return repr(value).encode()


class Link:
    """One connection to one server; opened on first use, opened again after a failure."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._used = time.monotonic()
        self._open = False
        self._loaded: set[bytes] = set()
        """Scripts that this connection has brought, by their names."""

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """The replies in order, errors of single commands among them as exceptions. Unknown scripts are loaded.

        Scripts travel ahead of their first use: found missing in mid-trip they would run after what follows them.
        """
        self._refresh()
        loads = self._loads(commands)
        replies = self._trip([*loads, *[sent.packed for sent in commands]])[len(loads) :]
        if NoScriptError in map(type, replies):  # forgotten since, by `SCRIPT FLUSH`
            self._run_unknown(commands, replies)
        return replies

    def exchange(self, packed: Sequence[bytes]) -> list[Any]:
        """One write, and as many replies as there are commands."""
        self._refresh()
        return self._trip(packed)

    def _trip(self, packed: Sequence[bytes]) -> list[Any]:
        greeting = [] if self._open else [_introduction()]
        try:
            self.connection.send_packed_command([b"".join([*greeting, *packed])], check_health=False)
            self._open = True
            for _ in greeting:
                self._reply()  # a server that does not let us say who we are is no worse for it
            return [self._reply() for _ in packed]
        except BaseException:
            self.close()  # replies of this trip must never be taken for those of another
            raise

    def close(self) -> None:
        self._open = False
        self._loaded.clear()
        self.connection.disconnect()

    def fileno(self) -> int:
        """Of an open connection's socket; redis-py has no public name for it."""
        return int(self.connection._sock.fileno())  # type: ignore[attr-defined]

    def _reply(self) -> Any:
        try:
            return self.connection.read_response()
        except ResponseError as error:
            return error

    def _loads(self, commands: Sequence[Command]) -> list[bytes]:
        unknown = [sent.script for sent in commands if sent.script and sent.script.sha not in self._loaded]
        if not unknown:
            return []
        new = {script.sha: script.text for script in unknown}
        self._loaded.update(new)
        return [pack(b"SCRIPT", b"LOAD", text) for text in new.values()]

    def _run_unknown(self, commands: Sequence[Command], replies: list[Any]) -> None:
        """Send again, in order, what was not run because the server did not know the script."""
        missed = [place for place, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        texts = {script.sha: script.text for place in missed if (script := commands[place].script)}
        loads = [pack(b"SCRIPT", b"LOAD", text) for text in texts.values()]
        again = self.exchange([*loads, *(commands[place].packed for place in missed)])
        for place, reply in zip(missed, again[len(loads) :], strict=True):
            replies[place] = reply

    def _refresh(self) -> None:
        now = time.monotonic()
        if self._open and now - self._used > IDLE and self._is_stale():
            self.close()
        self._used = now

    def _is_stale(self) -> bool:
        """Something to read before anything was asked: the end of the stream, or a reply nobody waits for."""
        try:
            return bool(self.connection.can_read(0))
        except (RedisError, OSError):
            return True


def _introduction() -> bytes:
    """For `CLIENT LIST`: whose connection this is."""
    return pack(b"CLIENT", b"SETNAME", f"queuectl:{socket.gethostname()}:{os.getpid()}".encode("ascii", "replace"))


class PerThread:
    """The connections of each thread and process: never shared, never carried across a fork."""

    def __init__(self, connect: Callable[[Node], Link]) -> None:
        self._connect = connect
        self._local = threading.local()
        self._open: weakref.WeakSet[Link] = weakref.WeakSet()

    def link(self, node: Node) -> Link:
        links = self._links()
        found = links.get(node)
        if found is None:
            found = links[node] = self._connect(node)
            self._open.add(found)
        return found

    def drop(self) -> None:
        """Close this thread's connections."""
        links = self._links()
        for link in links.values():
            link.close()
        links.clear()

    def close(self) -> None:
        """Close every connection of this process."""
        for link in list(self._open):
            link.close()

    def _links(self) -> dict[Node, Link]:
        """This thread's, with nothing inherited from a parent process (whose sockets are only let go)."""
        pid = os.getpid()
        if getattr(self._local, "pid", None) != pid:
            self._local.pid, self._local.links = pid, {}
        links: dict[Node, Link] = self._local.links
        return links
