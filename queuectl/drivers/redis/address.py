"""Where a Redis is: one URL for a server, a unix socket, a Sentinel service or a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, NoReturn
from urllib.parse import parse_qsl, unquote

from queuectl.errors import ConfigurationError

Kind = Literal["server", "socket", "sentinel", "cluster"]
KINDS: Mapping[str, tuple[Kind, bool]] = {
    "redis": ("server", False),
    "rediss": ("server", True),
    "unix": ("socket", False),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
}
PORTS: Mapping[Kind, int] = {"server": 6379, "socket": 0, "sentinel": 26379, "cluster": 6379}
TLS_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile")
TLS_OPTIONS = (*TLS_FILES, "ssl_cert_reqs", "ssl_check_hostname")
OPTIONS = ("db", "sentinel_username", "sentinel_password", *TLS_OPTIONS)


class Node(NamedTuple):
    """One server: host and port, or the path of a unix socket."""

    host: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.path or f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Address:
    """A URL, read."""

    kind: Kind
    tls: bool
    nodes: tuple[Node, ...]
    service: str = ""
    db: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def place(self) -> str:
        """The URL again, without any secret."""
        scheme = next(name for name, about in KINDS.items() if about == (self.kind, self.tls))
        hosts = ",".join(sorted(map(str, self.nodes)))
        tail = f"?db={self.db}" if self.kind == "socket" else "" if self.kind == "cluster" else f"/{self.db}"
        return f"{scheme}://{hosts}{f'/{self.service}' if self.service else ''}{tail}"

    @property
    def tls_options(self) -> dict[str, object]:
        found: dict[str, object] = {name: self.options[name] for name in TLS_OPTIONS if name in self.options}
        if "ssl_check_hostname" in found:
            found["ssl_check_hostname"] = self.options["ssl_check_hostname"].lower() not in ("0", "no", "false")
        return found


def parse(url: str) -> Address:
    """Read a URL; `ConfigurationError` (without its password) if it is not one of ours."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in KINDS:
        raise ConfigurationError(f"A Redis URL starts with {', '.join(f'{name}://' for name in KINDS)}.")
    kind, tls = KINDS[scheme]
    rest, _, query = rest.partition("?")
    options = dict(parse_qsl(query, keep_blank_values=True))
    if unknown := sorted(options.keys() - set(OPTIONS)):
        _refuse(scheme, f"has an unknown option {unknown[0]!r}; known: {', '.join(OPTIONS)}")
    secrets, _, location = rest.rpartition("@")
    username, _, password = secrets.partition(":")
    hosts, _, path = location.partition("/")
    service, number = _path(scheme, kind, path, options)
    return Address(
        kind=kind,
        tls=tls,
        nodes=(Node("", 0, f"/{unquote(path)}"),) if kind == "socket" else _nodes(scheme, kind, hosts),
        service=service,
        db=number,
        username=unquote(username) or None,
        password=unquote(password) or None,
        options=options,
    )


def _nodes(scheme: str, kind: Kind, hosts: str) -> tuple[Node, ...]:
    return tuple(_node(scheme, host.strip(), PORTS[kind]) for host in (hosts or "127.0.0.1").split(","))


def _node(scheme: str, text: str, default: int) -> Node:
    host, colon, port = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        host, port = text, str(default)
    if not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        _refuse(scheme, f"has a port that is not a number from 1 to 65535: {port!r}")
    return Node(host.strip("[]") or "127.0.0.1", int(port))


def _path(scheme: str, kind: Kind, path: str, options: Mapping[str, str]) -> tuple[str, int]:
    """`(service, database number)` from what follows the hosts."""
    parts = [] if kind == "socket" else [unquote(part) for part in path.split("/") if part]
    service = parts.pop(0) if kind == "sentinel" and parts else ""
    if kind == "sentinel" and not service:
        _refuse(scheme, "names no service: …://HOST:26379/SERVICE/0")
    number = parts.pop(0) if parts else options.get("db", "0")
    if parts or not number.isascii() or not number.isdigit():
        _refuse(scheme, f"has a database that is not a number: {'/'.join([number, *parts])!r}")
    if kind == "cluster" and int(number):
        _refuse(scheme, "names a database, but a cluster has only number 0")
    return service, int(number)


def _refuse(scheme: str, what: str) -> NoReturn:
    raise ConfigurationError(f"The {scheme}:// URL {what}.")
