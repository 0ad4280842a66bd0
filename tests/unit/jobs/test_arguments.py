"""What dispatch accepts arrives equal; everything else is refused in a sentence."""

from __future__ import annotations

import dataclasses
import enum
import json
import math
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr
from typing_extensions import TypedDict

from queuectl.errors import InvalidArguments, JobDefinitionError
from queuectl.jobs.arguments import bind, dump, from_data, from_envelope, load
from queuectl.jobs.definition import Job
from queuectl.jobs.payload import decode, encode


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Point(TypedDict):
    x: int
    y: int


@dataclasses.dataclass
class Address:
    street: str
    raw: bytes = b""


class Model(BaseModel):
    n: int


class Anything(Job):
    value: Any


class Typed(Job):
    moment: datetime
    day: date
    clock: time
    span: timedelta
    key: uuid.UUID
    price: Decimal
    colour: Colour
    raw: bytes
    address: Address
    point: Point
    numbers: list[int]
    pair: tuple[int, str]
    distinct: set[int]
    by_day: dict[date, Decimal]
    maybe: Address | None
    model: Model
    big: int
    real: float


class Photo(Job):
    path: str
    options: dict[str, Any] = dataclasses.field(default_factory=dict)


class Note(Job):
    point: Point


class Opaque: ...


class Handle(Job):
    file: Opaque


class Login(Job):
    user: str
    password: str
    secret: SecretStr | None = None


def returned(job: Job) -> Job:
    """What arrives where the job runs."""
    payload = encode(job="any", arguments=dump(job), uuid="u")
    return from_envelope(type(job), decode(payload))


def nested(depth: int) -> Any:
    value: Any = {"end": [None, True]}
    for level in range(depth):
        value = [value] if level % 2 else {"k": value}
    return value


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
zones: Any = st.sampled_from([None, UTC, ZoneInfo("Europe/Paris"), ZoneInfo("America/St_Johns")])


@pytest.mark.fault("F35")
@given(anything)
def test_any_json_value_arrives_identical(value: Any) -> None:
    """Integers beyond 2^53, floats, empty lists and objects, any text, key order."""
    found = returned(Anything(value))
    assert json.dumps(found.value) == json.dumps(value)  # type: ignore[attr-defined]  # a Job of unknown class


@pytest.mark.fault("F35")
@pytest.mark.parametrize("value", [2**70, 1.0, 1e300, -0.0, [], {}, "\0é😀", nested(100), [[], {}], "NaN", 1e-320])
def test_what_other_queues_lose_arrives_identical(value: Any) -> None:
    """The usual victims of JSON libraries on the way."""
    assert json.dumps(returned(Anything(value)).value) == json.dumps(value)  # type: ignore[attr-defined]  # as above


@given(
    st.builds(
        Typed,
        moment=st.datetimes(datetime(1950, 1, 1), timezones=zones),
        day=st.dates(),
        clock=st.times(),
        span=st.timedeltas(timedelta(days=-9999), timedelta(days=9999)),
        key=st.uuids(),
        price=st.decimals(allow_nan=False, allow_infinity=False),
        colour=st.sampled_from(Colour),
        raw=st.binary(),
        address=st.builds(Address, street=st.text(), raw=st.binary()),
        point=st.fixed_dictionaries({"x": st.integers(), "y": st.integers()}),
        numbers=st.lists(st.integers(-(2**70), 2**70)),
        pair=st.tuples(st.integers(), st.text()),
        distinct=st.sets(st.integers()),
        by_day=st.dictionaries(st.dates(), st.decimals(allow_nan=False, allow_infinity=False), max_size=3),
        maybe=st.none() | st.builds(Address, street=st.text(), raw=st.binary()),
        model=st.builds(Model, n=st.integers()),
        big=st.integers(-(2**200), 2**200),
        real=st.floats(allow_nan=False, allow_infinity=False),
    )
)
def test_typed_arguments_arrive_equal_and_of_their_type(job: Typed) -> None:
    """Dates, UUIDs, decimals, enums, bytes, records: each comes back as what its annotation says."""
    found = returned(job)
    assert isinstance(found, Typed)
    assert found.moment.isoformat() == job.moment.isoformat()
    assert dataclasses.replace(found, moment=job.moment) == job
    assert isinstance(found.address, Address)


def test_the_hour_that_autumn_repeats_travels() -> None:
    """Python calls moments of that hour in different zones unequal; they are the same moment."""

    class At(Job):
        when: datetime

    when = datetime(2026, 10, 25, 2, 30, fold=1, tzinfo=ZoneInfo("Europe/Paris"))
    found = from_data(At, [when.isoformat()])
    assert dump(At(when)) == dump(found)


def test_a_moment_that_iso_8601_cannot_write_is_refused() -> None:
    """Local mean times had offsets with seconds, which the format drops."""

    class At(Job):
        when: datetime

    with pytest.raises(InvalidArguments, match=r"when=.* would arrive as"):
        dump(At(datetime(1900, 1, 1, tzinfo=ZoneInfo("Europe/Paris"))))


@pytest.mark.parametrize("value", [math.nan, math.inf, [-math.inf], {"a": [math.nan]}])
def test_numbers_that_json_lacks_are_refused(value: Any) -> None:
    """NaN and the infinities would arrive as null, or not at all."""
    with pytest.raises(InvalidArguments, match="JSON"):
        dump(Anything(value))

    class Real(Job):
        x: float

    if isinstance(value, float):
        with pytest.raises(InvalidArguments, match=r"x=.*finite number"):
            dump(Real(value))


@pytest.mark.parametrize("value", ["\ud800", ["a", {"b": "\udfff"}], {"\ud83d": 1}])
def test_lone_surrogates_are_refused_by_name(value: Any) -> None:
    """No store can carry them, and the message says which argument holds one."""
    with pytest.raises(InvalidArguments, match="value holds a lone surrogate, which UTF-8 cannot carry"):
        dump(Anything(value))
    with pytest.raises(InvalidArguments, match=r"path.*surrogate|path.*unicode"):
        dump(Photo("\ud800"))


@pytest.mark.parametrize(
    "value",
    [(1, 2), {1: "a"}, {"when": datetime(2026, 1, 1)}, {1, 2}, b"raw", Decimal("1.10"), Colour.RED, uuid.UUID(int=1)],
)
def test_what_would_arrive_as_something_else_is_refused(value: Any) -> None:
    """In an `Any` there is no type to restore it by: tuples, integer keys, dates, bytes."""
    with pytest.raises(InvalidArguments, match=r"value=.* would arrive as .*; annotate it"):
        dump(Anything(value))


def test_an_unknown_object_is_refused() -> None:
    """It cannot be written at all."""
    with pytest.raises(InvalidArguments, match="Anything cannot take these arguments"):
        dump(Anything(object()))
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InvalidArguments, match="Anything cannot take these arguments"):
        dump(Anything(loop))
    with pytest.raises(InvalidArguments, match=r"nested too deeply|recursion"):
        dump(Anything(nested(5_000)))


class Plain(Job):
    number: int
    text: str | None
    real: float
    flags: list[list[bool]]


class Shades(enum.IntEnum):
    DARK = 1


class Word(str):
    __slots__ = ()


@given(
    st.integers(-(2**200), 2**200) | st.sampled_from(Shades) | st.booleans(),
    st.none() | st.text(st.characters(exclude_categories=["Cs"])).map(Word),
    st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**60), 2**60),
    st.lists(st.lists(st.booleans()).map(tuple)),
)
def test_plain_types_arrive_equal_without_being_read_again(number: int, text: str, real: float, flags: Any) -> None:
    """Their second check is left out at dispatch: what is written is what will be read."""
    found, sent = returned(Plain(number, text, real, flags)), json.loads(dump(Plain(number, text, real, flags)))
    assert isinstance(found, Plain)
    assert (found.number, found.text, found.real, found.flags) == (number, text, float(real), list(map(list, flags)))
    assert [*sent.values()] == [found.number, found.text, found.real, found.flags]


@pytest.mark.parametrize(
    ("number", "text", "real", "flags"),
    [
        (10**4300, "", 0.0, []),
        (-(10**4300), "", 0.0, []),
        (1, "\ud800", 0.0, []),
        (1, "", math.nan, []),
        (1, "", -math.inf, []),
        (1, "", 2**2000, []),
        (1, "", 0.0, [[None]]),
        (1.5, "", 0.0, []),
    ],
    ids=["digits", "negative digits", "surrogate", "nan", "infinity", "too large", "null in a list", "fraction"],
)
def test_plain_types_refuse_what_would_not_arrive(number: Any, text: Any, real: Any, flags: Any) -> None:
    """At dispatch, as all others."""
    with pytest.raises(InvalidArguments, match="Plain cannot take these arguments"):
        dump(Plain(number, text, real, flags))


def test_a_key_that_utf_8_lacks_is_refused() -> None:
    """Also where keys and values are plain: it would be written with question marks in its place."""

    class Named(Job):
        by_name: dict[str, int]

    with pytest.raises(InvalidArguments, match="by_name"):
        dump(Named({"\ud800": 1}))


def test_attributes_that_are_no_arguments_do_not_travel() -> None:
    """What a job works out for itself stays where it is."""

    class Squared(Job):
        side: int
        area: int = dataclasses.field(init=False)

        def __post_init__(self) -> None:
            self.area = self.side**2
            self.note = "of its own"

    assert dump(Squared(3)) == '{"side":3}'
    assert load(Squared, '{"side":3}') == Squared(3)


def test_a_subclass_is_not_cut_down_to_its_base() -> None:
    """A record with more fields than the annotation knows would lose them on the way."""

    @dataclasses.dataclass
    class Flat(Address):
        floor: int = 0

    class Visit(Job):
        address: Address

    with pytest.raises(InvalidArguments, match="would arrive as"):
        dump(Visit(Flat("Rue", floor=3)))


def test_values_are_checked_and_converted_as_annotated() -> None:
    """What pydantic takes for an integer is one, at dispatch as at run."""
    assert json.loads(dump(Photo(path="a.jpg", options={"width": 3})))["options"] == {"width": 3}
    job = from_data(Note, {"point": {"x": "1", "y": 2}})
    assert job == Note({"x": 1, "y": 2})


def test_a_refusal_names_job_argument_and_value() -> None:
    """One sentence, several mistakes at once."""
    with pytest.raises(InvalidArguments) as refusal:
        dump(Note({"x": "left", "y": None}))  # type: ignore[typeddict-item]  # the point of the test
    said = str(refusal.value)
    assert said.startswith("Note cannot take these arguments: point.x='left': input should be a valid integer")
    assert "point.y=None" in said


@pytest.mark.fault("X10")
def test_a_refusal_shows_no_secret() -> None:
    """Neither by the argument's name, nor inside a value, nor in a URL."""
    canary = "s3cr3t-canary"
    for job in (
        Login("ana", canary.encode()),  # type: ignore[arg-type]  # the point of the test
        Anything({"password": canary, "bad": (1, 2)}),
        Anything((f"redis://:{canary}@host/0",)),
        Note({"x": f"postgres://u:{canary}@h/db", "y": 1}),  # type: ignore[typeddict-item]  # the point of the test
        Login("ana", canary * 1000, secret=3),  # type: ignore[arg-type]  # the point of the test
    ):
        with pytest.raises(InvalidArguments) as refusal:
            dump(job if not isinstance(job, Login) or job.secret else Login(job.user, 3))  # type: ignore[arg-type]  # as above
        assert canary not in str(refusal.value)


def test_a_secret_travels_as_itself() -> None:
    """pydantic would write asterisks in its place."""
    found = returned(Login("ana", "p", secret=SecretStr("s3cr3t")))
    assert isinstance(found, Login)
    assert found.secret is not None
    assert found.secret.get_secret_value() == "s3cr3t"


def test_a_huge_value_is_shown_short() -> None:
    """An error is a sentence."""
    with pytest.raises(InvalidArguments) as refusal:
        dump(Note({"x": "9" * 1_000_000, "y": "z" * 1_000_000}))  # type: ignore[typeddict-item]  # the point of the test
    assert len(str(refusal.value)) < 1_000


@pytest.mark.parametrize(
    ("args", "kwargs", "said"),
    [
        ((), {}, "missing: 'path'"),
        (("a",), {"pth": "b"}, r"there is no argument 'pth' \(did you mean 'path'\?\)"),
        (("a",), {"zzz": "b"}, r"there is no argument 'zzz' \(there is 'path', 'options'\)"),
        (("a", {}, 3), {}, "3 values for 2 arguments"),
        (("a",), {"path": "b"}, "'path' is given twice"),
    ],
)
def test_a_call_that_fits_no_fields_is_refused(args: tuple[Any, ...], kwargs: Mapping[str, Any], said: str) -> None:
    """As Python would, in the words of jobs."""
    with pytest.raises(InvalidArguments, match=f"Photo cannot take these arguments: {said}"):
        bind(Photo, args, kwargs)


def test_what_php_wrote_is_the_arguments() -> None:
    """An object by name, a list by position, nothing for the defaults."""
    assert from_data(Photo, {"path": "a", "options": {"w": 1}}) == Photo("a", {"w": 1})
    assert from_data(Photo, ["a", {"w": 1}]) == Photo("a", {"w": 1})
    assert from_data(Photo, {"path": "a"}) == Photo("a")
    nothings: list[Any] = [None, "", [], {}]
    for empty in nothings:
        with pytest.raises(InvalidArguments, match="missing: 'path'"):
            from_data(Photo, empty)
    for wrong in (5, "a", True, 1.5):
        with pytest.raises(InvalidArguments, match="neither an object nor a list"):
            from_data(Photo, wrong)
    with pytest.raises(InvalidArguments, match="3 values for 2 arguments"):
        from_data(Photo, ["a", {}, 1])


def test_an_object_is_the_only_argument_if_that_is_a_record() -> None:
    """`Queue::push('Note', ['x' => 1, 'y' => 2])`, and the same from dispatch; its own name still works."""
    point: Point = {"x": 1, "y": 2}
    assert from_data(Note, point) == from_data(Note, {"point": point}) == from_data(Note, [point]) == Note(point)
    assert bind(Note, [point], {}) == bind(Note, [{"point": point}], {}) == bind(Note, [], {"point": point})


@pytest.mark.fault("F33")
def test_an_object_with_unknown_names_is_refused() -> None:
    """A misspelt name is no reason to run with the default."""
    with pytest.raises(InvalidArguments, match=r"there is no argument 'option' \(did you mean 'options'\?\)"):
        from_data(Photo, {"path": "a", "option": {}})
    with pytest.raises(InvalidArguments, match="there is no argument 'old'"):
        load(Photo, '{"path":"a","old":1}')


@pytest.mark.parametrize("text", ["", "[]", "5", "null", "{", '{"path":NaN}', '{"path":"a","options":{"x":Infinity}}'])
def test_text_that_nobody_dumped_is_refused(text: str) -> None:
    """Our own envelope with somebody else's text in it."""
    with pytest.raises(InvalidArguments, match="Photo cannot take these arguments"):
        load(Photo, text)


def test_an_argument_with_a_default_may_be_missing_in_an_older_payload() -> None:
    """A deploy that adds one does not break what is queued."""
    assert load(Photo, '{"path":"a"}') == Photo("a")


def test_a_type_that_cannot_travel_is_a_definition_error() -> None:
    """Said at the first dispatch, with the class's name."""

    with pytest.raises(JobDefinitionError, match=r"An argument of Handle has a type that cannot travel: .*Opaque"):
        dump(Handle(Opaque()))


def test_a_type_that_is_only_there_for_checkers_is_a_definition_error() -> None:
    """It says to import it for real."""
    cls = type("Lost", (Job,), {"__annotations__": {"x": "Missing"}, "__module__": __name__})
    with pytest.raises(JobDefinitionError, match="not under `if TYPE_CHECKING`"):
        dump(cls(1))


def test_a_job_may_check_its_arguments_itself() -> None:
    """A ValueError of `__post_init__` is a refusal."""

    class Span(Job):
        first: int
        last: int

        def __post_init__(self) -> None:
            if self.last < self.first:
                raise ValueError("last comes before first")

    with pytest.raises(InvalidArguments, match="Span cannot take these arguments: last comes before first"):
        bind(Span, [2, 1], {})
