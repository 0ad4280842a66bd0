"""An operator's day is the same on every store."""

from __future__ import annotations

import pytest

from tests.unit.cli.conftest import Site

A, B, C = (f"{letter * 8}-0000-4000-8000-000000000000" for letter in "abc")
DATABASE = """\
default = "store"
[connections.store]
driver = "database"
url = "{}"
"""
REDIS = """\
default = "store"
[connections.store]
driver = "redis"
url = "{}"
prefix = "{}"
"""


@pytest.fixture(params=["postgres", "mariadb", "valkey", "redis62"])
def shop(request: pytest.FixtureRequest, site: Site, prefix: str) -> Site:
    """A project on each store in turn; each command for itself is tried on SQLite."""
    if request.param in ("postgres", "mariadb"):
        site.write(DATABASE.format(request.getfixturevalue(f"{request.param}_url")))
        assert site.run("migrate").code == 0
    else:
        site.write(REDIS.format(request.getfixturevalue(request.param).url, prefix))
    return site


def test_failures_are_grouped_retried_and_brought_back(shop: Site) -> None:
    """Two causes; one is retried, the other deleted by mistake, and brought back whole."""
    shop.fail(A, B, connection="store", message="no user 17", ago=100)
    shop.fail(C, connection="store", queue="image", job="Resize", message="disk full", ago=50)
    first, second = shop.run("failed", "--group", "--json").json
    assert (first["count"], first["sample"], second["count"]) == (2, B, 1)
    assert shop.run("retry", "--group", first["fingerprint"], "--expect=2").code == 0
    shown = shop.run("failed:show", C, "--json").json
    operation = shop.run("flush", "--job=Resize", "--force", "--json").json["operation"]
    assert shop.failed_uuids("store") == []
    assert shop.run("undo", operation, "--json").json["failed"] == 1
    assert {**shop.run("failed:show", C, "--json").json, "short_id": ""} == {**shown, "short_id": ""}
    assert sorted(shop.run("jobs:list", "--queue=mail", "--ids").out.split()) == [A, B]
    assert [deed["verb"] for deed in shop.run("audit", "--json").json][:3] == ["undo", "flush", "retry"]


def test_waiting_jobs_are_found_cancelled_and_brought_back(shop: Site) -> None:
    """Ready and delayed; what runs is left alone."""
    running, ready = shop.push("mail", 2, connection="store")
    [delayed] = shop.push("mail", delay=3600, connection="store")
    with shop.driver("store") as driver:
        driver.exchange([], ["mail"], room=1)
    states = {one["uuid"]: one["state"] for one in shop.run("jobs:list", "--json").json}
    assert states == {running: "reserved", ready: "ready", delayed: "delayed"}
    assert shop.run("jobs:show", delayed, "--json").json["payload"]["data"]["args"] == {"to": "ann"}
    found = shop.run("jobs:cancel", running, ready, delayed, "--yes", "--json")
    assert (found.code, found.json["cancelled"], found.json["running"]) == (7, 2, 1)
    assert shop.run("jobs:list", "--ids").out.split() == [running]
    assert shop.run("undo", found.json["operation"], "--json").json["jobs"] == 2
    again = {one["uuid"]: one["state"] for one in shop.run("jobs:list", "--json").json}
    assert again == states


def test_a_cleared_queue_is_brought_back_without_what_ran(shop: Site) -> None:
    """In portions, however many; `--running` on purpose."""
    shop.push("mail", 1200, connection="store")
    with shop.driver("store") as driver:
        driver.exchange([], ["mail"], room=3)
    operation = shop.run("clear", "--queue=mail", "--force", "--json").json["operation"]
    assert shop.size("mail", "store") == 0
    back = shop.run("undo", operation, "--json").json
    assert (back["kept"], back["jobs"], back["left"]) == (1200, 1197, 3)
    assert shop.run("undo", operation, "--running", "--json").json["jobs"] == 3
    assert shop.size("mail", "store") == 1200
