"""Where `queuectl` starts: words go in, an exit code comes out, and errors are told in one place."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from queuectl.clock import Clock
    from queuectl.commands.output import Output
    from queuectl.commands.session import Session

VERSION_FLAGS = (["--version"], ["-V"])
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None, output: Output | None = None, *, clock: Clock | None = None) -> int:
    """Run one command; the exit code, as `queuectl help exit-codes` lists them. *output*: other streams than ours;
    *clock*: another one than the host's and the stores'."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    from queuectl.commands.output import Output

    output = output or Output.of_process()
    if words in VERSION_FLAGS:  # before the parser is imported: scripts ask it to see if we are there
        return _print_version(output)
    from queuectl.commands.session import Session

    session = Session(output, clock=clock)
    session.words = words
    try:
        return _run(words, session)
    finally:
        session.close()


def _print_version(output: Output) -> int:
    from queuectl.commands.version import version

    output.line(f"queuectl {version()}")
    return 0


def _run(words: list[str], session: Session) -> int:
    from queuectl.commands.group import UsageProblem, build
    from queuectl.errors import QueuectlError

    try:
        code = build().main(words, prog_name="queuectl", standalone_mode=False, obj=session)
    except QueuectlError as error:
        session.tell(error, str(error), error.hint)
        return error.exit_code
    except UsageProblem as error:
        command = error.ctx.command_path if error.ctx else "queuectl COMMAND"
        session.tell(error, error.format_message(), f"`{command} --help` explains it.")
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):  # the parser's 1 for a reader that left its help unread
            return 0
        return end.code if isinstance(end.code, int) else 0
    except Exception as error:
        session.tell(
            error, f"{type(error).__name__}: {error}", "This should not have happened; -vv shows the traceback."
        )
        return 1
    return code if isinstance(code, int) else 0
