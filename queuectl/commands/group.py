"""The command group: every name from one table, each command's module imported only when it is called."""

from __future__ import annotations

import copy
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from queuectl.commands import PANELS, Spec, by_name, listed
from queuectl.commands.plain import PlainCommand, with_plain_types
from queuectl.commands.session import Session
from queuectl.errors import UsageError

if TYPE_CHECKING:
    from queuectl.commands.typing import Context, Formatter, Parameter

UsageProblem = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[2])
"""The base of whatever the parser raises about the words it was given; it has no public name."""
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 120}


class CommandGroup(TyperGroup):
    """Knows all commands by all of their names, and loads one when it is needed."""

    def get_params(self, ctx: Context) -> list[Parameter]:
        return with_plain_types(super().get_params(ctx))

    def list_commands(self, ctx: Context) -> list[str]:
        return [spec.name for spec in listed()]

    def get_command(self, ctx: Context, cmd_name: str) -> TyperCommand | None:
        spec = by_name().get(cmd_name)
        return None if spec is None else load(spec, cmd_name)

    def require_command(self, ctx: Context, name: str, *others: str) -> TyperCommand:
        """The command of this name; `UsageError` with what was probably meant, perhaps one of the *others*."""
        command = self.get_command(ctx, name)
        if command is None:
            from queuectl.config.checking import did_you_mean

            raise UsageError(
                f"There is no command {name!r}.{did_you_mean(name, (*by_name(), *others))}",
                hint="`queuectl --help` lists them.",
            )
        return command

    def resolve_command(self, ctx: Context, args: list[str]) -> tuple[str | None, TyperCommand | None, list[str]]:
        """`failed show ID` is `failed:show ID`."""
        halves = 2 if ":".join(args[:2]) in by_name() or _is_first_half(args[0]) else 1
        name = ":".join(args[:halves])
        command = self.require_command(ctx, name)
        if halves == 1:
            _doubt_second_word(command, name, args[1:2])
        return name, command, args[halves:]

    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, args or ["--help"])

    def format_commands(self, ctx: Context, formatter: Formatter) -> None:
        for panel in PANELS:
            with formatter.section(panel):
                formatter.write_dl([(spec.name, spec.help) for spec in listed() if spec.panel == panel])


def _is_first_half(word: str) -> bool:
    """Is it no command, but what the names of some begin with?"""
    return word not in by_name() and any(name.startswith(f"{word}:") for name in by_name())


def _doubt_second_word(command: TyperCommand, name: str, following: list[str]) -> None:
    """`jobs lst`: where a command takes no arguments, what follows may be the second half of another one's name."""
    if following and not following[0].startswith("-") and _takes_none(command):
        from queuectl.config.checking import did_you_mean

        guess = did_you_mean(f"{name}:{following[0]}", (one for one in by_name() if one.startswith(f"{name}:")))
        raise UsageError(f"{name} takes no {following[0]!r}.{guess}", hint=f"`queuectl {name} --help` explains it.")


def _takes_none(command: TyperCommand) -> bool:
    return all(parameter.param_type_name != "argument" for parameter in command.params)


def build() -> CommandGroup:
    """The whole command line."""
    return CommandGroup(
        name="queuectl",
        help="Laravel's queues for Python: work, watch and repair them.",
        epilog="Each command is also there under artisan's name, e.g. queue:work.",
        params=[*_global_options(), _version_option()],
        context_settings=SETTINGS,
        rich_markup_mode=None,
    )


def load(spec: Spec, name: str) -> TyperCommand:
    """The command behind a line of the table, with the global options at its end."""
    module, _, attribute = spec.target.partition(":")
    command = _command_of(getattr(import_module(module), attribute))
    command.name = name
    command.params = [*command.params, *_global_options()]
    return command


def _command_of(function: Callable[..., Any]) -> TyperCommand:
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.command(cls=PlainCommand, context_settings=SETTINGS)(function)
    command = get_command(app)
    if not isinstance(command, TyperCommand):
        raise TypeError(f"{function!r} is not a single command.")
    return command


# Global options: before or after the command's name, as artisan takes them


def _globals(
    config: Annotated[str, typer.Option("--config", metavar="FILE", help="Use this configuration file.")] = "",
    quiet: Annotated[bool, typer.Option("-q", "--quiet", "--silent", help="Errors and data only.")] = False,
    verbose: Annotated[
        int, typer.Option("-v", "--verbose", count=True, show_default=False, help="Say more; -vv adds tracebacks.")
    ] = 0,
    no_interaction: Annotated[bool, typer.Option("-n", "--no-interaction", help="Ask nothing.")] = False,
) -> None:
    """The options that every command has."""


def _version(
    version: Annotated[bool, typer.Option("-V", "--version", help="Show the version and exit.")] = False,
) -> None:
    """The one option that only the group has."""


def _global_options() -> list[Parameter]:
    return [_remembered(option) for option in _command_of(_globals).params]


def _version_option() -> Parameter:
    option = copy.copy(_command_of(_version).params[0])
    option.expose_value, option.is_eager, option.callback = False, True, _show_version
    return option


def _remembered(option: Parameter) -> Parameter:
    found = copy.copy(option)
    found.expose_value, found.callback = False, _remember
    return found


def _remember(ctx: Context, option: Parameter, value: Any) -> Any:
    """Note in the session what was said, wherever it was said."""
    session = ctx.find_object(Session)
    if session is None or not value:
        return value
    match option.name:
        case "config":
            session.config_path = value
        case "quiet":
            session.output.quiet = True
        case "verbose":
            session.verbosity += value
        case "no_interaction":
            session.interactive = False
    return value


def _show_version(ctx: Context, option: Parameter, value: bool) -> None:
    if value:
        from queuectl.commands.version import version

        Session.of(ctx).output.line(f"queuectl {version()}")
        raise typer.Exit
