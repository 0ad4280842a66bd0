"""The exit codes that every command shares."""

from __future__ import annotations

DONE, FAILED, USAGE, DECLINED, THRESHOLD, PARTLY, CHECK_FAILED = 0, 1, 2, 3, 4, 7, 9
CONFIGURATION = 78

MEANINGS = (
    (0, "done; below every threshold"),
    (1, "failed: unknown id, store full, a job that failed where somebody waited for it"),
    (2, "usage; payload too large; an id that two connections have; a confirmation that nobody could be asked for"),
    (3, "declined, or a wait timed out"),
    (4, "a threshold was crossed"),
    (7, "partly done: some could not be"),
    (9, "a check failed"),
    (12, "the worker reached its memory limit"),
    (69, "the queue's server cannot be reached"),
    (78, "the configuration is wrong: file, credentials, rights, missing database or table"),
    (130, "Ctrl-C; for `work` the second one, the first finishes the running job and ends with 0"),
)
