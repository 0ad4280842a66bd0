"""A template unit for systemd."""

from __future__ import annotations

import re

from queuectl.deployment.service import Service
from queuectl.errors import UsageError

_PLAIN = re.compile(r"[A-Za-z0-9_@+=:,./-]+")
_REFUSED = frozenset("$\\'\"")

_TEMPLATE = """\
# Workers of queuectl, for /etc/systemd/system/{name}@.service. They start with:
{steps}
#
# Everybody may read this file, so no environment variable was copied into it. What workers need of them, such as
# QUEUE_CONNECTION or REDIS_URL, belongs into the EnvironmentFile below, which is root's, or into this file, which is
# theirs; both with mode 0600:
#   {directory}/.env

[Unit]
Description={name} %i
After=network.target postgresql.service mariadb.service redis-server.service valkey-server.service
# However often a worker cannot start, as in the middle of a deploy, it is tried again.
StartLimitIntervalSec=0

[Service]
Type=exec
{user}
WorkingDirectory={escaped_directory}
EnvironmentFile=-/etc/queuectl/{name}.env
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
{log}
# Planned ends, such as --max-time and `queuectl restart`, are exit 0 and start again as well.
Restart=always
RestartSec=1

# The running jobs are finished first. This is longer than the longest of them may take.
KillMode=mixed
TimeoutStopSec={stop_wait}

NoNewPrivileges=yes
PrivateTmp=yes
ProtectSystem=full
ProtectControlGroups=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictSUIDSGID=yes

[Install]
WantedBy=multi-user.target
"""

_LOG = """\
StandardOutput=append:{}
StandardError=inherit
"""


def render(service: Service) -> str:
    """The unit's text. systemd's parser gives the arguments back exactly as they are in the service."""
    return _TEMPLATE.format(
        name=service.name,
        steps="\n".join(f"#   {step}" for step in steps(service)),
        user=f"User={service.user}" if service.user else "#User=www-data",
        directory=service.directory,
        escaped_directory=_escaped_path(service.directory),
        command=escaped_command(service.command),
        log=_LOG.format(_escaped_path(service.log_file)) if service.log_file else "",
        stop_wait=service.stop_wait,
    )


def log_file(name: str, directory: str) -> str:
    return ""  # the journal


def steps(service: Service) -> tuple[str, ...]:
    instances = "1" if service.processes == 1 else f"{{1..{service.processes}}}"
    return ("systemctl daemon-reload", f"systemctl enable --now {service.name}@{instances}")


def escaped_command(command: tuple[str, ...]) -> str:
    """The value of `ExecStart=`."""
    if unsafe := set(command[0]) & _REFUSED:
        raise UsageError(
            f"systemd does not start a program with {' or '.join(sorted(unsafe))} in its path: {command[0]!r}"
        )
    return " ".join(map(_quoted, command))


def _quoted(word: str) -> str:
    """One argument; whatever is not plain stands in quotes, so that a lone `;` does not end the command."""
    if _PLAIN.fullmatch(word):
        return word
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"'


def _escaped_path(path: str) -> str:
    """The value of a key that takes the rest of its line as a path, quotes and all."""
    return path.replace("%", "%%")
