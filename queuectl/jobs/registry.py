"""The jobs by name. The only way from a name in a payload to code: exact matches, or nothing."""

from __future__ import annotations

import difflib
import pkgutil
import sys
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from queuectl.errors import ConfigurationError, DuplicateJob, UnknownJob
from queuectl.jobs.declaration import Declaration
from queuectl.jobs.definition import Job, has_failed_hook, is_complete, place_of, registered_name
from queuectl.jobs.function import FunctionJob
from queuectl.jobs.installed import installed_jobs
from queuectl.jobs.limits import Settings
from queuectl.jobs.settings import declared

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

BUILT_IN = {
    "SendNotificationJob": "queuectl.jobs.send_notification",
    "ProcessImageJob": "queuectl.jobs.process_image",
}
"""Jobs in the box, imported when they are asked for."""
BUILT_IN_DECLARATIONS = {
    "SendNotificationJob": Declaration(Settings(tries=3, backoff=(10, 30, 60)), has_failed=True),
    "ProcessImageJob": Declaration(Settings(tries=3), has_failed=False),
}
"""What these say of themselves, so that a child that never meets one need not import it."""
FRAMES = 3
"""Of the traceback of a failed import, the innermost in the application."""


class Registry:
    """Job classes by their registered names; the built-in ones always among them."""

    def __init__(self) -> None:
        self._jobs: dict[str, type[Job]] = {}

    def add(self, cls: type[Job]) -> None:
        """Register a class; once more changes nothing. `DuplicateJob` if another one has its name."""
        name = registered_name(cls)
        if self._jobs.get(name) is cls:
            return
        other = self._place(name)
        if other is not None and other != place_of(cls) and not self._is_redefined(name, cls):
            raise DuplicateJob(
                f"Two jobs are called {name!r}: {other} and {place_of(cls)}.",
                hint='Give one of them another name: `name = "…"` in the class, or `@job(name="…")`.',
            )
        self._jobs[name] = cls

    def get(self, name: str) -> type[Job]:
        """The class of this name; `UnknownJob` that lists the known ones."""
        if name not in self._jobs and name in BUILT_IN:
            self._jobs[name] = getattr(import_module(BUILT_IN[name]), name)
        try:
            return self._jobs[name]
        except KeyError:
            raise UnknownJob(self._unknown(name)) from None

    def names(self) -> list[str]:
        return sorted({*self._jobs, *BUILT_IN})

    def declarations(self, *, all_failures: bool = False) -> dict[str, Declaration]:
        """What every job declares, by name. *all_failures*: somebody wants to hear of each, as a `failed` hook does."""
        built_in = {name: replace(found, has_failed=True) for name, found in BUILT_IN_DECLARATIONS.items()}
        found = {
            name: Declaration(declared(cls), all_failures or has_failed_hook(cls)) for name, cls in self._jobs.items()
        }
        return {**(built_in if all_failures else BUILT_IN_DECLARATIONS), **found}

    def load(self, modules: Iterable[str], root: Path) -> None:
        """Import *modules* (a package stands for all modules in it) from *root*, and what is installed, and register
        the jobs in them. `ConfigurationError` with the end of the traceback if one cannot be imported.
        """
        if str(root) not in sys.path:
            sys.path.insert(0, str(root))
        for name in modules:
            self._add_all(_import_tree(name, root))
        for point in installed_jobs():
            self._add_loaded(_load(point))

    def _add_all(self, modules: Iterable[ModuleType]) -> None:
        for module in modules:
            for value in list(vars(module).values()):
                self._add_if_job(value)

    def _add_loaded(self, found: Any) -> None:
        if isinstance(found, ModuleType):
            self._add_all([found])
        else:
            self._add_if_job(found)

    def _add_if_job(self, value: Any) -> None:
        if isinstance(value, FunctionJob):
            self.add(value.job)
        elif isinstance(value, type) and issubclass(value, Job) and is_complete(value):
            self.add(value)

    def _place(self, name: str) -> str | None:
        """Where the class that has this name is written; None if the name is free."""
        if name in self._jobs:
            return place_of(self._jobs[name])
        if name in BUILT_IN:
            spec = find_spec(BUILT_IN[name])
            return spec.origin if spec else None
        return None

    def _is_redefined(self, name: str, cls: type[Job]) -> bool:
        """Is *cls* the class of that name once more: its module loaded again, or a notebook's cell run again?"""
        former = self._jobs.get(name)
        if former is None:
            return cls.__module__ == BUILT_IN[name]
        return (former.__module__, former.__qualname__) == (cls.__module__, cls.__qualname__)

    def _unknown(self, name: str) -> str:
        near = difflib.get_close_matches(name, self.names(), n=1)
        guess = f" Did you mean {near[0]!r}?" if near else ""
        return f"No job is registered as {name[:255]!r}.{guess} Known: {', '.join(self.names())}."


def imported(place: str, root: Path) -> Any:
    """What `module:attribute` of the configuration leads to; `ConfigurationError` where that is nothing to call."""
    name, _, attributes = place.partition(":")
    found: Any = _import(name, root, "middleware")
    for attribute in attributes.split("."):
        found = getattr(found, attribute, None)
    if not callable(found):
        raise ConfigurationError(f"middleware: {place!r} is {'nothing' if found is None else 'not callable'}.")
    return found


def _import_tree(name: str, root: Path) -> Iterator[ModuleType]:
    """The module, and if it is a package, every module below it."""
    module = _import(name, root)
    yield module
    for found in pkgutil.iter_modules(getattr(module, "__path__", ()), f"{name}."):
        if not found.name.endswith(".__main__"):
            yield from _import_tree(found.name, root)


def _import(name: str, root: Path, key: str = "jobs") -> ModuleType:
    try:
        return import_module(name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # also a module that calls sys.exit()
        raise ConfigurationError(
            f"The {key} module {name!r} cannot be imported from {root}: {_told(error)}",
            hint=f"`{key}` in conf/queue.toml names it.",
        ) from error


def _load(point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as error:
        source = point.dist.name if point.dist else "an installed distribution"
        raise ConfigurationError(
            f"The jobs {point.value!r} that {source} brings cannot be imported: {_told(error)}"
        ) from error


def _told(error: BaseException) -> str:
    """The error, and the last lines of its traceback in the application: where it happened."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _leads_there(frame.filename)]
    lines = [*traceback.format_list(frames[-FRAMES:]), *traceback.format_exception_only(error)]
    return f"{type(error).__name__}: {error}\n{''.join(lines).rstrip()}"


def _leads_there(filename: str) -> bool:
    importing = filename.startswith("<frozen importlib") or filename == import_module.__code__.co_filename
    return importing or Path(filename).parent == Path(__file__).parent
