"""One grammar for the question which jobs are meant: the same options, with the same meaning, on every verb."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import wraps
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.models import ArgumentInfo

from queuectl.commands.addresses import doubt, split_list
from queuectl.commands.session import Session
from queuectl.commands.times import moment
from queuectl.config.checking import did_you_mean
from queuectl.errors import UsageError

if TYPE_CHECKING:
    from queuectl.drivers.contract import FailedJob, Stored

_ATTEMPTS = re.compile(r"(\d{1,9})(\+|-(\d{1,9}))?", re.ASCII)
_GLOB = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Attempts:
    """So many, at least so many, or from one number to another."""

    least: int
    most: int | None

    @classmethod
    def parse(cls, words: str) -> Attempts:
        """`3`, `3+` or `2-5`; `UsageError` for anything else."""
        found = _ATTEMPTS.fullmatch(words)
        if found is None:
            raise UsageError(f"--attempts: {words!r} is no number of attempts. 3, 3+ (or more) or 2-5.")
        least = int(found[1])
        if found[2] == "+":
            return cls(least, None)
        return cls(least, int(found[3]) if found[3] else least)

    def hold(self, attempts: int) -> bool:
        return self.least <= attempts and (self.most is None or attempts <= self.most)


@dataclass(frozen=True, slots=True)
class Filter:
    """Which jobs are meant; what is not said lets everything through, what is said has to hold together."""

    queues: tuple[str, ...] = ()
    """Names or globs; one with a colon may begin with the connection's."""
    job: str = ""
    error: str = ""
    error_like: str = ""
    since: float | None = None
    before: float | None = None
    attempts: Attempts | None = None
    group: str = ""
    """How the fingerprint of a failure begins."""
    limit: int | None = None

    @property
    def is_empty(self) -> bool:
        return self == Filter()

    @property
    def only_queue(self) -> str | None:
        """The one queue that can be meant, where a store may as well be asked for that one alone."""
        [queue] = self.queues if len(self.queues) == 1 else [""]
        return None if not queue or ":" in queue or _GLOB.search(queue) else queue

    @property
    def names(self) -> tuple[str, ...]:
        """What may be mistyped."""
        return tuple(filter(None, (*self.queues, self.job, self.error)))

    def doubts(self, *, queues: Iterable[str], jobs: Iterable[str], errors: Iterable[str] = ()) -> Iterator[str]:
        """A sentence for each name that is none of these, but looks like one."""
        known = set(queues)
        yield from filter(None, (doubt(queue, known) for queue in self.queues))
        for kind, wanted, names in (("a job", self.job, jobs), ("an exception", self.error, errors)):
            last = {_last_part(name) for name in names}
            meant = did_you_mean(wanted, last) if wanted and wanted not in last else ""
            if meant:
                yield f"Nothing is known of {kind} [{wanted}].{meant}"

    def matches_failed(self, job: FailedJob) -> bool:
        """All of it but the limit."""
        return (
            self.matches_queue(job.connection, job.queue)
            and _is_called(self.job, job.job)
            and _is_called(self.error, job.error)
            and self.error_like.casefold() in job.message.casefold()
            and self._spans(job.failed_at)
            and (self.attempts is None or self.attempts.hold(job.attempts))
            and job.fingerprint.startswith(self.group)
        )

    def matches_stored(self, stored: Stored, connection: str, *, job: str, created_at: float | None) -> bool:
        """All of it but the limit, of a job in a queue: its age counts from its dispatch."""
        return (
            self.matches_queue(connection, stored.queue)
            and _is_called(self.job, job)
            and (self.attempts is None or self.attempts.hold(stored.attempts))
            and self._spans(created_at)
        )

    def matches_queue(self, connection: str, queue: str) -> bool:
        whole = f"{connection}:{queue}"
        return not self.queues or any(fnmatchcase(queue, one) or fnmatchcase(whole, one) for one in self.queues)

    def require_waiting(self) -> None:
        """`UsageError` where it asks for what only failed jobs have."""
        if self.error or self.error_like:
            option = "--error" if self.error else "--error-like"
            raise UsageError(
                f"{option}: a job in a queue has no error.", hint=f"`queuectl failed {option} …` looks at failed jobs."
            )

    def _spans(self, at: float | None) -> bool:
        """A job that does not tell its age is neither young nor old."""
        if at is None:
            return self.since is None and self.before is None
        return (self.since is None or at >= self.since) and (self.before is None or at < self.before)


def _is_called(wanted: str, name: str) -> bool:
    """By its whole name, or by the last part of a dotted one or of a PHP class."""
    return not wanted or fnmatchcase(name, wanted) or fnmatchcase(_last_part(name), wanted)


def _last_part(name: str) -> str:
    return re.split(r"[.\\]", name)[-1]


# The options


def _filter(
    context: typer.Context,
    queue: Annotated[
        list[str] | None, typer.Option("--queue", metavar="GLOB", help="Of this queue; may be said several times.")
    ] = None,
    job: Annotated[str, typer.Option("--job", metavar="NAME", help="Of this name; * stands for anything.")] = "",
    error: Annotated[str, typer.Option("--error", metavar="TYPE", help="Failed with this exception.")] = "",
    error_like: Annotated[
        str, typer.Option("--error-like", metavar="TEXT", help="With this text in the exception's message.")
    ] = "",
    since: Annotated[str, typer.Option("--since", metavar="TIME", help="Not older than 2h, or than a date.")] = "",
    before: Annotated[str, typer.Option("--before", metavar="TIME", help="Older than 2h, or than a date.")] = "",
    attempts: Annotated[str, typer.Option("--attempts", metavar="N", help="Attempted 3 times, 3+, or 2-5.")] = "",
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="At most so many.", show_default=False)
    ] = None,
) -> Filter:
    """What the options say."""
    return Filter(
        queues=_queues(queue or ()),
        job=job,
        error=error,
        error_like=error_like,
        since=_moment(context, since, "--since"),
        before=_moment(context, before, "--before"),
        attempts=Attempts.parse(attempts) if attempts else None,
        limit=limit,
    )


def _queues(words: Sequence[str]) -> tuple[str, ...]:
    return tuple(queue for one in words for queue in split_list(one))


def _moment(context: typer.Context, words: str, option: str) -> float | None:
    return moment(words, Session.of(context).app.clock.now(), option) if words else None


def _is_argument(parameter: Parameter) -> bool:
    return any(isinstance(info, ArgumentInfo) for info in getattr(parameter.annotation, "__metadata__", ()))


def filtered(command: Callable[..., int]) -> Callable[..., int]:
    """Give *command* the options above; what they say together is its argument `filters`."""
    own = signature(command, eval_str=True)
    options = [one for one in signature(_filter, eval_str=True).parameters.values() if one.name != "context"]

    @wraps(command)
    def run(context: typer.Context, **values: Any) -> int:
        said = {option.name: values.pop(option.name) for option in options}
        return command(context, filters=_filter(context, **said), **values)

    context, *others = (one for one in own.parameters.values() if one.name != "filters")
    arguments = [one for one in others if _is_argument(one)]
    places = [context, *arguments, *options, *(one for one in others if one not in arguments)]
    vars(run)["__signature__"] = own.replace(parameters=places)
    run.__annotations__ = {one.name: one.annotation for one in places}
    return run
