"""The driver on Redis (from 6.2) and Valkey."""

from queuectl.drivers.redis.driver import RedisDriver

__all__ = ["RedisDriver"]
