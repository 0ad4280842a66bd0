"""Passwords, kept as scrypt hashes with a salt each."""

from __future__ import annotations

import hashlib
import hmac
import secrets

COST = {"n": 2**14, "r": 8, "p": 1}  # 16 MB and some 40 ms for each guess


def hashed(password: str) -> str:
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}:{_scrypt(password, salt).hex()}"


def matches(password: str, kept: str) -> bool:
    salt, _, expected = kept.partition(":")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)), bytes.fromhex(expected))


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **COST)


NOBODY = hashed(secrets.token_hex())
"""Compared with where there is no such user, so that an answer takes as long."""
