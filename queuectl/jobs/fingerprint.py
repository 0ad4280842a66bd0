"""What two failures have in common: a short text that is the same for the same cause.

Job, exception type, the message without what differs from one job to the next, and the application's innermost frame.
"""

from __future__ import annotations

import re

from queuectl.jobs.outcome import Problem

READ = 500
"""Characters of a message's first line that are looked at: as many as every failed store lists."""
COMPARED = 200
"""Characters of a normalised message that count, so that where a long one was cut off does not."""
_DIFFERS = re.compile(
    r"""
      (?P<url>\b[a-z][a-z0-9+.-]{1,15}://[^\s'"<>]+)
    | (?P<text>(?<!\w)(?:'[^'\n]*'|"[^"\n]*"|`[^`\n]*`)(?!\w))
    | (?P<mail>[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,8})
    | (?P<uuid>\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b)
    | (?P<time>\b(?:\d{4}-\d\d-\d\d(?:[T\x20]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|\x20?[+-]\d\d:?\d\d)?)?
          |\d\d:\d\d:\d\d)\b)
    | (?P<address>\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|\b0x[0-9a-f]+\b)
    | (?P<path>(?<![\w/])(?:[a-z]:\\|~?/|\.{1,2}/)[^\s'"<>:,;()]+)
    | (?P<hex>\b(?=[a-f]*\d)[0-9a-f]{8,}\b)
    | (?P<number>[+-]?(?<![a-z_])\d+(?:[.,]\d+)*)
    """,
    re.VERBOSE | re.IGNORECASE,
)


def fingerprint(job: str, problem: Problem) -> str:
    """12 hex digits that failures with the same cause share."""
    parts = (job, problem.type, normalised(problem.message), problem.place)
    import hashlib  # with OpenSSL four megabytes, which a worker without failures does without

    return hashlib.sha256("\n".join(parts).encode("utf-8", "backslashreplace")).hexdigest()[:12]


def normalised(message: str) -> str:
    """A message's first line with placeholders for what differs from one job to the next."""
    line = message.partition("\n")[0][:READ]
    return _DIFFERS.sub(lambda found: f"<{found.lastgroup}>", line)[:COMPARED].strip()
