"""A wire does to connections what it is told to, and afterwards carries again."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from queuectl.testing.wires import Delay, LostReply, LostRequest, Refusal, Reset, Silence, Trickle, Wire

HEARD: list[bytes] = []


class Echo(socketserver.BaseRequestHandler):
    """Says everything again."""

    def handle(self) -> None:
        try:
            while data := self.request.recv(1000):
                HEARD.append(data)
                self.request.sendall(data)
        except ConnectionError:
            pass


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.fixture
def wire(server: int) -> Iterator[Wire]:
    HEARD.clear()
    wire = Wire(server)
    yield wire
    wire.close()


@pytest.fixture
def client(wire: Wire) -> Iterator[socket.socket]:
    with connected(wire) as client:
        yield client


def connected(wire: Wire) -> socket.socket:
    return socket.create_connection(("127.0.0.1", wire.port), timeout=5)


def says(client: socket.socket, words: bytes) -> bytes:
    """What comes back."""
    client.sendall(words)
    found = b""
    while len(found) < len(words):
        if not (more := client.recv(1000)):
            raise ConnectionError("the stream has ended")
        found += more
    return found


def heard(length: int) -> bytes:
    """What has come to the server, once it is as long, or 5 s have passed."""
    deadline = time.monotonic() + 5
    while len(found := b"".join(HEARD)) < length and time.monotonic() < deadline:
        time.sleep(0.001)
    return found


def test_a_good_wire_carries(client: socket.socket) -> None:
    """Both ways, byte for byte."""
    assert says(client, b"hello") == b"hello"


@pytest.mark.parametrize(
    "trouble", [Reset(), LostRequest(), LostReply(), Refusal()], ids=lambda each: type(each).__name__
)
def test_a_cut_ends_a_connection(wire: Wire, client: socket.socket, trouble: Reset) -> None:
    """Abruptly; once it is mended, there are new ones."""
    says(client, b"hello")
    wire.spoil(trouble)
    with pytest.raises(ConnectionError):
        says(client, b"again")
    wire.mend()
    with connected(wire) as new:
        assert says(new, b"anew") == b"anew"


def test_a_refusal_refuses(wire: Wire) -> None:
    """New connections too."""
    wire.spoil(Refusal())
    with pytest.raises(ConnectionRefusedError):
        connected(wire).close()


def test_a_lost_request_is_cut_at_a_byte(wire: Wire, client: socket.socket) -> None:
    """What comes before it arrives."""
    trouble = wire.spoil(LostRequest(after=7))
    assert says(client, b"four") == b"four"
    with pytest.raises(ConnectionError):
        says(client, b"and more")
    assert trouble.struck
    assert heard(7) == b"fourand"


def test_a_lost_reply_was_asked_for(wire: Wire, client: socket.socket) -> None:
    """The server has heard everything."""
    trouble = wire.spoil(LostReply(number=2))
    assert says(client, b"one") == b"one"
    assert not trouble.struck
    with pytest.raises(ConnectionError):
        says(client, b"two")
    assert trouble.struck
    assert HEARD == [b"one", b"two"]
    with connected(wire) as new:
        assert says(new, b"three") == b"three"


def test_silence_ends_with_what_was_said(wire: Wire, client: socket.socket) -> None:
    """As over a cable that is plugged in again."""
    wire.spoil(Silence())
    client.sendall(b"hello")
    client.settimeout(0.1)
    with pytest.raises(TimeoutError):
        client.recv(1000)
    assert HEARD == []
    wire.mend()
    client.settimeout(5)
    assert client.recv(1000) == b"hello"


def test_a_delay_and_a_trickle_change_nothing_else(wire: Wire, client: socket.socket) -> None:
    """Late, or in small pieces, but whole."""
    wire.spoil(Delay(0.05))
    begun = time.monotonic()
    assert says(client, b"late") == b"late"
    assert time.monotonic() - begun >= 0.1
    wire.spoil(Trickle())
    assert says(client, b"x" * 500) == b"x" * 500
    assert max(map(len, HEARD[1:])) < 500
