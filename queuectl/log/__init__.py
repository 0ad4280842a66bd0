"""The log file of workers, their jobs and the programs that dispatch."""

from __future__ import annotations

from queuectl.log.file import LogFile, stop_writing, write_to

__all__ = ["LogFile", "stop_writing", "write_to"]
