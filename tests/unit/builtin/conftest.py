"""A configuration on SQLite in a folder of the test's own, and a way to run one attempt of a job in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from queuectl.app import App
from queuectl.config import Config, Connection
from queuectl.jobs.outcome import Report
from queuectl.jobs.payload import encode, new_uuid
from queuectl.jobs.runtime import bind, unbind
from queuectl.runner import Attempt

Run = Callable[..., Report]


@pytest.fixture
def public(tmp_path: Path) -> Path:
    """The folder of the disk `public`."""
    folder = tmp_path / "public"
    folder.mkdir()
    return folder


@pytest.fixture
def notification_settings() -> dict[str, Any]:
    """The `[notifications]` table; classes of tests override it."""
    return {"connection": "database", "table": "notifications", "service": "none"}


@pytest.fixture
def default() -> str:
    """The connection jobs go to: on `sync` they run at once."""
    return "sync"


@pytest.fixture
def app(tmp_path: Path, public: Path, notification_settings: dict[str, Any], default: str) -> Iterator[App]:
    """An application, bound in this context."""
    config = Config(
        default=default,
        connections={
            "sync": Connection("sync", "sync"),
            "database": Connection("database", "database", url=f"sqlite:///{tmp_path}/queue.sqlite"),
        },
        disks={"public": {"root": str(public)}},
        notifications=notification_settings,
        root=tmp_path,
    )
    app = App(config)
    token = bind(app.runtime)
    yield app
    unbind(token)
    app.close()


@pytest.fixture
def run(app: App) -> Run:
    """`run("Name", attempts=1, uuid=…, **arguments)`: one attempt, as a worker runs it."""

    def run(job: str, *, attempts: int = 1, uuid: str | None = None, **arguments: Any) -> Report:
        uuid = uuid or new_uuid()
        payload = encode(job=job, arguments=json.dumps(arguments), uuid=uuid)
        return app.runner.run(Attempt("database", "default", payload, uuid, job, attempts))

    return run
