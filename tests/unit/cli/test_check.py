"""`check`: the gate before a deployment."""

from __future__ import annotations

import pytest

from queuectl.jobs.outcome import Entry
from queuectl.jobs.payload import encode, new_uuid
from tests.unit.cli.conftest import CONFIG, SHOP, Site

UUID = "0b1c2d3e-1111-4111-8111-11111111111{}"


class Deployment:
    """A project whose code changes between two commands."""

    def __init__(self, site: Site) -> None:
        self.site, self._release = site, 0

    def release(self, former: str = "", later: str = "") -> None:
        """The next version of the code, in a module of its own: this process has imported the last one."""
        self._release += 1
        name = f"{self.site.root.name.replace('-', '_')}_{self._release}"
        assert former in SHOP
        (self.site.root / f"{name}.py").write_text(SHOP.replace(former, later) if former else SHOP)
        self.site.write(CONFIG.replace('"shop"', f'"{name}"'))


@pytest.fixture
def deployment(ready: Site) -> Deployment:
    """One release is out, and its contracts are written down."""
    found = Deployment(ready)
    found.release()
    assert ready.run("check", "--write").code == 0
    return found


def push(site: Site, payload: bytes, *, queue: str = "mail") -> None:
    with site.driver() as driver:
        driver.push([Entry(queue, payload, new_uuid())])


def mail(arguments: str, uuid: str = "") -> bytes:
    return encode(job="Mail", arguments=arguments, uuid=uuid or new_uuid())


def test_without_a_lock_file_there_is_nothing_to_compare_with(ready: Site) -> None:
    """That is a check that failed, with the command that makes one."""
    Deployment(ready).release()
    run = ready.run("check")
    assert run.code == 9
    assert "jobs.lock" in run.err
    assert "queuectl check --write" in run.err


def test_the_lock_file_is_always_the_same_text(deployment: Deployment) -> None:
    """A second writing is no change in a repository."""
    lock = deployment.site.root / "conf" / "jobs.lock"
    before = lock.read_bytes()
    deployment.release()
    assert deployment.site.run("check", "--write").code == 0
    assert lock.read_bytes() == before
    assert deployment.site.run("check", "--exact").code == 0


def test_a_change_that_breaks_is_9_until_it_is_agreed_to(deployment: Deployment) -> None:
    """It is named, with what it means."""
    deployment.release("    copies: int = 1\n", "")
    run = deployment.site.run("check")
    assert run.code == 9
    assert run.out == "BREAKS Mail.copies is gone. Payloads that carry it are refused.\n"
    assert deployment.site.run("check", "--write").code == 0
    assert deployment.site.run("check").code == 0


def test_a_harmless_change_is_told_and_passes(deployment: Deployment) -> None:
    """Only `--exact` wants the file to be current."""
    deployment.release("    copies: int = 1\n", "    copies: int | None = 1\n")
    run = deployment.site.run("check", "--json")
    assert run.code == 0
    assert [(one["kind"], one["breaks"]) for one in run.json["changes"]] == [("type_changed", False)]
    assert deployment.site.run("check", "--exact").code == 9


def test_every_payload_is_tried(deployment: Deployment) -> None:
    """Waiting, delayed and failed ones: counted by job and reason, with samples; nothing is changed."""
    site = deployment.site
    site.push("mail", 3)
    site.push("mail", 2, delay=600)
    site.fail(UUID.format(1), arguments='{"to": "ann"}')
    deployment.release("    to: str\n", "    to: str\n    subject: str\n")
    run = site.run("check", "--against-queue", "--json")
    assert run.code == 9
    found = run.json["payloads"]
    assert (found["checked"], found["refused"]) == (6, 6)
    [problem] = found["problems"]
    assert (problem["job"], problem["reason"], problem["count"]) == ("Mail", "missing: 'subject'", 6)
    assert len(problem["samples"]) == 3
    assert {sample["state"] for sample in problem["samples"]} == {"delayed", "ready"}
    assert (site.size("mail"), site.failed_uuids()) == (5, [UUID.format(1)])


def test_a_job_that_runs_is_tried_as_well(deployment: Deployment) -> None:
    """It may come back, to the new code."""
    site = deployment.site
    site.push("mail")
    with site.driver() as driver:
        driver.exchange([], ["mail"], 1)
    deployment.release("class Mail", "class Letter")
    run = site.run("check", "--against-queue", "--json")
    [problem] = run.json["payloads"]["problems"]
    assert (problem["job"], problem["reason"], problem["samples"][0]["state"]) == (
        "Mail",
        "there is no such job",
        "reserved",
    )


def test_reasons_are_counted_without_the_values(deployment: Deployment) -> None:
    """A thousand values that are wrong in one way are one line; what differs is told apart."""
    site = deployment.site
    for number in range(4):
        push(site, mail(f'{{"to": {number}}}'))
    push(site, mail('{"to": "ann", "secret_code": "s3cr3t-canary"}'))
    push(site, b"not json")
    run = site.run("check", "--against-queue")
    assert run.code == 9
    told = [line for line in run.out.splitlines() if line.startswith("REFUSED")]
    assert told[0] == "REFUSED 4 payloads of Mail: to: input should be a valid string"
    assert told[1:] == [
        "REFUSED 1 payload: they cannot be read",
        "REFUSED 1 payload of Mail: there is no argument 'secret_code' (there is 'to', 'copies')",
    ]
    assert "6 payloads looked at, 6 would be refused." in run.err
    assert "s3cr3t-canary" not in run.out + run.err


def test_what_fits_passes(deployment: Deployment) -> None:
    """Exit 0; jobs of a PHP application are left to it."""
    site = deployment.site
    site.push("mail", 2)
    push(site, b'{"uuid":"x","job":"Illuminate\\\\Queue\\\\CallQueuedHandler@call","data":{}}')
    run = site.run("check", "--against-queue")
    assert (run.code, run.out) == (0, "")
    assert "3 payloads looked at, 0 would be refused. 1 of a PHP application were left to it." in run.err


def test_only_the_named_queues_are_looked_at(deployment: Deployment) -> None:
    """By pattern; a name that is nearly one is guessed."""
    site = deployment.site
    push(site, mail("{}"))
    push(site, mail("{}"), queue="other")
    words = ("check", "--against-queue", "--json")
    assert site.run(*words, "--queue=oth*").json["payloads"]["checked"] == 1
    assert site.run(*words).json["payloads"]["checked"] == 2
    assert "Did you mean 'mail'?" in site.run(*words, "--queue=mial").err


def test_a_job_that_checks_its_arguments_itself_is_asked(deployment: Deployment) -> None:
    """As a worker's child would: it is made, not run."""
    site = deployment.site
    site.push("mail")
    deployment.release(
        "    def handle", "    def __post_init__(self):\n        raise RuntimeError('no')\n\n    def handle"
    )
    [problem] = site.run("check", "--against-queue", "--json").json["payloads"]["problems"]
    assert problem["reason"] == "RuntimeError while it is made"


def test_options_that_say_nothing_together_are_refused(deployment: Deployment) -> None:
    """Exit 2, and nothing is written."""
    for words in (["--queue=mail"], ["--connection=database"], ["--write", "--exact"]):
        assert deployment.site.run("check", *words).code == 2


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 99, "jobs": {}}', '{"version": 1, "jobs": {"A": {}}}'])
def test_what_is_no_lock_file_is_said_to_be_none(deployment: Deployment, text: str) -> None:
    """With the command that writes one."""
    (deployment.site.root / "conf" / "jobs.lock").write_text(text)
    run = deployment.site.run("check")
    assert (run.code, "queuectl check --write" in run.err) == (78, True)
    assert deployment.site.run("check", "--write").code == 0


def test_another_lock_file_may_be_named(deployment: Deployment) -> None:
    """That of the release which runs."""
    lock = deployment.site.root / "conf" / "jobs.lock"
    lock.rename(deployment.site.root / "running.lock")
    deployment.release("    to: str\n", "    to: int\n")
    assert deployment.site.run("check", "--write").code == 0
    assert deployment.site.run("check").code == 0
    run = deployment.site.run("check", "--lock=running.lock")
    assert (run.code, "was string, is integer" in run.out) == (9, True)


def test_it_says_that_a_store_is_away(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """One of two: what was seen counts, and the exit code is 7. The only one: 69."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert deployment.site.run("check", "--against-queue").code == 7
    assert deployment.site.run("check", "--against-queue", "--connection=redis").code == 69
