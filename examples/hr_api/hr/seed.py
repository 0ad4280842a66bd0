"""The application's tables, and two people to look around with: `python -m hr.seed`."""

from __future__ import annotations

from sqlalchemy import select

from hr.database import Database
from hr.passwords import hashed
from hr.tables import users
from queuectl.app import App

PASSWORD = "demo"  # noqa: S105  # of the demonstration's users


def seed(database: Database) -> None:
    """Make what is not there; a second time changes nothing."""
    database.create_tables()
    marc = person(database, "marc", "Marc Lefèvre", "manager")
    person(database, "awa", "Awa Diop", "employee", manager_id=marc)


def person(database: Database, username: str, name: str, role: str, manager_id: int | None = None) -> int:
    """The id of this user, who is made if need be."""
    found = database.first(select(users.c.id).where(users.c.username == username))
    if found is None:
        about = {"username": username, "name": name, "role": role, "manager_id": manager_id}
        found = database.insert(users, **about, password=hashed(PASSWORD))
    return int(found["id"])


if __name__ == "__main__":
    seed(Database(App.load().connection("app").url))
