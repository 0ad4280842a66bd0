"""Makes the tables a queue needs, or gives those that are there what they lack; safe to repeat, and beside workers."""

from queuectl.migrations.run import ddl, migrate, pending

__all__ = ["ddl", "migrate", "pending"]
