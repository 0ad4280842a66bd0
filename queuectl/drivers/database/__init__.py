"""Laravel's `jobs` table, on SQLite, PostgreSQL, MySQL and MariaDB."""

from queuectl.drivers.database.driver import DatabaseDriver

__all__ = ["DatabaseDriver"]
