"""The application on each of its databases, for the tests that only talk to it; one alone for those that break it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from queuectl.testing.databases import drop_database, fresh_database
from tests.example.application import Application

LEA = "from hr.seed import *; person(Database(App.load().connection('app').url), 'lea', 'Léa Petit', 'employee')"


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def hr(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """It serves and works; a third person, Léa, has no manager. Nothing that is asked of it may be a server's error."""
    url = fresh_database(request.getfixturevalue("postgres")) if request.param == "postgres" else ""
    application = Application(tmp_path_factory.mktemp("hr") / "api", database_url=url)
    application.python("-c", LEA)
    application.serve()
    application.work()
    yield application
    application.close()
    assert "ERROR" not in application.log("uvicorn")
    if url:
        drop_database(url)


@pytest.fixture(scope="session")
def people(hr: Application) -> dict[str, httpx.Client]:
    """Clients by user name; under no name, somebody who is not signed in."""
    return {username: hr.client(username) for username in ("", "awa", "lea", "marc")}


@pytest.fixture
def awa(people: dict[str, httpx.Client]) -> httpx.Client:
    """An employee."""
    return people["awa"]


@pytest.fixture
def lea(people: dict[str, httpx.Client]) -> httpx.Client:
    """Another one, who has no manager."""
    return people["lea"]


@pytest.fixture
def marc(people: dict[str, httpx.Client]) -> httpx.Client:
    """Awa's manager."""
    return people["marc"]


MakeApplication = Callable[..., Application]


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Application:
    """Tables and people that nobody has touched, on SQLite."""
    return Application(tmp_path_factory.mktemp("pristine") / "api")


@pytest.fixture
def make_application(tmp_path: Path, pristine: Application) -> Iterator[MakeApplication]:
    """An application of this test alone."""
    made: list[Application] = []

    def make(**settings: Any) -> Application:
        made.append(Application(tmp_path / f"api{len(made)}", like=pristine, **settings))
        return made[-1]

    yield make
    for application in made:
        application.close()
