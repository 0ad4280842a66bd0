"""One run of the command line: what its global options said, and the application they lead to, built when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from queuectl.commands.output import Output
from queuectl.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    import typer

    from queuectl.app import App
    from queuectl.clock import Clock
    from queuectl.config import Config


class Session:
    """What every command is given."""

    def __init__(self, output: Output, *, clock: Clock | None = None) -> None:
        """*clock*: another one than the host's and the stores'."""
        self.output = output
        self._clock = clock
        self.words: Sequence[str] = ()
        """The command line, as it was typed."""
        self.config_path: str | None = None
        self.verbosity = 0
        self.interactive = True
        self._config: Config | None = None
        self._app: App | None = None

    @classmethod
    def of(cls, context: typer.Context) -> Session:
        session = context.find_object(cls)
        if session is None:
            raise TypeError("The command line was not started by queuectl.cli.main.")
        return session

    @property
    def config(self) -> Config:
        if self._config is None:
            from queuectl.config.loading import load

            self._config = load(self.config_path)
            for note in self._config.notes:
                self.output.warn(note)
        return self._config

    @property
    def app(self) -> App:
        if self._app is None:
            from queuectl.app import App

            self._app = App(self.config, clock=self._clock)
        return self._app

    def close(self) -> None:
        if self._app is not None:
            self._app.close()

    # Telling and asking

    def tell(self, error: BaseException, message: str, hint: str | None) -> None:
        """An error in one line, with its hint; at -vv the traceback as well."""
        from queuectl.jobs.masking import mask

        if self.verbosity > 1:
            import traceback

            from queuectl.commands.text import safe

            self.output.note(safe(mask("".join(traceback.format_exception(error))), lines=True))
        line, details = mask(message), ""
        if isinstance(error, ConfigurationError):  # ours, of several lines where the application cannot be imported
            line, _, details = line.partition("\n")
        self.output.error(line, hint and mask(hint), details=details)

    def confirm(self, question: str, *, flag: str) -> bool:
        """Whether somebody says yes. `UsageError` where nobody can be asked: then only *flag* means yes."""
        if not (self.interactive and self.output.can_ask):
            raise UsageError(f"{question} Nobody can be asked here.", hint=f"Add {flag} to mean yes.")
        return self.output.confirm(question)
