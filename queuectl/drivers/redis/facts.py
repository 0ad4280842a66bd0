"""What `about` tells of a Redis: version, and what a crash of the server would cost. From INFO alone."""

from __future__ import annotations

from collections.abc import Mapping

from queuectl.drivers.redis.store import Store
from queuectl.drivers.redis.wire import pack
from queuectl.errors import AccessDenied


def facts(store: Store) -> Mapping[str, str]:
    """Facts of the first server; of a cluster, how many there are."""
    nodes = store.servers.masters()
    try:
        info = _info(store.ask_node(nodes[0], pack(b"INFO")))
    except AccessDenied:
        return {"place": store.place, "server": "unknown: this user may not ask for INFO"}
    found = {"place": store.place, "server": _server(info), "durability": _durability(info)}
    if store.servers.sharded:
        found["nodes"] = str(len(nodes))
    if warning := _warning(info):
        found["warning"] = warning
    return found


def _info(reply: bytes) -> dict[str, str]:
    lines = reply.decode(errors="replace").splitlines()
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


def _warning(info: Mapping[str, str]) -> str:
    warnings = []
    if info.get("aof_enabled") != "1":
        warnings.append(
            "without an append-only file a crash of the server loses every job since its last snapshot, or all of them "
            "(set `appendonly yes`)"
        )
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        warnings.append(f"maxmemory-policy {policy} may throw jobs away (set `noeviction`)")
    return "; ".join(warnings)
