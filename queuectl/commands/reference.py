"""docs/commands.md, made from the commands themselves: `python -m queuectl.commands.reference > docs/commands.md`."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from queuectl.commands import PANELS, Spec, listed
from queuectl.commands.exit_codes import MEANINGS
from queuectl.commands.group import build, load

if TYPE_CHECKING:
    from queuectl.commands.typing import Parameter

HEAD = """\
# All commands

Every command with its arguments and options, as the program itself tells them: this page is made from it, by
`python -m queuectl.commands.reference > docs/commands.md`. [The command line](cli.md) explains what they are for.
"""


def reference() -> str:
    """The whole page."""
    parts = [HEAD, *_everywhere(), *_exit_codes()]
    for panel in PANELS:
        parts.append(f"## {panel}\n")
        parts += ["\n".join(_command(spec)) for spec in listed() if spec.panel == panel]
    return "\n".join(parts)


def _everywhere() -> Iterator[str]:
    yield "## Options of every command\n\nBefore the command's name or after it.\n"
    yield "\n".join(_table(build().params)) + "\n"


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes\n\n| code | meaning |\n|---|---|"
    yield "\n".join(f"| {code} | {_cell(meaning)} |" for code, meaning in MEANINGS) + "\n"


def _command(spec: Spec) -> Iterator[str]:
    command = load(spec, spec.name)
    yield f"### queuectl {spec.name}\n"
    yield f"{_paragraph(command.help or spec.help)}\n"
    yield f"```text\n{_usage(spec, _shown(command.params))}\n```\n"
    if spec.aliases:
        yield f"Also {', '.join(f'`{name}`' for name in spec.aliases)}.\n"
    if own := [one for one in _shown(command.params) if one.expose_value]:
        yield from _table(own)
        yield ""


def _usage(spec: Spec, parameters: Iterable[Parameter]) -> str:
    """Written here: the parser's own way of it differs between its versions."""
    arguments = [one for one in parameters if one.param_type_name == "argument"]
    return " ".join(["queuectl", spec.name, "[OPTIONS]", *map(_argument, arguments)])


def _argument(one: Parameter) -> str:
    name = one.metavar or one.name.upper()
    more = "..." if one.nargs == -1 else ""
    return f"{name}{more}" if one.required else f"[{name}]{more}"


def _paragraph(text: str) -> str:
    """The words of a docstring; what a page would take for emphasis stays what it is."""
    return " ".join(inspect.cleandoc(text).split())


def _shown(parameters: Iterable[Parameter]) -> list[Parameter]:
    return [one for one in parameters if not getattr(one, "hidden", False)]


def _table(parameters: Iterable[Parameter]) -> Iterator[str]:
    yield "| option | default | meaning |"
    yield "|---|---|---|"
    for one in sorted(_shown(parameters), key=lambda one: one.param_type_name != "argument"):
        yield f"| {_names(one)} | {_default(one)} | {_cell(one.help or '')} |"


def _names(one: Parameter) -> str:
    if one.param_type_name == "argument":
        return f"`{_cell(one.metavar or one.name.upper())}`"
    value = "" if one.is_flag or one.count else f" {_cell(one.metavar or 'TEXT')}"
    return ", ".join(f"`{name}{value if name == one.opts[-1] else ''}`" for name in one.opts)


def _default(one: Parameter) -> str:
    """Where there is one that somebody may want to know."""
    if one.required:
        return "required"
    is_said = one.default not in (None, "", False, ()) and one.show_default is not False
    return f"`{_cell(str(one.default))}`" if is_said and not callable(one.default) else ""


def _cell(text: str) -> str:
    return _paragraph(text).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(reference())
