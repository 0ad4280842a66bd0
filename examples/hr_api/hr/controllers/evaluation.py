"""Evaluations of employees, written by managers."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field
from sqlalchemy import select

from hr.auth import Manager, SignedIn
from hr.database import Database, Record
from hr.fields import RowId, Text
from hr.tables import evaluations, users
from hr.visibility import visible_to
from queuectl import SendsNotifications


class Evaluation(BaseModel):
    employee_id: RowId
    score: int = Field(ge=1, le=5)
    comment: Text


class EvaluationController(SendsNotifications):
    def __init__(self, database: Database) -> None:
        self.database = database
        self.router = APIRouter(tags=["evaluations"])
        self.router.add_api_route("/api/evaluations", self.index, methods=["GET"])
        self.router.add_api_route("/api/evaluations", self.store, methods=["POST"], status_code=202)

    def index(self, user: SignedIn) -> list[Record]:
        """The newest fifty."""
        return self.database.all(visible_to(user, evaluations).limit(50))

    def store(self, evaluation: Evaluation, manager: Manager) -> Record:
        """The evaluation is written before the answer; the employee is notified after it."""
        if self.database.first(select(users.c.id).where(users.c.id == evaluation.employee_id)) is None:
            raise HTTPException(404, "There is no such employee.")
        made = self.database.insert(evaluations, author_id=manager.id, **evaluation.model_dump())
        self.create_notification(
            {
                "user_id": evaluation.employee_id,
                "title": "New evaluation",
                "message": f"{manager.name} has evaluated your work: {evaluation.score} of 5.",
                "type": "evaluation",
            }
        )
        return made
