"""What Supervisor reads in files, asked in a process of its own: its imports warn. One JSON text a line, in and out."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any

from supervisor.options import ServerOptions

HEAD = "[supervisord]\n[include]\nfiles=conf.d/*.conf\n"
KEYS = ("name", "directory", "stdout_logfile", "stdout_logfile_maxbytes", "stopwaitsecs", "autostart", "autorestart")
MORE = ("startretries", "stopasgroup", "killasgroup", "redirect_stderr", "environment", "uid")


def processes(folder: Path, text: str) -> list[dict[str, Any]]:
    """All processes that a supervisord.conf with this included file describes."""
    (folder / "conf.d").mkdir(exist_ok=True)
    (folder / "conf.d/one.conf").write_text(text)
    main = folder / "supervisord.conf"
    main.write_text(HEAD)
    options = ServerOptions()
    options.here, options.configfile = str(folder), str(main)
    section = options.read_config(str(main))
    return [described(process) for group in section.process_group_configs for process in group.process_configs]


def described(process: Any) -> dict[str, Any]:
    found = {key: getattr(process, key) for key in (*KEYS, *MORE)}
    return {**found, "autorestart": str(found["autorestart"]), "argv": shlex.split(process.command)}


def main() -> None:
    for line in sys.stdin:
        try:
            answer: Any = processes(Path(sys.argv[1]), json.loads(line))
        except ValueError as error:
            answer = str(error)
        print(json.dumps(answer, default=lambda value: getattr(value, "__name__", str(value))), flush=True)


if __name__ == "__main__":
    main()
