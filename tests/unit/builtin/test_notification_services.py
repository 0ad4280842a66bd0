"""The services that broadcast notifications, and how one is chosen."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from queuectl.config import Config, Connection
from queuectl.errors import ConfigurationError, DriverUnavailable
from queuectl.notifications import build_notifier
from queuectl.notifications.redis import RedisNotifier
from queuectl.notifications.services import LogNotifier, MemoryNotifier
from queuectl.testing.server import Server

ROW: dict[str, Any] = {"id": 7, "user_id": 42, "title": "Salary", "message": "s3cr3t 🎉", "created_at": "2027-01-15"}


def config(**redis_settings: Any) -> Config:
    return Config(default="sync", connections={"redis": Connection("redis", "redis", **redis_settings)})


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module of the application's own."""
    (tmp_path / "own_services.py").write_text(
        "class Push:\n"
        "    def broadcast(self, notification): self.sent = notification\n"
        "ready = Push()\n"
        "def make(): return Push()\n"
        "number = 7\n"
        "def nothing(): return None\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield "own_services"
    sys.modules.pop("own_services", None)


class TestTheChoice:
    def test_the_names_in_the_box(self) -> None:
        """`none` is no service at all."""
        assert build_notifier({"service": "none"}, config()) is None
        assert build_notifier({}, config()) is None
        assert isinstance(build_notifier({"service": "log"}, config()), LogNotifier)
        assert isinstance(build_notifier({"service": "memory"}, config()), MemoryNotifier)

    @pytest.mark.parametrize("attribute", ["Push", "ready", "make"])
    def test_one_of_your_own(self, own: str, attribute: str) -> None:
        """A class, an instance or a function that makes one, named in the configuration."""
        service = build_notifier({"service": f"{own}:{attribute}"}, config())
        assert service
        service.broadcast(ROW)
        assert service.sent == ROW  # type: ignore[attr-defined]  # a class of this test

    @pytest.mark.parametrize(
        ("service", "says"),
        [
            ("reddis", "Did you mean 'redis'?"),
            ("own_services", "is no service"),
            (":Push", "is no service"),
            ("own_services:Pull", "cannot be found"),
            ("no_such_module:Push", "cannot be found"),
            ("own_services:number", "no method `broadcast(notification)`"),
            ("own_services:nothing", "no method `broadcast(notification)`"),
        ],
    )
    def test_a_service_that_is_none_is_told(self, own: str, service: str, says: str) -> None:
        """With the setting and its value."""
        with pytest.raises(ConfigurationError) as error:
            build_notifier({"service": service}, config())
        assert says in str(error.value)
        assert "[notifications] service" in str(error.value)

    def test_redis_needs_an_address(self) -> None:
        """Its own, or the connection's."""
        with pytest.raises(ConfigurationError, match="nothing says where"):
            build_notifier({"service": "redis"}, Config(default="sync", connections={}))


class TestTheLog:
    def test_it_says_who_and_not_what(self, caplog: pytest.LogCaptureFixture) -> None:
        """A log is read by more people than a message."""
        with caplog.at_level(logging.INFO, "queuectl.notifications"):
            LogNotifier().broadcast(ROW)
        assert caplog.messages == ["Notification 7 for user 42."]

    def test_it_is_seen_where_nobody_has_set_logging_up(self) -> None:
        """As in a worker's child: on stderr."""
        program = (
            "from queuectl.notifications.services import LogNotifier; "
            "LogNotifier().broadcast({'id': 7, 'user_id': 42, 'message': 's3cr3t'})"
        )
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert ran.stderr == "Notification 7 for user 42.\n"


class TestRedis:
    @pytest.fixture(params=["valkey", "redis62"])
    def server(self, request: pytest.FixtureRequest) -> Server:
        found: Server = request.getfixturevalue(request.param)
        return found

    def test_a_subscriber_hears_it_on_the_users_channel(self, server: Server, prefix: str) -> None:
        """The whole row as JSON, behind the prefix that everything of the application has."""
        with redis.Redis.from_url(server.url) as client, client.pubsub() as listener:
            listener.subscribe(f"{prefix}notifications.42", f"{prefix}notifications.43")
            for _ in range(2):
                assert listener.get_message(timeout=5)["type"] == "subscribe"
            service = build_notifier({"service": "redis"}, config(url=server.url, prefix=prefix))
            assert isinstance(service, RedisNotifier)
            service.broadcast(ROW)
            heard = listener.get_message(timeout=5)
            service.close()
        assert heard["channel"] == f"{prefix}notifications.42".encode()
        assert json.loads(heard["data"]) == ROW

    def test_nobody_has_to_listen(self, server: Server, prefix: str) -> None:
        """A user who is not there is no error."""
        service = RedisNotifier(server.url, channel=prefix)
        service.broadcast(ROW)
        service.close()

    def test_address_and_channel_can_be_set(self, server: Server, prefix: str) -> None:
        """In `[notifications]`, when word goes another way than jobs."""
        settings = {"service": "redis", "url": server.url, "channel": f"{prefix}users:"}
        with redis.Redis.from_url(server.url) as client, client.pubsub() as listener:
            listener.subscribe(f"{prefix}users:42")
            assert listener.get_message(timeout=5)["type"] == "subscribe"
            service = build_notifier(settings, config(url="redis://127.0.0.1:1"))
            assert isinstance(service, RedisNotifier)
            service.broadcast(ROW)
            assert listener.get_message(timeout=5)["type"] == "message"
            service.close()

    def test_a_server_that_is_gone_is_an_error_at_once(self) -> None:
        """Ours, without the password."""
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"redis://:hunter2@127.0.0.1:{unused.getsockname()[1]}/0"
            with pytest.raises(DriverUnavailable) as error:
                RedisNotifier(url).broadcast(ROW)
        assert "hunter2" not in str(error.value)

    def test_a_server_that_says_nothing_is_given_up(self) -> None:
        """A job never hangs on a broadcast."""
        with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(DriverUnavailable):
            RedisNotifier(f"redis://127.0.0.1:{silent.getsockname()[1]}/0").broadcast(ROW)
