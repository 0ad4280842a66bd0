"""`SendNotificationJob`: one row a job, one broadcast, every error in the log, and no message in it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from queuectl.app import App
from queuectl.errors import DriverUnavailable, InvalidArguments, QueuectlError, TableMissing
from queuectl.jobs.declaration import Declaration
from queuectl.jobs.limits import Limits, resolve
from queuectl.jobs.outcome import Ending, Failed, Release
from queuectl.jobs.payload import decode, encode, new_uuid
from queuectl.jobs.send_notification import NotificationData, SendNotificationJob
from queuectl.migrations import migrate
from queuectl.notifications import bind_notification_service
from queuectl.notifications.mixin import SendsNotifications
from queuectl.notifications.services import MemoryNotifier
from queuectl.notifications.table import NotificationTable
from queuectl.runner import Attempt, judge

from .conftest import Run

HELLO: NotificationData = {"user_id": 1, "title": "s3cr3t-title", "message": "s3cr3t-canary", "priorite": "haute"}
SERVICE = '''
from queuectl.notifications.services import MemoryNotifier

class Flaky(MemoryNotifier):
    """Fails as often as it is told to."""

    failures = 0

    def broadcast(self, notification):
        if self.failures:
            self.failures -= 1
            raise ConnectionError("push://app:hunter2@gateway said no\\nforged line")
        super().broadcast(notification)
'''


class Flaky(MemoryNotifier):
    """What `SERVICE` defines, for the type checker."""

    failures = 0


@pytest.fixture
def notification_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A service of the application's own, in a module that the configuration names."""
    (tmp_path / "flaky_service.py").write_text(SERVICE)
    monkeypatch.syspath_prepend(str(tmp_path))
    return {"connection": "database", "table": "notifications", "service": "flaky_service:Flaky"}


@pytest.fixture
def table(app: App) -> Iterator[NotificationTable]:
    migrate(app.connection("database"))
    table = cast("NotificationTable", app.runtime.notifications())
    yield table
    table.close()


@pytest.fixture
def service(app: App) -> Flaky:
    return cast("Flaky", app.runtime.notifier())


class TestTheCall:
    def test_as_the_documentation_has_it(self, table: NotificationTable, service: Flaky) -> None:
        """A dictionary makes a row, which is then broadcast whole."""
        SendNotificationJob.dispatch(
            {
                "user_id": 1,
                "title": "Hello",
                "message": "Your leave is accepted.",
                "type": "info",
                "priorite": "normale",
            }
        )
        [row] = table.list(1)
        assert (row["title"], row["message"], row["type"], row["priorite"]) == (
            "Hello",
            "Your leave is accepted.",
            "info",
            "normale",
        )
        assert service.sent == [{**row, "broadcast_at": None}]
        assert row["broadcast_at"]

    def test_type_and_priority_have_defaults(self, table: NotificationTable) -> None:
        """`info`, `normale`; `data` takes whatever else there is."""
        SendNotificationJob.dispatch({"user_id": 1, "title": "Hello", "message": "", "data": {"leave": 7}})
        [row] = table.list(1)
        assert (row["type"], row["priorite"], row["data"]) == ("info", "normale", {"leave": 7})

    @pytest.mark.parametrize(
        "wrong",
        [
            {},
            {"user_id": "somebody"},
            {"title": ""},
            {"title": "x" * 256},
            {"title": "a\0b"},
            {"type": "x" * 51},
            {"prioritee": "haute"},
            {"data": [1]},
        ],
    )
    def test_what_no_row_could_hold_is_refused_at_dispatch(self, app: App, wrong: dict[str, Any]) -> None:
        """Before anything is queued, naming the key."""
        data = {**HELLO, **wrong} if wrong else {"user_id": 1}
        with pytest.raises(InvalidArguments, match=r"notification\."):
            SendNotificationJob.dispatch(cast("NotificationData", data))

    def test_php_pushes_it_with_its_fields_as_they_are(self, app: App, table: NotificationTable) -> None:
        """`Queue::push('SendNotificationJob', [...])`: the object is the notification."""
        payload = json.dumps({"uuid": "u-1", "job": "SendNotificationJob", "data": HELLO, "attempts": 0}).encode()
        report = app.runner.run(Attempt("database", "default", payload, "u-1", "SendNotificationJob", 1))
        assert report.ending is Ending.FINISHED
        assert table.list(1)[0]["job_uuid"] == "u-1"

    def test_three_tries_ten_thirty_sixty(self, app: App) -> None:
        """And the worker's parent knows it without importing the job."""
        declared = app.registry.declarations()["SendNotificationJob"]
        assert isinstance(declared, Declaration)
        assert (declared.settings.tries, declared.settings.backoff) == (3, (10, 30, 60))
        assert declared.has_failed


class TestFailures:
    def test_a_failed_broadcast_is_tried_again_on_the_same_row(
        self, run: Run, table: NotificationTable, service: Flaky
    ) -> None:
        """Twice it fails, the third attempt sends it; there is one row and one broadcast."""
        service.failures, uuid = 2, new_uuid()
        endings = [
            run("SendNotificationJob", uuid=uuid, attempts=attempt, notification=HELLO).ending for attempt in (1, 2, 3)
        ]
        assert endings == [Ending.RAISED, Ending.RAISED, Ending.FINISHED]
        [row] = table.list(1)
        assert [sent["id"] for sent in service.sent] == [row["id"]]
        assert row["broadcast_at"]

    def test_it_is_released_and_then_failed_as_declared(
        self, app: App, service: Flaky, table: NotificationTable
    ) -> None:
        """After 10 and 30 seconds; after the third attempt for good, and the row stays unsent."""
        service.failures = 3
        uuid = new_uuid()
        payload = encode(job="SendNotificationJob", arguments=json.dumps({"notification": HELLO}), uuid=uuid)
        declared = app.registry.declarations()["SendNotificationJob"].settings
        limits = resolve(decode(payload), declared, Limits())
        outcomes = []
        for number in (1, 2, 3):
            attempt = Attempt("database", "default", payload, uuid, "SendNotificationJob", number)
            outcomes.append(judge(app.runner.run(attempt), attempt, limits, now=0.0))
        assert outcomes[:2] == [Release(10), Release(30)]
        assert isinstance(outcomes[2], Failed)
        assert table.list(1)[0]["broadcast_at"] is None

    def test_what_was_sent_is_not_sent_again(self, run: Run, table: NotificationTable, service: Flaky) -> None:
        """An attempt that follows a success (its acknowledgement was lost) finds it done."""
        uuid = new_uuid()
        for attempt in (1, 2):
            assert run("SendNotificationJob", uuid=uuid, attempts=attempt, notification=HELLO).ending is Ending.FINISHED
        assert len(service.sent) == len(table.list(1)) == 1

    def test_a_missing_table_is_told_with_the_command_to_run(
        self, run: Run, app: App, caplog: pytest.LogCaptureFixture
    ) -> None:
        """In the failure and in the log; another attempt may find it migrated."""
        report = run("SendNotificationJob", notification=HELLO)
        assert report.ending is Ending.RAISED
        assert report.problem
        assert report.problem.type == "queuectl.errors.TableMissing"
        assert "could not be stored" in caplog.text
        app.close()

    @pytest.mark.fault("X10")
    def test_every_error_is_logged_without_what_it_said(
        self, run: Run, table: NotificationTable, service: Flaky, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Row, user, job and reason on one line; no title, no message, no password."""
        service.failures, uuid = 1, new_uuid()
        with caplog.at_level(logging.DEBUG):
            report = run("SendNotificationJob", uuid=uuid, notification=HELLO)
        [line] = caplog.messages
        row = table.list(1)[0]
        assert line.startswith(f"Notification {row['id']} could not be broadcast (user 1, job {uuid}): ")
        assert "ConnectionError" in line
        assert "\n" not in line
        assert report.problem
        for text in (caplog.text, report.problem.text):
            assert "s3cr3t" not in text
            assert "hunter2" not in text

    def test_the_end_of_all_tries_is_logged(
        self, app: App, table: NotificationTable, service: Flaky, caplog: pytest.LogCaptureFixture
    ) -> None:
        """By the job's own hook."""
        uuid = new_uuid()
        payload = encode(job="SendNotificationJob", arguments=json.dumps({"notification": HELLO}), uuid=uuid)
        attempt = Attempt("database", "default", payload, uuid, "SendNotificationJob", 3)
        service.failures = 1
        problem = app.runner.run(attempt).problem
        assert problem
        caplog.clear()
        assert app.runner.call_failed(attempt, problem) is None
        [line] = caplog.messages
        assert "has failed for good" in line
        assert "ConnectionError" in line


class TestWithoutAService:
    @pytest.fixture
    def notification_settings(self) -> dict[str, Any]:
        return {"connection": "database", "table": "notifications", "service": "none"}

    def test_the_row_is_all(self, table: NotificationTable) -> None:
        """It is never marked as broadcast, since it was not."""
        SendNotificationJob.dispatch(HELLO)
        assert table.list(1)[0]["broadcast_at"] is None


class TestTheMixin:
    class Leaves(SendsNotifications):
        """A service of an application."""

        def accept(self, *, sync: bool) -> None:
            self.create_notification(HELLO, sync=sync)

    def test_the_row_is_there_when_a_synchronous_call_returns(self, table: NotificationTable) -> None:
        """Whatever the connection."""
        self.Leaves().accept(sync=True)
        assert len(table.list(1)) == 1

    def test_what_goes_wrong_reaches_a_synchronous_caller(self, table: NotificationTable, service: Flaky) -> None:
        """The row is there all the same."""
        service.failures = 1
        with pytest.raises(ConnectionError):
            self.Leaves().accept(sync=True)
        assert len(table.list(1)) == 1


class TestTheMixinOnAQueue:
    @pytest.fixture
    def default(self) -> str:
        return "database"

    def test_otherwise_it_waits_for_a_worker(self, app: App, table: NotificationTable) -> None:
        """One job on the queue, no row yet."""
        TestTheMixin.Leaves().accept(sync=False)
        assert app.driver("database").counts()["notifications-high"].pending == 1
        assert table.list(1) == []
        TestTheMixin.Leaves().accept(sync=True)
        assert len(table.list(1)) == 1

    @pytest.mark.parametrize("priorite", ["haute", "urgente", "high", "urgent"])
    def test_what_is_urgent_goes_ahead(self, app: App, table: NotificationTable, priorite: str) -> None:
        """Into the queue that workers name first."""
        SendsNotifications().create_notification({**HELLO, "priorite": priorite})
        assert app.driver("database").counts()["notifications-high"].pending == 1

    def test_a_class_may_have_queues_of_its_own(self, app: App, table: NotificationTable) -> None:
        """Two attributes."""

        class Payroll(SendsNotifications):
            notification_queue = "payroll"
            urgent_notification_queue = "payroll-first"

        Payroll().create_notification({**HELLO, "priorite": "normale"})
        Payroll().create_notification({**HELLO, "priorite": "haute"})
        assert {name: found.pending for name, found in app.driver("database").counts().items()} == {
            "payroll": 1,
            "payroll-first": 1,
        }

    def test_what_keeps_it_from_being_queued_reaches_the_caller(self, app: App, tmp_path: Path) -> None:
        """A notification is never dropped in silence."""
        (tmp_path / "queue.sqlite").write_bytes(b"this is no database" * 100)
        with pytest.raises(QueuectlError):
            SendsNotifications().create_notification(HELLO)

    def test_data_that_does_not_fit_is_refused_at_once(self, app: App) -> None:
        """Not by a worker, later."""
        with pytest.raises(InvalidArguments):
            SendsNotifications().create_notification({"title": "for whom?"})  # type: ignore[typeddict-item]  # on purpose

    def test_the_uuid_finds_the_row(self, app: App, table: NotificationTable) -> None:
        """Both ways of notifying give it."""
        uuid = SendsNotifications().create_notification(HELLO, sync=True)
        assert table.list(1)[0]["job_uuid"] == uuid


class TestAServiceBoundInCode:
    def test_it_replaces_the_configured_one(self, table: NotificationTable) -> None:
        """Until it is taken away."""
        mine = MemoryNotifier()
        bind_notification_service(mine)
        try:
            SendNotificationJob.dispatch(HELLO)
        finally:
            bind_notification_service(None)
        SendNotificationJob.dispatch(HELLO)
        assert [sent["title"] for sent in mine.sent] == [HELLO["title"]]


def test_an_application_without_a_database_is_told(app: App) -> None:
    """Nothing creates files on the way."""
    with pytest.raises((TableMissing, DriverUnavailable)):
        SendNotificationJob.dispatch_sync(HELLO)
