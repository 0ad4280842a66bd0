"""Arguments of the types that JSON itself has, checked by pydantic's core without pydantic.

Importing pydantic and building a first adapter with it is half of what a child's start costs, and a program's first
dispatch. What it hands to its core for these types is a page; for all others it is asked itself.
"""

from __future__ import annotations

import types
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from pydantic_core import CoreSchema, SchemaSerializer, SchemaValidator
    from pydantic_core.core_schema import CoreConfig

_LEAVES = {int: "int", str: "str", float: "float", bool: "bool", types.NoneType: "none"}


@dataclass(frozen=True, slots=True)
class PlainAdapter:
    """As much of pydantic's `TypeAdapter` as arguments need."""

    validator: SchemaValidator
    serializer: SchemaSerializer

    @classmethod
    def of(cls, schema: CoreSchema, config: CoreConfig) -> PlainAdapter:
        from pydantic_core import SchemaSerializer, SchemaValidator

        return cls(SchemaValidator(schema, config), SchemaSerializer(schema, config))


def plain_schema(kind: Any) -> CoreSchema | None:
    """What pydantic makes of *kind*; None for a type that it has to be asked about."""
    if kind is Any:
        return cast("CoreSchema", {"type": "any"})
    if isinstance(kind, type) and kind in _LEAVES:
        return cast("CoreSchema", {"type": _LEAVES[kind]})
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return _nullable(parts)
    inner = [plain_schema(part) for part in parts]
    if None in inner:
        return None
    if origin is list:
        return cast("CoreSchema", {"type": "list", "items_schema": inner[0]})
    if origin is dict:
        return cast("CoreSchema", {"type": "dict", "keys_schema": inner[0], "values_schema": inner[1]})
    return None


def _nullable(choices: tuple[Any, ...]) -> CoreSchema | None:
    """`X | None`; which of several types a value is, is for pydantic to say."""
    rest = [choice for choice in choices if choice is not types.NoneType]
    schema = plain_schema(rest[0]) if len(rest) == 1 else None
    return None if schema is None else cast("CoreSchema", {"type": "nullable", "schema": schema})


def comes_back(schema: CoreSchema) -> bool:
    """Does what was checked by this plain schema, and written, always come back equal?

    Not a dictionary, whose keys may be written with something else for what UTF-8 lacks; nor `Any`, which may hold one.
    A whole number does, unless it has thousands of digits.
    """
    parts = cast("dict[str, Any]", schema)
    inner = parts.get("items_schema") or parts.get("schema")
    return parts["type"] in _LEAVES.values() if inner is None else comes_back(inner)
