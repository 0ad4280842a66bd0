"""The SQL of what was removed: rows move between tables inside the database, so that no payload makes the trip."""

from __future__ import annotations

JOB = "queue, payload, attempts, available_at, created_at, parked_at"
FAILED = (
    "uuid, connection, queue, payload, exception, failed_at, job, error, message, attempts, failed_time, fingerprint,"
    " place"
)
_KEEP = (
    "INSERT INTO {removed} (operation, source, kept_until, running, row_id, {columns})"
    " SELECT :operation, :source, {now} + :kept, {running}, id, {columns} FROM {table}{by_key}"
    " WHERE id IN (:ids) ORDER BY id"
)
_PUT = "INSERT INTO {table} ({columns}) SELECT {columns} FROM {removed}{by_key} WHERE id IN (:ids) ORDER BY id"


def _filled(text: str, **words: str) -> str:
    for word, filling in words.items():
        text = text.replace(f"{{{word}}}", filling)
    return text


def _with_id(text: str) -> str:
    """Under the number that the row had in its table."""
    return text.replace("({columns})", "(id, {columns})").replace("SELECT {columns}", "SELECT row_id, {columns}")


KEEP_JOBS = _filled(_KEEP, columns=JOB, table="{jobs}", running="CASE WHEN reserved_at IS NULL THEN 0 ELSE 1 END")
KEEP_FAILED = _filled(_KEEP, columns=FAILED, table="{failed}", running="0")
PUT_JOBS, PUT_JOBS_ANEW = (_filled(text, columns=JOB, table="{jobs}") for text in (_with_id(_PUT), _PUT))
PUT_FAILED, PUT_FAILED_ANEW = (_filled(text, columns=FAILED, table="{failed}") for text in (_with_id(_PUT), _PUT))

_OF_OPERATION = "FROM {removed} WHERE operation = :operation AND source IN (:sources) AND kept_until > {now}"
NEXT = "SELECT MIN(id) FROM {removed} WHERE operation = :operation AND id > :after"
FOUND = f"SELECT id {_OF_OPERATION} AND running <= :running AND id >= :first AND id <= :last ORDER BY id LIMIT :limit"
# Whoever undoes the same operation at once waits for this portion, and goes on behind it.
CHOSEN = (
    "SELECT id, source, row_id, uuid, {failed_time}, LENGTH(payload), queue FROM {removed}{by_key} WHERE id IN (:ids)"
    " ORDER BY id {hold}"
)
COUNT = f"SELECT COUNT(*) {_OF_OPERATION}"
LEFT = f"SELECT COUNT(CASE WHEN running <= :running THEN 1 END), COUNT(*) {_OF_OPERATION}"
JOBS_THERE = "SELECT id FROM {jobs}{by_key} WHERE id IN (:ids)"
FAILED_THERE = "SELECT id FROM {failed}{by_key} WHERE id IN (:ids)"
FAILED_NAMESAKES = "SELECT uuid, id, {failed_time} FROM {failed} WHERE uuid IN (:uuids)"

SOME = "SELECT id FROM {removed} WHERE source IN (:sources) ORDER BY id LIMIT 1000"
SOME_OF_OPERATION = (
    "SELECT id FROM {removed} WHERE operation = :operation AND source IN (:sources) ORDER BY id LIMIT 1000"
)
EXPIRED = "SELECT id FROM {removed} WHERE kept_until <= {now} ORDER BY kept_until LIMIT 1000"
OLDEST = "SELECT id FROM {removed} ORDER BY id LIMIT :excess"
ALL = "SELECT COUNT(*) FROM {removed}"
DELETE = "{delete_removed}:ids{named_removed}"
