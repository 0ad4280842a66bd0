"""TAB in real shells: a person types, and the shell puts in the rest."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from queuectl.testing.plugin import require
from queuectl.testing.programs import Program
from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import PATIENCE, Project

SHELLS = {
    "bash": (["--norc", "--noprofile", "-i"], 'eval "$(queuectl completion bash)"'),
    "zsh": (["-f", "-i"], 'autoload -U compinit; compinit -u -D; eval "$(queuectl completion zsh)"'),
}


class Shell:
    """Somebody at a terminal."""

    def __init__(self, terminal: int) -> None:
        self._terminal, self._seen = terminal, ""

    def types(self, keys: str) -> None:
        self._seen = ""
        os.write(self._terminal, keys.encode())

    def sees(self, text: str) -> None:
        """Look at the screen until it shows *text*."""
        deadline = time.monotonic() + PATIENCE
        while text not in self._seen:
            assert time.monotonic() < deadline, self._seen
            if select.select([self._terminal], [], [], 0.1)[0]:
                self._seen += os.read(self._terminal, 65536).decode(errors="replace")


@contextmanager
def shell_in(project: Project, program: Path, words: list[str]) -> Iterator[Shell]:
    terminal, ours = pty.openpty()
    process = subprocess.Popen(
        [program, *words],
        cwd=project.folder,
        env=project.environment,
        stdin=ours,
        stdout=ours,
        stderr=ours,
        start_new_session=True,
    )
    os.close(ours)
    try:
        yield Shell(terminal)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)


@pytest.fixture
def project(make_project: MakeProject) -> Project:
    """One queue that holds something."""
    found = make_project("sqlite")
    found.dispatch('Ledger.on_queue("notifications").dispatch(key="k")')
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found.environment |= {"PATH": path, "TERM": "dumb", "PS1": "$ ", "XDG_CACHE_HOME": str(found.folder / "cache")}
    return found


@pytest.mark.parametrize("name", SHELLS)
def test_the_rest_of_a_word_is_put_in(name: str, project: Project, pytestconfig: pytest.Config) -> None:
    """Of commands with a colon, too, which bash takes for several words; of values behind `=` and after a comma."""
    program = require(Program(name, f"QUEUECTL_TEST_{name.upper()}", name), pytestconfig)
    words, load = SHELLS[name]
    with shell_in(project, program, words) as shell:
        shell.types(f"{load}; printf 'rea%s\\n' dy\r")
        shell.sees("ready")
        for typed, whole in [
            ("queuectl queue:monit\t", "queuectl queue:monitor"),
            ("queuectl supervisor:\t", "queuectl supervisor:config"),
            ("queuectl work --queue=high,notif\t", "--queue=high,notifications"),
            ("queuectl dispatch Faith\t", "queuectl dispatch Faithful"),
        ]:
            shell.types("\x15" + typed)
            shell.sees(whole)


def test_fish_offers_the_same(project: Project, pytestconfig: pytest.Config) -> None:
    """With what each word means."""
    program = require(Program("fish", "QUEUECTL_TEST_FISH", "fish"), pytestconfig)
    asked = ["queuectl queue:monit", "queuectl work --queue=high,notif", "queuectl work --stop-when-empty-"]
    told = "; ".join(f'complete -C "{words}"' for words in asked)
    run = subprocess.run(
        [program, "--no-config", "-c", f"queuectl completion fish | source; {told}"],
        cwd=project.folder,
        env={**project.environment, "HOME": str(project.folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines() == [
        "queue:monitor\tShow how full the queues are; exit 4 above a threshold.",
        "--queue=high,notifications",
        "--stop-when-empty-for\tStop when they have been empty so long.",
    ]
