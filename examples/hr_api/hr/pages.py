"""The page: the same controllers, for people. Its forms work without JavaScript, and follow by themselves with it."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Form, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import select

from hr import words
from hr.auth import Manager, SignedIn, User, Visitor
from hr.controllers.attendance import AttendanceController
from hr.controllers.conge import Conge, CongeController, Decision
from hr.controllers.evaluation import Evaluation, EvaluationController
from hr.controllers.notification import NotificationController
from hr.database import Database, Record
from hr.fields import RowId, Text
from hr.tables import users
from hr.uploads import MAX_BYTES, ReceivedPhoto

TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,  # everything that people wrote is text
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEMPLATES.filters.update(
    day=words.day, moment=words.moment, span=words.span, length=words.length, is_urgent=words.is_urgent
)


def rendered(template: str, status: int = 200, **values: Any) -> HTMLResponse:
    return HTMLResponse(TEMPLATES.get_template(template).render(values), status)


def back() -> Response:
    """To the page, by GET: loading it again sends nothing twice."""
    return RedirectResponse("/", 303)


class FormRoute(APIRoute):
    """Says in HTML what was wrong with a form; a browser that sent one shows whatever it is answered."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_form(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                return problem(422, ". ".join(one["msg"].removeprefix("Value error, ") for one in error.errors()))
            except HTTPException as error:
                return back() if error.status_code == 401 else problem(error.status_code, error.detail)

        return handle_form


def problem(status: int, detail: str) -> Response:
    return rendered("problem.html", status, detail=detail)


class Pages:
    """What a browser opens, the parts of it that change, and where its forms go."""

    def __init__(
        self,
        database: Database,
        evaluations: EvaluationController,
        conges: CongeController,
        attendance: AttendanceController,
        notifications: NotificationController,
    ) -> None:
        self.database = database
        self.evaluations, self.conges = evaluations, conges
        self.attendance, self.notifications = attendance, notifications
        self.parts: dict[str, Callable[[User], Record]] = {
            "attendance": lambda user: {"attendance": attendance.index(user)},
            "leaves": lambda user: {"leaves": conges.index(user)},
            "evaluations": lambda user: {"evaluations": evaluations.index(user)},
            "notifications": notifications.index,
        }
        self.router = APIRouter(route_class=FormRoute, include_in_schema=False)
        self.router.add_api_route("/", self.page, methods=["GET"])
        self.router.add_api_route("/parts/{name}", self.part, methods=["GET"])
        self.router.add_api_route("/clock-in", self.clock_in, methods=["POST"], max_body_size=MAX_BYTES)
        self.router.add_api_route("/leaves", self.request_leave, methods=["POST"])
        self.router.add_api_route("/leaves/{conge_id}/decision", self.decide, methods=["POST"])
        self.router.add_api_route("/evaluations", self.evaluate, methods=["POST"])
        self.router.add_api_route("/notifications", self.notify, methods=["POST"])
        self.router.add_api_route("/notifications/{notification_id}/read", self.read, methods=["POST"])

    def page(self, user: Visitor, refused: bool = False) -> Response:
        if user is None:
            return rendered("login.html", refused=refused)
        content: Record = {"user": user, "team": self._team(user), "today": datetime.date.today()}
        for content_of in self.parts.values():
            content |= content_of(user)
        return rendered("page.html", **content)

    def part(self, name: str, user: SignedIn) -> Response:
        if name not in self.parts:
            raise HTTPException(404, "There is no such part.")
        return rendered(f"parts/{name}.html", user=user, **self.parts[name](user))

    def clock_in(self, user: SignedIn, photo: ReceivedPhoto) -> Response:
        self.attendance.store(user, photo)
        return back()

    def request_leave(self, conge: Annotated[Conge, Form()], user: SignedIn) -> Response:
        self.conges.store(conge, user)
        return back()

    def decide(self, conge_id: RowId, decision: Annotated[Decision, Form()], manager: Manager) -> Response:
        self.conges.decide(conge_id, decision, manager)
        return back()

    def evaluate(self, evaluation: Annotated[Evaluation, Form()], manager: Manager) -> Response:
        self.evaluations.store(evaluation, manager)
        return back()

    def notify(
        self,
        user_id: Annotated[RowId, Form()],
        title: Annotated[Text, Form()],
        message: Annotated[Text, Form()],
        priorite: Annotated[Text, Form()],
        manager: Manager,
    ) -> Response:
        self.notifications.store(
            {"user_id": user_id, "title": title, "message": message, "priorite": priorite}, manager
        )
        return back()

    def read(self, notification_id: RowId, user: SignedIn) -> Response:
        self.notifications.read(notification_id, user)
        return back()

    def _team(self, user: User) -> list[Record]:
        return self.database.all(
            select(users.c.id, users.c.name).where(users.c.manager_id == user.id).order_by(users.c.name)
        )
