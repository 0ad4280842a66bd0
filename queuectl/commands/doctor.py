"""`doctor`: why does it not work, and what repairs it?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

import typer

from queuectl.commands.addresses import split_list
from queuectl.commands.exit_codes import CHECK_FAILED, DONE
from queuectl.commands.options import Json
from queuectl.commands.output import Output
from queuectl.commands.session import Session
from queuectl.commands.text import leader, plural, safe
from queuectl.commands.version import version
from queuectl.config.checking import did_you_mean
from queuectl.doctor import NAMES, Finding, Status, examine
from queuectl.errors import UsageError

COLOURS = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILED: "red"}


def doctor(
    context: typer.Context,
    only: Annotated[str, typer.Option("--only", metavar="CHECKS", help="Comma-separated: make these only.")] = "",
    skip: Annotated[str, typer.Option("--skip", metavar="CHECKS", help="Leave these out.")] = "",
    supervisor: Annotated[
        str, typer.Option("--supervisor", metavar="FILE", help="Look at this file of Supervisor's too.")
    ] = "",
    as_json: Json = False,
) -> int:
    """Check everything between a dispatch and a job that is done. Exit 9 when a check fails; each says what to do."""
    session = Session.of(context)
    chosen = [name for name in known(only, "--only") or NAMES if name not in known(skip, "--skip")]
    findings = examine(session.config_path, chosen=chosen, version=version(), supervisor_file=supervisor)
    found = list(findings) if as_json else _print(session, findings)
    if as_json:
        session.output.json({**_counts(found), "checks": [to_json(finding) for finding in found]})
    return CHECK_FAILED if any(finding.status is Status.FAILED for finding in found) else DONE


def known(words: str, option: str) -> list[str]:
    """The names of checks in a comma list; `UsageError` for one that there is not."""
    names = split_list(words)
    for name in names:
        if name not in NAMES:
            raise UsageError(
                f"{option}: there is no check {name!r}.{did_you_mean(name, NAMES)}", hint=f"Known: {', '.join(NAMES)}."
            )
    return names


def to_json(finding: Finding) -> dict[str, Any]:
    return {
        "name": finding.check,
        "subject": finding.subject or None,
        "status": finding.status.value,
        "detail": finding.detail,
        "fix": finding.fix or None,
        "facts": dict(finding.facts),
    }


def _counts(found: list[Finding]) -> dict[str, Any]:
    """The worst of all, and how many there are of each."""
    statuses = [finding.status for finding in found]
    worst = next((status for status in reversed(Status) if status in statuses), Status.OK)
    return {"status": worst.value, **{status.value: statuses.count(status) for status in Status}}


def _print(session: Session, findings: Iterable[Finding]) -> list[Finding]:
    """Each as soon as it is known. With -q only what is not well, with -v all that is known."""
    output, found = session.output, []
    for finding in findings:
        found.append(finding)
        if finding.status is not Status.OK or not output.quiet:
            _show(output, finding, facts=session.verbosity > 0 or _needs_facts(finding))
    counts = [(status, sum(one.status is status for one in found)) for status in Status]
    told = ", ".join(f"{count} {status.value}" for status, count in counts)
    output.info(f"{plural(len(found), 'check')}: {told}.")
    return found


def _needs_facts(finding: Finding) -> bool:
    return finding.status is not Status.OK or finding.check == "configuration"


def _show(output: Output, finding: Finding, *, facts: bool) -> None:
    subject = f" [{safe(finding.subject)}]" if finding.subject else ""
    status = output.style(finding.status.value.upper(), COLOURS[finding.status], "bold")
    output.line(leader(f"{finding.check}{subject}", status, output.width))
    output.line(f"    {safe(finding.detail)}")
    for name, text in finding.facts.items() if facts else ():
        _block(output, name, text)
    if finding.fix:
        output.line(f"    {output.style('fix:', 'bold')} {safe(finding.fix)}")


def _block(output: Output, name: str, text: str) -> None:
    """A fact in a line, or, if it has several, indented below its name."""
    first, *others = safe(text, lines=True).splitlines() or [""]
    if others:
        output.line(f"      {safe(name)}:")
    for line in [first, *others] if others else ():
        output.line(f"        {line}")
    if not others:
        output.line(f"      {safe(name)}: {first}")
