"""The log file: what it looks like, who may read it, and everything that must not stop a job."""

from __future__ import annotations

import logging
import logging.config
import os
import re
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from queuectl.app import App
from queuectl.log import LogFile, stop_writing, write_to

CANARY = "s3cr3t-canary"
RECORD = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d [A-Z]+ [\w.]+\[\d+\] .*")
logger = logging.getLogger("queuectl.tests")


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Where this process writes while the test runs."""
    file = tmp_path / "logs" / "q.log"
    write_to(file, "info")
    yield file
    stop_writing()


def write(path: Path, text: str, *values: object) -> None:
    """One record, past the handlers of pytest, which keep what they see."""
    log = LogFile(path)
    log.handle(logging.LogRecord("queuectl.tests", logging.ERROR, __file__, 1, text, values, None))
    log.close()


def lines(path: Path) -> list[str]:
    found = path.read_text().splitlines()
    assert all(RECORD.fullmatch(line) for line in found), found
    return found


def test_a_record_says_when_how_grave_who_and_what(path: Path) -> None:
    """In one line, with the process that wrote it."""
    logger.warning("the queue %s is full", "mail")
    [line] = lines(path)
    assert line.endswith(f" WARNING queuectl.tests[{os.getpid()}] the queue mail is full")


@pytest.mark.fault("X12")
def test_a_record_is_one_line_whatever_is_in_it(tmp_path: Path) -> None:
    """No line that pretends to be another one, nothing that steers a terminal, no character that cannot be written."""
    path = tmp_path / "q.log"
    write(path, "ok\n2026-11-24T09:00:00.000+00:00 ERROR x[1] fake\r\u2028\x1b[2J\x00\ud800é")
    [line] = lines(path)
    assert line.endswith(r"ok\n2026-11-24T09:00:00.000+00:00 ERROR x[1] fake\r\u2028\x1b[2J\x00\ud800é")


@pytest.mark.fault("X12")
def test_a_traceback_is_in_the_same_line(path: Path) -> None:
    """Its end, where the error is."""
    try:
        raise ValueError(f"no {'x' * 10_000} way")
    except ValueError:
        logger.exception("it failed")
    [line] = lines(path)
    assert line.endswith(" way")
    assert len(line) < 5_000


@pytest.mark.fault("X12")
def test_a_long_value_is_cut(tmp_path: Path) -> None:
    """Ten megabytes are a line of some kilobytes."""
    write(tmp_path / "q.log", "x" * 10_000_000)
    [line] = lines(tmp_path / "q.log")
    assert 4_000 < len(line) < 5_000


@pytest.mark.fault("X10")
@pytest.mark.parametrize("padding", [0, 4_080, 65_480, 65_530])
def test_secrets_are_masked(path: Path, padding: int) -> None:
    """Of URLs, and behind words that mean a secret, wherever the text is cut."""
    logger.error("%sredis://app:%s@cache/0 password=%s", "x" * padding, CANARY, CANARY)
    [line] = lines(path)
    assert CANARY[:3] not in line


@pytest.mark.fault("X16")
def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """File 0600, folder 0700, whatever the umask."""
    before = os.umask(0)
    try:
        write_to(tmp_path / "logs" / "q.log", "info")
        logger.info("here")
    finally:
        os.umask(before)
        stop_writing()
    modes = [stat.S_IMODE(place.stat().st_mode) for place in (tmp_path / "logs" / "q.log", tmp_path / "logs")]
    assert modes == [0o600, 0o700]


def test_a_rotated_file_is_left_alone(path: Path) -> None:
    """The next record begins a new one; so it does where the folder was deleted."""
    logger.info("one")
    path.rename(path.with_suffix(".1"))
    logger.info("two")
    assert [len(lines(path.with_suffix(".1"))), len(lines(path))] == [1, 1]
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()
    logger.info("three")
    assert lines(path)[0].endswith("three")


def test_the_level_decides_what_is_written(tmp_path: Path) -> None:
    """What is less grave is left out."""
    log = write_to(tmp_path / "q.log", "error")
    logger.warning("left out")
    logger.error("kept")
    stop_writing(log)
    logger.error("after the end")
    assert [line.rpartition(" ")[2] for line in lines(tmp_path / "q.log")] == ["kept"]


def test_a_full_disk_fails_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """One word about it on stderr, however many records are lost."""
    write_to(Path("/dev/full"), "info")
    for _ in range(3):
        logger.error("lost")
    stop_writing()
    assert capsys.readouterr().err == "warning: The log /dev/full cannot be written: No space left on device.\n"


def test_a_path_that_cannot_be_made_fails_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As where the folder is a file."""
    (tmp_path / "logs").write_text("")
    write_to(tmp_path / "logs" / "q.log", "info")
    logger.error("lost")
    stop_writing()
    assert "cannot be written: File exists." in capsys.readouterr().err


def test_a_record_that_cannot_be_formatted_fails_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Arguments that do not fit their text are a mistake, but not a reason to stop."""
    for text in ("%d jobs", "%s jobs"):
        write(tmp_path / "q.log", text, "many")
    assert "TypeError" in capsys.readouterr().err
    assert len(lines(tmp_path / "q.log")) == 1


def test_a_pipe_that_nobody_empties_holds_nobody_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What does not fit is left out."""
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_to(tmp_path / "pipe", "info")
    for _ in range(100):
        logger.error("x" * 4_000)
    stop_writing()
    os.close(reader)
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.fault("X16")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a link in a stranger's name")
def test_a_strangers_link_is_not_followed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever planted it could have us write where we should not; our own links are another matter."""
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    os.chown(link, 65_534, 65_534, follow_symlinks=False)
    write_to(link, "info")
    logger.error("not there")
    assert not target.exists()
    os.chown(link, 0, 0, follow_symlinks=False)
    logger.error("there")
    stop_writing()
    assert len(lines(target)) == 1
    assert "Too many levels of symbolic links" in capsys.readouterr().err


CUT_SHORT = """
import logging, resource, signal, sys
from pathlib import Path
from queuectl.log import write_to
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (150, 100_000))
write_to(Path(sys.argv[1]), "info")
logger = logging.getLogger("queuectl.tests")
logger.error("a" * 200)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
logger.error("whole")
"""


def test_a_record_that_was_cut_short_does_not_swallow_the_next(tmp_path: Path) -> None:
    """As when a disk fills up in the middle of a line, and is emptied later."""
    subprocess.run([sys.executable, "-c", CUT_SHORT, tmp_path / "q.log"], check=True, capture_output=True)
    cut, whole = lines(tmp_path / "q.log")
    assert cut.endswith("aaa")
    assert whole.endswith("] whole")


CROWD = """
import logging, sys
from pathlib import Path
from queuectl.log import write_to
write_to(Path(sys.argv[1]), "info")
for number in range(200):
    logging.getLogger("queuectl.tests").info("%s %d %s", sys.argv[2], number, sys.argv[2] * 3_000)
"""


def test_processes_may_share_the_file(tmp_path: Path) -> None:
    """No line is torn, none is lost."""
    command = [sys.executable, "-c", CROWD, str(tmp_path / "q.log")]
    crowd = [subprocess.Popen([*command, letter]) for letter in "abcd"]
    assert [process.wait() for process in crowd] == [0] * 4
    found = [line.split("] ")[1] for line in lines(tmp_path / "q.log")]
    assert sorted(found) == sorted(f"{letter} {n} {letter * 3_000}" for letter in "abcd" for n in range(200))


def test_an_application_that_silences_other_loggers_does_not_silence_ours(path: Path) -> None:
    """Its own set-up disables, and closes, whatever was there before it."""
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": True})
    logger.error("unheard")
    write_to(path, "info", everything=True)
    logger.error("heard")
    assert lines(path)[-1].endswith("heard")


def test_the_applications_own_records_are_kept_unless_it_keeps_them(path: Path) -> None:
    """Once it has said where they go, they go there only."""
    root, theirs = logging.getLogger(), logging.getLogger("shop")
    before = list(root.handlers)
    try:
        root.handlers.clear()
        write_to(path, "info", everything=True)
        theirs.info("kept")
        root.handlers[:] = [logging.NullHandler()]
        write_to(path, "info", everything=True)
        theirs.info("theirs")
        logger.info("ours")
    finally:
        stop_writing()
        root.handlers[:] = before
    assert [line.rpartition(" ")[2] for line in lines(path)] == ["kept", "ours"]


def test_an_application_opens_and_closes_its_log(tmp_path: Path) -> None:
    """With what jobs need, if the configuration names a file; relative to the root."""
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "queue.toml").write_text('[log]\nfile = "logs/q.log"\nlevel = "warning"\n')
    app = App.load(tmp_path / "conf" / "queue.toml", env={})
    assert app.runtime
    logger.warning("kept")
    app.close()
    logger.warning("not any more")
    assert len(lines(tmp_path / "logs" / "q.log")) == 1
    assert not [one for one in logging.getLogger("queuectl").handlers if isinstance(one, LogFile)]
