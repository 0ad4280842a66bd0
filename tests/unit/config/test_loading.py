"""What the configuration says, and where each value came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from queuectl.config import Config
from queuectl.config.loading import absolute_sqlite, load
from queuectl.errors import ConfigurationError

FILE = """\
# the queue
default = "database"
jobs = ["app.jobs"]

[connections.database]
retry_after = 60
"""


def write(root: Path, text: str = FILE) -> Path:
    file = root / "conf" / "queue.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def read(root: Path, text: str = FILE, **environment: str) -> Config:
    write(root, text)
    return load(env=environment, start=root)


def refusal(root: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read(root, text)
    assert caught.value.exit_code == 78
    return str(caught.value)


def test_without_a_file_the_built_in_values_hold(tmp_path: Path) -> None:
    """Nothing configured: jobs run at once, and SQLite and Redis are there to be named."""
    config = load(env={}, start=tmp_path)
    assert (config.default, config.root, config.path) == ("sync", tmp_path, None)
    assert list(config.connections) == ["sync", "database", "redis"]
    assert config.connections["database"].url == f"sqlite:///{tmp_path}/storage/queue.sqlite"
    assert config.connections["redis"].url == "redis://127.0.0.1:6379/0"
    assert config.disks["public"]["root"] == f"{tmp_path}/storage/app/public"
    assert {origin.source for origin in config.origins.values()} == {"default"}


def test_the_file_is_found_from_a_folder_below(tmp_path: Path) -> None:
    """The search walks up; the root is the folder that holds `conf/`."""
    file = write(tmp_path)
    (tmp_path / "app" / "deep").mkdir(parents=True)
    config = load(env={}, start=tmp_path / "app" / "deep")
    assert (config.root, config.path, config.default) == (tmp_path, file, "database")
    assert config.jobs == ("app.jobs",)


def test_a_key_that_the_file_leaves_out_keeps_its_default(tmp_path: Path) -> None:
    """A table in the file changes only the keys it has."""
    database = read(tmp_path).connections["database"]
    assert (database.retry_after, database.queue) == (60, "default")
    assert database.url.endswith("/storage/queue.sqlite")


def test_the_file_may_be_named_by_the_environment_or_a_flag(tmp_path: Path) -> None:
    """The flag wins; both are seen from the working directory."""
    (tmp_path / "a.toml").write_text('default = "redis"')
    (tmp_path / "b.toml").write_text('default = "database"')
    assert load(env={"QUEUECTL_CONFIG": "a.toml"}, start=tmp_path).default == "redis"
    assert load("b.toml", env={"QUEUECTL_CONFIG": "a.toml"}, start=tmp_path).default == "database"
    assert load("b.toml", env={}, start=tmp_path).root == tmp_path


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    """A file named on purpose is never silently replaced by defaults."""
    with pytest.raises(ConfigurationError, match=r"no configuration file .*gone\.toml.* \(from QUEUECTL_CONFIG\)"):
        load(env={"QUEUECTL_CONFIG": "gone.toml"}, start=tmp_path)


def test_each_layer_wins_over_the_one_below(tmp_path: Path) -> None:
    """Flag over environment over `.env` over file over default, and the origin tells which it was."""
    config = read(tmp_path)
    assert config.origins["default"].source == "conf/queue.toml:2"
    (tmp_path / ".env").write_text('QUEUE_CONNECTION="redis"\nAPP_KEY=secret\n')
    config = read(tmp_path)
    assert (config.default, config.origins["default"].source) == ("redis", ".env: QUEUE_CONNECTION")
    config = read(tmp_path, QUEUE_CONNECTION="sync")
    assert (config.default, config.origins["default"].source) == ("sync", "QUEUE_CONNECTION")
    config = load(env={"QUEUE_CONNECTION": "sync"}, start=tmp_path, overrides={"default": "database"})
    assert (config.default, config.origins["default"].source) == ("database", "flag")


def test_urls_come_from_the_environment(tmp_path: Path) -> None:
    """QUEUE_DATABASE_URL and REDIS_URL, as in Laravel's twelve-factor settings; empty ones count as not set."""
    config = read(tmp_path, QUEUE_DATABASE_URL="sqlite:///other.db", REDIS_URL="")
    assert config.connections["database"].url == f"sqlite:///{tmp_path}/other.db"
    assert config.connections["redis"].url == "redis://127.0.0.1:6379/0"
    assert config.origins["connections.database.url"].source == "QUEUE_DATABASE_URL"


def test_the_notification_service_may_come_from_the_environment(tmp_path: Path) -> None:
    """The same application tells its users one way here and another way there."""
    config = read(tmp_path, QUEUE_NOTIFICATION_SERVICE="hr.services:Push")
    assert config.notifications["service"] == "hr.services:Push"


@pytest.mark.parametrize(
    ("url", "absolute"),
    [
        ("sqlite:///a/b.sqlite", "sqlite:////root/a/b.sqlite"),
        ("sqlite:////abs/b.sqlite", "sqlite:////abs/b.sqlite"),
        ("sqlite:///a.sqlite?mode=ro", "sqlite:////root/a.sqlite?mode=ro"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite:///a%20b.sqlite", "sqlite:////root/a%20b.sqlite"),
        ("postgresql:///jobs", "postgresql:///jobs"),
    ],
)
def test_a_relative_sqlite_url_starts_at_the_root(url: str, absolute: str) -> None:
    """Workers, web servers and cron jobs start in different folders and must meet in one file."""
    assert absolute_sqlite(url, Path("/root")) == absolute


def test_a_root_with_odd_characters_is_escaped_in_the_url() -> None:
    """A folder called `50% off?` is still found: the URL is decoded again by the driver."""
    assert absolute_sqlite("sqlite:///q.db", Path("/a/50% off?")) == "sqlite:////a/50%25%20off%3F/q.db"


def test_every_setting_of_every_connection_has_an_origin(tmp_path: Path) -> None:
    """`config --show-origin` can list all of them."""
    origins = read(tmp_path).origins
    assert origins["connections.database.retry_after"].source == "conf/queue.toml:6"
    assert origins["connections.database.table"].source == "default"
    assert origins["connections.redis.max_payload"].value == 1_048_576


def test_only_what_somebody_chose_is_mentioned(tmp_path: Path) -> None:
    """The built-in connections that nobody spoke of are not servers anybody runs."""
    assert read(tmp_path).mentioned == ("database",)
    assert read(tmp_path, REDIS_URL="redis://cache/1").mentioned == ("database", "redis")


def test_a_third_party_driver_has_keys_of_its_own(tmp_path: Path) -> None:
    """They reach the driver uninterpreted; the keys that every connection has are still checked."""
    text = '[connections.cloud]\ndriver = "sqs"\nregion = "eu-west-3"\nretry_after = 90\ntags = { team = "a" }'
    cloud = read(tmp_path, text).connections["cloud"]
    assert cloud.options == {"region": "eu-west-3", "tags": {"team": "a"}}
    assert cloud.retry_after == 90


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('\ndefalt = "redis"', "conf/queue.toml:2: unknown key 'defalt'. Did you mean 'default'?"),
        (
            '[connections.redis]\nurl = "redis://h"\nretry_afer = 3',
            "conf/queue.toml:3: unknown key 'retry_afer' in [connections.redis]. Did you mean 'retry_after'?",
        ),
        (
            "[connections.redis]\nretry_after = '30'",
            "conf/queue.toml:2: connections.redis.retry_after must be a number of seconds, at least 2, not '30'.",
        ),
        (
            "[connections.redis]\nretry_after = true",
            "conf/queue.toml:2: connections.redis.retry_after must be a number of seconds, at least 2, not true.",
        ),
        (
            "[connections.redis]\nretry_after = 1",
            "conf/queue.toml:2: connections.redis.retry_after must be a number of seconds, at least 2, not 1.",
        ),
        (
            'jobs = "app.jobs"',
            "conf/queue.toml:1: jobs must be a list of module names, as in [\"app.jobs\"], not 'app.jobs'.",
        ),
        (
            '[connections]\nredis = "redis://h"',
            "conf/queue.toml:2: connections.redis must be a table, [connections.redis], not 'redis://h'.",
        ),
        (
            '[connections.database]\ntable = "jobs; drop table users"',
            "conf/queue.toml:2: connections.database.table must be a table name: letters, digits and _ only, not …",
        ),
        ("[disks.public]\nrot = 'x'", "conf/queue.toml:2: unknown key 'rot' in [disks.public]. Did you mean 'root'?"),
        ("failed = 3", "conf/queue.toml:1: failed must be a table, [failed], not 3."),
        (
            '[connections.redis]\nqueue = "a b"',
            "conf/queue.toml:2: connections.redis.queue must be a queue name: letters, digits and . _ : …",
        ),
        (
            "[notifications]\nservice = 'foo'",
            "conf/queue.toml:2: notifications.service must be none, log, redis, memory, or your own as 'module:attri…",
        ),
        (
            "[notifications]\nconnection = 'datbase'",
            "The 'datbase' queue connection has not been configured (notifications.connection, from …",
        ),
        ('[connections."a:b"]\nurl = "x"', "conf/queue.toml:1: 'a:b' cannot name a connection: letters, digits, _ …"),
    ],
)
def test_a_wrong_key_or_value_is_shown_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    """File, line, what is wrong, and what was probably meant or expected."""
    assert refusal(tmp_path, text).startswith(message.rstrip("…"))


def test_a_text_that_is_not_toml_is_shown_with_its_line(tmp_path: Path) -> None:
    """The parser's own words, and where it stumbled."""
    message = refusal(tmp_path, 'default = "sync"\njobs = [')
    assert message.startswith("conf/queue.toml is not TOML: ")
    assert "line 2" in message or "end of document" in message


def test_a_file_that_is_not_utf8_is_one_line(tmp_path: Path) -> None:
    """No traceback for a file saved in another encoding."""
    write(tmp_path).write_bytes(b'default = "\xe9"')
    with pytest.raises(ConfigurationError, match="is not UTF-8"):
        load(env={}, start=tmp_path)


def test_a_default_that_is_not_configured_is_shown_with_its_origin(tmp_path: Path) -> None:
    """A typing error in QUEUE_CONNECTION says where it was read."""
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, QUEUE_CONNECTION="databse")
    assert "from QUEUE_CONNECTION" in str(caught.value)
    assert "Did you mean 'database'?" in str(caught.value)


def test_the_shipped_file_says_the_defaults(tmp_path: Path) -> None:
    """What stands in conf/queue.toml is what holds without it, so that copying it changes nothing."""
    shipped = Path(__file__).parents[3] / "conf" / "queue.toml"
    bare = load(env={}, start=tmp_path)
    copied = read(tmp_path, shipped.read_text())
    assert (copied.default, copied.jobs, copied.failed_connection) == (bare.default, bare.jobs, bare.failed_connection)
    assert copied.connections == bare.connections
    assert copied.disks["public"]["root"] == bare.disks["public"]["root"]
    assert copied.notifications == bare.notifications


def test_failed_jobs_are_not_collected_where_nothing_is_kept(tmp_path: Path) -> None:
    """They would be moved into the memory of a process, and gone with it."""
    assert "conf/queue.toml:2: failed.connection is 'sync'" in refusal(tmp_path, "[failed]\nconnection = 'sync'")


@pytest.mark.parametrize("line", ["foo bar", 'REDIS_URL="unclosed'])
def test_a_line_of_dotenv_that_says_nothing_is_left_out_with_a_note(tmp_path: Path, line: str) -> None:
    """The others hold, and nobody but us speaks about it."""
    (tmp_path / ".env").write_text(f"QUEUE_CONNECTION=redis\n{line}\n")
    config = read(tmp_path)
    assert (config.default, config.notes) == ("redis", (".env:2 is not NAME=value; it is left out.",))


def test_a_dotenv_file_that_is_not_utf8_is_one_line(tmp_path: Path) -> None:
    """No traceback for a file saved in another encoding."""
    (tmp_path / ".env").write_bytes(b"QUEUE_CONNECTION=\xe9")
    assert "is not UTF-8" in refusal(tmp_path, FILE)
