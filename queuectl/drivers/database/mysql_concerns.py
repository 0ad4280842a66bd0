"""What of a MySQL or MariaDB server is worth an operator's attention."""

from __future__ import annotations

from collections.abc import Iterator

from queuectl.drivers.concern import Concern, certificate_concerns, is_near
from queuectl.drivers.database.address import Address
from queuectl.drivers.database.session import Session

SETTINGS = "SELECT @@innodb_flush_log_at_trx_commit, @@log_bin, @@sync_binlog, @@read_only"
CIPHER = "SHOW SESSION STATUS LIKE 'Ssl_cipher'"


def concerns(session: Session, address: Address) -> Iterator[Concern]:
    """Of the server and the line to it."""
    ((flush, has_binlog, sync, read_only),) = session.execute(SETTINGS, {}).rows
    if int(flush) != 1:
        text = f"innodb_flush_log_at_trx_commit is {flush}: a crash loses the jobs of the last second."
        yield Concern("durability", text, _set("innodb_flush_log_at_trx_commit"))
    if has_binlog and int(sync) != 1:
        text = f"sync_binlog is {sync}: after a power cut the binary log, and so every replica, may lack jobs."
        yield Concern("durability", text, _set("sync_binlog"))
    if read_only not in (0, "OFF"):
        text = "The server is read-only, as a replica is: it takes no jobs from a user without special rights."
        yield Concern("writing", text, "SET GLOBAL read_only = OFF;  -- in mysql; or name the primary in the URL")
    yield from certificate_concerns(
        far=not (address.option("unix_socket") or is_near(address.host)),
        encrypted=any(cipher for _, cipher in session.execute(CIPHER, {}).rows),
        verified=bool(address.option("ssl_ca")),
        fix="?ssl_ca=/path/to/ca.pem  # in the URL",
    )


def _set(name: str) -> str:
    return f"SET GLOBAL {name} = 1;  -- in mysql, and {name} = 1 under [mysqld] in its configuration"
