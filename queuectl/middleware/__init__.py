"""Middleware in the box. Each stands in a job's `middleware`, or in the list of that name in `conf/queue.toml`.

from queuectl.middleware import FailOnException, RateLimited, Skip, ThrottlesExceptions, WithoutOverlapping
"""

from __future__ import annotations

from queuectl.jobs.middleware import Middleware
from queuectl.middleware.exceptions import FailOnException, ThrottlesExceptions
from queuectl.middleware.overlapping import WithoutOverlapping
from queuectl.middleware.rates import RateLimited
from queuectl.middleware.skipping import Skip

__all__ = ["FailOnException", "Middleware", "RateLimited", "Skip", "ThrottlesExceptions", "WithoutOverlapping"]
