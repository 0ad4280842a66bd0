"""Can pictures be made smaller here?"""

from __future__ import annotations

from collections.abc import Iterator

from queuectl.doctor.finding import Finding, failed, well

REINSTALL = "pip install --force-reinstall --no-cache-dir Pillow"


def pictures() -> Iterator[Finding]:
    """A small picture of each format is really made, read and written again."""
    try:
        from queuectl.jobs.picture_rehearsal import rehearse
    except Exception as error:
        yield failed(f"Pillow cannot be imported: {type(error).__name__}: {error}", REINSTALL)
        return
    version, problems = rehearse()
    for kind, problem in problems.items():
        yield failed(f"{kind}: {problem}", REINSTALL, about=kind)
    if not problems:
        yield well(f"Pillow {version} reads and writes JPEG, PNG and WEBP.")
