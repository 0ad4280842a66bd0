"""Become another program, in a world that has no room for more processes: `python -m … PROGRAM ARGUMENTS`.

The limit of processes does not bind root, so a filter of system calls says what the kernel would say. x86-64 only.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

CLONE, FORK, VFORK = 56, 57, 58
CLONE_THREAD = 0x10000
LOAD, JUMP_IF_EQUAL, JUMP_IF_SET, RETURN = 0x20, 0x15, 0x45, 0x06
"""Instructions: load a word of the call's data, compare it, decide."""
NUMBER, FIRST_ARGUMENT = 0, 16
"""Where these words lie."""
ALLOW, FAIL = 0x7FFF0000, 0x00050000
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, FILTER = 22, 38, 2


def refuse_forks() -> None:
    """For this process and whatever it becomes; threads can still be started."""
    instructions = (
        (LOAD, 0, 0, NUMBER),
        (JUMP_IF_EQUAL, 4, 0, FORK),
        (JUMP_IF_EQUAL, 3, 0, VFORK),
        (JUMP_IF_EQUAL, 0, 3, CLONE),
        (LOAD, 0, 0, FIRST_ARGUMENT),
        (JUMP_IF_SET, 1, 0, CLONE_THREAD),
        (RETURN, 0, 0, FAIL | errno.EAGAIN),
        (RETURN, 0, 0, ALLOW),
    )
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in instructions))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(instructions), ctypes.addressof(code)))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, FILTER, program, 0, 0)):
        if prctl(*arguments):
            raise OSError(ctypes.get_errno(), "No such filter can be had here")


if __name__ == "__main__":
    refuse_forks()
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606  # that is the point
