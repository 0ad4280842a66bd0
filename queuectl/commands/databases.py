"""Which of the connections have tables."""

from __future__ import annotations

from queuectl.commands.addresses import require_connection
from queuectl.commands.session import Session
from queuectl.config import Connection
from queuectl.errors import UsageError


def databases(session: Session, chosen: str = "") -> list[Connection]:
    """The connection that was chosen, or every database that the configuration makes use of, each once."""
    config = session.config
    if chosen:
        found = config.connections[require_connection(chosen, config.connections)]
        if found.driver != "database":
            raise UsageError(f"[{chosen}] is not a database: there are no tables to make.")
        return [found]
    names = [*config.mentioned, config.notifications["connection"], config.failed_connection]
    used = [config.connections[name] for name in names if name in config.connections]
    by_place = {(one.url, one.table, one.failed_table): one for one in reversed(used) if one.driver == "database"}
    return list(reversed(by_place.values()))
