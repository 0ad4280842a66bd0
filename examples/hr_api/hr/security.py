"""What every answer carries and what every request must show, whatever the route."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
SAFE = {"GET", "HEAD", "OPTIONS"}


class SecurityHeaders:
    """Puts `HEADERS` on every answer that does not say otherwise itself."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)


class SameOrigin:
    """Refuses what another site makes a browser send: every browser says where a state change comes from."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE and is_foreign(Headers(scope=scope)):
            await JSONResponse({"detail": "This came from another site."}, 403)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def is_foreign(headers: Headers) -> bool:
    """Did another site's page send this? Programs that are no browsers say nothing, and have no cookie to misuse."""
    if site := headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")


def secret_key(file: Path) -> str:
    """What cookies are signed with: HR_SECRET, or what is kept in *file*, made by whoever comes first."""
    if given := os.environ.get("HR_SECRET"):
        return given
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
        draft.touch(0o600, exist_ok=False)
        draft.write_text(secrets.token_hex(32))
        with suppress(FileExistsError):
            file.hardlink_to(draft)  # whole or not at all, and never over another one
        draft.unlink()
    return file.read_text()
