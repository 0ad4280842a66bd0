"""The failed jobs: listed, shown, retried, deleted."""

from __future__ import annotations

import re
from contextlib import closing
from sqlite3 import connect

import pytest

from queuectl.jobs.payload import decode
from tests.unit.cli.conftest import Run, Site, failed_record

TWO = """\
default = "database"
[connections.database]
[connections.other]
driver = "database"
url = "sqlite:///storage/other.sqlite"
"""
A, B, C = (
    "aaaaaaaa-0000-4000-8000-000000000001",
    "bbbbbbbb-0000-4000-8000-000000000002",
    "cccccccc-0000-4000-8000-000000000003",
)
PHP = """\
INSERT INTO failed_jobs (uuid, connection, queue, payload, exception, failed_at)
VALUES ('eeeeeeee-0000-4000-8000-000000000005', 'database', 'mail', '{"job": "A@call"}', 'X: no', '2020-01-01')
"""
UNKNOWN = "dddddddd-0000-4000-8000-000000000004"


@pytest.fixture
def two(site: Site) -> Site:
    """Two databases."""
    site.write(TWO)
    assert site.run("migrate").code == 0
    return site


def ids(run: Run) -> list[str]:
    return [job["id"] for job in run.json]


# Listing


def test_no_failed_jobs(ready: Site) -> None:
    """Artisan's sentence for people, an empty document for scripts; exit 0 both times."""
    assert ready.run("queue:failed").err == "No failed jobs found.\n"
    assert ready.run("failed", "--json").out == "[]\n"
    assert ready.run("failed", "--ids").out == ""


def test_failed_jobs_are_listed_newest_first(ready: Site) -> None:
    """With artisan's keys in the JSON."""
    ready.fail(A, B, C)
    run = ready.run("failed", "--json")
    assert ids(run) == [C, B, A]
    assert list(run.json[0])[:5] == ["id", "connection", "queue", "class", "failed_at"]
    assert (run.json[0]["class"], run.json[0]["error"], run.json[0]["attempts"]) == ("Mail", "builtins.OSError", 3)
    assert ready.run("failed", "--ids").out.splitlines() == [C, B, A]


def test_people_see_a_table(ready: Site) -> None:
    """Aligned columns in a pipe, a drawn table on a terminal."""
    ready.fail(A)
    plain = ready.run("failed").out.splitlines()
    assert plain[0].split() == ["ID", "UUID", "FAILED", "AT", "QUEUE", "JOB", "ERROR"]
    assert plain[1].startswith("1   ") or plain[1].split()[0] == "1"
    assert "database@mail" in plain[1]
    assert "OSError: the server is away" in plain[1]
    assert "─" in ready.run("failed", terminal=True).out


@pytest.mark.parametrize("columns", ["80", "60"])
def test_an_id_is_whole_on_a_narrow_terminal(two: Site, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """It is what the next command is given; the long texts beside it give way."""
    monkeypatch.setenv("COLUMNS", columns)
    two.fail(A, message="the server is away " * 9)
    lines = re.sub(r"\x1b\[[0-9;]*m", "", two.run("failed", terminal=True).out).splitlines()
    assert lines[1].split()[0] == "ID"
    [row] = [line for line in lines if "Mail" in line]
    assert row.split()[0] == "1"
    assert len(row) <= int(columns)


def test_the_failed_jobs_of_all_connections_are_one_list(two: Site) -> None:
    """In the order they failed in, whichever store they are in."""
    two.fail(A, ago=90)
    two.fail(B, connection="other", ago=60)
    two.fail(C, ago=30)
    assert ids(two.run("failed", "--json")) == [C, B, A]
    assert ids(two.run("failed", "--connection=other", "--json")) == [B]


def test_listing_may_be_narrowed(ready: Site) -> None:
    """By queue, and by age."""
    ready.fail(A, ago=7200)
    ready.fail(B, queue="image")
    assert ids(ready.run("failed", "--queue=image", "--json")) == [B]
    assert ids(ready.run("failed", "--since=1h", "--json")) == [B]


@pytest.mark.parametrize(("most", "code"), [(1, 4), (2, 0), (0, 4)])
def test_more_failed_jobs_than_allowed_is_4(ready: Site, most: int, code: int) -> None:
    """`failed --max N` fires at more than N: a gate for deployments."""
    ready.fail(A, B)
    assert ready.run("failed", f"--max={most}", "--json").code == code


# Showing


@pytest.mark.fault("X10")
def test_one_failed_job_is_shown_whole_without_its_secrets(ready: Site) -> None:
    """By uuid or short id; payload and exception; `--show-secrets` on purpose."""
    ready.fail(A, message="login failed: password=s3cr3t-canary at redis://:s3cr3t-canary@h")
    for key in (A, "1"):
        run = ready.run("failed:show", key)
        assert run.code == 0
        assert "shop.py, line 9" in run.out
        assert '"to": "ann"' in run.out
    found = ready.run("failed:show", A, "--json").json
    assert found["payload"]["data"]["args"] == {"to": "ann", "password": "***"}
    for words in (["failed:show", A], ["failed:show", A, "--json"], ["failed"], ["failed", "--json"]):
        assert "s3cr3t-canary" not in ready.run(*words).out
    assert "s3cr3t-canary" in ready.run("failed:show", A, "--show-secrets").out


def test_ids_are_exact_in_a_pipe_and_harmless_on_a_terminal(ready: Site) -> None:
    """Another program may have put anything there."""
    ready.fail("a\x1b[2J")
    assert ready.run("failed", "--ids").out == "a\x1b[2J\n"
    assert ready.run("failed", "--ids", terminal=True).out == "a\\x1b[2J\n"


def test_showing_an_unknown_job_is_1(ready: Site) -> None:
    """One line on stderr."""
    assert ready.run("failed:show", UNKNOWN) == Run(1, "", f"error: Unable to find failed job with ID [{UNKNOWN}].\n")


def test_a_payload_that_is_not_json_is_shown_as_text(ready: Site) -> None:
    """What cannot be understood is shown as it is."""
    record = failed_record(A)
    with ready.driver() as driver:
        driver.failed.add([type(record)(**{**_fields(record), "payload": b"\xff\x00 not json"})])
    assert ready.run("failed:show", A).code == 0
    assert isinstance(ready.run("failed:show", A, "--json").json["payload"], str)


def _fields(record: object) -> dict[str, object]:
    return {name: getattr(record, name) for name in record.__slots__}  # type: ignore[attr-defined]  # a slotted dataclass


# Retrying


@pytest.mark.parametrize("words", [[A], ["1"], ["1-1"], ["--range=1-1"], ["all"], ["--queue=mail"], ["-"]])
def test_a_failed_job_goes_back_to_its_queue(ready: Site, words: list[str]) -> None:
    """Named in any of the ways there are; the payload keeps its uuid and starts at attempt 0."""
    ready.fail(A)
    run = ready.run("queue:retry", *words, stdin=f"{A}\n")
    assert run.code == 0
    assert A in run.out
    assert ready.failed_uuids() == []
    with ready.driver() as driver:
        [stored] = driver.page("mail", "ready").items
    assert (decode(stored.payload).uuid, stored.attempts) == (A, 0)


def test_retry_needs_to_know_what(ready: Site) -> None:
    """Without ids it needs `all`; and words that contradict each other are refused."""
    ready.fail(A)
    for words in ([], [A, "all"], [A, "--queue=mail"]):
        assert ready.run("retry", *words).code == 2
    assert ready.failed_uuids() == [A]


@pytest.mark.fault("F39")
def test_an_unknown_id_is_1_and_the_others_are_done(ready: Site) -> None:
    """The ids that nobody has are named."""
    ready.fail(A, B)
    run = ready.run("retry", A, UNKNOWN, "999", "50-60")
    assert run.code == 1
    for key in (UNKNOWN, "999", "50-60"):
        assert f"Unable to find failed job with ID [{key}]." in run.err
    assert ready.failed_uuids() == [B]


def test_nothing_to_retry_is_no_error(ready: Site) -> None:
    """`retry all` in a script runs whether or not something failed."""
    run = ready.run("retry", "all")
    assert (run.code, run.err) == (0, "No retryable jobs found.\n")
    assert ready.run("retry", "-", stdin="").code == 0


def test_retry_works_in_batches(ready: Site) -> None:
    """More than one page and one batch, each exactly once."""
    uuids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(450)]
    with ready.driver() as driver:
        driver.failed.add([failed_record(uuid) for uuid in uuids])
    run = ready.run("retry", "all", "--json")
    assert run.json["retried"] == 450
    assert not any(value for key, value in run.json.items() if key != "retried")
    assert ready.size("mail") == 450


def test_a_dry_run_changes_nothing(ready: Site) -> None:
    """The same output, and the jobs where they were."""
    ready.fail(A, B)
    assert ready.run("retry", "all", "--dry-run", "--json").json["retried"] == 2
    assert ready.run("forget", "all", "--dry-run", "--json").json["deleted"] == 2
    assert ready.run("flush", "--dry-run", "--json").json == {
        "deleted": 2,
        "dry_run": True,
        "operation": None,
    }
    assert ready.run("prune-failed", "--hours=0", "--dry-run", "--json").json["deleted"] == 2
    assert len(ready.failed_uuids()) == 2


def test_a_dry_run_of_forget_says_how_many(ready: Site) -> None:
    """As the others do."""
    ready.fail(A, B)
    assert "2 failed jobs would be deleted." in ready.run("forget", "all", "--dry-run").err


@pytest.mark.parametrize("words", [["failed"], ["retry"], ["forget", "--yes"]])
def test_a_mistyped_queue_of_failed_jobs_is_guessed(ready: Site, words: list[str]) -> None:
    """Only where nothing was found: a queue without failed jobs is no mistake."""
    ready.fail(A)
    run = ready.run(*words, "--queue=mial")
    assert (run.code, "Did you mean 'mail'?" in run.err) == (0, True)
    assert "Did you mean" not in ready.run(*words, "--queue=mail").err


def test_retry_finds_the_right_connection(two: Site) -> None:
    """Each job goes back to the store that it came from."""
    two.fail(A)
    two.fail(B, connection="other")
    assert two.run("retry", B, A).code == 0
    assert (two.size("mail"), two.size("mail", "other")) == (1, 1)


def test_an_id_that_two_connections_have_is_2(two: Site) -> None:
    """Nothing is done; `--connection` or a uuid says which was meant."""
    two.fail(A)
    two.fail(B, connection="other")
    for words in (["retry", "1"], ["retry", "1-5"], ["forget", "1"], ["failed:show", "1"]):
        run = two.run(*words)
        assert run.code == 2, words
        assert "--connection" in run.err
    assert two.run("retry", "1", "--connection=other").code == 0
    assert (two.size("mail"), two.size("mail", "other")) == (0, 1)


# Deleting


def test_one_failed_job_is_forgotten_without_a_question(ready: Site) -> None:
    """Artisan's sentences, for success and for an unknown id."""
    ready.fail(A)
    run = ready.run("queue:forget", A)
    assert (run.code, run.out, run.err.splitlines()[0]) == (0, "", "Failed job deleted successfully.")
    run = ready.run("queue:forget", A)
    assert (run.code, run.err) == (1, f"error: No failed job matches the given ID [{A}].\n")


@pytest.mark.parametrize(
    "words", [["forget", A, B], ["forget", "all"], ["forget", "1-9"], ["flush"], ["flush", "--hours=0"]]
)
def test_deleting_several_needs_a_yes(ready: Site, words: list[str]) -> None:
    """Nobody can be asked in a script: exit 2, and nothing is deleted; a no at a terminal is 3."""
    ready.fail(A, B)
    run = ready.run(*words)
    assert run.code == 2
    assert "--yes" in run.err or "--force" in run.err
    assert ready.run(*words, "-n", terminal=True).code == 2
    assert ready.run(*words, terminal=True, stdin="no\n").code == 3
    assert ready.run(*words, terminal=True, stdin="").code == 3
    assert len(ready.failed_uuids()) == 2
    assert ready.run(*words, terminal=True, stdin="yes\n").code == 0
    assert ready.failed_uuids() == []


def test_ids_may_come_from_a_pipe(ready: Site) -> None:
    """`failed --ids | forget - --yes`."""
    ready.fail(A, B)
    run = ready.run("forget", "-", "--yes", stdin=ready.run("failed", "--ids").out)
    assert (run.code, run.err.splitlines()[0]) == (0, "2 failed jobs deleted successfully.")


def test_flush_takes_hours(ready: Site) -> None:
    """Only what failed longer ago; the sentences are artisan's."""
    ready.fail(A, ago=3 * 86_400)
    ready.fail(B)
    run = ready.run("flush", "--hours=48", "--force")
    assert run.err.startswith("All jobs that failed more than 48 hours ago have been deleted successfully.\n")
    assert ready.failed_uuids() == [B]
    assert ready.run("queue:flush", "--force").err.startswith("All failed jobs deleted successfully.\n")
    assert ready.failed_uuids() == []


@pytest.mark.parametrize("words", [["flush", "--force"], ["flush", "--force", "--foreign"], ["prune-failed"]])
@pytest.mark.parametrize("hours", ["nan", "inf", "1e300"])
def test_what_is_no_number_of_hours_deletes_nothing(ready: Site, words: list[str], hours: str) -> None:
    """A store might take it for anything."""
    ready.fail(A)
    assert ready.run(*words, f"--hours={hours}").code == 2
    assert ready.failed_uuids() == [A]


def test_pruning_asks_nothing(ready: Site) -> None:
    """It is written for cron; a day is kept unless told otherwise."""
    ready.fail(A, ago=2 * 86_400)
    ready.fail(B)
    assert ready.run("queue:prune-failed").err == "1 entries deleted.\n"
    assert ready.failed_uuids() == [B]


# The collecting store

FAR = """\
default = "database"
[connections.database]
[connections.archive]
driver = "database"
url = "sqlite:///storage/archive.sqlite"
[failed]
connection = "archive"
"""


@pytest.fixture
def far(site: Site) -> Site:
    """A database whose failed jobs are collected in another one."""
    site.write(FAR)
    assert site.run("migrate").code == 0
    return site


def test_a_job_on_its_way_to_the_collecting_store_is_listed_once(far: Site) -> None:
    """For a moment it lies in both."""
    record = failed_record(A)
    for name in ("database", "archive"):
        with far.driver(name) as driver:
            driver.failed.add([record])
    far.fail(B)
    assert ids(far.run("failed", "--json")) == [B, A]


def test_a_collected_job_is_retried_where_it_came_from(far: Site) -> None:
    """Not on the server that keeps its row."""
    far.fail(A)
    far.fail(B, ago=30)
    run = far.run("retry", "all", "--json")
    assert run.json["retried"] == 2
    assert (far.size("mail"), far.size("mail", "archive")) == (2, 0)
    assert far.failed_uuids() == far.failed_uuids("archive") == []


@pytest.mark.parametrize(("others", "code"), [([B], 7), ([], 69)])
def test_a_server_that_is_away_does_not_keep_the_others_from_a_retry(far: Site, others: list[str], code: int) -> None:
    """Its jobs stay in the collecting store, and are retried once it is back."""
    far.write(FAR + '[connections.redis]\ndriver = "redis"\nurl = "redis://127.0.0.1:1/0"\n')
    with far.driver("archive") as driver:
        driver.failed.add([failed_record(uuid, connection="redis") for uuid in (A, C)])
        driver.failed.add([failed_record(uuid) for uuid in others])
    run = far.run("retry", "all", "--json")
    assert (run.code, run.json["retried"], run.json["stranded"], run.json["overtaken"]) == (code, len(others), 2, 0)
    assert "[redis] 2 failed jobs stay in the failed store: Redis at " in run.err
    assert (sorted(far.failed_uuids("archive")), far.size("mail")) == ([A, C], len(others))


def test_a_retry_that_was_interrupted_pushes_nothing_twice(far: Site) -> None:
    """Pushed, and then the row was not forgotten: the second run only forgets it."""
    record = failed_record(A)
    with far.driver("archive") as driver:
        driver.failed.add([record])
    assert far.run("retry", A).code == 0
    with far.driver("archive") as driver:
        driver.failed.add([record])
    assert far.run("retry", A).code == 0
    assert far.size("mail") == 1
    assert far.failed_uuids("archive") == []


# Clearing


def test_clear_deletes_a_queue(ready: Site) -> None:
    """The default one, or those named; never without a yes."""
    ready.push("default", 2)
    ready.push("mail", 3)
    ready.push("image")
    assert ready.run("clear").code == 2
    assert ready.run("clear", terminal=True, stdin="n\n").code == 3
    assert ready.run("queue:clear", "--force").err.startswith("Cleared 2 jobs from the [default] queue.\n")
    run = ready.run("clear", "database", "--queue=mail,image", "--force", "--json")
    found = run.json
    assert re.fullmatch("op-[a-z0-9]{6}", found.pop("operation"))
    assert found == {"connection": "database", "cleared": {"mail": 3, "image": 1}, "dry_run": False}


def test_clear_guesses_names_and_refuses_sync(ready: Site) -> None:
    """A mistyped connection is a usage error; a connection without queues an error."""
    run = ready.run("clear", "databse", "--force")
    assert (run.code, "Did you mean 'database'?" in run.err) == (2, True)
    assert ready.run("clear", "sync", "--force").code == 1


# Rows of a PHP application


@pytest.mark.parametrize(
    "words", [("flush", "--force"), ("prune-failed", "--hours=0"), ("retry", "all"), ("forget", "all", "--yes")]
)
def test_what_a_php_application_failed_is_left_alone(ready: Site, words: tuple[str, ...]) -> None:
    """It is listed, but our verbs act on our own; with `--foreign` on its rows too."""
    ready.fail(A)
    with closing(connect(ready.root / "storage/queue.sqlite")) as database, database:
        database.execute(PHP)
    assert len(ids(ready.run("failed", "--json"))) == 2
    assert ready.run(*words).code == 0
    assert ids(ready.run("failed", "--json")) == ["eeeeeeee-0000-4000-8000-000000000005"]
    assert ready.run(*words, "--foreign").code == 0
    assert ids(ready.run("failed", "--json")) == []
