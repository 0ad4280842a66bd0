"""The application: `uvicorn hr.main:create_app --factory`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
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
from hr.security import SameOrigin, SecurityHeaders, secret_key
from hr.tables import users
from hr.uploads import Photos
from queuectl.app import App

HERE = Path(__file__).parent
MAX_BODY = 64 * 1024
"""Bytes of a request that says nothing else."""
A_DAY = 24 * 60 * 60


def create_app() -> FastAPI:
    """The application on the databases and disks that queuectl's configuration names."""
    queue = App.load()
    queue.bind()  # what `dispatch` finds from here on
    database = Database(queue.connection("app").url)
    photos = Photos(Path(queue.config.disks["public"]["root"]))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        database.close()
        queue.close()

    app = FastAPI(title="HR API", lifespan=lifespan, max_body_size=MAX_BODY, docs_url=None, redoc_url=None)
    app.state.database, app.state.photos = database, photos

    evaluations, conges = EvaluationController(database), CongeController(database)
    attendance, notifications = AttendanceController(database, photos), NotificationController(database)
    pages = Pages(database, evaluations, conges, attendance, notifications)
    for part in (evaluations, conges, attendance, notifications, auth, pages):
        app.include_router(part.router)
    app.mount("/static", StaticFiles(directory=HERE / "static"))

    https = os.environ.get("HR_HTTPS") == "1"
    secret = secret_key(queue.config.root / "storage/secret")
    app.add_middleware(SessionMiddleware, secret_key=secret, max_age=A_DAY, same_site="lax", https_only=https)
    app.add_middleware(SameOrigin)
    app.add_middleware(SecurityHeaders)

    @app.get("/health")
    def health() -> dict[str, str]:
        """Whether the application can work: the queue may be away, its own database not."""
        database.first(select(users.c.id))
        return {"status": "ok"}

    return app
