"""Does one JSON schema take whatever another one took? Where that is not certain, the answer is no."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]
_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_READ = {*_LEAST, *_MOST, "type", "enum", "const", "anyOf", "oneOf", "items", "properties", "required", "$ref", "$defs"}
_READ |= {"additionalProperties", "discriminator"}
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", type(None): "null"}


def accepts(new: Schema, old: Schema) -> bool:
    """Does every value that fits *old* fit *new*?"""
    return _Widening(new, old).accepts(new, old)


class _Widening:
    """Two documents, whose references are followed each in its own."""

    def __init__(self, new: Schema, old: Schema) -> None:
        self._new_definitions, self._old_definitions = new.get("$defs", {}), old.get("$defs", {})
        self._assumed: set[tuple[str, str]] = set()
        """Pairs of references that are being compared: what refers to itself is met again on the way."""

    def accepts(self, new: Any, old: Any) -> bool:
        pair = _reference(new), _reference(old)
        if all(pair) and pair in self._assumed:
            return True
        self._assumed.add(pair)
        new, old = self._followed(new, self._new_definitions), self._followed(old, self._old_definitions)
        if not new:
            return True
        if choices := _choices(old):
            return all(self.accepts(new, choice) for choice in choices)
        if choices := _choices(new):
            return any(self.accepts(choice, old) for choice in choices)
        return self._accepts_one(new, old)

    def _followed(self, schema: Any, definitions: Schema) -> Schema:
        while reference := _reference(schema):
            schema = definitions.get(reference.rpartition("/")[2], {"$broken": reference})
        return {} if schema is True else schema

    def _accepts_one(self, new: Schema, old: Schema) -> bool:
        if "enum" in old or "const" in old:
            return all(_takes(new, value) for value in _values(old))
        if "enum" in new or "const" in new:
            return False
        return (
            _same_kind(new, old)
            and _within_limits(new, old)
            and _keeps_the_rest(new, old)
            and self._accepts_items(new, old)
            and self._accepts_properties(new, old)
        )

    def _accepts_items(self, new: Schema, old: Schema) -> bool:
        return "items" not in new or self.accepts(new["items"], old.get("items", {}))

    def _accepts_properties(self, new: Schema, old: Schema) -> bool:
        if not set(new.get("required", ())) <= set(old.get("required", ())):
            return False
        properties, others = new.get("properties", {}), new.get("additionalProperties", True)
        known = all(
            self._accepts_property(properties.get(name, others), schema)
            for name, schema in old.get("properties", {}).items()
        )
        former = old.get("additionalProperties", False)  # a record is written with the names that it has
        return known and (former is False or self._accepts_property(others, former))

    def _accepts_property(self, new: Any, old: Any) -> bool:
        return new is not False and self.accepts(new, old)


def _reference(schema: Any) -> str:
    return schema.get("$ref", "") if isinstance(schema, Mapping) else ""


def _choices(schema: Schema) -> list[Schema]:
    return list(schema.get("anyOf") or schema.get("oneOf") or ())


def _values(schema: Schema) -> list[Any]:
    return schema["enum"] if "enum" in schema else [schema["const"]]


def _takes(schema: Schema, value: Any) -> bool:
    """This one value; limits that it would have to be measured against are not looked at: then no."""
    if "enum" in schema or "const" in schema:
        return value in _values(schema)
    return schema.keys() == {"type"} and _same_kind(schema, {"type": _TYPES.get(type(value))})


def _same_kind(new: Schema, old: Schema) -> bool:
    kinds = new.get("type"), old.get("type")
    return kinds[0] is None or kinds[0] == kinds[1] or kinds == ("number", "integer")


def _within_limits(new: Schema, old: Schema) -> bool:
    least = all(key in old and new[key] <= old[key] for key in _LEAST if key in new)
    return least and all(key in old and new[key] >= old[key] for key in _MOST if key in new)


def _keeps_the_rest(new: Schema, old: Schema) -> bool:
    """What is not understood here (a pattern, a format, a type without a schema) has to be as it was."""
    return all(old.get(key) == value for key, value in new.items() if key not in _READ)
