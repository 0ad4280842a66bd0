"""A secret in a payload and one in a URL, jobs that fail in every way, and every place where somebody might read it."""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from queuectl.testing.databases import fresh_prefix
from queuectl.testing.server import Server
from tests.acceptance.conftest import MakeProject
from tests.acceptance.project import Project, until

CANARY = "s3cr3t-canary"
LEAKY = """

import logging
import os


class Leaky(Job):
    key: str
    how: str
    password: str
    settings: dict[str, Any]

    timeout = 1

    def handle(self) -> None:
        secret = self.password  # a local value, which no traceback shows
        write("start", self.key, attempt=self.attempts)
        logging.getLogger("shop").warning("signing in with password=%s", secret)
        if self.how == "die":
            os._exit(3)
        if self.how == "hang":
            time.sleep(60)
        try:
            raise LookupError(f"{self.settings!r} {self!r}")
        except LookupError as error:
            raise ValueError(MESSAGES[self.how](secret)) from error


MESSAGES = {
    "assigned": lambda secret: f"login failed: password={secret}",
    "url": lambda secret: f"cannot reach redis://worker:{secret}@cache/0, nor https://x.test/?api_key={secret}&a=1",
    "json": lambda secret: json.dumps({"token": secret, "deep": {"apiKey": secret}}),
    "header": lambda secret: f"401 for Authorization: Bearer {secret}, sent Cookie: session={secret}; a={secret}",
    "dsn": lambda secret: f"dsn='postgresql://u:{secret}@db/x' refused, secret_key = '{secret}'",
}
"""
WAYS = ("assigned", "url", "json", "header", "dsn", "die", "hang")
CUT_OFF = f'{{"job":"Leaky","data":{{"password":"{CANARY}","url":"redis://:{CANARY}@host/0"'
WRONG = {"key": "k", "how": "url", "password": CANARY, "settings": f"password={CANARY}", "token": CANARY}
COMMANDS = (
    "failed",
    "failed --json",
    "failed -vv",
    "monitor",
    "monitor --json",
    "doctor",
    "config",
    "config --json",
    "about",
    "jobs",
    "retry all --dry-run -v",
    "work --stop-when-empty -vv",
    "migrate --sql",
)
PROGRAM = """
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from queuectl.cli import main

told = {}
for line in Path("commands").read_text().splitlines():
    words, _, os.environ["REDIS_URL"] = line.partition(" @ ")
    with redirect_stdout(StringIO()) as out, redirect_stderr(out):
        main(words.split())
    told[line] = out.getvalue()
print(json.dumps(told))
"""


@pytest.fixture
def at_valkey(valkey: Server) -> Iterator[dict[str, str]]:
    """With a password."""
    prefix = fresh_prefix()
    with redis.Redis.from_url(valkey.url) as client:
        client.execute_command("ACL", "SETUSER", "canary", "on", f">{CANARY}", "~*", "&*", "+@all")
        yield {"redis_url": valkey.url.replace("://", f"://canary:{CANARY}@"), "prefix": prefix}
        client.execute_command("ACL", "DELUSER", "canary")


@pytest.fixture
def at_postgres(postgres_url: str) -> dict[str, str]:
    """With a password that nobody asks for."""
    user, at, place = postgres_url.partition("@")
    return {"database_url": f"{user}:{CANARY}{at}{place}"}


@pytest.fixture(params=["valkey", "postgres"])
def leaking(request: pytest.FixtureRequest, make_project: MakeProject) -> Project:
    """Jobs that failed in every way, a worker that told everything it could, and a log."""
    project = make_project(request.param, **request.getfixturevalue(f"at_{request.param}"))
    configuration, jobs = project.folder / "conf/queue.toml", project.folder / "ledger_jobs.py"
    configuration.write_text(configuration.read_text() + '\n[log]\nfile = "queuectl.log"\nlevel = "debug"\n')
    jobs.write_text(jobs.read_text() + LEAKY)
    secrets = f'password="{CANARY}", settings={{"api_key": "{CANARY}", "url": "redis://:{CANARY}@host/0"}}'
    dispatch = "; ".join(f'Leaky.dispatch(key="{how}", how="{how}", {secrets})' for how in WAYS)
    project.dispatch(dispatch)
    put_wrong_ones(project)
    project.dispatch('Gate.dispatch(key="gate")')
    return project


def put_wrong_ones(project: Project) -> None:
    """Fields that do not fit, an unknown job, and something that is cut off."""
    for payload in (
        json.dumps({"job": "Leaky", "data": WRONG, "attempts": 0}),
        json.dumps({"job": "Nobody", "data": WRONG, "attempts": 0}),
        CUT_OFF,
    ):
        project.push_raw(payload.encode())


@pytest.mark.fault("X10")
def test_nobody_reads_a_secret(leaking: Project) -> None:
    """Neither from the console, the log, the process list, the diagnosis, nor any listing, however verbose."""
    project = leaking
    worker = project.work("-vv", "--kill-after=0.1")
    until(lambda: project.starts("gate"), "the last job")
    processes = [worker.pid, *worker.children()]
    seen = {f"process {pid}": Path(f"/proc/{pid}/cmdline").read_text() for pid in processes}
    (project.folder / "open").touch()
    until(project.done, "its end")
    worker.signal(signal.SIGTERM)
    assert worker.ends() == 0
    failed = project.failed()
    assert len(failed) == len(WAYS) + 2
    seen["worker"] = worker.output()
    shown = [f"failed:show {row['uuid']} {more}" for row in failed for more in ("", "--json", "-v")]
    seen |= said_by(project, [*COMMANDS, *shown])
    seen["log"] = (project.folder / "queuectl.log").read_text()
    assert "signing in with password=***" in seen["log"]
    assert {where: told for where, text in seen.items() if (told := around(text))} == {}


def around(text: str) -> list[str]:
    """Where the secret stands, if it does."""
    return re.findall(rf".{{0,60}}{CANARY}.{{0,20}}", text)


def said_by(project: Project, commands: list[str]) -> dict[str, str]:
    """What each command printed; all in one process, since starting one costs more than what it does."""
    (project.folder / "commands").write_text("\n".join(commands))
    told: dict[str, str] = json.loads(project.python(PROGRAM))
    assert not any("should not have happened" in text for text in told.values())
    return told


URLS = (
    f"redis://u:{CANARY}@127.0.0.1:1/0",
    f"rediss://:{CANARY}@127.0.0.1:1/0?ssl_cert_reqs=wrong",
    f"redis://u:{CANARY}@no-such-host.invalid/0",
    f"redis://u:{CANARY}@127.0.0.1:port/0",
    f"redis://u:{CANARY}@127.0.0.1:1/0?password={CANARY}",
    f"redis+sentinel://u:{CANARY}@127.0.0.1:1/mymaster",
    f"ftp://u:{CANARY}@host/0",
    f"u:{CANARY}@host",
)


@pytest.mark.fault("X10")
def test_no_error_about_an_address_tells_its_password(make_project: MakeProject) -> None:
    """Refused, unknown, or no address at all; also with `-vv`."""
    project = make_project("valkey", redis_url="redis://127.0.0.1:1/0")
    commands = ("monitor -vv", "work --once -vv", "doctor --only=server", "config", "about")
    said = said_by(project, [f"{command} @ {url}" for url in URLS for command in commands])
    assert {where: told for where, text in said.items() if (told := around(text))} == {}
