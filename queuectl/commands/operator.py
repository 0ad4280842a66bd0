"""Who sits at the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping


def operator(environment: Mapping[str, str] = os.environ) -> str:
    """`user@host`; behind `sudo` the one who typed it, not root."""
    return f"{environment.get('SUDO_USER') or _user()}@{os.uname().nodename}"


def _user() -> str:
    """The name of the account, or its number where nobody has written down the name, as in some containers."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
