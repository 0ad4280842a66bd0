"""Connections that the server ends, in the middle of whatever they are doing: rolled back or done, and known which."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from queuectl.testing.server import Server
from tests.acceptance.project import until
from tests.faults.conftest import MakeArena
from tests.faults.rig.arena import job
from tests.faults.rig.lines import SERVERS
from tests.faults.rig.sessions import cut_sessions

ROUNDS, EACH = 6, 12


def cancel_statements(server: Server) -> None:
    """PostgreSQL's gentler way."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")


CASES = [
    *((store, cut_sessions) for store in SERVERS),
    pytest.param("postgres", cancel_statements, marks=pytest.mark.long),
]


@pytest.mark.fault("F21")
@pytest.mark.parametrize(("store", "disturb"), CASES)
def test_a_worker_whose_connections_are_cut(
    store: str, disturb: Callable[[Server], None], make_arena: MakeArena, own_server: Callable[[str], Server]
) -> None:
    """Whatever it was doing is done once: jobs that finish, that fail, that are released. At most a reservation is lost
    that was made but not heard of."""
    server = own_server(store)
    arena = make_arena(store, retry_after=3, **{"redis_url" if "redis" in server.url else "database_url": server.url})
    worker = arena.project.work("--workers=2", "--tries=5")
    failing: set[str] = set()
    for number in range(ROUNDS):
        keys = [f"{number}.{one}" for one in range(EACH)]
        failing |= {f"f{key}" for key in keys}
        arena.put(*(job(key) for key in keys), *(job(f"f{key}", "Wishing", wish="fail") for key in keys))
        arena.put(*(job(f"r{key}", "Wishing", wish="release") for key in keys))
        disturb(server)
        until(lambda keys=keys: arena.done() & {*keys}, "the worker to go on")
    arena.await_done(arena.acknowledged - failing)
    arena.await_rest()
    arena.check(recounted=arena.acknowledged)
    assert {key for key, where in arena.places().items() if where == ["failed"]} == failing
    assert worker.process.poll() is None
