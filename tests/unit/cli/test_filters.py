"""One grammar for which jobs are meant, on every verb that takes several."""

from __future__ import annotations

import json

import pytest

from queuectl.commands import by_name
from queuectl.commands.filters import Attempts, Filter
from queuectl.commands.group import load
from queuectl.drivers.contract import FailedJob, Stored
from queuectl.errors import UsageError
from tests.unit.cli.conftest import Run, Site, Terminal

VERBS = ("failed", "retry", "forget", "flush", "jobs:list", "jobs:cancel")
OPTIONS = {"--queue", "--job", "--error", "--error-like", "--since", "--before", "--attempts", "--limit"}
A, B, C, LATE = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "abcd")


def job(**facts: object) -> FailedJob:
    usual = {"id": "1", "uuid": A, "connection": "redis", "queue": "mail", "job": "SendMail", "attempts": 3}
    return FailedJob(**{**usual, "error": "builtins.OSError", "message": "Disk full", "failed_at": 100.0, **facts})  # type: ignore[arg-type]  # of mixed types


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_the_same_options(verb: str) -> None:
    """With the same help, so that one word means one thing everywhere."""
    found = {name: option.help for option in load(by_name()[verb], verb).params for name in option.opts}
    reference = {name: option.help for option in load(by_name()["failed"], "failed").params for name in option.opts}
    assert found.keys() >= OPTIONS
    assert {name: found[name] for name in OPTIONS} == {name: reference[name] for name in OPTIONS}


@pytest.mark.parametrize(
    "meant",
    [
        Filter(),
        Filter(queues=("mail",)),
        Filter(queues=("image", "m*")),
        Filter(queues=("redis:mail",)),
        Filter(queues=("redis:*",)),
        Filter(job="SendMail"),
        Filter(job="Send*"),
        Filter(error="OSError"),
        Filter(error="builtins.OSError"),
        Filter(error_like="disk FULL"),
        Filter(since=100.0),
        Filter(before=100.5),
        Filter(attempts=Attempts(3, 3)),
        Filter(attempts=Attempts(2, None)),
        Filter(group="54696e"),
    ],
    ids=repr,
)
def test_what_fits_is_meant(meant: Filter) -> None:
    """Each option for itself."""
    assert meant.matches_failed(job(fingerprint="54696e5bb3e5"))


@pytest.mark.parametrize(
    "meant",
    [
        Filter(queues=("mai",)),
        Filter(queues=("database:mail",)),
        Filter(job="Mail"),
        Filter(error="Error"),
        Filter(error_like="disk  full"),
        Filter(since=100.5),
        Filter(before=100.0),
        Filter(attempts=Attempts(4, None)),
        Filter(group="5469f"),
        Filter(queues=("mail",), job="Other"),
    ],
    ids=repr,
)
def test_what_does_not_fit_is_not_meant(meant: Filter) -> None:
    """All options have to hold together."""
    assert not meant.matches_failed(job(fingerprint="54696e5bb3e5"))


def test_a_php_class_is_known_by_its_last_part() -> None:
    """As artisan shows it, and as people call it."""
    php = job(job="App\\Jobs\\SendMail", error="Illuminate\\Queue\\TimeoutExceededException")
    assert Filter(job="SendMail", error="TimeoutExceededException").matches_failed(php)


def test_a_queue_is_asked_for_alone_where_it_can_be() -> None:
    """A store has an index for that, and none for globs."""
    assert Filter(queues=("mail",)).only_queue == "mail"
    for queues in ((), ("mail*",), ("redis:mail",), ("mail", "image"), ("m[ab]",)):
        assert Filter(queues=queues).only_queue is None


def test_the_age_of_a_waiting_job_counts_from_its_dispatch() -> None:
    """One that does not tell it is neither young nor old."""
    stored = Stored("mail", "1", b"", 0, "ready", 500.0)
    for created_at, meant in ((99.0, False), (100.0, True), (None, False)):
        assert Filter(since=100.0).matches_stored(stored, "redis", job="Mail", created_at=created_at) is meant


@pytest.mark.parametrize(
    ("words", "held", "others"), [("3", [3], [2, 4]), ("3+", [3, 9999], [2]), ("2-5", [2, 5], [1, 6]), ("0", [0], [1])]
)
def test_attempts_are_a_number_or_a_range(words: str, held: list[int], others: list[int]) -> None:
    """Both ends are in it."""
    attempts = Attempts.parse(words)
    assert all(map(attempts.hold, held))
    assert not any(map(attempts.hold, others))


@pytest.mark.parametrize("words", ["three", "3-", "-3", "+3", "1.5", "٣"])
def test_what_is_no_number_of_attempts_is_refused(words: str) -> None:
    """With what would have been right."""
    with pytest.raises(UsageError, match=r"--attempts: .*3, 3\+ \(or more\) or 2-5"):
        Attempts.parse(words)


# On the command line


@pytest.fixture
def mixed(ready: Site) -> Site:
    """Three failures that differ in everything."""
    ready.fail(A, queue="mail-high", job="SendMail", message="no user 17", ago=7200)
    ready.fail(B, queue="mail", job="SendMail", message="no user 18", ago=600)
    ready.fail(C, queue="image", job="Resize", message="disk full", ago=60)
    return ready


def uuids(run: Run) -> list[str]:
    return run.out.split()


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("--queue mail*", [B, A]),
        ("--queue mail --queue image", [C, B]),
        ("--queue mail,image", [C, B]),
        ("--queue database:mail*", [B, A]),
        ("--job SendMail", [B, A]),
        ("--error OSError --job Re*", [C]),
        ("--error-like USER", [B, A]),
        ("--since 1h", [C, B]),
        ("--before 1h", [A]),
        ("--since 1h --before 5m", [B]),
        ("--attempts 3+", [C, B, A]),
        ("--attempts 4-9", []),
        ("--limit 2", [C, B]),
        ("--job SendMail --limit 1", [B]),
    ],
)
def test_the_same_words_mean_the_same_jobs(mixed: Site, words: str, meant: list[str]) -> None:
    """Listed, counted for a retry, and deleted."""
    assert uuids(mixed.run("failed", "--ids", *words.split())) == meant
    assert mixed.run("retry", *words.split(), "--dry-run", "--json").json["retried"] == len(meant)
    assert mixed.run("flush", *words.split(), "--force", "--json").json["deleted"] == len(meant)
    assert set(uuids(mixed.run("failed", "--ids"))) == {A, B, C} - set(meant)


@pytest.mark.parametrize("words", ["--since soon", "--before -1", "--attempts x", "--limit 0", "--limit x"])
def test_what_is_no_filter_is_a_usage_error(mixed: Site, words: str) -> None:
    """Exit 2, with the option's name, before anything is touched."""
    for verb in VERBS:
        run = mixed.run(verb, *words.split())
        assert (run.code, words.split()[0] in run.err) == (2, True), verb


def test_ids_and_filters_are_not_mixed(mixed: Site) -> None:
    """Which of the two would count?"""
    for verb in ("failed", "retry", "forget"):
        assert mixed.run(verb, A, "--job=SendMail").code == 2
    assert mixed.run("failed", A, C, "--ids").out.split() == [A, C]
    assert mixed.run("failed", "ffffffff-0000-4000-8000-000000000000").code == 1


def test_the_gate_counts_what_the_limit_hides(mixed: Site) -> None:
    """`--limit` is about what is shown, `--max` about what there is."""
    run = mixed.run("failed", "--limit=1", "--max=2", "--ids")
    assert (run.code, len(uuids(run))) == (4, 1)
    assert mixed.run("failed", "--limit=1", "--max=3").code == 0


def test_expect_refuses_another_number(mixed: Site) -> None:
    """Exit 2, nothing changed; the right number goes through."""
    for words in (["retry", "--job=SendMail"], ["forget", "all", "--yes"], ["flush", "--force"]):
        run = mixed.run(*words, "--expect=7")
        assert run.code == 2
        assert "--expect 7: " in run.err
        assert "Nothing was changed" in run.err
    assert mixed.run("retry", "--job=SendMail", "--expect=2").code == 0
    assert mixed.run("forget", "all", "--expect=1", "--yes").code == 0


class SlowToAnswer(Terminal):
    """Somebody who says yes, while another job fails."""

    def __init__(self, site: Site) -> None:
        super().__init__()
        self._site = site

    def readline(self, *size: int) -> str:  # type: ignore[override]  # nobody asks for less than a line
        self._site.fail(LATE, ago=0)
        return "yes\n"


def test_what_fails_after_the_count_is_not_deleted(mixed: Site) -> None:
    """Nobody agreed to it."""
    assert mixed.run("flush", terminal=True, stdin=SlowToAnswer(mixed)).code == 0
    assert mixed.failed_uuids() == [LATE]


def test_only_one_format_can_be_had(mixed: Site) -> None:
    """`--json`, `--jsonl` or `--ids`."""
    for command in ("failed", "jobs:list", "audit"):
        run = mixed.run(command, "--json", "--jsonl")
        assert (run.code, "Give --json or --jsonl, not both." in run.err) == (2, True)


def test_json_lines_are_the_objects_of_the_document(mixed: Site) -> None:
    """One a line, for `jq` and for long lists."""
    lines = mixed.run("failed", "--jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == mixed.run("failed", "--json").json


# Groups


def test_failures_of_one_cause_are_a_group(mixed: Site) -> None:
    """The largest first, with count, times, queues and a sample: the newest."""
    first, second = mixed.run("failed", "--group", "--json").json
    assert (first["count"], first["job"], first["sample"]) == (2, "SendMail", B)
    assert first["queues"] == ["database:mail", "database:mail-high"]
    assert first["first_failed_at"] < first["last_failed_at"]
    assert (second["count"], second["job"]) == (1, "Resize")
    assert uuids(mixed.run("failed", "--group", "--ids")) == [first["fingerprint"], second["fingerprint"]]


def test_a_group_is_chosen_by_the_beginning_of_its_fingerprint(mixed: Site) -> None:
    """To list it, to retry it, to delete it."""
    [group, other] = uuids(mixed.run("failed", "--group", "--ids"))
    assert uuids(mixed.run("failed", "--group", group[:6], "--ids")) == [B, A]
    assert mixed.run("forget", "--group", other[:6]).code == 0
    assert mixed.run("retry", "--group", group).code == 0
    assert mixed.failed_uuids() == []


def test_people_see_groups_as_a_table_with_what_to_type_next(mixed: Site) -> None:
    """Counts, a sample of the message, and the commands."""
    run = mixed.run("failed", "--group", "--limit=1")
    header, row = run.out.splitlines()
    assert header.split() == ["GROUP", "JOBS", "JOB", "ERROR", "AT", "FIRST", "LAST"]
    assert "OSError: no user 18" in row
    assert "queuectl retry --group" in run.err


def test_groups_can_be_a_gate_too(mixed: Site) -> None:
    """`--max` counts jobs, not groups."""
    assert mixed.run("failed", "--group", "--max=2").code == 4
    assert mixed.run("failed", "--group", "--max=3").code == 0


def test_one_failed_job_says_what_to_type_next(mixed: Site) -> None:
    """`failed show ID`, in two words as well; its group among it."""
    shown = mixed.run("failed", "show", A).out
    assert shown == mixed.run("failed:show", A).out
    [group, _] = uuids(mixed.run("failed", "--group", "--ids"))
    for words in (f"queuectl retry {A}", f"queuectl retry --group {group}", f"queuectl forget {A}"):
        assert words in shown


@pytest.mark.parametrize(
    ("words", "meant"), [("--queue=mial", "mail"), ("--job=SendMial", "SendMail"), ("--error=OSErorr", "OSError")]
)
def test_mistyped_names_are_guessed(mixed: Site, words: str, meant: str) -> None:
    """Where nothing was found: there may be nothing."""
    for verb in (["failed"], ["retry"], ["forget"], ["flush", "--force"]):
        run = mixed.run(*verb, words)
        assert (run.code, f"Did you mean '{meant}'?" in run.err) == (0, True), verb


def test_mistyped_jobs_in_queues_are_guessed(ready: Site) -> None:
    """By those that are there."""
    ready.push("mail")
    for command in ("jobs:list", "jobs:cancel"):
        assert "Did you mean 'Mail'?" in ready.run(command, "--job=Mial").err
