"""The place of a failure is the application's, whatever it called."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from queuectl.jobs import place as module
from queuectl.jobs.place import place_in, place_of
from queuectl.jobs.problem import problem_of

HERE = Path(__file__).name


def charge(text: str) -> object:
    return json.loads(text)


def in_a_comprehension() -> object:
    return [1 // number for number in (1, 0)]


def in_a_lambda() -> object:
    return (lambda: 1 // 0)()


def raised_again() -> object:
    try:
        return charge("{")
    except ValueError as error:
        raise LookupError("no order") from error


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda: charge("{"), "charge"),
        (in_a_comprehension, "in_a_comprehension"),
        (in_a_lambda, "in_a_lambda"),
        (raised_again, "raised_again"),
    ],
)
def test_the_innermost_frame_of_the_application_is_the_place(function: Callable[[], object], expected: str) -> None:
    """Not the library that raised, and not a part of a function that has no name."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  # of several kinds
        function()
    assert place_of(caught.value) == problem_of(caught.value).place == f"{HERE}:{expected}"


def test_what_nobody_raised_has_no_place() -> None:
    """It happened nowhere."""
    assert place_of(ValueError("never raised")) == ""


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (("/srv/shop/orders.py",), "orders.py:handle"),
        (("/srv/venv/lib/python3.11/site-packages/shop/orders.py",), "orders.py:handle"),
        (("/usr/lib/python3/dist-packages/shop/orders.py",), "orders.py:handle"),
        ((str(Path(module.__file__).with_name("send_notification.py")),), "send_notification.py:handle"),
        ((str(Path(module.__file__).with_name("payload.py")),), ""),
        (("<string>",), ""),
    ],
)
def test_a_place_is_found_wherever_the_application_lies(file: tuple[str, ...], expected: str) -> None:
    """Installed beside its libraries, too; our own code is no place, unless it is the job itself."""
    frames = [("/x/queuectl/runner.py", "<frozen>"), (*file, "handle")]
    assert module._innermost(frames) == expected


def test_of_installed_packages_the_jobs_own_counts() -> None:
    """It is the one that was called first."""
    packages = "/srv/venv/lib/python3.11/site-packages"
    frames = [
        (f"{packages}/queuectl_like/run.py", "handle"),
        (f"{packages}/queuectl_like/orders.py", "charge"),
        (f"{packages}/requests/api.py", "get"),
    ]
    assert module._innermost(frames) == "orders.py:charge"


TRACE = """Fatal Python error: Segmentation fault

Thread 0x00007f01 (most recent call first):
  File "/srv/shop/other.py", line 3 in elsewhere

Current thread 0x00007f02 (most recent call first):
  File "/usr/lib/python3/dist-packages/numpy/core.py", line 12 in dot
  File "/srv/shop/orders.py", line 7 in charge
  File "/srv/shop/orders.py", line 3 in handle
"""


def test_what_the_interpreter_wrote_as_it_died_has_a_place() -> None:
    """The thread that died counts; what it wrote may be cut off, or be nothing."""
    assert place_in(TRACE) == "orders.py:charge"
    assert place_in(TRACE.partition("Current")[0]) == "other.py:elsewhere"
    assert place_in("") == ""
