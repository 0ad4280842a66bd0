"""A Redis cluster: keys lie in slots, slots on servers; a map of them is kept, and read again when it was wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from redis.crc import key_slot
from redis.exceptions import AuthenticationError, ClusterDownError, MovedError, RedisError
from redis.exceptions import ConnectionError as Unreachable

from queuectl.drivers.redis.address import Node
from queuectl.drivers.redis.connect import Connector
from queuectl.drivers.redis.servers import Servers
from queuectl.drivers.redis.wire import Command, command

SLOTS = 16_384


class Cluster(Servers):
    """Each command goes to the server that has its first key."""

    sharded = True

    def __init__(self, connector: Connector) -> None:
        super().__init__(connector)
        self._map: list[Node | None] = []
        self._known: list[Node] = list(connector.address.nodes)
        """The servers of the address, and every other one we have heard of."""

    def run(self, commands: Sequence[Command]) -> list[Any]:
        replies: list[Any] = [None] * len(commands)
        self._run_some(range(len(commands)), commands, replies)
        if moved := [place for place, reply in enumerate(replies) if isinstance(reply, MovedError)]:
            self._map = []
            self._run_some(moved, commands, replies)
        return replies  # ASK and TRYAGAIN among them: a script's keys are usable again when their slot has moved whole

    def node(self, key: bytes) -> Node:
        found = self._slots()[self.slot(key)]
        if found is None:
            raise ClusterDownError(f"no server has slot {self.slot(key)}")
        return found

    def masters(self) -> list[Node]:
        return list(dict.fromkeys(node for node in self._slots() if node is not None))

    def slot(self, key: bytes) -> int:
        return int(key_slot(key))

    def reset(self) -> None:
        self._map = []
        super().reset()

    def _run_some(self, places: Iterable[int], commands: Sequence[Command], replies: list[Any]) -> None:
        by_node: dict[Node, list[int]] = {}
        for place in places:
            by_node.setdefault(self.node(_first_key(commands[place])), []).append(place)
        for node, some in by_node.items():
            answers = self._links.link(node).run([commands[place] for place in some])
            for place, answer in zip(some, answers, strict=True):
                replies[place] = answer

    def _slots(self) -> list[Node | None]:
        if not self._map:
            self._map = self._read_map()
        return self._map

    def _read_map(self) -> list[Node | None]:
        problems = []
        for node in list(self._known):
            try:
                [reply] = self._links.link(node).run([command(b"CLUSTER", b"SLOTS")])
            except AuthenticationError:
                raise  # hopeless at the others too
            except (RedisError, OSError) as error:
                problems.append(f"{node}: {error}")
                continue
            if isinstance(reply, Exception):
                raise reply
            return self._spread(node, reply)
        raise Unreachable(f"no server of the cluster answers ({'; '.join(problems)})")

    def _spread(self, asked: Node, ranges: Sequence[Any]) -> list[Node | None]:
        found: list[Node | None] = [None] * SLOTS
        known = list(self._connector.address.nodes)
        for first, last, *servers in ranges:
            nodes = [_server(asked, server) for server in servers]
            found[first : last + 1] = [nodes[0]] * (last + 1 - first)
            known += nodes
        self._known = list(dict.fromkeys(known))
        return found


def _first_key(sent: Command) -> bytes:
    return sent.keys[0] if sent.keys else b""


def _server(asked: Node, server: Sequence[Any]) -> Node:
    """A server that does not know its own address is where we asked."""
    host = (server[0] or b"").decode()
    return Node(host if host not in ("", "?") else asked.host, int(server[1]))
