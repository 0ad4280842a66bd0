"""One job file, unchanged, on every connection: notifications and photos."""

from __future__ import annotations

import signal
from pathlib import Path
from shutil import copy

import pytest

from tests.acceptance.conftest import STORES, MakeProject
from tests.acceptance.project import Project, until

NOTIFICATIONS, PHOTOS = 1000, 20

PICTURE = Path(__file__).parents[2] / "examples/quickstart/photo.jpg"

DISPATCH = f"""
from queuectl import ProcessImageJob, SendNotificationJob

for n in range({PHOTOS}):
    ProcessImageJob.dispatch(f"photo{{n}}.jpg", {{"width": 400, "thumbnail": {{"width": 100, "height": 100}}}})
for n in range({NOTIFICATIONS}):
    SendNotificationJob.dispatch({{"user_id": n, "title": "Hello", "message": "World", "priorite": "normale"}})
"""


@pytest.mark.parametrize("store", ["sync", *STORES])
def test_a_thousand_notifications_and_twenty_photos(store: str, make_project: MakeProject) -> None:
    """A thousand rows, forty pictures, nothing failed and nothing twice, with two workers where there is a queue."""
    project = make_project(store)
    for n in range(PHOTOS):
        copy(PICTURE, project.folder / f"storage/app/public/photo{n}.jpg")
    project.python(DISPATCH)
    if store != "sync":
        _work_with_two(project)
    assert project.rows("SELECT user_id FROM notifications ORDER BY user_id") == [(n,) for n in range(NOTIFICATIONS)]
    assert len(list((project.folder / "storage/app/public").iterdir())) == 2 * PHOTOS
    assert project.failed() == []


def _work_with_two(project: Project) -> None:
    workers = [project.work("--tries=1"), project.work("--tries=1")]
    until(lambda: project.monitor("default")[0]["size"] == 0, "an empty queue", patience=120)
    for worker in workers:
        worker.signal(signal.SIGTERM)
    assert [worker.ends() for worker in workers] == [0, 0]
