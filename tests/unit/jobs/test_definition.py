"""A job is a class: annotated attributes are arguments, plain ones are settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest

from queuectl.errors import InvalidName, JobDefinitionError, NotRunning, UsageError
from queuectl.jobs.definition import Job, has_failed_hook, is_complete, place_of, registered_name
from queuectl.jobs.limits import Settings
from queuectl.jobs.settings import declared, moment, seconds_until


class Welcome(Job):
    user_id: int
    locale: str = "fr"

    queue = "mail"
    tries = 3
    backoff = (10, 30, 60)

    def handle(self) -> None: ...


class Farewell(Welcome):
    reason: str = ""

    tries = 5

    def failed(self, error: BaseException) -> None: ...


def test_arguments_are_positional_in_order_or_named() -> None:
    """A job is made like a dataclass, and equal to one made of the same arguments."""
    assert Welcome(1, "en") == Welcome(locale="en", user_id=1)
    assert Welcome(1).locale == "fr"
    assert Welcome(1) != Welcome(2)


def test_a_subclass_inherits_arguments_and_settings() -> None:
    """What a base declares holds below it, unless declared again."""
    assert Farewell(1, "en", "moved") == Farewell(1, reason="moved", locale="en")
    assert Farewell.queue == "mail"
    assert declared(Farewell) == Settings(tries=5, backoff=(10, 30, 60))


def test_the_registered_name_is_not_inherited() -> None:
    """The class name, unless `name` says otherwise in the class itself."""

    class Named(Welcome):
        name = "mail.welcome"

    class Below(Named): ...

    assert [registered_name(cls) for cls in (Welcome, Named, Below)] == ["Welcome", "mail.welcome", "Below"]


def test_a_class_knows_where_it_is_written() -> None:
    """As `file:line` of its first line, for messages about clashes."""
    assert place_of(Welcome).rpartition(":") == (__file__, ":", "16")
    assert place_of(Farewell) == f"{__file__}:27"


def test_a_class_without_handle_is_a_base() -> None:
    """It may hold settings for others; it is no job."""

    class Mail(Job):
        queue = "mail"

    assert not is_complete(Mail)
    assert is_complete(Farewell)
    assert has_failed_hook(Farewell)
    assert not has_failed_hook(Welcome)


@pytest.mark.fault("X10")
def test_repr_hides_what_is_named_like_a_secret() -> None:
    """Values of fields that speak of secrets are masked; the others are shown."""

    class Login(Job):
        user: str
        password: str
        api_token: str = ""
        keyboard: str = "azerty"

    assert repr(Login("ana", "s3cr3t", "t0k3n")).endswith(
        "Login(user='ana', password=***, api_token=***, keyboard='azerty')"
    )


@pytest.mark.parametrize("setting", ["tries", "queue", "name", "timeout", "retry_until"])
def test_annotating_a_setting_is_an_error_that_says_what_to_write(setting: str) -> None:
    """An annotation would make it an argument; nobody means that."""
    with pytest.raises(JobDefinitionError, match=rf"Bad\.{setting}: .* Write `{setting} = 3` without annotation"):
        type("Bad", (Job,), {"__annotations__": {setting: int}, setting: 3})


def test_a_setting_annotated_as_class_variable_is_a_setting() -> None:
    """That is what it is, written out."""

    class Careful(Job):
        tries: ClassVar[int | None] = 4

    assert declared(Careful).tries == 4


@pytest.mark.parametrize("taken", ["uuid", "attempts", "handle", "dispatch", "release"])
def test_an_argument_cannot_take_the_name_of_what_every_job_has(taken: str) -> None:
    """It would hide it."""
    with pytest.raises(JobDefinitionError, match=f"every job has `{taken}` already"):
        type("Bad", (Job,), {"__annotations__": {taken: str}})


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("trys", "tries"),
        ("retries", "tries"),
        ("time_out", "timeout"),
        ("timeOut", "timeout"),
        ("failOnTimeout", "fail_on_timeout"),
        ("max_exception", "max_exceptions"),
        ("queues", "queue"),
        ("bakcoff", "backoff"),
        ("max_attempts", "tries"),
    ],
)
def test_a_misspelt_setting_is_an_error(slip: str, meant: str) -> None:
    """It would silently do nothing."""
    with pytest.raises(JobDefinitionError, match=f"Did you mean `{meant} = 3`"):
        type("Bad", (Job,), {slip: 3})


def test_other_attributes_are_the_users_own() -> None:
    """Constants, private names, class variables and methods are left alone, also where they come near a setting."""

    class Own(Job):
        game = "chess"
        decay = 0.5
        _queues = 3
        names: ClassVar[tuple[str, ...]] = ("a", "b")
        TEMPLATE = "welcome.html"

        def retries(self) -> int:
            return 1

    assert Own.game == "chess"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("tries", "3"),
        ("tries", -1),
        ("tries", True),
        ("tries", 1_001),
        ("timeout", 1.5),
        ("timeout", 86_401),
        ("timeout", -1),
        ("backoff", ()),
        ("backoff", (1, -1)),
        ("backoff", "10,30"),
        ("queue", "no spaces"),
        ("queue", ""),
        ("connection", 3),
        ("name", ""),
        ("name", "a\nb"),
        ("fail_on_timeout", 1),
        ("max_exceptions", 0),
        ("delay", -1),
        ("delay", 10**12),
        ("delay", float("nan")),
        ("retry_until", "tomorrow"),
    ],
)
def test_a_setting_of_the_wrong_kind_is_an_error(setting: str, value: Any) -> None:
    """At class creation, naming the class, the setting, what it may be and what it is."""
    with pytest.raises(JobDefinitionError, match=rf"Bad\.{setting} must be .+, not "):
        type("Bad", (Job,), {setting: value})


def test_methods_that_cannot_be_called_are_an_error() -> None:
    """Told at class creation, not when the first job runs."""
    with pytest.raises(JobDefinitionError, match=r"Bad\.handle\(self, mailer\) must take nothing but self"):
        type("Bad", (Job,), {"handle": lambda self, mailer: None})
    with pytest.raises(JobDefinitionError, match=r"Bad\.__init__: the annotated attributes of a job are its arguments"):
        type("Bad", (Job,), {"__init__": lambda self, to: None})
    type("Good", (Job,), {"handle": lambda self, *, verbose=False: None})


def test_what_dataclasses_refuse_is_a_definition_error() -> None:
    """A shared mutable default; an argument without default after one that has one."""
    with pytest.raises(JobDefinitionError, match="mutable default"):
        type("Bad", (Job,), {"__annotations__": {"tags": list}, "tags": []})
    with pytest.raises(JobDefinitionError, match="non-default argument"):
        type("Bad", (Welcome,), {"__annotations__": {"late": int}})


@pytest.mark.parametrize("ask", [lambda job: job.attempts, lambda job: job.uuid, lambda job: job.release(), Job.fail])
def test_what_belongs_to_a_run_is_an_error_outside_one(ask: Any) -> None:
    """There is no attempt to ask about."""
    with pytest.raises(NotRunning, match=r"Welcome\..* only while the job runs"):
        ask(Welcome(1))


def test_when_may_be_seconds_a_span_or_a_moment() -> None:
    """All three mean the same; a moment that has passed is now."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    stamp = now.timestamp()
    assert seconds_until(90, stamp) == seconds_until(timedelta(seconds=90), stamp) == 90
    assert seconds_until(now + timedelta(seconds=90), stamp) == 90
    assert seconds_until(now - timedelta(days=1), stamp) == 0
    assert moment(90, stamp) == moment(now + timedelta(seconds=90), 0.0)


@pytest.mark.parametrize("when", [-1, "soon", True, None, timedelta(days=-1), 10**12, float("inf")])
def test_later_refuses_what_is_no_time_to_come(when: Any) -> None:
    """Told at once, not at dispatch."""
    with pytest.raises(UsageError, match=r"later\(\) takes seconds"):
        Welcome.later(when)


def test_a_pending_dispatch_refuses_bad_names_and_sessions() -> None:
    """A queue name that no store takes; an object that is neither a name nor a connection."""
    with pytest.raises(InvalidName):
        Welcome.on_queue("no spaces")
    for nothing in (None, 3):
        with pytest.raises(InvalidName, match=f"^{nothing} is not a queue name"):
            Welcome.on_queue(nothing)  # type: ignore[arg-type]  # the point of the test
        with pytest.raises(UsageError, match=rf"on_connection\(\) takes the name of a connection, not {nothing}"):
            Welcome.on_connection(nothing)  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(UsageError, match=r"sqlite3, psycopg, .*, not builtins\.object"):
        Welcome.using(object())  # type: ignore[arg-type]  # the point of the test
