"""Whatever an exception is, its problem can be stored and read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from queuectl.errors import AttemptsExceeded
from queuectl.jobs.masking import is_secret, mask
from queuectl.jobs.outcome import Problem
from queuectl.jobs.problem import HEAD, TAIL, capped, clean, problem, problem_of

KILOBYTE = 1_024


class Unprintable(Exception):
    def __str__(self) -> str:
        raise SystemExit("no")


class Fatal(BaseException): ...


def told(error: BaseException) -> Problem:
    try:
        raise error
    except BaseException as raised:
        return problem_of(raised)


def test_a_problem_starts_with_type_and_message_and_ends_with_the_traceback() -> None:
    """The first line alone tells what happened."""
    found = told(ValueError("boom\nand more"))
    assert (found.type, found.message) == ("builtins.ValueError", "boom\nand more")
    assert found.text.splitlines()[0] == "builtins.ValueError: boom"
    assert "raise error" in found.text
    assert found.text.endswith("ValueError: boom\nand more")


def test_a_problem_without_traceback_is_one_line() -> None:
    """For what nobody raised."""
    found = problem(AttemptsExceeded, "Too often.")
    assert found == Problem(
        "queuectl.errors.AttemptsExceeded", "Too often.", "queuectl.errors.AttemptsExceeded: Too often."
    )
    assert problem_of(AttemptsExceeded("Too often.")) == found


@pytest.mark.fault("F37")
def test_an_exception_that_cannot_be_printed_has_a_problem() -> None:
    """It names the class, even if printing it wants to end the process."""
    assert told(Unprintable()).message == "<unprintable Unprintable>"


@pytest.mark.fault("F37")
@pytest.mark.parametrize(
    "error", [Fatal("f"), SystemExit(3), KeyboardInterrupt(), type("Local", (Exception,), {})("x")]
)
def test_any_base_exception_has_a_problem(error: BaseException) -> None:
    """Also those that no `except Exception` sees, and classes that exist nowhere by name."""
    assert told(error).type.endswith(type(error).__qualname__)


@pytest.mark.fault("F37")
def test_causes_groups_and_cycles_are_shown() -> None:
    """What is behind an exception is in its text; a cycle ends."""
    cause = ValueError("cause")
    error = RuntimeError("effect")
    error.__cause__, cause.__cause__ = cause, error
    text = told(error).text
    assert "ValueError: cause" in text
    assert "RuntimeError: effect" in text
    group = told(
        ExceptionGroup("several", [ValueError("one"), ExceptionGroup("inner", [Unprintable(), TypeError("t")])])
    )
    assert "ValueError: one" in group.text
    assert "TypeError: t" in group.text


@pytest.mark.fault("F37")
def test_what_no_store_takes_is_written_as_escapes() -> None:
    """NUL and lone surrogates, in message and text."""
    found = told(ValueError("a\0b\ud800c"))
    assert found.message == "a\\u0000b\\ud800c"
    assert "\\u0000b\\ud800c" in found.text
    assert "\0" not in found.text


@pytest.mark.fault("F37")
def test_a_huge_message_is_capped_at_both_ends() -> None:
    """Beginning and end are kept, and how much is missing."""
    found = told(ValueError("begin" + "x" * 50_000_000 + "end"))
    assert found.text.startswith("builtins.ValueError: begin")
    assert found.text.endswith("end")
    assert "bytes left out" in found.text
    assert len(found.text.encode()) < HEAD + TAIL + KILOBYTE
    assert len(found.message.encode()) < 6 * KILOBYTE


def test_a_deep_traceback_keeps_its_innermost_frames() -> None:
    """Where it happened matters more than how it got there."""

    def ping(left: int) -> None:
        pong(left - 1) if left else innermost()

    def pong(left: int) -> None:
        ping(left)

    def innermost() -> None:
        raise ValueError("deep")

    with pytest.raises(ValueError, match="deep") as raised:
        ping(200)
    text = problem_of(raised.value).text
    assert "in innermost" in text
    assert len(text) < 8 * KILOBYTE


@given(st.text(), st.integers(0, 200), st.integers(1, 200))
def test_capping_keeps_what_fits_and_breaks_no_character(text: str, head: int, tail: int) -> None:
    """Bytes are counted, characters are kept whole."""
    text = clean(text)
    found = capped(text, head, tail)
    assert found == text or "bytes left out" in found
    assert (found == text) == (len(text.encode()) <= head + tail)


@pytest.mark.fault("F37")
@given(st.text(st.characters(), max_size=50))
def test_clean_text_is_utf_8_without_nul(text: str) -> None:
    """Any text, surrogates and all."""
    assert "\0" not in clean(text).encode().decode()


@pytest.mark.fault("X10")
@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("redis://:s3cr3t@host:6379/0", "redis://:***@host:6379/0"),
        ("postgresql://user:s3c@r3t@host/db", "postgresql://user:***@host/db"),
        ("two: amqp://a:s3cr3t@h and mysql://b:s3cr3t@h", "two: amqp://a:***@h and mysql://b:***@h"),
        ("host=h password=s3cr3t dbname=d", "host=h password=*** dbname=d"),
        ("{'password': 's3cr3t', 'user': 'ana'}", "{'password': ***, 'user': 'ana'}"),
        ('{"api_key":"s3cr3t"}', '{"api_key":***}'),
        ("Login(user='ana', user_token='s3cr3t')", "Login(user='ana', user_token=***)"),
        ("401 for Authorization: Bearer s3cr3t.s3cr3t==", "401 for Authorization: ***"),
        ('{"said": "Cookie: a=s3cr3t; b=s3cr3t", "n": 1}', '{"said": "Cookie: ***", "n": 1}'),
        ("> X-Api-Key:s3cr3t\n> Accept: text/html", "> X-Api-Key:***\n> Accept: text/html"),
        ("authorization: none of ours", "authorization: ***"),
        ("https://host:8080/path?x=a@b", "https://host:8080/path?x=a@b"),
        ("KeyError: 'token'", "KeyError: 'token'"),
        ("a monkey = 3; ZoneInfo(key='UTC')", "a monkey = 3; ZoneInfo(key='UTC')"),
    ],
)
def test_secrets_are_taken_out_of_text(text: str, masked: str) -> None:
    """Passwords of URLs, and what is assigned to a name that speaks of a secret; nothing else."""
    assert mask(text) == masked
    assert mask(told(ValueError(text)).text) == told(ValueError(text)).text
    assert told(ValueError(text)).message == masked


def test_masking_is_linear() -> None:
    """Text that nearly matches everywhere takes no longer than other text."""
    for text in (
        "password" * 100_000,
        "a" * 1_000_000,
        "://:" * 200_000,
        "token=" * 100_000,
        "'" * 500_000,
        "cookie: " * 100_000,
    ):
        mask(text)


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "db_password",
        "userPassword",
        "apiKey",
        "api-key",
        "API_KEY",
        "key",
        "auth",
        "auth_token",
        "dsn",
        "pwd",
    ],
)
def test_names_that_speak_of_secrets(name: str) -> None:
    """However they are written."""
    assert is_secret(name)


@pytest.mark.parametrize("name", ["author", "keyboard", "monkey", "user_id", "passenger", "compass", "locale", "tries"])
def test_names_that_only_sound_like_it(name: str) -> None:
    """A part of another word is no secret."""
    assert not is_secret(name)
