"""What `check` found, for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from queuectl.commands.output import Output
from queuectl.commands.text import plural, safe, shortened
from queuectl.jobs.masking import mask

if TYPE_CHECKING:
    from queuectl.contracts.changes import Change
    from queuectl.contracts.contract import Contract
    from queuectl.contracts.payloads import Inspection, Sample, Trouble

MESSAGE_CELLS = 300


@dataclass
class Report:
    """Contracts beside the lock file, and payloads beside the contracts."""

    path: Path
    contracts: Mapping[str, Contract]
    changes: Sequence[Change]
    is_missing: bool
    """There was no lock file."""
    needed: bool
    """It is what this check is about."""
    exact: bool
    """Every difference counts."""
    is_written: bool = False
    inspection: Inspection | None = field(default=None)

    @property
    def breaking(self) -> list[Change]:
        return [change for change in self.changes if change.breaks]

    @property
    def refused(self) -> int:
        return self.inspection.refused if self.inspection else 0

    @property
    def fails(self) -> bool:
        """A lock file that is being written is agreed to, whatever it was before."""
        return bool(self.refused) or (not self.is_written and self._contract_fails)

    @property
    def _contract_fails(self) -> bool:
        if self.is_missing:
            return self.needed or self.exact
        return bool(self.changes if self.exact else self.breaking)


# For scripts


def to_json(report: Report) -> dict[str, Any]:
    return {
        "status": "failed" if report.fails else "ok",
        "lock_file": str(report.path),
        "lock_file_exists": not report.is_missing or report.is_written,
        "written": report.is_written,
        "jobs": len(report.contracts),
        "breaking": len(report.breaking),
        "changes": [_change(change) for change in report.changes],
        "payloads": _payloads(report.inspection) if report.inspection else None,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "job": change.job,
        "argument": change.argument or None,
        "kind": change.kind.value,
        "breaks": change.breaks,
        "detail": f"{change.subject} {change.text}",
    }


def _payloads(inspection: Inspection) -> dict[str, Any]:
    return {
        "checked": inspection.checked,
        "foreign": inspection.foreign,
        "refused": inspection.refused,
        "refused_before": inspection.refused_before,
        "problems": [_trouble(trouble) for trouble in inspection.troubles],
    }


def _trouble(trouble: Trouble) -> dict[str, Any]:
    return {
        "job": trouble.job or None,
        "reason": trouble.reason,
        "count": trouble.count,
        "samples": [_sample(sample) for sample in trouble.samples],
    }


def _sample(sample: Sample) -> dict[str, Any]:
    place = sample.place
    return {
        "id": place.id,
        "uuid": sample.uuid or None,
        "connection": place.connection,
        "queue": place.queue,
        "state": place.state,
        "message": mask(sample.message),
    }


# For people


def show(output: Output, report: Report) -> None:
    """The findings on stdout; the sum of them, and what to do, on stderr."""
    for change in report.changes:
        output.line(f"{_badge(output, change)} {safe(change.subject)} {safe(change.text)}")
    for trouble in report.inspection.troubles if report.inspection else ():
        output.lines(_told(output, trouble))
    if report.inspection:
        _sum_up_payloads(output, report.inspection)
    _sum_up_contracts(output, report)


def _badge(output: Output, change: Change) -> str:
    return output.style("BREAKS", "red", "bold") if change.breaks else output.style("change", "yellow")


def _told(output: Output, trouble: Trouble) -> Iterator[str]:
    heading = f"{output.style('REFUSED', 'red', 'bold')} {plural(trouble.count, 'payload')}"
    of = f" of {safe(trouble.job)}" if trouble.job else ""
    yield f"{heading}{of}: {safe(mask(trouble.reason))}"
    for sample in trouble.samples:
        place = sample.place
        yield f"    {safe(sample.uuid or place.id)}  {place.state} on {safe(place.connection)}@{safe(place.queue)}"
        yield f"        {safe(shortened(mask(sample.message), MESSAGE_CELLS))}"


def _sum_up_payloads(output: Output, inspection: Inspection) -> None:
    text = f"{plural(inspection.checked, 'payload')} looked at, {inspection.refused} would be refused."
    if inspection.refused_before:
        text += f" {inspection.refused_before} that failed because they were refused would be again."
    if inspection.foreign:
        text += f" {inspection.foreign} of a PHP application were left to it."
    if inspection.refused:
        output.error(text, "Let the former code finish them, or give this code defaults for what they lack.")
    else:
        output.info(text)


def _sum_up_contracts(output: Output, report: Report) -> None:
    jobs = plural(len(report.contracts), "job")
    if report.is_written:
        output.info(f"{report.path} written: {jobs}. Commit it with the code.")
    elif report.is_missing:
        (output.error if report.fails else output.warn)(f"There is no lock file {report.path}.")
        output.note("`queuectl check --write` writes it; commit it with the code.")
    elif report.breaking:
        output.error(f"{plural(len(report.breaking), 'change')} may break what waits.", _what_now(report))
    elif report.changes:
        text = (
            f"{report.path} is not current; nothing that waits is refused for it. `queuectl check --write` renews it."
        )
        (output.error if report.exact else output.info)(text)
    else:
        output.info(f"{jobs}, as {report.path} has them.")


def _what_now(report: Report) -> str | None:
    if report.inspection is None:
        return "`queuectl check --against-queue` tells whether they do; `queuectl check --write` agrees to them."
    if report.refused:
        return None
    return "Nothing that was looked at is refused for them; `queuectl check --write` agrees to them."
