"""Leaves (congés): requested by employees, decided by managers."""

from __future__ import annotations

import datetime

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, model_validator
from sqlalchemy import select

from hr.auth import Manager, SignedIn
from hr.database import Database, Record
from hr.fields import RowId, Text
from hr.tables import conges
from hr.visibility import visible_to
from queuectl import SendsNotifications


class Conge(BaseModel):
    start: datetime.date
    end: datetime.date
    reason: Text

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Conge:
        if self.end < self.start:
            raise ValueError("A leave ends on the day it starts, or later.")
        return self


class Decision(BaseModel):
    approved: bool


class CongeController(SendsNotifications):
    def __init__(self, database: Database) -> None:
        self.database = database
        self.router = APIRouter(tags=["conges"])
        self.router.add_api_route("/api/conges", self.index, methods=["GET"])
        self.router.add_api_route("/api/conges", self.store, methods=["POST"], status_code=202)
        self.router.add_api_route("/api/conges/{conge_id}/decision", self.decide, methods=["POST"])

    def index(self, user: SignedIn) -> list[Record]:
        """The newest fifty."""
        return self.database.all(visible_to(user, conges).limit(50))

    def store(self, conge: Conge, user: SignedIn) -> Record:
        """The request is written before the answer; the manager is notified after it."""
        made = self.database.insert(conges, employee_id=user.id, **conge.model_dump())
        if user.manager_id is not None:
            self.create_notification(
                {
                    "user_id": user.manager_id,
                    "title": "Leave requested",
                    "message": f"{user.name} asks for leave from {conge.start} to {conge.end}.",
                    "type": "conge",
                }
            )
        return made

    def decide(self, conge_id: RowId, decision: Decision, manager: Manager) -> Record:
        """Written once, and before the answer, because somebody plans by it. Only word of it may take a moment."""
        state = "approved" if decision.approved else "refused"
        pending = (conges.c.id == conge_id, conges.c.state == "pending")
        decided = self.database.update(conges, *pending, state=state, decided_by=manager.id)
        if decided is None:
            raise self._undecidable(conge_id)
        self.create_notification(
            {
                "user_id": decided["employee_id"],
                "title": f"Leave {state}",
                "message": f"{manager.name} has {state} your leave from {decided['start']} to {decided['end']}.",
                "type": "conge",
                "priorite": "haute",
            }
        )
        return decided

    def _undecidable(self, conge_id: int) -> HTTPException:
        if self.database.first(select(conges.c.id).where(conges.c.id == conge_id)) is None:
            return HTTPException(404, "There is no such leave.")
        return HTTPException(409, "This leave is decided already.")
