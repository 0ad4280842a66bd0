"""What about a store is worth an operator's attention although it works."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Subject = Literal["writing", "durability", "eviction", "memory", "access", "encryption", "vacuum"]


@dataclass(frozen=True, slots=True)
class Concern:
    """A setting of a server, or of the way to it, that can cost jobs or let strangers in."""

    subject: Subject
    text: str
    fix: str
    """A command, or a line to set."""
    grave: bool = False
    """Jobs are refused or thrown away now, not only when something else goes wrong."""


def is_near(host: str) -> bool:
    """Is this host the machine we are on? What goes there crosses no network. A path of a socket is near as well."""
    if host in ("", "localhost") or host.startswith("/"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def certificate_concerns(*, far: bool, encrypted: bool, verified: bool, fix: str) -> Iterator[Concern]:
    """What there is to say of the line to a database server."""
    if far and not encrypted:
        yield Concern("encryption", "Jobs and the password cross the network in clear text.", fix)
    elif encrypted and not verified:
        text = "The line is encrypted, but whoever answers is believed: the server's certificate is not verified."
        yield Concern("encryption", text, fix)
