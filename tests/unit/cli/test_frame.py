"""The frame around all commands: names, help, errors, global options."""

from __future__ import annotations

import re

import pytest

from queuectl.commands import COMMANDS, by_name
from tests.unit.cli.conftest import Site

ARTISAN = [
    "work",
    "restart",
    "pause",
    "resume",
    "continue",
    "monitor",
    "failed",
    "retry",
    "forget",
    "flush",
    "clear",
    "prune-failed",
    "table",
    "failed-table",
    "batches-table",
]


def test_every_command_has_artisans_name_and_the_short_one() -> None:
    """A line from a Laravel crontab works once `php artisan` is replaced."""
    for name in ARTISAN:
        assert by_name()[name] is by_name()[f"queue:{name}"]


def test_no_two_commands_share_a_name() -> None:
    """The table is a bijection from names to commands."""
    names = [name for spec in COMMANDS for name in (spec.name, *spec.aliases)]
    assert len(names) == len(set(names))


def test_help_lists_each_command_once(site: Site) -> None:
    """Under its short name, with one line."""
    run = site.run("--help")
    assert run.code == 0
    listed = re.findall(r"^  ([a-z][a-z:-]*)  ", run.out, re.MULTILINE)
    assert listed == [spec.name for spec in COMMANDS]


def test_no_words_at_all_show_the_help(site: Site) -> None:
    """As artisan's list; it is no mistake."""
    run = site.run()
    assert (run.code, run.out) == (0, site.run("--help").out)


@pytest.mark.parametrize("name", [spec.name for spec in COMMANDS])
def test_every_command_explains_itself(site: Site, name: str) -> None:
    """`COMMAND --help` and `help COMMAND` say the same, and list the global options."""
    run = site.run(name, "--help")
    assert run.code == 0
    assert "--no-interaction" in run.out
    assert site.run("help", name).out.split("Options:")[1] == run.out.split("Options:")[1]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("wrok", "work"),
        ("queue:moniter", "queue:monitor"),
        ("prune-faild", "prune-failed"),
        ("queue:listne", "queue:listen"),
        ("supervisor:confg", "supervisor:config"),
    ],
)
def test_a_mistyped_command_is_guessed(site: Site, typed: str, meant: str) -> None:
    """Exit 2, and one line that says what was probably meant."""
    run = site.run(typed)
    assert run.code == 2
    assert run.err.splitlines()[0] == f"error: There is no command {typed!r}. Did you mean {meant!r}?"
    assert run.out == ""


@pytest.mark.parametrize(
    ("words", "first_line"),
    [
        (("queue", "rety", "all"), "There is no command 'queue:rety'. Did you mean 'queue:retry'?"),
        (("jobs", "lst"), "jobs takes no 'lst'. Did you mean 'jobs:list'?"),
        (("restart", "mail"), "restart takes no 'mail'."),
        (("wrok", "mail"), "There is no command 'wrok'. Did you mean 'work'?"),
        (("help", "exit-code"), "There is no command 'exit-code'. Did you mean 'exit-codes'?"),
    ],
)
def test_a_name_in_two_words_is_guessed_as_well(site: Site, words: tuple[str, ...], first_line: str) -> None:
    """`queue retry` is `queue:retry`, and what is nearly that is told to be."""
    run = site.run(*words)
    assert (run.code, run.out, run.err.splitlines()[0]) == (2, "", f"error: {first_line}")


def test_a_mistyped_option_is_one_line(site: Site) -> None:
    """No usage block, no box: a line for a log."""
    run = site.run("monitor", "--jsn")
    assert run.code == 2
    assert "--jsn" in run.err.splitlines()[0]
    assert run.err.splitlines()[1] == "`queuectl monitor --help` explains it."


@pytest.mark.parametrize("value", ["three", "-1", "1.5"])
def test_a_wrong_number_is_a_usage_error(site: Site, value: str) -> None:
    """Exit 2 with the option's name and the value."""
    run = site.run("monitor", f"--max={value}")
    assert run.code == 2
    assert "--max" in run.err
    assert value in run.err


def test_the_version_is_shown_before_and_after_other_options(site: Site) -> None:
    """`queuectl --version` is the fast way, but not the only one."""
    assert re.fullmatch(r"queuectl \S+\n", site.run("-n", "--version").out)


def test_exit_codes_are_documented_in_the_program(site: Site) -> None:
    """`queuectl help exit-codes` prints the table."""
    lines = site.run("help", "exit-codes").out.splitlines()
    assert [int(line.split()[0]) for line in lines] == [0, 1, 2, 3, 4, 7, 9, 12, 69, 78, 130]


def test_a_wrong_configuration_is_one_line_and_78(site: Site) -> None:
    """File, line, and what was meant; the traceback only at -vv."""
    site.write('defalt = "sync"')
    run = site.run("monitor")
    assert run.code == 78
    assert run.err == "error: conf/queue.toml:1: unknown key 'defalt'. Did you mean 'default'?\n"
    assert "Traceback" in site.run("monitor", "-vv").err
    assert "Traceback" in site.run("-v", "monitor", "-v").err


def test_the_file_may_be_named_before_or_after_the_command(site: Site) -> None:
    """`--config` is global."""
    (site.root / "other.toml").write_text('default = "redis"')
    for words in (["--config", "other.toml", "config", "--json"], ["config", "--json", "--config=other.toml"]):
        assert site.run(*words).json["settings"]["default"]["value"] == "redis"


@pytest.mark.fault("X10")
def test_config_shows_origins_and_no_password(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every value with its place; the password of a URL masked, in both formats."""
    monkeypatch.setenv("REDIS_URL", "redis://app:s3cr3t-canary@cache:6379/0")
    run = site.run("config", "--show-origin")
    assert run.code == 0
    assert re.search(r"^connections\.redis\.url +redis://app:\*\*\*@cache:6379/0 +REDIS_URL$", run.out, re.MULTILINE)
    assert re.search(r"^default +database +conf/queue\.toml:1$", run.out, re.MULTILINE)
    assert "s3cr3t-canary" not in run.out + site.run("config", "--json").out + site.run("about").out


@pytest.mark.fault("X10")
def test_config_masks_secrets_among_the_options_of_a_url(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only them: the others are what somebody looks for."""
    monkeypatch.setenv("REDIS_URL", "redis+sentinel://h/main/0?db=1&sentinel_password=s3cr3t-canary")
    shown = site.run("config", "--json").json["settings"]["connections.redis.url"]["value"]
    assert shown == "redis+sentinel://h/main/0?db=1&sentinel_password=***"


def test_a_file_that_cannot_be_made_is_78(site: Site) -> None:
    """Where the folder is to be, there is a file."""
    (site.root / "storage").write_text("")
    run = site.run("migrate")
    assert (run.code, run.err) == (78, f"error: [database] {site.root}/storage cannot be made: File exists.\n")


def test_config_shows_each_table_in_one_piece(site: Site) -> None:
    """Whatever was set, and whatever is a default."""
    tables = [key.rpartition(".")[0] for key in site.run("config", "--json").json["settings"]]
    assert len(set(tables)) == sum(one != other for one, other in zip(tables, ["-", *tables], strict=False))


@pytest.mark.fault("X10")
def test_a_password_in_an_error_is_masked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Errors name the value that was wrong, but never what must not be read."""
    monkeypatch.setenv("QUEUE_CONNECTION", "redis")
    monkeypatch.setenv("REDIS_URL", "redis://app:s3cr3t-canary@127.0.0.1:1/0")
    for words in (["monitor"], ["failed", "-vv"], ["about"]):
        run = site.run(*words)
        assert "s3cr3t-canary" not in run.out + run.err
    assert site.run("monitor", "redis:mail").code == 69
    assert "cannot be reached" in site.run("about").out
    assert "queuectl about" not in site.run("about").out
