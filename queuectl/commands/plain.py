"""Text, whole numbers, fractions and flags need no schema library.

Recent versions of Typer import pydantic to turn the words of a command line into values: 60 ms for every command.
Where a parameter has one of the few types our commands use, it is converted here instead; older versions of Typer,
which do not have that method, convert such types themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, get_args, get_origin

import typer
from typer.core import TyperCommand

if TYPE_CHECKING:
    from queuectl.commands.typing import Context, Parameter

_NAMES = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}


class PlainType:
    """Converts the words of one parameter."""

    def __init__(self, kind: Callable[[Any], Any], *, many: bool, least: float | None) -> None:
        self._kind, self._many, self._least = kind, many, least

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        if self._many:
            return [self._one(item, param, ctx) for item in value or ()]
        return None if value is None else self._one(value, param, ctx)

    def _one(self, value: Any, param: Any, ctx: Any) -> Any:
        try:
            found = self._kind(value)
        except ValueError:
            raise typer.BadParameter(f"{value!r} is not {self._name}.", ctx=ctx, param=param) from None
        if self._least is not None and found < self._least:
            raise typer.BadParameter(f"{value!r} is less than {self._least:g}.", ctx=ctx, param=param)
        return found

    @property
    def _name(self) -> str:
        return next((name for kind, name in _NAMES.items() if kind is self._kind), "valid")


class PlainCommand(TyperCommand):
    """A command whose parameters, `--help` included, convert their words without Typer's schemas."""

    def get_params(self, ctx: Context) -> list[Parameter]:
        return with_plain_types(super().get_params(ctx))

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        """Without the arguments that are not for people."""
        shown = [one for one in self.get_params(ctx) if not getattr(one, "hidden", False)]
        return [self.options_metavar or "", *(piece for one in shown for piece in one.get_usage_pieces(ctx))]


def with_plain_types(parameters: list[Parameter]) -> list[Parameter]:
    for parameter in parameters:
        described = getattr(parameter, "type_descriptor", None)
        if described is not None and hasattr(parameter, "get_runtime_param"):
            _use_plain_type(parameter, described.annotation)
    return parameters


def _use_plain_type(parameter: Any, annotation: Any) -> None:
    many = get_origin(annotation) is list
    kind = get_args(annotation)[0] if many else annotation
    if kind in _NAMES:
        plain = PlainType(kind, many=many, least=parameter.min)
        parameter.get_runtime_param = lambda: plain
