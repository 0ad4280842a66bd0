"""`systemd:config`: a template unit for systemd."""

from __future__ import annotations

from queuectl.commands.service_config import writes
from queuectl.deployment import systemd

systemd_config = writes(
    systemd,
    "Print a template unit that has systemd keep workers running. Imports the application, to learn how long its jobs "
    "may take, unless --stopwaitsecs or --grace says it.",
)
