"""`@job` makes a function a job, and leaves it a function."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from queuectl.errors import InvalidArguments, JobDefinitionError, NotRunning
from queuectl.jobs.arguments import dump, from_data, load
from queuectl.jobs.definition import place_of, registered_name
from queuectl.jobs.function import FunctionJob, job
from queuectl.jobs.limits import Settings
from queuectl.jobs.running import current_job
from queuectl.jobs.settings import declared


@job
def add(left: int, right: int = 1) -> int:
    """Add two numbers."""
    return left + right


@job(tries=3, queue="mail", backoff=(1, 2), name="greetings.send")
def greet(name: str, queue: str = "x", *, tags: list[str] = []) -> str:  # noqa: B006 - the point of a test below
    tags.append(name)
    return f"{name} {queue}"


@job
async def fetch(url: str) -> str:
    return url


def test_a_job_function_is_still_called() -> None:
    """With its own arguments and result, and its own name and docstring."""
    assert add(1, right=2) == 3
    assert greet("ana") == "ana x"
    assert (add.__name__, add.__doc__) == ("add", "Add two numbers.")


def test_parameters_are_arguments() -> None:
    """Under their own names, positional and named, checked by their annotations."""
    assert dump(add.to_job(1, right=2)) == '{"left":1,"right":2}'
    assert dump(add.to_job(1)) == '{"left":1,"right":1}'
    with pytest.raises(InvalidArguments, match="add cannot take these arguments: left='x'"):
        dump(add.to_job("x"))  # type: ignore[arg-type]  # the point of the test
    with pytest.raises(InvalidArguments, match="missing: 'left'"):
        add.to_job()  # type: ignore[call-arg]  # the point of the test


def test_a_parameter_may_be_called_like_a_setting() -> None:
    """`name` and `queue` are good names for parameters; payloads have them as they are."""
    text = dump(greet.to_job("ana", queue="y"))
    assert text == '{"name":"ana","queue":"y","tags":[]}'
    assert load(greet.job, text).handle() == "ana y"
    assert from_data(greet.job, ["bo"]).handle() == "bo x"


def test_a_mutable_default_belongs_to_one_job() -> None:
    """Jobs do not share the list that calls of the function would share."""
    first, second = greet.to_job("ana"), greet.to_job("bo")
    first.handle()
    assert dump(second) == '{"name":"bo","queue":"x","tags":[]}'


def test_settings_are_those_of_a_class() -> None:
    """Checked as there."""
    assert declared(greet.job) == Settings(tries=3, backoff=(1, 2))
    assert greet.job.queue == "mail"
    assert registered_name(greet.job) == "greetings.send"
    assert registered_name(add.job) == "add"
    with pytest.raises(JobDefinitionError, match=r"@job on work\(\)\.tries must be a whole number"):
        _make(tries="3")
    with pytest.raises(JobDefinitionError, match=r"there is no setting 'trys'\. Known: name, queue"):
        _make(trys=3)


def _make(**settings: Any) -> FunctionJob[[], None]:
    def work() -> None: ...

    decorated: FunctionJob[[], None] = job(**settings)(work)
    return decorated


def test_a_function_knows_where_it_is_written() -> None:
    """File and line of its decorator, for messages about clashes."""
    assert place_of(add.job) == f"{__file__}:{inspect.getsourcelines(add.function)[1]}"


def test_a_coroutine_function_is_an_async_job() -> None:
    """Its `handle` is a coroutine function too, so that the runner knows before it calls."""
    assert inspect.iscoroutinefunction(fetch.to_job("u").handle)
    assert not inspect.iscoroutinefunction(add.to_job(1).handle)


@pytest.mark.parametrize("parameter", ["*args", "**kwargs", "x, /"])
def test_parameters_without_a_name_of_their_own_are_refused(parameter: str) -> None:
    """They could not be told apart in a payload."""
    namespace: dict[str, Any] = {}
    exec(f"def work({parameter}): ...", namespace)  # noqa: S102 - builds the signature under test
    with pytest.raises(JobDefinitionError, match=r"@job on work\(\): the parameter .*only plain parameters travel"):
        job(namespace["work"])


def test_current_job_is_an_error_outside_a_run() -> None:
    """There is none."""
    with pytest.raises(NotRunning, match="only while a job runs"):
        current_job()
