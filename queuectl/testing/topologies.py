"""Several servers that belong together: a Redis cluster, and a master with a replica under Sentinels."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import redis

from queuectl.testing.server import PATIENCE, ServerFailed, free_port
from queuectl.testing.servers import Valkey

SLOTS = 16_384
SERVICE = "queue"


class ClusterNode(Valkey):
    """One server of a cluster."""

    def __init__(self) -> None:
        super().__init__()
        self.bus_port = free_port()

    def command(self) -> Sequence[str | Path]:
        settings = ("--cluster-enabled", "yes", "--cluster-port", str(self.bus_port), "--cluster-node-timeout", "2000")
        return [*super().command(), *settings]


class RedisCluster:
    """Masters without replicas on 127.0.0.1, the slots shared out evenly."""

    def __init__(self, size: int = 3) -> None:
        self.nodes = [ClusterNode() for _ in range(size)]

    @property
    def url(self) -> str:
        return f"redis+cluster://{','.join(f'127.0.0.1:{node.port}' for node in self.nodes)}"

    def home(self, slot: int) -> ClusterNode:
        """The server that has a slot."""
        shares = [(SLOTS * (place + 1) // len(self.nodes), node) for place, node in enumerate(self.nodes)]
        return next(node for end, node in shares if slot < end)

    def __enter__(self) -> RedisCluster:
        for node in self.nodes:
            node.start()
        first = self.nodes[0]
        for place, node in enumerate(self.nodes):
            share = SLOTS * place // len(self.nodes), SLOTS * (place + 1) // len(self.nodes) - 1
            ask(node, "CLUSTER", "ADDSLOTSRANGE", *share)
            if node is not first:
                ask(node, "CLUSTER", "MEET", "127.0.0.1", first.port, first.bus_port)
        for node in self.nodes:
            await_fact(partial(_is_whole, node, len(self.nodes)), "the cluster is not whole")
        return self

    def __exit__(self, *error: object) -> None:
        for node in self.nodes:
            node.close()


class SlotMove:
    """A slot on its way from one server of a cluster to another, in the steps of `valkey-cli --cluster reshard`."""

    def __init__(self, slot: int, source: ClusterNode, target: ClusterNode) -> None:
        self._slot = slot
        self._source = source
        self._target = target

    def begin(self) -> None:
        ask(self._target, "CLUSTER", "SETSLOT", self._slot, "IMPORTING", _id_of(self._source))
        ask(self._source, "CLUSTER", "SETSLOT", self._slot, "MIGRATING", _id_of(self._target))
        for key in ask(self._source, "CLUSTER", "GETKEYSINSLOT", self._slot, 1000):
            ask(self._source, "MIGRATE", "127.0.0.1", self._target.port, key, 0, 5000)

    def end(self) -> None:
        for node in (self._target, self._source):
            ask(node, "CLUSTER", "SETSLOT", self._slot, "NODE", _id_of(self._target))


class Sentinel(Valkey):
    """Watches the master and appoints its replica when it is gone. One is a quorum here."""

    def __init__(self, master: Valkey) -> None:
        super().__init__()
        self._master = master

    def prepare(self) -> None:
        """A Sentinel keeps its state in its configuration."""
        lines = [
            f"port {self.port}",
            "bind 127.0.0.1",
            f"dir {self.folder}",
            f"sentinel monitor {SERVICE} 127.0.0.1 {self._master.port} 1",
            f"sentinel down-after-milliseconds {SERVICE} 300",
            f"sentinel failover-timeout {SERVICE} 2000",
        ]
        path = self.folder / "sentinel.conf"
        path.write_text("\n".join(lines) + "\n")
        path.chmod(0o666)

    def command(self) -> Sequence[str | Path]:
        return [self.executable, self.folder / "sentinel.conf", "--sentinel"]


class Replica(Valkey):
    """Follows a master."""

    def __init__(self, master: Valkey) -> None:
        super().__init__()
        self._master = master

    def command(self) -> Sequence[str | Path]:
        return [*super().command(), "--replicaof", "127.0.0.1", str(self._master.port)]


class RedisSentinels:
    """A master, a replica of it, and a Sentinel that knows both."""

    def __init__(self) -> None:
        self.master = Valkey()
        self.replica = Replica(self.master)
        self.sentinel = Sentinel(self.master)

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{self.sentinel.port}/{SERVICE}/0"

    def __enter__(self) -> RedisSentinels:
        self.master.start()
        ask(self.master, "CONFIG", "SET", "repl-diskless-sync-delay", 0)
        for server in (self.replica, self.sentinel):
            server.start()
        await_fact(lambda: ask(self.replica, "INFO", "replication")["master_link_status"] == "up", "no replication")
        await_fact(lambda: self._master_facts()["num-slaves"] == "1", "the Sentinel does not know the replica")
        return self

    def __exit__(self, *error: object) -> None:
        for server in (self.sentinel, self.replica, self.master):
            server.close()

    def await_failover(self) -> None:
        """Until the Sentinel names the former replica, and that one takes writes."""
        await_fact(lambda: self._master_facts()["port"] == str(self.replica.port), "no failover")
        await_fact(lambda: ask(self.replica, "ROLE")[0] == b"master", "the replica was not promoted")

    def _master_facts(self) -> dict[str, str]:
        reply = ask(self.sentinel, "SENTINEL", "MASTER", SERVICE)
        pairs = reply.items() if isinstance(reply, dict) else zip(reply[::2], reply[1::2], strict=True)
        return {_text(key): _text(value) for key, value in pairs}


def ask(server: Valkey, *words: Any) -> Any:
    """One command to one server."""
    client: Any = redis.Redis(host="127.0.0.1", port=server.port, socket_timeout=5)  # typed in parts only
    try:
        return client.execute_command(*words)
    finally:
        client.close()


def await_fact(fact: Callable[[], bool], failure: str) -> None:
    """Look until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not _holds(fact):
        if time.monotonic() > deadline:
            raise ServerFailed(failure)
        time.sleep(0.02)


def _holds(fact: Callable[[], bool]) -> bool:
    try:
        return fact()
    except (redis.RedisError, OSError, KeyError):
        return False


def _is_whole(node: Valkey, size: int) -> bool:
    facts = _text(ask(node, "CLUSTER", "INFO")).split()
    return "cluster_state:ok" in facts and f"cluster_known_nodes:{size}" in facts


def _id_of(node: Valkey) -> str:
    return _text(ask(node, "CLUSTER", "MYID"))


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
