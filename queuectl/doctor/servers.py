"""Do the servers answer, take jobs and keep them, and whose clock is wrong?"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from shlex import quote

from queuectl.config import Connection
from queuectl.doctor.finding import Finding, Status, failed, warning, well
from queuectl.doctor.patient import Patient
from queuectl.doctor.reaching import knock, sqlite_file
from queuectl.drivers.concern import Concern, Subject
from queuectl.drivers.contract import Driver
from queuectl.errors import AccessDenied, DriverUnavailable, QueuectlError, StoreFull, TableMissing

GRANT = "GRANT SELECT, INSERT, UPDATE, DELETE ON …  # its tables; on Redis: ACL SETUSER … +@write"
MOST_SKEW = 2.0
"""Seconds that two clocks may differ, beside the time that asking takes."""


def answers(patient: Patient) -> Iterator[Finding]:
    """Each server, within the time that a call may take."""
    for name in patient.connections:
        trouble = patient.trouble(name)
        if trouble is None or isinstance(trouble, TableMissing):
            driver = patient.app.driver(name)
            yield well(_greeting(driver), about=name, facts=_facts(driver))
        else:
            yield failed(str(trouble), _remedy(patient, name, trouble), about=name)


def _greeting(driver: Driver) -> str:
    if driver.immediate:
        return "Jobs run at once, inside dispatch: there is no server, no queue and no worker."
    return f"{driver.place} answers."


def _facts(driver: Driver) -> Mapping[str, str]:
    with suppress(TableMissing):  # a file that is not there yet
        return driver.about()
    return {}


def _remedy(patient: Patient, name: str, trouble: QueuectlError) -> str:
    connection, origin = patient.config.connections[name], patient.config.origins[f"connections.{name}.url"].source
    place = f"[connections.{name}] url" if origin == "default" else origin
    if isinstance(trouble, DriverUnavailable):
        return f"{knock(connection)}  # is it running? Where it is comes from {place}"
    if isinstance(trouble, AccessDenied):
        return _rights(connection, f"queuectl config --show-origin  # user and password come from {place}")
    return trouble.hint or f"queuectl config --show-origin  # where it is comes from {place}"


def _rights(connection: Connection, otherwise: str) -> str:
    if file := sqlite_file(connection):
        return f"ls -ld {quote(file)}*  # it belongs to whoever runs workers and application: chown, chmod 600"
    return otherwise


def writes(patient: Patient) -> Iterator[Finding]:
    """A word is written into each store and taken back: rights, room, and no replica."""
    for driver in patient.usable():
        known = [concern for concern in driver.concerns() if concern.subject == "writing"]
        written = _written(patient, driver)
        for concern in known:  # it knows the remedy better than the error that came of it
            grave = concern.grave or written.status is not Status.OK
            yield (failed if grave else warning)(concern.text, concern.fix, about=driver.name)
        if not known:
            yield written


def _written(patient: Patient, driver: Driver) -> Finding:
    key, owner = f"doctor:{secrets.token_hex(8)}", "doctor"
    try:
        driver.control.acquire(key, owner, 10.0)
        driver.control.release(key, owner)
    except (StoreFull, AccessDenied, DriverUnavailable) as error:
        connection = patient.config.connections[driver.name]
        fixes = {
            StoreFull: "df -h  # where the server keeps its data: make room, or raise its limit",
            AccessDenied: _rights(connection, GRANT),
            DriverUnavailable: f"{knock(connection)}  # somebody is in the way",
        }
        return failed(str(error), fixes[type(error)], about=driver.name)
    return well("A word was written and taken back.", about=driver.name)


def durability(patient: Patient) -> Iterator[Finding]:
    """Would a crash of the server lose jobs?"""
    return _concerns(patient, "durability")


def eviction(patient: Patient) -> Iterator[Finding]:
    """Does it throw jobs away when its memory is full, and is that soon?"""
    return _concerns(patient, "eviction", "memory")


def security(patient: Patient) -> Iterator[Finding]:
    """Who may listen, and who may come in?"""
    return _concerns(patient, "access", "encryption", calm="No stranger is on the way there.")


def upkeep(patient: Patient) -> Iterator[Finding]:
    """What slows it down over time."""
    return _concerns(patient, "vacuum")


def _concerns(patient: Patient, *subjects: Subject, calm: str = "") -> Iterator[Finding]:
    """The concerns of these subjects; where there are none, what the driver itself says of the first, or *calm*."""
    for driver in patient.answering():
        if driver.immediate:
            continue
        with suppress(TableMissing):  # nothing is there yet that could be lost
            found = [concern for concern in driver.concerns() if concern.subject in subjects]
            yield from (_found(concern, driver) for concern in found)
            if not found and (text := calm or driver.about().get(subjects[0], "")):
                yield well(text, about=driver.name)


def _found(concern: Concern, driver: Driver) -> Finding:
    return (failed if concern.grave else warning)(concern.text, concern.fix, about=driver.name)


def clock(patient: Patient) -> Iterator[Finding]:
    """Delays and leases follow the store's clock, `retry_until` and logs this machine's."""
    for driver in patient.answering():
        if not driver.immediate:
            with suppress(TableMissing):
                yield _compared(driver)


def _compared(driver: Driver) -> Finding:
    before = time.time()
    there = driver.now()
    after = time.time()
    skew, doubt = there - (before + after) / 2, (after - before) / 2
    words = f"{abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'}"
    if abs(skew) > MOST_SKEW + doubt:
        text = f"The store's clock is {words} this machine's."
        return warning(text, "timedatectl set-ntp true  # on both machines", about=driver.name)
    return well(f"The store's clock and this machine's are {abs(skew):.1f} s apart.", about=driver.name)
