"""Who is asking: a signed cookie set by POST /login, and the dependencies that ask for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, Field, ValidationError
from sqlalchemy import ColumnElement, select

from hr.database import Database
from hr.fields import NO_NUL
from hr.passwords import NOBODY, matches
from hr.tables import users


@dataclass(frozen=True, slots=True)
class User:
    id: int
    username: str
    name: str
    role: str
    manager_id: int | None

    @property
    def is_manager(self) -> bool:
        return self.role == "manager"


class Credentials(BaseModel):
    username: str = Field(max_length=50, pattern=NO_NUL)
    password: str = Field(max_length=200)


def visitor(request: Request) -> User | None:
    """Who is signed in, if anybody is."""
    user_id = request.session.get("user_id")
    return _user(request.app.state.database, users.c.id == user_id) if user_id else None


def signed_in(user: Annotated[User | None, Depends(visitor)]) -> User:
    if user is None:
        raise HTTPException(401, "Sign in first.")
    return user


def managing(user: Annotated[User, Depends(signed_in)]) -> User:
    if not user.is_manager:
        raise HTTPException(403, "Only managers may do this.")
    return user


Visitor = Annotated[User | None, Depends(visitor)]
SignedIn = Annotated[User, Depends(signed_in)]
Manager = Annotated[User, Depends(managing)]
"""What a route asks for in its signature."""

router = APIRouter(tags=["session"])


@router.post("/login")
async def login(request: Request) -> Response:
    """Sign in with JSON (200 or 401) or with a form (to the page, `/?refused=1` if the password is wrong)."""
    is_form = "json" not in request.headers.get("content-type", "")
    credentials = await _posted(request, is_form=is_form)
    # Checked before the answer, and never on a queue: everything else depends on it.
    user = await run_in_threadpool(authenticate, request.app.state.database, credentials)
    request.session.clear()
    if user is not None:
        request.session["user_id"] = user.id
    if is_form:
        return RedirectResponse("/" if user else "/?refused=1", 303)
    if user is None:
        raise HTTPException(401, "Wrong user name or password.")
    return JSONResponse(asdict(user))


@router.post("/logout")
def logout(request: Request) -> Response:
    request.session.clear()
    return RedirectResponse("/", 303)


def authenticate(database: Database, credentials: Credentials) -> User | None:
    """The user of this name if the password is right; it takes as long if there is none."""
    found = database.first(select(users.c.id, users.c.password).where(users.c.username == credentials.username))
    if not matches(credentials.password, found["password"] if found else NOBODY) or found is None:
        return None
    return _user(database, users.c.id == found["id"])


async def _posted(request: Request, *, is_form: bool) -> Credentials:
    try:
        return Credentials.model_validate(dict(await request.form()) if is_form else await request.json())
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_input=False)) from None
    except ValueError:
        raise HTTPException(400, "This is not JSON.") from None


def _user(database: Database, condition: ColumnElement[bool]) -> User | None:
    columns = users.c.id, users.c.username, users.c.name, users.c.role, users.c.manager_id
    found = database.first(select(*columns).where(condition))
    return User(**found) if found else None
