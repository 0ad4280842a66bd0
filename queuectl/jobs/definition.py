"""What a job is: a class whose annotated attributes are its arguments and whose plain attributes are its settings."""

from __future__ import annotations

import dataclasses
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar, ParamSpec, cast, dataclass_transform

from queuectl.errors import JobDefinitionError, ManuallyFailed
from queuectl.jobs.masking import MASK, is_secret
from queuectl.jobs.pending import ANYWHERE, Pending, dispatch, dispatch_beside
from queuectl.jobs.progress import show
from queuectl.jobs.running import state_of
from queuectl.jobs.runtime import current
from queuectl.jobs.settings import Delay, check_settings, is_class_variable, own_annotations, span
from queuectl.transactions import Transactional, caller_of

P = ParamSpec("P")


@dataclass_transform(field_specifiers=(dataclasses.field,))
class Job:
    """The base of all jobs. Subclass it, annotate the arguments, and write `handle`.

        class SendWelcome(Job):
            user_id: int
            locale: str = "fr"

            queue = "mail"
            tries = 3
            backoff = (10, 30, 60)

            def handle(self) -> None: ...

    A subclass of a job inherits its arguments and its settings, except `name`.
    """

    name: ClassVar[str | None] = None
    """The registered name, as payloads have it; the class's own name by default."""
    queue: ClassVar[str | None] = None
    connection: ClassVar[str | None] = None
    tries: ClassVar[int | None] = None
    """Attempts before it fails for good; 0: no limit."""
    backoff: ClassVar[int | Sequence[int] | None] = None
    """Seconds before the attempts 2, 3, …; the last step repeats."""
    timeout: ClassVar[int | None] = None
    """Seconds one attempt may take; 0: no limit."""
    fail_on_timeout: ClassVar[bool | None] = None
    """Fail for good at the first timeout, whatever tries are left."""
    max_exceptions: ClassVar[int | None] = None
    """Fail for good after this many exceptions, whatever tries are left (releases do not count)."""
    # Not annotated, this one and those below it: a method may stand in their place, and pyright takes no method for a
    # class variable. What they may be is checked when the class is made.
    retry_until = cast("Any", None)
    """When to stop trying: seconds or a timedelta after dispatch, a moment, or a method. Replaces `tries`."""
    delay: ClassVar[Delay | None] = None
    """How long after dispatch a job is held back."""
    after_commit: ClassVar[bool] = False
    """Dispatch once the transaction that the dispatch is in has been committed (`Pending.after_commit`)."""
    unique = cast("Any", False)
    """At most one such job at a time: of the class, or of each text that a method gives. A second dispatch is none."""
    unique_for: ClassVar[float | timedelta] = 86_400.0
    """Seconds after which the next one is let in, whatever has become of this."""
    unique_until: ClassVar[str] = "done"
    """`"done"`: until it has ended; `"processing"`: until it begins."""
    debounce: ClassVar[float | timedelta | None] = None
    """Wait for so long, and run only the last of those that are dispatched meanwhile."""
    debounce_key = cast("Any", None)
    """Of each text that this method gives, the last; without it, of the class."""
    middleware = cast("Any", ())
    """What stands around `handle`, outermost first; or a method that says it for each job."""

    _place: ClassVar[str] = __file__
    _renamed: ClassVar[Mapping[str, str]] = {}
    """Arguments (of functions) that are called like a setting, with the attributes that hold them."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "_place" not in vars(cls):
            cls._place = _place_outside()
        check_settings(cls)
        _check_arguments(cls)
        _check_methods(cls)
        try:
            dataclasses.dataclass(repr=False)(cls)
        except (TypeError, ValueError) as error:
            raise JobDefinitionError(f"{cls.__name__}: {error}") from None

    def handle(self) -> Any:
        """Do the work; may be `async`. What it returns is ignored; what it raises decides about another attempt."""
        raise NotImplementedError(f"{type(self).__name__} has no handle().")

    def failed(self, error: BaseException) -> Any:
        """Called once when the job has failed for good; may be `async`. Runs on a fresh copy of the job."""

    # While it runs

    @property
    def attempts(self) -> int:
        """Which attempt this is, from 1."""
        return state_of(self, "attempts").attempts

    @property
    def uuid(self) -> str:
        """What this job is called in every store, the same at each attempt."""
        return state_of(self, "uuid").uuid

    @property
    def cancelled(self) -> bool:
        """Whether somebody wants this run to end (`queuectl jobs:cancel --running`). It costs nothing to ask.

        A job that does many things asks before each, and returns or raises `JobCancelled`. One that does not is
        interrupted a little later, as at its time limit.
        """
        return state_of(self, "cancelled").is_cancelled()

    def progress(self, fraction: float, text: str = "") -> None:
        """Tell people how far this is, from 0 to 1; they see it in `queuectl jobs:show` and `queuectl top`."""
        show(state_of(self, "progress()"), fraction, text)

    def release(self, seconds: float | timedelta = 0) -> None:
        """Go back into the queue for that long once `handle` has ended, however it ends. Uses up an attempt."""
        state = state_of(self, "release()")
        state.release_after, state.spared = span(seconds), False

    def snooze(self, seconds: float | timedelta) -> None:
        """As `release`, without using up an attempt: for what must wait through no fault of the job."""
        state = state_of(self, "snooze()")
        state.release_after, state.spared = span(seconds), True

    def fail(self, reason: str | BaseException | None = None) -> None:
        """Fail for good once `handle` has ended, whatever attempts are left."""
        state = state_of(self, "fail()")
        if not isinstance(reason, BaseException):
            reason = ManuallyFailed(reason or f"{registered_name(type(self))} failed itself.")
        state.failure = reason

    def complete_in(self, transaction: Transactional) -> None:
        """Take the job out of its queue as a part of this transaction, which the job then commits: what it did there
        and its acknowledgement are one step, so that the effect happens exactly once. Rolled back, it changes nothing.

        Raises `LeaseGone` if the job has been given to another worker meanwhile; let it roll the transaction back.
        Where jobs run at once there is nothing to take out, and this does nothing.
        """
        current().dispatcher.complete_within(caller_of(transaction), state_of(self, "complete_in()"))

    # On its way

    @classmethod
    def dispatch(cls: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> str:
        """Check the arguments, push the job (on `sync`: run it now) and return its uuid."""
        return dispatch(cls, args, kwargs, ANYWHERE)

    @classmethod
    async def adispatch(cls: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> str:
        """`dispatch`, for coroutines: the event loop goes on meanwhile."""
        return await dispatch_beside(cls, args, kwargs, ANYWHERE)

    @classmethod
    def dispatch_sync(cls: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> str:
        """Run the job here and now, whatever the connection, and return its uuid; what it raises reaches the caller."""
        return Pending(cls).dispatch_sync(*args, **kwargs)

    @classmethod
    def on_queue(cls: Callable[P, object], queue: str) -> Pending[P]:
        return Pending(cls).on_queue(queue)

    @classmethod
    def on_connection(cls: Callable[P, object], connection: str) -> Pending[P]:
        return Pending(cls).on_connection(connection)

    @classmethod
    def later(cls: Callable[P, object], when: Delay) -> Pending[P]:
        """Hold the job back: seconds, a timedelta, or until a moment."""
        return Pending(cls).later(when)

    @classmethod
    def using(cls: Callable[P, object], connection: str | Transactional) -> Pending[P]:
        """Through the connection of this name; or as part of the transaction of a database connection or session."""
        return Pending(cls).using(connection)

    @classmethod
    def dispatch_many(cls, jobs: Iterable[Job]) -> list[str]:
        """Dispatch jobs of any classes, taken from *jobs* a thousand at a time, and return their uuids in order."""
        return Pending(cls).dispatch_many(jobs)

    @classmethod
    def dispatch_stream(cls, jobs: Iterable[Job]) -> int:
        """As `dispatch_many`, in the memory of a thousand jobs however many there are: return only their number."""
        return Pending(cls).dispatch_stream(jobs)

    def __repr__(self) -> str:
        shown = (f"{field.name}={_shown(self, field.name)}" for field in dataclasses.fields(cast("Any", self)))
        return f"{type(self).__qualname__}({', '.join(shown)})"


def registered_name(cls: type[Job]) -> str:
    """What payloads call this class. Not inherited: two classes never share a name by accident."""
    own = vars(cls).get("name")
    return own if isinstance(own, str) else cls.__name__


def place_of(cls: type[Job]) -> str:
    """Where the class is written, as `file:line`."""
    return cls._place


def is_complete(cls: type[Job]) -> bool:
    """Is there a `handle`? Without one a class is a base for others."""
    return cls.handle is not Job.handle


def has_failed_hook(cls: type[Job]) -> bool:
    return cls.failed is not Job.failed


def _shown(job: Job, name: str) -> str:
    return MASK if is_secret(name) else repr(getattr(job, name, None))


def _check_arguments(cls: type[Job]) -> None:
    for name, annotation in own_annotations(cls).items():
        if hasattr(Job, name) and not is_class_variable(annotation):
            raise JobDefinitionError(
                f"{cls.__name__}.{name}: every job has `{name}` already; call the argument something else."
            )


def _check_methods(cls: type[Job]) -> None:
    """A constructor of one's own would hide the arguments, and nobody passes any to `handle`."""
    if "__init__" in vars(cls):
        raise JobDefinitionError(
            f"{cls.__name__}.__init__: the annotated attributes of a job are its arguments, and its constructor is "
            "made from them. What checks or derives values is called `__post_init__(self)`."
        )
    handle = vars(cls).get("handle")
    if inspect.isfunction(handle) and not _takes(handle, cls):
        raise JobDefinitionError(
            f"{cls.__name__}.handle{inspect.signature(handle)} must take nothing but self: "
            "what a job needs are its annotated attributes."
        )


def _takes(function: Callable[..., Any], *arguments: object) -> bool:
    try:
        inspect.signature(function).bind(*arguments)
    except TypeError:
        return False
    return True


def _place_outside() -> str:
    """Where the code outside this module is that creates a class."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__") == __name__:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
