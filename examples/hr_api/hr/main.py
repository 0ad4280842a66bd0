"""The application: `uvicorn hr.main:create_app --factory`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.staticfiles import StaticFiles
from sqlalchemy import select
from starlette.middleware.sessions import SessionMiddleware

from hr import auth
from hr.controllers.attendance import AttendanceController
from hr.controllers.conge import CongeController
from hr.controllers.evaluation import EvaluationController
from hr.controllers.notification import NotificationController
from hr.database import Database
from hr.pages import Pages
from hr.refusals import explain_refusals
from hr.security import SameOrigin, SecurityHeaders, secret_key
from hr.tables import users
from hr.uploads import Photos
from queuectl.app import App

STATIC = Path(__file__).parent / "static"
MAX_BODY = 64 * 1024
"""Bytes of a request, except where a route allows more."""
A_DAY = 24 * 60 * 60


def create_app() -> FastAPI:
    """The application on the databases and disks that queuectl's configuration names."""
    queue = App.load()
    queue.bind()  # from here on `dispatch` finds it
    database = Database(queue.connection("app").url)
    photos = Photos(Path(queue.config.disks["public"]["root"]))

    app = FastAPI(title="HR API", max_body_size=MAX_BODY, lifespan=closing(queue, database), openapi_url=None)
    app.state.database, app.state.photos = database, photos
    for part in parts(database, photos):
        app.include_router(part)
    app.add_api_route("/health", health)
    app.mount("/static", StaticFiles(directory=STATIC))
    explain_refusals(app)
    protect(app, secret_key(queue.config.root / "storage/secret"))
    return app


def parts(database: Database, photos: Photos) -> list[APIRouter]:
    """Everything that answers requests."""
    evaluations = EvaluationController(database)
    conges = CongeController(database)
    attendance = AttendanceController(database, photos)
    notifications = NotificationController(database)
    pages = Pages(database, evaluations, conges, attendance, notifications)
    return [part.router for part in (evaluations, conges, attendance, notifications, pages, auth)]


def protect(app: FastAPI, secret: str) -> None:
    """The layers that every request goes through, from the inside out."""
    https = os.environ.get("HR_HTTPS") == "1"
    app.add_middleware(SessionMiddleware, secret_key=secret, max_age=A_DAY, same_site="lax", https_only=https)
    app.add_middleware(SameOrigin)
    app.add_middleware(SecurityHeaders)


def health(request: Request) -> dict[str, str]:
    """Whether there is something to work with: the queue may be away, the application's own database not."""
    request.app.state.database.first(select(users.c.id))
    return {"status": "ok"}


def closing(queue: App, database: Database) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """What closes these when the server stops."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        database.close()
        queue.close()

    return lifespan
