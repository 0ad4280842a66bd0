"""Who sees what."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, Table, select, true

from hr.auth import User
from hr.tables import users


def visible_to(user: User, table: Table) -> Select[Any]:
    """The rows about employees that a user may see, each with the employee's name: one's own, or all for managers."""
    return (
        select(table, users.c.name)
        .join(users, users.c.id == table.c.employee_id)
        .where(true() if user.is_manager else table.c.employee_id == user.id)
        .order_by(table.c.id.desc())
    )
