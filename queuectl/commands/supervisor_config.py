"""`supervisor:config`: a section for Supervisor."""

from __future__ import annotations

from queuectl.commands.service_config import writes
from queuectl.deployment import supervisor

supervisor_config = writes(
    supervisor,
    "Print a [program] section that has Supervisor keep workers running. Imports the application, to learn how long "
    "its jobs may take, unless --stopwaitsecs or --grace says it.",
)
