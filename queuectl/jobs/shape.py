"""The shape of a job's arguments: names, types, and the pydantic adapter that checks them and writes them as JSON."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, KeysView, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, cast

from queuectl.errors import JobDefinitionError
from queuectl.jobs.plain import PlainAdapter, comes_back, plain_schema

if TYPE_CHECKING:
    from pydantic import ConfigDict, TypeAdapter
    from pydantic_core import CoreSchema
    from pydantic_core.core_schema import CoreConfig

    from queuectl.jobs.definition import Job

_CACHE = "_shape"


@dataclasses.dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a job."""

    name: str
    """As it is called in `dispatch` and in payloads."""
    attribute: str
    """As the job instance calls it; another name only where a function's parameter is called like a setting."""
    type: Any
    required: bool
    keyword_only: bool


class Shape:
    """The arguments of one job class, in order."""

    def __init__(self, cls: type[Job]) -> None:
        self.job = cls.__name__
        self.arguments = _arguments_of(cls)

    @classmethod
    def of(cls, job: type[Job]) -> Shape:
        """The shape of a job class, made on first use and kept on the class."""
        found: Shape | None = vars(job).get(_CACHE)
        if found is None:
            found = cls(job)
            setattr(job, _CACHE, found)
        return found

    @cached_property
    def names(self) -> list[str]:
        return [argument.name for argument in self.arguments]

    @cached_property
    def keys(self) -> KeysView[str]:
        """The names, to be compared with those of a dictionary."""
        return dict.fromkeys(self.names).keys()

    @cached_property
    def is_renamed(self) -> bool:
        """Does the job call any of them by another name?"""
        return any(argument.name != argument.attribute for argument in self.arguments)

    @cached_property
    def positional(self) -> list[str]:
        return [argument.name for argument in self.arguments if not argument.keyword_only]

    @cached_property
    def sole_record(self) -> str | None:
        """The one argument's name, if there is exactly one and it is a mapping or a record."""
        if len(self.arguments) == 1 and _is_record(self.arguments[0].type):
            return self.arguments[0].name
        return None

    @cached_property
    def adapter(self) -> TypeAdapter[dict[str, Any]] | PlainAdapter:
        """Checks and converts `{name: value}`. Built on first use: importing pydantic costs more than most programs."""
        if self._plain is not None:
            return PlainAdapter.of(_fields_schema(self.arguments, self._plain), _config())
        return self._pydantic()

    @cached_property
    def validate_python(self) -> Callable[..., dict[str, Any]]:
        """The core's own method, of which an adapter's is a wrapper that costs as much again."""
        return cast("Callable[..., dict[str, Any]]", self.adapter.validator.validate_python)

    @cached_property
    def validate_json(self) -> Callable[..., dict[str, Any]]:
        return cast("Callable[..., dict[str, Any]]", self.adapter.validator.validate_json)

    @cached_property
    def to_json(self) -> Callable[..., bytes]:
        return cast("Callable[..., bytes]", self.adapter.serializer.to_json)

    @cached_property
    def comes_back(self) -> bool:
        """Is it known of these types that what has been checked and written comes back equal?"""
        return self._plain is not None and all(map(comes_back, self._plain))

    @cached_property
    def _plain(self) -> list[CoreSchema] | None:
        found = [plain_schema(argument.type) for argument in self.arguments]
        return None if None in found else cast("list[CoreSchema]", found)

    def _pydantic(self) -> TypeAdapter[dict[str, Any]]:
        from pydantic import TypeAdapter
        from pydantic.errors import PydanticUserError
        from pydantic_core import SchemaError

        try:
            return TypeAdapter(_schema_of(self.arguments), config=cast("ConfigDict", _config()))
        except (PydanticUserError, SchemaError, NameError, TypeError) as error:
            reason = str(error).partition("\n")[0]
            raise JobDefinitionError(f"An argument of {self.job} has a type that cannot travel: {reason}") from error


def _arguments_of(cls: type[Job]) -> tuple[Argument, ...]:
    hints = _hints_of(cls)
    names = {attribute: name for name, attribute in cls._renamed.items()}
    return tuple(
        Argument(
            name=names.get(field.name, field.name),
            attribute=field.name,
            type=hints[field.name],
            required=field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
            keyword_only=bool(field.kw_only),
        )
        for field in dataclasses.fields(cast("Any", cls))
        if field.init
    )


def _hints_of(cls: type[Job]) -> Mapping[str, Any]:
    try:
        return typing.get_type_hints(cls, include_extras=True)
    except NameError as error:
        raise JobDefinitionError(
            f"An annotation of {cls.__name__} cannot be resolved: {error}. Types of arguments are needed when a job "
            "runs: import them at the top of the module, not under `if TYPE_CHECKING`."
        ) from error


def _schema_of(arguments: tuple[Argument, ...]) -> Any:
    from pydantic import GetCoreSchemaHandler

    class Arguments:
        """A dictionary of exactly these names; unlike a TypedDict's, its strictness does not reach further down."""

        @classmethod
        def __get_pydantic_core_schema__(cls, _source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
            schemas = [handler.generate_schema(_revealing(argument.type)) for argument in arguments]
            return _fields_schema(arguments, schemas)

    return Arguments


def _fields_schema(arguments: tuple[Argument, ...], schemas: Sequence[Any]) -> CoreSchema:
    from pydantic_core import core_schema

    fields = {
        argument.name: core_schema.typed_dict_field(schema, required=argument.required)
        for argument, schema in zip(arguments, schemas, strict=True)
    }
    return core_schema.typed_dict_schema(fields, extra_behavior="forbid", config=_config())


def _config() -> CoreConfig:
    return {
        "ser_json_bytes": "base64",
        "val_json_bytes": "base64",
        "ser_json_inf_nan": "constants",  # seen and refused, where the default would quietly write null
        "allow_inf_nan": False,
    }


def _revealing(kind: Any) -> Any:
    """*kind* such that a secret travels as itself; pydantic would write `**********`."""
    from pydantic import PlainSerializer, SecretBytes, SecretStr

    if kind in (SecretStr, SecretBytes):
        return Annotated[kind, PlainSerializer(lambda secret: secret.get_secret_value(), when_used="json")]
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return typing.Union[tuple(map(_revealing, typing.get_args(kind)))]  # noqa: UP007 - built from a tuple
    return kind


def _is_record(kind: Any) -> bool:
    origin = typing.get_origin(kind)
    if origin is Annotated:
        return _is_record(typing.get_args(kind)[0])
    if origin in (typing.Union, types.UnionType):
        return any(map(_is_record, typing.get_args(kind)))
    found = origin or kind
    if not isinstance(found, type):
        return False
    return issubclass(found, Mapping) or dataclasses.is_dataclass(found) or hasattr(found, "model_fields")
