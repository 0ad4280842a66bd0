"""The contract of a job: its arguments in order, each with the JSON schema that its values must fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from queuectl.errors import ConfigurationError, JobDefinitionError

if TYPE_CHECKING:
    from queuectl.jobs.definition import Job
    from queuectl.jobs.registry import Registry

Schema = Mapping[str, Any]
_COMMENTS = {"title", "description", "default", "examples", "deprecated", "writeOnly", "readOnly"}
_NAMED = {"properties", "$defs", "patternProperties"}
"""Keys below which any name may stand, also one that is a comment elsewhere."""
UNWRITTEN = "x-python"
"""The key under which a type is named that has no schema of its own."""


@dataclass(frozen=True, slots=True)
class Field:
    """One argument."""

    name: str
    required: bool
    schema: Schema


@dataclass(frozen=True, slots=True)
class Contract:
    """What a payload of one job may and must carry."""

    arguments: tuple[Field, ...]

    @property
    def names(self) -> list[str]:
        return [argument.name for argument in self.arguments]

    @property
    def by_name(self) -> dict[str, Field]:
        return {argument.name: argument for argument in self.arguments}


def contracts_of(registry: Registry) -> dict[str, Contract]:
    """Of every job that can be dispatched. `ConfigurationError` for one whose arguments cannot travel."""
    try:
        return {name: contract_of(registry.get(name)) for name in registry.names()}
    except JobDefinitionError as error:
        raise ConfigurationError(str(error)) from error


def contract_of(cls: type[Job]) -> Contract:
    from queuectl.jobs.shape import Shape

    shape = Shape.of(cls)
    _ = shape.adapter  # says what is wrong with a type that cannot travel at all
    return Contract(tuple(Field(one.name, one.required, schema_of(one.type)) for one in shape.arguments))


def schema_of(kind: Any) -> Schema:
    """What values of this type look like in JSON, without what is only said about them.

    A type that has no such description is named instead; whether it has changed inside, nobody can tell then.
    """
    from pydantic import TypeAdapter
    from pydantic.errors import PydanticUserError

    from queuectl.contracts.exact_schema import ExactSchema

    try:
        return without_comments(TypeAdapter(kind).json_schema(schema_generator=ExactSchema))
    except PydanticUserError:
        return {UNWRITTEN: f"{kind.__module__}.{kind.__qualname__}" if isinstance(kind, type) else str(kind)}


def without_comments(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema without titles, descriptions and defaults: what they say changes, and refuses no value."""
    kept = {key: _within(key, value) for key, value in schema.items() if key not in _COMMENTS}
    if kept.get("format") == "password":  # how a secret is told; any text is one
        del kept["format"]
    return kept


def _within(key: str, value: Any) -> Any:
    if key in _NAMED and isinstance(value, Mapping):
        return {name: without_comments(inner) for name, inner in value.items() if isinstance(inner, Mapping)}
    if isinstance(value, Mapping):
        return without_comments(value)
    if isinstance(value, list):
        return [without_comments(item) if isinstance(item, Mapping) else item for item in value]
    return value


def words_of(schema: Schema) -> str:
    """A schema in few words, for people: `integer`, `array of string`, `string or null`."""
    choices: Iterable[Schema] = schema.get("anyOf") or schema.get("oneOf") or ()
    if choices:
        return " or ".join(map(words_of, choices))
    if "enum" in schema or "const" in schema:
        return " or ".join(repr(value) for value in schema.get("enum", [schema.get("const")]))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if schema.get("type") == "array":
        return f"array of {words_of(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or schema.get(UNWRITTEN) or "anything")
