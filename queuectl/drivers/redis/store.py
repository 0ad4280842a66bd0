"""One Redis as the parts of the driver see it: run commands, name keys, tell the time; errors come out as ours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from redis.exceptions import RedisError

from queuectl.drivers.redis.faults import code_of, translate
from queuectl.drivers.redis.keys import Namespace
from queuectl.drivers.redis.lua import Script
from queuectl.drivers.redis.servers import Servers
from queuectl.drivers.redis.wire import Command, call, command, number
from queuectl.errors import ConfigurationError, DriverUnavailable, QueuectlError

if TYPE_CHECKING:
    from queuectl.clock import Clock
    from queuectl.drivers.redis.address import Node

TYPES = {b"list": "a list", b"zset": "a sorted set", b"hash": "a hash", b"string": "a string", b"set": "a set"}


class Store:
    """Servers, keys and clock of one connection."""

    def __init__(self, servers: Servers, *, prefix: str, clock: Clock | None, place: str) -> None:
        self.servers = servers
        self.names = Namespace(prefix, sharded=servers.sharded)
        self.clock = clock
        self.place = place

    def now(self) -> bytes:
        """The bound clock's time as a script takes it; empty: the script asks the server."""
        return b"" if self.clock is None else number(self.clock.now())

    def ask(self, commands: Sequence[Command]) -> list[Any]:
        """The replies in order; an error of a single command is one of ours, in its place."""
        if not commands:
            return []
        try:
            replies = self.servers.run(commands)
        except (RedisError, OSError) as error:
            self.servers.reset()
            raise translate(error, self.place) from error
        for place, reply in enumerate(replies):
            if isinstance(reply, Exception):
                replies[place] = self._meaning(reply, commands[place])
        return replies

    def run(self, commands: Sequence[Command]) -> list[Any]:
        """The replies in order; the first error is raised."""
        replies = self.ask(commands)
        raise_first(replies)
        return replies

    def call(self, script: Script, keys: Sequence[bytes], args: Sequence[bytes]) -> Any:
        [reply] = self.run([call(script, keys, args)])
        return reply

    def ask_node(self, node: Node, packed: bytes) -> Any:
        """The reply of one server to a command that has no key."""
        try:
            [reply] = self.servers.on(node).exchange([packed])
        except (RedisError, OSError) as error:
            self.servers.reset()
            raise translate(error, self.place) from error
        if isinstance(reply, Exception):
            raise translate(reply, self.place)
        return reply

    def _meaning(self, error: Exception, sent: Command) -> QueuectlError:
        if code_of(error) == "WRONGTYPE":
            return ConfigurationError(
                f"A key of Redis at {self.place} is not what a queue needs: {self._types(sent.keys)}."
            )
        meaning = translate(error, self.place)
        if isinstance(meaning, DriverUnavailable):
            self.servers.reset()
        return meaning

    def _types(self, keys: Sequence[bytes]) -> str:
        """Each key with the type it has, so that an operator sees which one is in the way."""
        replies = self.ask([command(b"TYPE", key) for key in keys])
        told = [
            f"{key.decode(errors='replace')} is {TYPES.get(kind, str(kind))}"
            for key, kind in zip(keys, replies, strict=True)
            if kind != b"none"
        ]
        return ", ".join(told) or ", ".join(key.decode(errors="replace") for key in keys)


def raise_first(replies: Sequence[Any]) -> None:
    """Raise the first error among replies, if there is one."""
    for reply in replies:
        if isinstance(reply, QueuectlError):
            raise reply
