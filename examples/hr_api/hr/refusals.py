"""How the application says no."""

from __future__ import annotations

import logging

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from queuectl import DriverUnavailable

logger = logging.getLogger("hr")


async def invalid(request: Request, error: RequestValidationError) -> Response:
    """What was wrong and where; not what was sent, which may be a password, or no text at all."""
    return JSONResponse({"detail": [{key: one[key] for key in ("loc", "msg", "type")} for one in error.errors()]}, 422)


async def unqueued(request: Request, error: DriverUnavailable) -> Response:
    """Neither the queue nor its outbox took a job: nobody may believe that it will run."""
    logger.error("%s %s: %s", request.method, request.url.path, error)
    return JSONResponse({"detail": "The queue is away and so is its outbox: nobody will be notified of this."}, 503)


def explain_refusals(app: FastAPI) -> None:
    app.exception_handler(RequestValidationError)(invalid)
    app.exception_handler(DriverUnavailable)(unqueued)
