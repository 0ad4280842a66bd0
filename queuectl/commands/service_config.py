"""What `supervisor:config` and `systemd:config` have in common: everything but the format."""

from __future__ import annotations

import inspect
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from queuectl.commands import work_words
from queuectl.commands.addresses import chosen_connection
from queuectl.commands.exit_codes import DONE
from queuectl.commands.session import Session
from queuectl.commands.times import seconds
from queuectl.config.finding import CONFIG_VARIABLE, RELATIVE
from queuectl.deployment.service import Format, Service

NAME = "queuectl-worker"


def writes(kind: Format, summary: str) -> Callable[..., int]:
    """The command that writes a file of this kind: its own options, and those of `work`."""

    def command(
        context: typer.Context,
        name: Annotated[
            str, typer.Option("--name", metavar="NAME", help="What the workers are called, there and in our lists.")
        ] = NAME,
        numprocs: Annotated[int, typer.Option("--numprocs", metavar="N", min=1, help="Workers to keep running.")] = 2,
        user: Annotated[str, typer.Option("--user", metavar="NAME", help="Who they run as.")] = "",
        directory: Annotated[
            str, typer.Option("--directory", metavar="PATH", help="Where they run; else where conf/ is.")
        ] = "",
        executable: Annotated[
            str, typer.Option("--executable", metavar="PATH", help="The queuectl that they run; else this one.")
        ] = "",
        log_file: Annotated[str, typer.Option("--log-file", metavar="PATH", help="Where their output goes.")] = "",
        stopwaitsecs: Annotated[
            str, typer.Option("--stopwaitsecs", metavar="TIME", help="How long a stop may take; else as the jobs need.")
        ] = "",
        output: Annotated[
            str, typer.Option("--output", "-o", metavar="FILE", help="Write to this file; else to stdout.")
        ] = "",
        force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
        **given: Any,
    ) -> int:
        session = Session.of(context)
        folder = os.path.abspath(directory or session.config.root)  # noqa: PTH100  # `..` goes, links stay
        words = [*_config_words(session, folder), *work_words.words(session, given), *_name_words(name)]
        service = Service(
            name=name,
            command=(*_program(executable), "work", *words),
            directory=folder,
            stop_wait=math.ceil(seconds(stopwaitsecs)) if stopwaitsecs else work_words.stop_wait(session, given),
            processes=numprocs,
            user=user,
            log_file=log_file or kind.log_file(name, folder),
        )
        _write(session, kind, service, output, force=force)
        _tell_what_is_missing(session, service, given["connection"])
        return DONE

    command.__doc__ = summary
    return _with_options_of_work(command)


def _with_options_of_work(command: Callable[..., int]) -> Callable[..., int]:
    own = inspect.signature(command, eval_str=True)
    named = [one for one in own.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
    vars(command)["__signature__"] = own.replace(parameters=[*named, *work_words.parameters()])
    return command


def _program(executable: str) -> tuple[str, ...]:
    """The script beside the interpreter that runs us, or that interpreter where there is none."""
    if executable:
        return (executable,)
    script = Path(sys.executable).with_name("queuectl")
    return (str(script),) if script.is_file() else (sys.executable, "-P", "-m", "queuectl")


def _config_words(session: Session, folder: str) -> list[str]:
    """The file that was named, where a worker in that folder would find another one, or none."""
    found, named = session.config.path, session.config_path or os.environ.get(CONFIG_VARIABLE)
    if found is None or not named:
        return []
    usual = Path(folder) / RELATIVE
    return [] if usual.is_file() and usual.samefile(found) else [f"--config={found}"]


def _name_words(name: str) -> list[str]:
    return [] if name == NAME else [f"--name={name}"]


def _write(session: Session, kind: Format, service: Service, output: str, *, force: bool) -> None:
    text = kind.render(service)
    if not output:
        session.output.line(text.removesuffix("\n"))
        return
    from queuectl.deployment.files import write_new

    write_new(Path(output), text, force=force)
    session.output.info(f"Written to {output}. Next: {'; '.join(kind.steps(service))}")


def _tell_what_is_missing(session: Session, service: Service, connection: str) -> None:
    """What is right here and now, and would not be when the workers start."""
    warn = session.output.warn
    if variables := sorted(name for name in os.environ if name.startswith("QUEUE_") or name == "REDIS_URL"):
        warn(f"{', '.join(variables)}: set here, and not copied. Write it into {service.directory}/.env, mode 0600.")
    chosen = chosen_connection(session.app, connection)
    if session.app.connection(chosen).driver == "sync":
        warn(f"[{chosen}] runs jobs at once: these workers would have nothing to do, and end with 78.")
    if service.user and (stranger := _stranger(session.config.path, service.user)):
        warn(f"{session.config.path} belongs to {stranger}: workers of {service.user} will not believe it.")
    logs = Path(service.log_file).parent
    if service.log_file and Path(service.directory).is_dir() and not logs.is_dir():
        warn(f"There is no folder for the log yet: mkdir -p {logs}")


def _stranger(path: Path | None, user: str) -> str | None:
    """Who owns the file, if that is neither root nor *user*, by name or number."""
    if path is None:
        return None
    number = path.stat().st_uid
    try:
        owner = path.owner()
    except KeyError:  # a number without a name
        owner = str(number)
    return None if number == 0 or user in (owner, str(number)) else owner
