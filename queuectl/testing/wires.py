"""A wire that a test can spoil: between a driver and its server, plain or under TLS."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TypeVar

from queuectl.testing.server import free_port


class Cut(Exception):
    """The connection breaks here, for both ends."""


class Trouble:
    """What befalls bytes on their way. This one: nothing, they arrive."""

    refuses = False
    """Nobody listens, and what was connected is cut off."""

    def up(self, data: bytes) -> Iterator[bytes]:
        """The pieces of *data* that reach the server. May raise `Cut`."""
        yield data

    def down(self, data: bytes) -> Iterator[bytes]:
        """The pieces of *data* that reach the client. May raise `Cut`."""
        yield data

    def end(self) -> None:
        """The wire is mended."""


class Refusal(Trouble):
    """As if the server's program had ended."""

    refuses = True


class Reset(Trouble):
    """Connections open, and break as soon as anything is said."""

    def up(self, data: bytes) -> Iterator[bytes]:
        raise Cut


class Silence(Trouble):
    """Connections stand, and nothing arrives; once mended, what was sent does, as over a cable plugged in again."""

    def __init__(self) -> None:
        self._over = threading.Event()

    def up(self, data: bytes) -> Iterator[bytes]:
        self._over.wait()
        yield data

    down = up

    def end(self) -> None:
        self._over.set()


class LostRequest(Trouble):
    """So many bytes more reach the server, then the connection breaks. Once."""

    def __init__(self, after: int = 0) -> None:
        self._left = after
        self.struck = False

    def up(self, data: bytes) -> Iterator[bytes]:
        if self.struck or len(data) <= self._left:
            self._left -= len(data)
            yield data
            return
        self.struck = True
        yield data[: self._left]
        raise Cut


class LostReply(Trouble):
    """What is asked arrives; the n-th thing said in return does not, and the connection breaks. Once."""

    def __init__(self, number: int = 1) -> None:
        self._left = number

    @property
    def struck(self) -> bool:
        return self._left <= 0

    def down(self, data: bytes) -> Iterator[bytes]:
        self._left -= 1
        if self._left == 0:
            raise Cut
        yield data


class Delay(Trouble):
    """Everything takes so many seconds longer, either way."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def up(self, data: bytes) -> Iterator[bytes]:
        time.sleep(self._seconds)
        yield data

    down = up


class Trickle(Trouble):
    """One byte at a time."""

    def up(self, data: bytes) -> Iterator[bytes]:
        for byte in data:
            yield bytes([byte])

    down = up


T = TypeVar("T", bound=Trouble)
RESET = struct.pack("ii", 1, 0)


class Wire:
    """Carries bytes between clients and the server's port, well until it is told otherwise."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._target = port
        self._tls = tls
        self.port = free_port()
        self._trouble = Trouble()
        self._sockets: list[socket.socket] = []
        self._listen()

    def spoil(self, trouble: T) -> T:
        """From now on, for connections that are open and for new ones."""
        former, self._trouble = self._trouble, trouble
        former.end()
        if trouble.refuses:
            self.close()
        return trouble

    def lose_the_next_reply(self) -> None:
        """The request arrives; its reply does not, and the connection breaks."""
        self.spoil(LostReply())

    def mend(self) -> None:
        """All is well again."""
        former, self._trouble = self._trouble, Trouble()
        former.end()
        if former.refuses:
            self._listen()

    def close(self) -> None:
        self._trouble.end()
        for one in (self._listener, *self._sockets):
            _hang_up(one)
        self._sockets.clear()

    def _listen(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._spawn(self._accept, self._listener)

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError), listener:
            while True:
                self._spawn(self._join, listener.accept()[0])

    def _join(self, client: socket.socket) -> None:
        try:
            near = client if self._tls is None else self._tls.wrap_socket(client, server_side=True)
            far = socket.create_connection(("127.0.0.1", self._target))
        except OSError:
            client.close()
            return
        for one in (near, far):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._sockets += [near, far]
        upwards = self._spawn(self._carry, near, far, lambda data: self._trouble.up(data))
        self._carry(far, near, lambda data: self._trouble.down(data))
        upwards.join()
        near.close()
        far.close()

    def _carry(self, source: socket.socket, target: socket.socket, fate: Callable[[bytes], Iterator[bytes]]) -> None:
        with suppress(OSError, ValueError):
            try:
                while data := source.recv(65_536):
                    for piece in fate(data):
                        target.sendall(piece)
            except Cut:
                for one in (source, target):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                    one.shutdown(socket.SHUT_RD)  # says nothing yet: closing will
                return
        _hang_up(source)
        _hang_up(target)

    def _spawn(self, work: Callable[..., None], *words: object) -> threading.Thread:
        thread = threading.Thread(target=work, args=words, daemon=True)
        thread.start()
        return thread


def _hang_up(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
