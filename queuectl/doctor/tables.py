"""Are the tables there, and are they those of this version?"""

from __future__ import annotations

from collections.abc import Iterator

from queuectl.doctor.finding import Finding, failed, well
from queuectl.doctor.patient import Patient
from queuectl.errors import QueuectlError


def current(patient: Patient) -> Iterator[Finding]:
    """Of every database that answers."""
    for driver in patient.answering():
        if patient.config.connections[driver.name].driver == "database":
            yield _tables(patient, driver.name)


def _tables(patient: Patient, name: str) -> Finding:
    from queuectl.migrations import pending

    fix, connection = f"queuectl migrate {name}", patient.config.connections[name]
    try:
        behind = pending(connection, notifications_table=patient.config.notifications["table"])
    except QueuectlError as error:
        return failed(str(error), error.hint or fix, about=name)
    if behind:
        trouble = patient.trouble(name)
        why = f" {trouble}" if trouble else ""
        return failed(f"Tables are missing, or older than this version of queuectl.{why}", fix, about=name)
    return well("All tables are there and up to date.", about=name)
