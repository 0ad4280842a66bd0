"""Promises broken on purpose, one at a time, in a copy of the package: the suite must notice each.

`sh scripts/mutate` shows them all, and with names of mutations some. A change whose text is not in the source any more
is an error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
COPIED = ("queuectl", "tests")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*_cache")
SOME_FAILED = 1
"""pytest's exit code where tests ran, and failed."""


@dataclass(frozen=True)
class Change:
    """One text of a file that becomes another."""

    file: str
    old: str
    new: str

    def apply(self, root: Path) -> None:
        path = root / self.file
        text = path.read_text()
        if text.count(self.old) != 1:
            raise LookupError(f"{self.file} has {text.count(self.old)} times what was to be changed: {self.old!r}")
        path.write_text(text.replace(self.old, self.new))


@dataclass(frozen=True)
class Mutation:
    """A promise, broken."""

    name: str
    changes: Sequence[Change]
    tests: Sequence[str]
    """Each is words for pytest, and must notice."""


@dataclass(frozen=True)
class Verdict:
    """What tests made of a mutation."""

    tests: str
    code: int
    output: str

    @property
    def caught(self) -> bool:
        return self.code == SOME_FAILED

    @property
    def words(self) -> str:
        failed = [line for line in self.output.splitlines() if line.startswith(("FAILED", "ERROR"))]
        first = failed[0].partition(" - ")[0] if failed else f"pytest ended with {self.code}"
        return f"{'caught' if self.caught else 'NOT CAUGHT'} by {self.tests}: {first}"


def try_out(mutation: Mutation) -> Iterator[Verdict]:
    """Run the tests of a mutation on a copy that has it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in COPIED:
            shutil.copytree(REPOSITORY / name, copy / name, ignore=LEFT_OUT)
        shutil.copy(REPOSITORY / "pyproject.toml", copy)
        for change in mutation.changes:
            change.apply(copy)
        for tests in mutation.tests:
            yield _run(tests, copy)


def _run(tests: str, copy: Path) -> Verdict:
    path, _, chosen = tests.partition(" -k ")
    words = [path, *(["-k", chosen] if chosen else []), "-q", "-x", "-p", "no:cacheprovider", "--tb=no"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words],
        cwd=copy,
        env={**environment, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    return Verdict(tests, done.returncode, done.stdout + done.stderr)


DATABASE, REDIS = "queuectl/drivers/database", "queuectl/drivers/redis"
MUTATIONS = [
    Mutation(
        "sql-fencing",  # no token is compared
        [
            Change(f"{DATABASE}/texts.py", "id = :id AND reserved_by = :token AND", "id = :id AND"),
            Change(f"{DATABASE}/sqlite.py", "WHERE id = ? AND reserved_by = ? AND", "WHERE id = ? AND ? <> '' AND"),
            Change(f"{DATABASE}/mysql.py", "WHERE id = :id AND reserved_by = :token AND", "WHERE id = :id AND"),
            Change(f"{DATABASE}/postgres.py", "AND {jobs}.reserved_by = f.token AND", "AND f.token <> '' AND"),
        ],
        [
            *(f"tests/contract/test_{store}.py -k late_outcome" for store in ("sqlite", "postgres", "mariadb")),
            "tests/contract/test_sqlite.py -k no_history",
            "tests/faults/simulation -k sqlite",
        ],
    ),
    Mutation(
        "redis-fencing",  # what ZREM answers is ignored
        [
            Change(
                f"{REDIS}/settling.py",
                "return Verdict.APPLIED if reply == 1 else Verdict.GONE",
                "return Verdict.APPLIED",
            ),
            Change(
                f"{REDIS}/settling.py",
                "[Verdict.APPLIED if held else Verdict.GONE for held in reply]",
                "[Verdict.APPLIED for _ in reply]",
            ),
            Change(
                f"{REDIS}/lua_failed.py",
                "if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end",
                "redis.call('ZREM', KEYS[1], ARGV[1])",
            ),
        ],
        [
            *(f"tests/contract/test_{server}.py -k late_outcome" for server in ("valkey", "redis62")),
            "tests/faults/simulation -k valkey",
        ],
    ),
    Mutation(
        "redis-release",  # puts back what is not there any more, as Laravel does
        [
            Change(
                f"{REDIS}/lua_jobs.py",
                "if not redis.call('ZSCORE', q.reserved, ARGV[2]) then return 0 end\n",
                "",
            )
        ],
        ["tests/contract/test_valkey.py -k late_outcome", "tests/faults/simulation -k valkey"],
    ),
    Mutation(
        "failed-order",  # removed in one transaction, recorded in the next
        [
            Change(
                f"{DATABASE}/settle.py",
                "    write(session, failed.record)\n",
                '    session.execute("COMMIT", {})\n    session.execute("BEGIN", {})\n'
                "    write(session, failed.record)\n",
            )
        ],
        [f"tests/faults/test_sweep_trips.py -k {store}" for store in ("sqlite", "postgres", "mariadb")],
    ),
    Mutation(
        "retry-in-two-steps",  # deleted in one transaction, pushed in the next
        [
            Change(
                f"{DATABASE}/failed.py",
                "        with session.transaction():\n            taken = list(map(",
                "        if keys:\n            taken = list(map(",
            )
        ],
        [f"tests/faults/test_sweep_trips.py -k {store}" for store in ("sqlite", "postgres", "mariadb")],
    ),
    Mutation(
        "keep-in-two-steps",  # kept in one transaction, deleted in the next
        [
            Change(
                f"{DATABASE}/removing.py",
                "    with session.transaction():\n        rows = session.run(texts.WAITING_IDS",
                "    if jobs:\n        rows = session.run(texts.WAITING_IDS",
            )
        ],
        ["tests/faults/test_sweep_undo.py -k sqlite"],
    ),
    Mutation(
        "pop-before-validate",  # the script takes what it cannot make sense of
        [
            Change(
                f"{REDIS}/lua_jobs.py",
                "for i = #jobs, n + 1, -1 do redis.call('LPUSH'",
                "for i = #jobs, n + 2, -1 do redis.call('LPUSH'",
            )
        ],
        ["tests/contract/test_valkey.py -k junk"],
    ),
    Mutation(
        "spared-attempts",  # counted all the same
        [
            Change(
                f"{DATABASE}/texts.py",
                'RELEASE_SPARED = RELEASE.replace("{attempts_kept}", "{attempts_spared}")',
                "RELEASE_SPARED = RELEASE",
            )
        ],
        [
            "tests/contract/test_sqlite.py -k spared",
            "tests/contract/test_sqlite.py -k no_history",
            "tests/faults/simulation -k sqlite",
        ],
    ),
    Mutation(
        "spared-attempts-alike",  # on Redis the next attempt looks like the one that was given back
        [
            Change(
                "queuectl/jobs/payload.py",
                "new_id().encode() if fresh_id else tail[1], attempts)",
                "tail[1], attempts)",
            )
        ],
        [
            "tests/contract/test_valkey.py -k spared_attempts_successor",
            "tests/contract/test_redis62.py -k spared_attempts_successor",
        ],
    ),
    Mutation(
        "no-renewal",  # a lease runs out while its job runs
        [Change("queuectl/worker/upkeep.py", "            self._renew()\n", "            pass\n")],
        ["tests/acceptance/test_survival.py -k far_longer and sqlite"],
    ),
    Mutation(
        "outcome-dropped",  # one whose answer was lost is not sent again
        [
            Change(
                "queuectl/worker/exchanges.py",
                "            for item in sending:\n                item.sent = True\n",
                "            self._docket.give_up(sending)\n",
            )
        ],
        ["tests/faults/test_sweep.py -k sqlite and cut"],
    ),
    Mutation(
        "collected-too-late",  # forgotten here before it is there
        [
            Change(
                "queuectl/failing.py",
                "            if not self._add(records):\n                return\n"
                "            self._source.forget([record.uuid for record in records])\n",
                "            self._source.forget([record.uuid for record in records])\n"
                "            if not self._add(records):\n                return\n",
            )
        ],
        ["tests/faults/test_two_stores.py -k any_call and valkey", "tests/faults/simulation -k sqlite"],
    ),
    Mutation(
        "relayed-too-late",  # out of the outbox before it is in the queue
        [
            Change(
                "queuectl/outbox.py",
                "            outcomes = self._pushed(kept)\n",
                "            self._exchange([Settlement(one, Done()) for one in kept])\n"
                "            outcomes = self._pushed(kept)\n",
            )
        ],
        ["tests/faults/test_sweep_operators.py -k relay and sqlite", "tests/faults/simulation -k sqlite"],
    ),
    Mutation(
        "pushed-without-a-key",  # a job that was taken without a word is taken again from the outbox
        [
            Change(
                "queuectl/outbox.py",
                "return entry if entry.unique else entry._replace(",
                "return entry if entry.uuid else entry._replace(",
            )
        ],
        ["tests/faults/test_sweep_producers.py -k beside and sqlite", "tests/faults/simulation -k sqlite"],
    ),
    Mutation(
        "retried-without-a-key",  # between stores, an interrupted retry pushes again
        [Change("queuectl/failing.py", ", job.uuid, unique=once)", ", job.uuid)")],
        [
            "tests/faults/test_retry_all.py -k between_stores_that_is_killed",
            "tests/faults/test_sweep_operators.py -k retry_between and valkey-postgres",
            "tests/faults/simulation -k sqlite",
        ],
    ),
    Mutation(
        "older-failure-stays",  # an old record replaces the newer one
        [
            Change(
                f"{DATABASE}/texts.py",
                '"SELECT 1 FROM {failed} WHERE uuid = :uuid AND {failed_time} > :failed_time"',
                '"SELECT 1 FROM {failed} WHERE uuid = :uuid AND {failed_time} > :failed_time AND 1 = 0"',
            ),
            Change(
                f"{DATABASE}/texts.py",
                'FAIL_OLDER_AWAY = FAIL_AWAY + " AND {failed_time} <= :failed_time"',
                "FAIL_OLDER_AWAY = FAIL_AWAY",
            ),
        ],
        ["tests/contract/test_sqlite.py -k older_failure"],
    ),
    Mutation(
        "rows-without-tokens",  # two outcomes of one row are told apart by its number
        [
            Change(
                f"{DATABASE}/postgres.py",
                "[token in gone for token in turn.finished]",
                "[token[0] in {row for row, _ in gone} for token in turn.finished]",
            )
        ],
        ["tests/contract/test_postgres.py -k successors_own", "tests/faults/simulation -k postgres"],
    ),
]


def main(names: Sequence[str]) -> int:
    """Try those of these names, or all, and tell; 1 if one was not caught."""
    unknown = set(names) - {mutation.name for mutation in MUTATIONS}
    if unknown:
        sys.exit(f"There is no mutation {', '.join(sorted(unknown))}.")
    missed = 0
    for mutation in MUTATIONS:
        if not names or mutation.name in names:
            for verdict in try_out(mutation):
                missed += not verdict.caught
                print(f"{mutation.name:<24}{verdict.words}", flush=True)
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
