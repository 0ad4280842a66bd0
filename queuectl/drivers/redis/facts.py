"""What is to be known of a Redis: version, what a crash of the server would cost, who may listen. From INFO alone,
because a user with few rights may not ask for CONFIG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from queuectl.drivers.concern import Concern, is_near
from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.wire import pack
from queuectl.errors import AccessDenied

if TYPE_CHECKING:
    from queuectl.drivers.redis.address import Address, Node

FULL = 0.9
"""Of `maxmemory`."""


def facts(store: Store) -> Mapping[str, str]:
    """Facts of the first server; of a cluster, how many there are."""
    nodes = store.servers.masters()
    try:
        info = _info(store, nodes[0])
    except AccessDenied:
        return {"place": store.place, "server": "unknown: this user may not ask for INFO"}
    found = {"place": store.place, "server": _server(info), "durability": _durability(info)}
    if store.servers.sharded:
        found["nodes"] = str(len(nodes))
    if policy := info.get("maxmemory_policy"):
        found["eviction"] = f"maxmemory-policy {policy}"
    if warning := "; ".join(f"{concern.text} Set {concern.fix}" for concern in _of_server(info)):
        found["warning"] = warning
    return found


def concerns(store: Store, address: Address) -> Sequence[Concern]:
    """Of every server, and of the way there; each once."""
    return list(dict.fromkeys([*_of_servers(store), *of_way(address)]))


def _of_servers(store: Store) -> Iterator[Concern]:
    for node in store.servers.masters():
        try:
            info = _info(store, node)
        except AccessDenied:
            fix = "ACL SETUSER … +info"
            yield Concern("durability", "Nothing is known of persistence: this user may not ask for INFO.", fix)
        else:
            yield from _of_server(info)


def _of_server(info: Mapping[str, str]) -> Iterator[Concern]:
    yield from _role(info)
    yield from _persistence(info)
    yield from _memory(info)


def _role(info: Mapping[str, str]) -> Iterator[Concern]:
    if info.get("role") == "slave":
        master = f"{info.get('master_host')}:{info.get('master_port')}"
        yield Concern("writing", "This is a replica: it takes no jobs.", f"url = redis://{master}/0", grave=True)


def _persistence(info: Mapping[str, str]) -> Iterator[Concern]:
    if info.get("aof_enabled") != "1":
        yield Concern(
            "durability",
            "Without an append-only file a crash of the server loses the jobs since its last snapshot, or all of them.",
            "appendonly yes  # in redis.conf; now: redis-cli CONFIG SET appendonly yes",
        )
    for what, state in (("append-only file", "aof_last_write_status"), ("snapshot", "rdb_last_bgsave_status")):
        if info.get(state, "ok") != "ok":
            text = f"The server could not write its last {what}; until it can, it may refuse jobs."
            yield Concern("durability", text, "df -h  # on the server; its log says more", grave=True)


def _memory(info: Mapping[str, str]) -> Iterator[Concern]:
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        yield Concern(
            "eviction",
            f"With maxmemory-policy {policy} the server throws keys away when its memory is full, and jobs are keys.",
            "maxmemory-policy noeviction  # in redis.conf; now: redis-cli CONFIG SET maxmemory-policy noeviction",
            grave=True,
        )
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if most and used >= FULL * most:
        text = f"{used:,} of {most:,} bytes are used: soon jobs will be refused."
        yield Concern("memory", text, f"maxmemory {2 * most}  # in redis.conf; or let workers drain the queues")


def of_way(address: Address) -> Iterator[Concern]:
    far = [node for node in address.nodes if not is_near(node.path or node.host)]
    if far and not address.password:
        text = f"No password: whoever reaches {far[0]} reads, changes and runs your jobs."
        yield Concern("access", text, "requirepass …  # in redis.conf, and redis://:PASSWORD@… in the URL")
    if far and not address.tls:
        fix = "rediss://…  # in the URL, and tls-port in redis.conf"
        yield Concern("encryption", "Jobs and the password cross the network in clear text.", fix)


def _info(store: Store, node: Node) -> dict[str, str]:
    lines = store.ask_node(node, pack(b"INFO")).decode(errors="replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def _server(info: Mapping[str, str]) -> str:
    name = {"valkey": "Valkey"}.get(info.get("server_name", ""), "Redis")
    version = info.get("valkey_version") or info.get("redis_version", "?")
    return f"{name} {version}, {info.get('redis_mode') or info.get('server_mode', 'standalone')}"


def _durability(info: Mapping[str, str]) -> str:
    if info.get("aof_enabled") == "1":
        return "append-only file"
    changes = info.get("rdb_changes_since_last_save", "0")
    return f"no append-only file; {changes} changes since the last snapshot"
