"""The files an application is made of, watched for changes. Needs the package watchfiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from queuectl.errors import ConfigurationError, QueuectlError

if TYPE_CHECKING:
    from watchfiles import DefaultFilter

SUFFIXES = (".py", ".toml")
LOOK = 150
"""Milliseconds between two looks at what the kernel has told. What comes closer together is one change: an editor
writes a file in several steps, and a checkout writes many."""
NEVER_OURS = ("venv", "site-packages", "storage")
"""Folders without code of the application, beside those that watchfiles leaves out itself."""


def changes(places: Sequence[Path]) -> Iterator[list[Path]]:
    """Which files have changed since the last look; often none. For ever.

    `ConfigurationError` where watchfiles is not installed, `QueuectlError` where the kernel watches no more files.
    """
    try:
        from watchfiles import watch
    except ImportError:
        raise ConfigurationError(
            "Watching files needs the Python package 'watchfiles'.", hint="pip install 'queuectl-artisan[watch]'"
        ) from None
    found = watch(
        *places,
        watch_filter=_sources(),
        step=LOOK,
        rust_timeout=LOOK,
        yield_on_timeout=True,
        raise_interrupt=False,
        ignore_permission_denied=True,
    )
    try:
        yield from (sorted({Path(name) for _, name in changed}) for changed in found)
    except OSError as error:
        raise QueuectlError(
            f"{places[0]} cannot be watched: {error}.", hint="WATCHFILES_FORCE_POLLING=1 looks at the files instead."
        ) from error


def _sources() -> DefaultFilter:
    from watchfiles import Change, DefaultFilter

    class Sources(DefaultFilter):
        """Code and configuration, and nothing that runs, caches or stores leave behind."""

        ignore_dirs = (*DefaultFilter.ignore_dirs, *NEVER_OURS)

        def __call__(self, change: Change, path: str) -> bool:
            name = Path(path).name
            return (name.endswith(SUFFIXES) or name == ".env") and super().__call__(change, path)

    return Sources()
