"""A job's arguments on their way: checked and written as JSON text at dispatch, checked and read again at run.

Text is the promise: what `dump` accepts comes back equal from `load`, on every store, at every attempt. What JSON
cannot carry exactly (NaN, lone surrogates, a datetime in an `Any`) is refused at dispatch, before it arrives changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from queuectl.jobs import refusal
from queuectl.jobs.envelope import Envelope
from queuectl.jobs.equality import same
from queuectl.jobs.payload import to_json
from queuectl.jobs.shape import Shape

if TYPE_CHECKING:
    from queuectl.errors import InvalidArguments
    from queuectl.jobs.definition import Job

FEW_DIGITS = 4_000
"""Characters; a text that is shorter holds no number that is too long to be read (4,300 digits)."""


def bind(cls: type[Job], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Job:
    """The job that `dispatch(*args, **kwargs)` means, values not yet checked; `InvalidArguments` for wrong names."""
    shape = Shape.of(cls)
    if not kwargs and shape.sole_record is not None and _names_only(args, shape.sole_record):
        kwargs, args = args[0], []
    if shape.is_renamed:
        return _bind_by_name(cls, shape, args, kwargs)
    try:
        return cls(*args, **kwargs)
    except (TypeError, ValueError) as error:  # wrong names, or a __post_init__ that checks
        raise refusal.refused(shape, *(_misfits(shape, len(args), kwargs) or [str(error)])) from error


def dump(job: Job) -> str:
    """The job's arguments as JSON text. `InvalidArguments` for what does not fit, or would not come back equal."""
    return dumper(type(job))(job)


def dumper(cls: type[Job]) -> Callable[[Job], str]:
    """`dump` for the jobs of one class, with everything looked up that is the same for all of them."""
    shape = Shape.of(cls)
    keys, validate, to_json, comes_back = shape.keys, shape.validate_python, shape.to_json, shape.comes_back

    def dump_one(job: Job) -> str:
        given: Mapping[str, Any] = vars(job)
        if given.keys() != keys:  # renamed, or with attributes that are no arguments
            given = {argument.name: getattr(job, argument.attribute) for argument in shape.arguments}
        try:
            checked = validate(given)
            text = to_json(checked, warnings=False).decode()  # by its other name, "none", four times as slow
            if comes_back and len(text) < FEW_DIGITS:
                return text
            returned = shape.validate_json(text)
        except (ValueError, RecursionError) as error:  # pydantic's are of the first kind
            raise _refusal_of(shape, given, error) from None
        _refuse_constants(shape, text)
        _refuse_changes(shape, checked, returned)
        return text

    return dump_one


def load(cls: type[Job], text: str | bytes) -> Job:
    """The job with the arguments in *text*, an object of names as `dump` writes it."""
    shape = Shape.of(cls)
    _refuse_constants(shape, text if isinstance(text, str) else text.decode())
    try:
        values = shape.validate_json(text)
    except ValueError as error:
        raise _refusal_of(shape, {}, error) from None
    return _build(cls, shape, values)


def from_data(cls: type[Job], data: Any) -> Job:
    """The job with arguments that another program wrote: an object by name, a list by position, nothing at all.

    For a job whose only argument is a mapping or a record, an object without that argument's name is that argument.
    """
    shape = Shape.of(cls)
    try:
        return load(cls, to_json(_by_name(shape, data)))
    except (UnicodeEncodeError, RecursionError, ValueError) as error:
        raise refusal.refused(shape, _cannot_be_written({}, error)) from None


def from_envelope(cls: type[Job], envelope: Envelope) -> Job:
    """The job in a payload, whoever wrote it."""
    text = envelope.arguments
    return from_data(cls, envelope.data) if text is None else load(cls, text)


def _by_name(shape: Shape, data: Any) -> dict[str, Any]:
    if data is None or data == "":  # what PHP sends for "no data"
        return {}
    if isinstance(data, Mapping):
        sole = shape.sole_record
        return dict(data) if sole is None or sole in data else {sole: data}
    if not isinstance(data, list):
        raise refusal.refused(shape, f"{refusal.shown(data)} is neither an object nor a list")
    if len(data) > len(shape.arguments):
        raise refusal.refused(shape, f"{len(data)} values for {len(shape.arguments)} arguments")
    return dict(zip(shape.names, data, strict=False))


def _bind_by_name(cls: type[Job], shape: Shape, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Job:
    mistakes = _misfits(shape, len(args), kwargs)
    if mistakes:
        raise refusal.refused(shape, *mistakes)
    return _build(cls, shape, {**dict(zip(shape.positional, args, strict=False)), **kwargs})


def _names_only(args: Sequence[Any], name: str) -> bool:
    return len(args) == 1 and isinstance(args[0], Mapping) and [*args[0]] == [name]


def _misfits(shape: Shape, positions: int, kwargs: Mapping[str, Any]) -> list[str]:
    """What is wrong with a call of so many positional arguments and these named ones."""
    taken = shape.positional[:positions]
    mistakes = [refusal.unknown(name, shape.names) for name in kwargs if name not in shape.names]
    mistakes += [f"{name!r} is given twice" for name in kwargs if name in taken]
    if positions > len(taken):
        mistakes.append(f"{positions} values for {len(taken)} arguments")
    required = [argument.name for argument in shape.arguments if argument.required and argument.name not in taken]
    absent = [name for name in required if name not in kwargs]
    return [*mistakes, refusal.missing(absent)] if absent else mistakes


def _build(cls: type[Job], shape: Shape, values: Mapping[str, Any]) -> Job:
    if shape.is_renamed:
        values = {each.attribute: values[each.name] for each in shape.arguments if each.name in values}
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:  # a __post_init__ that checks
        raise refusal.refused(shape, str(error)) from error


def _refusal_of(shape: Shape, given: Mapping[str, Any], error: Exception) -> InvalidArguments:
    from pydantic_core import ValidationError

    if isinstance(error, ValidationError):
        return refusal.invalid(shape, error)
    return refusal.refused(shape, _cannot_be_written(given, error))


def _refuse_constants(shape: Shape, text: str) -> None:
    if "NaN" in text or "Infinity" in text:  # or a text that speaks of them: only parsing can tell
        json.loads(text, parse_constant=lambda name: _refuse_constant(shape, name))


def _refuse_constant(shape: Shape, name: str) -> NoReturn:
    raise refusal.refused(shape, f"{name} is no number that JSON can carry")


def _refuse_changes(shape: Shape, sent: Mapping[str, Any], returned: Mapping[str, Any]) -> None:
    changed = [name for name in sent if not same(sent[name], returned[name])]
    if changed:
        raise refusal.refused(shape, *(_would_change(name, sent[name], returned[name]) for name in changed))


def _would_change(name: str, sent: Any, returned: Any) -> str:
    before, after = refusal.shown(sent, name), refusal.shown(returned, name)
    return f"{name}={before} would arrive as {after}; annotate it with the type it has, or use types that JSON has"


def _cannot_be_written(given: Mapping[str, Any], error: Exception) -> str:
    if "surrogate" in str(error):
        where = next((name for name, value in given.items() if _has_surrogates(value)), "a text")
        return f"{where} holds a lone surrogate, which UTF-8 cannot carry"
    if isinstance(error, RecursionError) or "depth" in str(error):
        return "they are nested too deeply"
    return str(error)


def _has_surrogates(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return True
    except (TypeError, ValueError, RecursionError):
        return False
    return False
