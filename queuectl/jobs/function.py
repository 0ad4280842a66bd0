"""Functions as jobs: `@job` gives an object that is called as the function and dispatched as a job."""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any, Generic, ParamSpec, TypeVar, cast, overload

from queuectl.errors import JobDefinitionError
from queuectl.jobs.definition import Job
from queuectl.jobs.middleware import Middleware
from queuectl.jobs.pending import Pending
from queuectl.jobs.settings import SETTINGS, Delay, check_setting
from queuectl.transactions import Transactional

P = ParamSpec("P")
R = TypeVar("R")
_PARAMETERS = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class FunctionJob(Generic[P, R]):
    """A function that is a job too. Its parameters are the job's arguments."""

    __name__: str

    def __init__(self, function: Callable[P, R], job: type[Job]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.job = job
        """The job class behind it."""

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the function, as if it were no job."""
        return self.function(*args, **kwargs)

    def dispatch(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """Check the arguments, push the job (on `sync`: run it now) and return its uuid."""
        return self._pending().dispatch(*args, **kwargs)

    async def adispatch(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """`dispatch`, for coroutines: the event loop goes on meanwhile."""
        return await self._pending().adispatch(*args, **kwargs)

    def dispatch_sync(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """Run the job here and now, whatever the connection, and return its uuid; what it raises reaches the caller."""
        return self._pending().dispatch_sync(*args, **kwargs)

    def on_queue(self, queue: str) -> Pending[P]:
        return self._pending().on_queue(queue)

    def on_connection(self, connection: str) -> Pending[P]:
        return self._pending().on_connection(connection)

    def later(self, when: Delay) -> Pending[P]:
        """Hold the job back: seconds, a timedelta, or until a moment."""
        return self._pending().later(when)

    def using(self, connection: str | Transactional) -> Pending[P]:
        """Through the connection of this name; or as part of the transaction of a database connection or session."""
        return self._pending().using(connection)

    def to_job(self, *args: P.args, **kwargs: P.kwargs) -> Job:
        """The job that `dispatch` would push with these arguments, for `dispatch_many`."""
        from queuectl.jobs.arguments import bind

        return bind(self.job, args, kwargs)

    def dispatch_many(self, jobs: Iterable[Job]) -> list[str]:
        return self._pending().dispatch_many(jobs)

    def dispatch_stream(self, jobs: Iterable[Job]) -> int:
        return self._pending().dispatch_stream(jobs)

    def __repr__(self) -> str:
        return f"<job {self.job.__name__}>"

    def _pending(self) -> Pending[P]:
        return Pending(cast("Callable[P, object]", self.job))


@overload
def job(function: Callable[P, R], /) -> FunctionJob[P, R]: ...
@overload
def job(
    *,
    name: str | None = None,
    queue: str | None = None,
    connection: str | None = None,
    tries: int | None = None,
    backoff: int | Sequence[int] | None = None,
    timeout: int | None = None,
    fail_on_timeout: bool | None = None,
    max_exceptions: int | None = None,
    retry_until: Delay | None = None,
    delay: Delay | None = None,
    unique: bool | Callable[[Any], str] | None = None,
    unique_for: float | timedelta | None = None,
    unique_until: str | None = None,
    debounce: float | timedelta | None = None,
    debounce_key: Callable[[Any], str] | None = None,
    after_commit: bool | None = None,
    middleware: Sequence[Middleware] | None = None,
) -> Callable[[Callable[P, R]], FunctionJob[P, R]]: ...
def job(function: Callable[..., Any] | None = None, /, **settings: Any) -> Any:
    """Make a function a job: `@job`, or `@job(tries=3, queue="mail")` with the settings of a `Job` class.

    The function is still called as before; `.dispatch(…)` takes its parameters. While it runs as a job,
    `current_job()` is what `self` is to a class: `.attempts`, `.release()`, `.fail()`.
    """
    if function is None:
        return functools.partial(_function_job, settings=settings)
    return _function_job(function, settings=settings)


def _function_job(function: Callable[..., Any], *, settings: dict[str, Any]) -> FunctionJob[..., Any]:
    for name, value in settings.items():
        _check(function, name, value)
    return FunctionJob(function, _job_class(function, settings))


def _check(function: Callable[..., Any], name: str, value: Any) -> None:
    owner = f"@job on {function.__name__}()"
    if name not in SETTINGS:
        raise JobDefinitionError(f"{owner}: there is no setting {name!r}. Known: {', '.join(SETTINGS)}.")
    check_setting(owner, name, value)


def _job_class(function: Callable[..., Any], settings: dict[str, Any]) -> type[Job]:
    """A job class whose arguments are the function's parameters and whose `handle` calls it."""
    parameters = inspect.signature(function).parameters.values()
    fields = {parameter.name: _attribute(parameter.name) for parameter in parameters}
    namespace = {
        "__module__": function.__module__,
        "__qualname__": function.__qualname__,
        "__doc__": function.__doc__,
        "__annotations__": {fields[p.name]: _annotation(function, p) for p in parameters},
        "_place": _place(function),
        "_renamed": {name: attribute for name, attribute in fields.items() if name != attribute},
        "handle": _handler(function, fields),
        **{fields[p.name]: _field(p) for p in parameters},
        **{name: value for name, value in settings.items() if value is not None},
    }
    return type(function.__name__, (Job,), namespace)


def _handler(function: Callable[..., Any], fields: dict[str, str]) -> Callable[[Job], Any]:
    def handle(self: Job) -> Any:
        return function(**{name: getattr(self, attribute) for name, attribute in fields.items()})

    async def handle_async(self: Job) -> Any:
        return await handle(self)

    return handle_async if inspect.iscoroutinefunction(function) else handle


def _attribute(parameter: str) -> str:
    return f"{parameter}_" if hasattr(Job, parameter) else parameter


def _annotation(function: Callable[..., Any], parameter: inspect.Parameter) -> Any:
    if parameter.kind not in _PARAMETERS:
        raise JobDefinitionError(
            f"@job on {function.__name__}(): the parameter {parameter} cannot be an argument of a job; "
            "only plain parameters travel, under their names."
        )
    return Any if parameter.annotation is parameter.empty else parameter.annotation


def _field(parameter: inspect.Parameter) -> Any:
    keyword_only = parameter.kind is parameter.KEYWORD_ONLY
    if parameter.default is parameter.empty:
        return dataclasses.field(kw_only=keyword_only)
    if parameter.default.__class__.__hash__ is not None:
        return dataclasses.field(kw_only=keyword_only, default=parameter.default)
    # A function may have [] as its default, and change it when it is called: each job gets one as it was written.
    written = copy.deepcopy(parameter.default)
    return dataclasses.field(kw_only=keyword_only, default_factory=functools.partial(copy.deepcopy, written))


def _place(function: Callable[..., Any]) -> str:
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"
