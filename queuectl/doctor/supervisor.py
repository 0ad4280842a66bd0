"""Does Supervisor wait long enough for a worker to finish its job, or does it kill both?"""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from configparser import Error, RawConfigParser
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from queuectl.deployment.stopping import bounded_stop
from queuectl.doctor.finding import Finding, failed, warning, well
from queuectl.doctor.patient import Patient
from queuectl.durations import seconds
from queuectl.errors import UsageError

PLACES = ("/etc/supervisor/conf.d/*.conf", "/etc/supervisord.d/*.ini")
OURS = "conf/supervisor/*.conf"
PATIENCE = 10
"""Supervisor's own, in seconds, where a file says nothing."""
OPTIONS = {"--timeout": 60.0, "--kill-after": 2.0, "--grace": math.inf}
"""What of a worker's line decides how long a stop may take."""


@dataclass(frozen=True, slots=True)
class Program:
    """A `[program:…]` that runs workers."""

    file: Path
    section: str
    options: Mapping[str, float]
    patience: float
    """`stopwaitsecs`."""
    directory: str

    def belongs_to(self, root: Path) -> bool:
        """Another project's jobs take as long as they take."""
        return not self.directory or Path(self.directory).resolve().is_relative_to(root.resolve())


def supervisor(patient: Patient) -> Iterator[Finding]:
    """Every program that runs workers of this project."""
    looked_at = 0
    for file in _files(patient):
        try:
            programs = list(_programs(file))
        except (OSError, Error, UnicodeDecodeError) as error:
            why = " ".join(str(error).split())
            yield warning(f"It cannot be read: {why}", f"ls -l {shlex.quote(str(file))}", about=str(file))
            continue
        for program in programs:
            if program.belongs_to(patient.config.root):
                looked_at += 1
                yield _judged(program, patient.jobs.timeouts)
    if not looked_at:
        yield well("No file of Supervisor's is known that runs workers of this project (--supervisor names one).")


def _files(patient: Patient) -> list[Path]:
    named = [Path(patient.supervisor_file)] if patient.supervisor_file else []
    usual = [file for place in PLACES for file in sorted(Path("/").glob(place.lstrip("/")))]
    return list(dict.fromkeys([*named, *sorted(patient.config.root.glob(OURS)), *usual]))


def _programs(file: Path) -> Iterator[Program]:
    parser = RawConfigParser(strict=False, inline_comment_prefixes=(";", "#"))
    parser.read_string(file.read_text("utf-8"), str(file))
    for name in parser.sections():
        section = parser[name]
        words = _words(section.get("command", ""))
        if name.startswith("program:") and _is_worker(words):
            directory = section.get("directory", "").replace("%(here)s", str(file.absolute().parent))
            patience = section.get("stopwaitsecs", "")
            wait = float(patience) if patience.isdigit() else PATIENCE
            yield Program(file, name, _options(words), wait, directory.replace("%%", "%"))


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command.replace("%%", "%"))
    except ValueError:
        return []


def _is_worker(words: Sequence[str]) -> bool:
    return any(Path(one).name == "queuectl" and two in ("work", "queue:work") for one, two in pairwise(words))


def _options(words: Sequence[str]) -> dict[str, float]:
    found = dict(OPTIONS)
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name in OPTIONS:
            with suppress(UsageError):  # the worker will say so itself
                found[name] = seconds(value if equals else following)
    return found


def _judged(program: Program, timeouts: Mapping[str, int | None]) -> Finding:
    flag, grace = program.options["--timeout"], program.options["--grace"]
    limits = {name: flag if limit is None else limit for name, limit in timeouts.items()} or {"a job": flag}
    endless = sorted(name for name, limit in limits.items() if not limit)
    about = f"{program.file} [{program.section}]"
    if endless and math.isinf(grace):
        detail = f"No time limit: {', '.join(endless)}. Supervisor kills what still runs after {program.patience:g} s."
        return warning(detail, "timeout = 600  # in each of these jobs, or --grace=600 in the command", about=about)
    longest = max((limit for limit in limits.values() if limit), default=0.0)
    return _compared(program, min(math.inf if endless else longest, grace), about)


def _compared(program: Program, longest: float, about: str) -> Finding:
    kill_after = program.options["--kill-after"]
    enough = f"stopwaitsecs={program.patience:g}; a stop may take {longest + kill_after:g} s."
    if program.patience >= longest + kill_after:
        return well(enough, about=about)
    fix = f"stopwaitsecs={bounded_stop(longest, kill_after)}  # in that section; then: supervisorctl update"
    return failed(f"Supervisor kills jobs that it should let finish: {enough}", fix, about=about)
