"""Whatever names, paths and arguments contain, the file says what was meant, or is not made."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from queuectl.deployment import supervisor, systemd
from queuectl.deployment.service import Service
from queuectl.errors import UsageError
from tests.supervisor.conftest import Read
from tests.supervisor.systemd import MANAGER, arguments, complaints, parsed

SPECIAL = " ;#%$\\\"'`()[]{}=:@!+-*?~&|<>,_aZ09é日"
ANYTHING = st.text(max_size=12) | st.text(SPECIAL + "\n\r\t\0\x85\u2028\u200b", max_size=12)
WORDS = st.lists(st.text(SPECIAL, max_size=12), max_size=5)
FOLDERS = st.text(SPECIAL, min_size=1, max_size=12)
PLAIN = Service(
    name="queuectl-worker", command=("/srv/app/.venv/bin/queuectl", "work"), directory="/srv/app", stop_wait=77
)
HOSTILE = [
    *("a b", " ;x", "; [program:x]", " #", "%(here)s", "%%(here)s", "%(ENV_HOME)s", "%", "$(id)", "${HOME}", "$$"),
    *(";", "'", '"', "\\", "é日", "", " ", "-", "@", "[program:x]"),
]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """With a short and plain path, which everybody may enter."""
    with tempfile.TemporaryDirectory(prefix="sd") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def command(words: list[str]) -> Service:
    return replace(PLAIN, command=(*PLAIN.command, *words))


@pytest.mark.fault("X13")
@given(words=WORDS)
@example(words=HOSTILE)
def test_supervisor_gets_the_same_arguments(words: list[str], read: Read) -> None:
    """All that can be printed, and nothing is a section, a comment or an expansion."""
    [process] = read(supervisor.render(command(words)))
    assert process["argv"] == [*PLAIN.command, *words]


@pytest.mark.fault("X13")
@given(name=FOLDERS)
@example(name="50% off")
@example(name="a ;b")
@example(name="%(here)s")
def test_supervisor_gets_the_same_paths(name: str, read: Read, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Or they are refused, because its files cannot name them."""
    folder = os.path.normpath(tmp_path_factory.getbasetemp() / name)
    try:
        text = supervisor.render(replace(PLAIN, directory=folder, log_file=f"{folder}/worker.log"))
    except UsageError:
        assert (
            name.endswith((" ", "\\")) or {" ;", " #"} & {name[at : at + 2] for at in range(len(name))} or "%(" in name
        )
        return
    Path(folder).mkdir(exist_ok=True)
    [process] = read(text)
    assert (process["directory"], process["stdout_logfile"]) == (folder, f"{folder}/worker.log")


@pytest.mark.fault("X13")
@given(name=ANYTHING, user=ANYTHING, word=ANYTHING, path=ANYTHING)
def test_no_text_adds_a_section(name: str, user: str, word: str, path: str, read: Read) -> None:
    """Each of these is refused, or changes nothing but itself."""
    for change in ({"name": name}, {"user": user}, {"command": ("/q", word)}, {"directory": f"/{path}"}):
        try:
            service = replace(PLAIN, **change)
            text = supervisor.render(service)
            unit = systemd.render(service)
        except UsageError:
            continue
        assert [line for line in text.splitlines() if line.startswith("[")] == [f"[program:{service.name}]"]
        assert [line for line in unit.splitlines() if line.startswith("[")] == ["[Unit]", "[Service]", "[Install]"]
        if not service.user:  # a user must exist
            assert [process["name"] for process in read(text)] == [f"{service.name}_00"]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "a b"},
        {"name": "x]\n[program:y"},
        {"name": ""},
        {"name": "é"},
        {"user": "-root"},
        {"user": "a:b"},
        {"command": ("queuectl",)},
        {"command": ("/q", "a\nb")},
        {"directory": "srv"},
        {"directory": "/srv/../etc"},
        {"directory": "/srv/app "},
        {"directory": "//srv"},
        {"log_file": "/var/log/a\x1b[2J"},
        {"log_file": "syslog"},
    ],
    ids=str,
)
@pytest.mark.fault("X13")
def test_what_cannot_be_meant_is_refused(change: dict[str, str]) -> None:
    """Before there is any text."""
    with pytest.raises(UsageError):
        replace(PLAIN, **change)


def test_a_stream_is_not_rotated(read: Read) -> None:
    """Supervisor can write to the standard output of a container, and cannot rename it."""
    [process] = read(supervisor.render(replace(PLAIN, log_file="/dev/stdout")))
    assert process["stdout_logfile_maxbytes"] == 0


# systemd


@pytest.fixture(scope="module")
def manager(analyze: None, folder: Path) -> None:
    """Containers may lack what a manager needs even to say what it would do."""
    (folder / "probe.service").write_text("[Service]\nExecStart=/bin/true\n")
    if not MANAGER.exists() or "Command Line" not in parsed(folder, "probe.service"):
        pytest.skip("systemd cannot run here")


@pytest.mark.fault("X13")
@given(words=WORDS)
@example(words=HOSTILE)
@pytest.mark.usefixtures("manager")
def test_systemd_gets_the_same_arguments(words: list[str], folder: Path) -> None:
    """Dollar signs arrive doubled, for it halves them when the process starts."""
    service = command(words)
    (folder / "w@.service").write_text(systemd.render(service))
    found = parsed(folder, "w@1.service")
    starts = [line for line in found["Command Line"] if "/kill" not in line]
    assert [arguments(line) for line in starts] == [[*PLAIN.command, *(word.replace("$", "$$") for word in words)]]


@pytest.mark.fault("X13")
@given(name=FOLDERS)
@example(name="50% off")
@pytest.mark.usefixtures("analyze")
def test_systemd_gets_the_same_paths(name: str, folder: Path) -> None:
    """The program is found, and there is nothing to complain of."""
    place = os.path.normpath(folder / name)
    program = Path(place) / "queuectl"
    try:
        text = systemd.render(replace(PLAIN, directory=place, log_file=f"{place}/log", command=(str(program), "work")))
    except UsageError:
        assert name.endswith(" ") or set(name) & set("$\\'\"")
        return
    program.parent.mkdir(exist_ok=True)
    program.touch(0o755)
    unit = folder / "queuectl-worker@.service"
    unit.write_text(text)
    assert complaints(unit) == ""
