"""A `[program:…]` section for Supervisor."""

from __future__ import annotations

import re
import shlex

from queuectl.deployment.service import Service
from queuectl.errors import UsageError

_STARTS_A_COMMENT = re.compile(r"(?<=\s)(?=[;#])")
"""Supervisor's parser looks for these before anybody looks at quotes."""
_HERE = "%(here)s"
"""Replaced by the folder of the file wherever it stands, even behind an escaped percent sign."""

_TEMPLATE = """\
; Workers of queuectl, for a file that supervisord.conf includes. They start with:
{steps}
;
; Everybody may read this file, so no environment variable was copied into it. What workers need of them, such as
; QUEUE_CONNECTION or REDIS_URL, belongs into this file, which is theirs and has mode 0600:
;   {directory}/.env

[program:{name}]
process_name=%(program_name)s_%(process_num)02d
command={command}
directory={escaped_directory}
{user}
numprocs={processes}

; Planned ends, such as --max-time and `queuectl restart`, are exit 0 and start again as well.
autostart=true
autorestart=true

; A worker that cannot start, as in the middle of a deploy, is tried for some minutes.
startretries=20

; The running jobs are finished first. This is longer than the longest of them may take.
stopwaitsecs={stop_wait}
stopasgroup=true
killasgroup=true

redirect_stderr=true
stdout_logfile={log_file}
stdout_logfile_maxbytes={log_bytes}
stdout_logfile_backups={log_backups}
"""


def render(service: Service) -> str:
    """The file's text. Its parser gives the arguments back exactly as they are in the service."""
    rotates = not service.log_file.startswith("/dev/")  # a stream cannot be renamed
    return _TEMPLATE.format(
        name=service.name,
        steps="\n".join(f";   {step}" for step in steps(service)),
        command=escaped_command(service.command),
        directory=service.directory,
        escaped_directory=_escaped_path(service.directory),
        processes=service.processes,
        user=f"user={service.user}" if service.user else ";user=www-data",
        stop_wait=service.stop_wait,
        log_file=_escaped_path(_escaped_path(service.log_file or "AUTO")),  # this one key is expanded twice
        log_bytes="50MB" if rotates else "0",
        log_backups="10" if rotates else "0",
    )


def log_file(name: str, directory: str) -> str:
    return f"{directory}/storage/logs/{name}.log"


def steps(service: Service) -> tuple[str, ...]:
    return ("supervisorctl reread", "supervisorctl update", f"supervisorctl start '{service.name}:*'")


def escaped_command(command: tuple[str, ...]) -> str:
    """The value of `command=`: what is special is kept apart by a pair of quotes that a shell's rules ignore."""
    text = shlex.join(command).replace("%", "%%").replace(_HERE, "%''(here)s")
    return _STARTS_A_COMMENT.sub("''", text)


def _escaped_path(path: str) -> str:
    """The value of a key that knows no quotes; `UsageError` where it would need them."""
    if _HERE in path or _STARTS_A_COMMENT.search(path):
        raise UsageError(
            f"Supervisor cannot be told of the path {path!r}: {_HERE}, and ; or # after a blank, mean something to it."
        )
    return path.replace("%", "%%")
