"""What must not be shown: which names hold secrets, and how secrets are taken out of text."""

from __future__ import annotations

import re

MASK = "***"
_ANYWHERE = "password|passwd|passphrase|secret|token|cookie|credential|api_?key|access_?key|private_?key|authorization"
_WHOLE_WORD = "pass|pwd|key|keys|auth|dsn"
_NAME = re.compile(rf"{_ANYWHERE}|(?:^|_)(?:{_WHOLE_WORD})(?:_|\d|$)", re.IGNORECASE)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]")
_URL_PASSWORD = re.compile(r"(?<=://)([^\s:/?#@]*):[^\s/?#]*@")
_URL_OPTION = re.compile(r"(?<=[?&])([^\s=?&#]+)=([^\s&#]+)")
_ASSIGNED = re.compile(
    rf"""((?:{_ANYWHERE}|\b(?:pass|pwd|dsn)\b)[\w-]{{0,40}}(?:["']\s{{0,3}}:|\s{{0,3}}=)\s{{0,3}})"""
    r"""(?:"[^"\n]*"|'[^'\n]*'|[^\s"',;&)\]}]+)""",
    re.IGNORECASE,
)

_HEADER = re.compile(
    r"""\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-auth-token)(\s{0,3}:\s{0,3})[^\s"'][^\r\n"']*""",
    re.IGNORECASE,
)


def is_secret(name: str) -> bool:
    """Is what this field, option or key holds not to be shown?"""
    return bool(_NAME.search(_HUMP.sub("_", name)))


def mask(text: str) -> str:
    """*text* without the passwords of URLs, values written as `password=…` or `'password': …`, and what a request
    signed in with (`Authorization: …`, `Cookie: …`)."""
    return _ASSIGNED.sub(rf"\1{MASK}", _HEADER.sub(rf"\1\2{MASK}", mask_urls(text)))


def mask_urls(text: str) -> str:
    """*text* with the password of every URL in it masked, and the options that are named like a secret."""
    if "://" not in text:
        return text
    return _URL_OPTION.sub(_masked_option, _URL_PASSWORD.sub(rf"\1:{MASK}@", text))


def _masked_option(option: re.Match[str]) -> str:
    return f"{option[1]}={MASK}" if is_secret(option[1]) else option[0]
