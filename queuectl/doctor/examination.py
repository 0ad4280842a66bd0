"""The checks in the order in which one would ask; one that breaks never hides the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace

from queuectl.doctor import configuration, files, pictures, queues, servers, tables
from queuectl.doctor.finding import Finding, failed
from queuectl.doctor.jobs import jobs
from queuectl.doctor.log_file import log_file
from queuectl.doctor.patient import Patient
from queuectl.doctor.supervisor import supervisor
from queuectl.errors import ConfigurationError, DriverUnavailable, QueuectlError
from queuectl.jobs.masking import mask

CONFIGURATION = "configuration"
CHECKS: dict[str, Callable[[Patient], Iterable[Finding]]] = {
    CONFIGURATION: lambda patient: configuration.told(patient.config),
    "server": servers.answers,
    "tables": tables.current,
    "writes": servers.writes,
    "workers": queues.workers,
    "pauses": queues.pauses,
    "waiting": queues.waiting,
    "outbox": queues.outboxes,
    "failed": queues.failures,
    "durability": servers.durability,
    "eviction": servers.eviction,
    "security": servers.security,
    "upkeep": servers.upkeep,
    "clock": servers.clock,
    "jobs": jobs,
    "pictures": lambda patient: pictures.pictures(),
    "disks": files.disks,
    "files": files.private,
    "log": log_file,
    "supervisor": supervisor,
}
NAMES = tuple(CHECKS)
WITHOUT_CONFIGURATION = ("pictures",)


def examine(
    config_path: str | None = None,
    *,
    chosen: Collection[str] = NAMES,
    version: str = "",
    supervisor_file: str = "",
) -> Iterator[Finding]:
    """What the *chosen* checks find, as they find it. Raises nothing: what cannot be examined is a finding."""
    from queuectl.app import App

    try:
        app = App.load(config_path)
    except ConfigurationError as error:
        yield from _without_configuration(error, chosen)
        return
    try:
        patient = Patient(app, version=version, supervisor_file=supervisor_file)
        for name in NAMES:
            if name in chosen:
                yield from _look(name, patient)
    finally:
        app.close()


def _without_configuration(error: ConfigurationError, chosen: Collection[str]) -> Iterator[Finding]:
    """That nothing else can be known is a failure whatever was to be looked at."""
    yield _finished(CONFIGURATION, configuration.broken(error))
    for name in WITHOUT_CONFIGURATION:
        if name in chosen:
            yield from (_finished(name, finding) for finding in pictures.pictures())


def _look(name: str, patient: Patient) -> Iterator[Finding]:
    try:
        for finding in CHECKS[name](patient):
            yield _finished(name, finding)
    except DriverUnavailable as error:  # it answered a moment ago
        yield _finished(name, failed(str(error), "queuectl doctor --only server"))
    except QueuectlError as error:
        yield _finished(name, failed(str(error), error.hint or "queuectl config --show-origin"))
    except OSError as error:
        detail = f"{error.filename or 'It'} cannot be looked at: {error.strerror}."
        yield _finished(name, failed(detail, "sudo -u www-data queuectl doctor  # as the user whom the workers run as"))
    except Exception as error:
        detail = f"This could not be examined: {type(error).__name__}: {error}"
        yield _finished(name, failed(detail, f"queuectl doctor --skip {name}  # and please report it"))


def _finished(name: str, finding: Finding) -> Finding:
    """With its name, and without any secret that a server or a setting put into it."""
    facts = {key: mask(text) for key, text in finding.facts.items()}
    return replace(finding, check=name, detail=mask(finding.detail), fix=mask(finding.fix), facts=facts)
