"""URLs: what they mean, and what is said of those that mean nothing."""

from __future__ import annotations

import pytest

from queuectl.drivers.redis.address import Node, parse
from queuectl.errors import ConfigurationError


@pytest.mark.fault("X10")
@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"),
        ("redis://host", "redis://host:6379/0"),
        ("redis://user:p%40ss@host:1/5", "redis://host:1/5"),
        ("rediss://:secret@[::1]:7000/1?ssl_cert_reqs=none", "rediss://[::1]:7000/1"),
        ("redis://host?db=3", "redis://host:6379/3"),
        ("unix:///run/redis.sock?db=2", "unix:///run/redis.sock?db=2"),
        ("unix://user:secret@/run/redis.sock", "unix:///run/redis.sock?db=0"),
        ("redis+sentinel://b:2,a:1/queue/4", "redis+sentinel://a:1,b:2/queue/4"),
        ("redis+sentinel://a/queue", "redis+sentinel://a:26379/queue/0"),
        ("rediss+cluster://u:p@b:7001,a:7000", "rediss+cluster://a:7000,b:7001"),
    ],
)
def test_a_place_is_the_url_without_its_secrets(url: str, place: str) -> None:
    """Normalised, so that two spellings of one address are one place."""
    assert parse(url).place == place


def test_credentials_are_decoded() -> None:
    """They may hold any character, escaped."""
    address = parse("redis://us%3Aer:p%40%2Fss@host:1")
    assert (address.username, address.password, address.nodes) == ("us:er", "p@/ss", (Node("host", 1),))


@pytest.mark.fault("X10")
def test_a_representation_has_no_password() -> None:
    """It ends in tracebacks."""
    assert "secret" not in repr(parse("redis://user:secret@host?sentinel_password=secret"))


@pytest.mark.parametrize(
    "url",
    [
        "http://host",
        "host:6379",
        "redis://user:secret@host:0",
        "redis://user:secret@host:port/0",
        "redis://user:secret@host/zero",
        "redis://user:secret@host/0/1",
        "redis://user:secret@host?tls=yes",
        "redis+sentinel://user:secret@host",
        "redis+cluster://user:secret@host/1",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    """As a mistake in the configuration, without the password."""
    with pytest.raises(ConfigurationError) as refused:
        parse(url)
    assert "secret" not in str(refused.value)
