"""Which server takes which command: the only one, or the master behind Sentinels; `cluster` knows the third way."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from redis.exceptions import AuthenticationError, RedisError
from redis.exceptions import ConnectionError as Unreachable

from queuectl.drivers.redis.address import Address, Node
from queuectl.drivers.redis.connect import Connector
from queuectl.drivers.redis.wire import Command, Link, PerThread, command


class Servers(ABC):
    """Carries commands to where their keys are."""

    sharded = False
    """True: keys of different queues may lie on different servers."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._links = PerThread(connector.link)

    @abstractmethod
    def run(self, commands: Sequence[Command]) -> list[Any]:
        """The replies in order, errors of single commands among them as exceptions; raises what the client raises."""

    @abstractmethod
    def node(self, key: bytes) -> Node:
        """The server that holds a key."""

    @abstractmethod
    def masters(self) -> list[Node]:
        """Every server that holds keys."""

    def slot(self, key: bytes) -> int:
        """Keys of one slot may share a script."""
        return 0

    def on(self, node: Node) -> Link:
        """This thread's connection to one server."""
        return self._links.link(node)

    def waiting(self, key: bytes, seconds: float) -> Link:
        """A new connection, to where a key is, for a command that blocks so long."""
        return self._connector.waiting(self.node(key), seconds)

    def reset(self) -> None:
        """After a failure: connect, and ask where the master is, anew."""
        self._links.drop()

    def close(self) -> None:
        self._links.close()


class OneServer(Servers):
    """A server with a fixed address."""

    def __init__(self, connector: Connector) -> None:
        super().__init__(connector)
        self._node = connector.address.nodes[0]

    def run(self, commands: Sequence[Command]) -> list[Any]:
        return self._links.link(self._node).run(commands)

    def node(self, key: bytes) -> Node:
        return self._node

    def masters(self) -> list[Node]:
        return [self._node]


class SentinelService(Servers):
    """The master that the Sentinels name; asked again after every failure."""

    def __init__(self, connector: Connector) -> None:
        super().__init__(connector)
        self._master: Node | None = None

    def run(self, commands: Sequence[Command]) -> list[Any]:
        return self._links.link(self.node(b"")).run(commands)

    def node(self, key: bytes) -> Node:
        if self._master is None:
            self._master = self._find_master()
        return self._master

    def masters(self) -> list[Node]:
        return [self.node(b"")]

    def reset(self) -> None:
        self._master = None
        super().reset()

    def _find_master(self) -> Node:
        address, problems = self._connector.address, []
        for sentinel in address.nodes:
            try:
                master = self._ask(sentinel, address)
            except AuthenticationError:
                raise  # hopeless at the others too
            except (RedisError, OSError) as error:
                problems.append(f"{sentinel}: {error}")
                continue
            if master is not None and self._is_master(master):
                return master
            problems.append(f"{sentinel}: names {master or 'nobody'}, which is not a master now")
        raise Unreachable(f"no Sentinel knows a master of {address.service!r} ({'; '.join(problems)})")

    def _ask(self, sentinel: Node, address: Address) -> Node | None:
        link = self._connector.sentinel(sentinel)
        try:
            question = command(b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", address.service.encode())
            [reply] = link.run([question])
        finally:
            link.close()
        if isinstance(reply, Exception):
            raise reply
        return Node(reply[0].decode(), int(reply[1])) if reply else None

    def _is_master(self, node: Node) -> bool:
        """A Sentinel may still name a server that has been demoted."""
        try:
            [role] = self._links.link(node).run([command(b"ROLE")])
        except (RedisError, OSError):
            return False
        return isinstance(role, Exception) or bool(role[0] == b"master")
