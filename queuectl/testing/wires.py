"""A wire that a test can cut: between a driver and its server, plain or under TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress


class Wire:
    """Carries bytes between clients and the server's port, and can lose a reply."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._target = port
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._losing = False
        self._spawn(self._accept)

    def lose_the_next_reply(self) -> None:
        """The request arrives; its reply does not, and the connection breaks."""
        self._losing = True

    def close(self) -> None:
        for one in (self._listener, *self._sockets):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._spawn(self._join, client)

    def _join(self, client: socket.socket) -> None:
        try:
            near = client if self._tls is None else self._tls.wrap_socket(client, server_side=True)
        except OSError:
            client.close()
            return
        far = socket.create_connection(("127.0.0.1", self._target))
        self._sockets += [near, far]
        self._spawn(self._carry, near, far)
        self._carry(far, near, replies=True)

    def _carry(self, source: socket.socket, target: socket.socket, *, replies: bool = False) -> None:
        with suppress(OSError, ValueError):
            while data := source.recv(65_536):
                if replies and self._losing:
                    self._losing = False
                    break
                target.sendall(data)
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _spawn(self, work: Callable[..., None], *words: object) -> None:
        threading.Thread(target=work, args=words, daemon=True).start()
