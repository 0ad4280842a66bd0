"""Where a worker's child process starts: `python -m queuectl.child LINE PARENT BOX PLACES`."""

from __future__ import annotations

import contextlib
import socket
import sys

from queuectl.app import App
from queuectl.errors import ConfigurationError
from queuectl.events import JobFailed, is_heard
from queuectl.jobs.problem import problem_of
from queuectl.worker.black_box import Writer
from queuectl.worker.child import die_with, prepare_signals, say_broken, say_hello, serve


def main(arguments: list[str]) -> int:
    """Import the application, then run jobs until the parent closes the line."""
    descriptor, parent, box_descriptor, places = map(int, arguments)
    die_with(parent)
    box = Writer(box_descriptor, places)
    alarm = prepare_signals(box)
    with socket.socket(fileno=descriptor) as line:
        line.set_inheritable(False)  # a process that a job starts must not keep the line open
        try:
            app = App.load()
            app.bind()
            declared = app.registry.declarations(all_failures=is_heard(JobFailed))
            declarations = {name: found.to_json() for name, found in declared.items()}
            app.keep_log(everything=True)  # now that the application has set up its own, if it does
        except (ConfigurationError, ImportError) as error:
            say_broken(line, str(error), problem_of(error).text)
            return ConfigurationError.exit_code
        with contextlib.suppress(ConnectionError):  # the parent has gone, and we with it
            say_hello(line, declarations)
            if places == 1:
                serve(line, box, app.runner, alarm)
            else:  # imported where it is needed: it brings asyncio with it
                from queuectl.worker.crowd import serve_many

                serve_many(line, box, app.runner, places)
        app.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
