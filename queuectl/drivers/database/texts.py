"""The SQL, by name. `{words}` are filled in by `grammar` for a dialect; parameters are written `:name`."""

from __future__ import annotations

# The hot path's statements of one database stand in its own module; these are the same text everywhere.

PUSH = "INSERT INTO {jobs} (queue, payload, attempts, available_at, created_at) VALUES "
PUSH_ROW = "(:queue, :payload, 0, {ready_at}, {today})"

PARTS = {
    # A PHP worker that took the row after our lease had run out leaves our token in it, but not our time.
    "ours": "id = :id AND reserved_by = :token AND reserved_at <= lease_until",
    "free": "reserved_at = NULL, reserved_by = NULL, lease_until = NULL",
    "abandoned": "reserved_at IS NOT NULL AND reserved_by IS NULL AND reserved_at <= {now} - :foreign",
    "lease_end": "COALESCE(lease_until, reserved_at + :foreign)",
    "failed_time": "COALESCE(failed_time, {epoch})",
    "living": "(expires_at IS NULL OR expires_at > {now})",
}
"""What several texts share; filled in before them."""

REMOVE = "DELETE FROM {jobs} WHERE {ours}"
# Under REPEATABLE READ, MySQL's default, who finds the row by another index locks the gaps around it there.
REMOVE_BY_KEY = "{delete_jobs}:ids{named_jobs} AND reserved_by = :token AND reserved_at <= lease_until"
RELEASE = (
    "UPDATE {jobs} SET available_at = {ready_at}, attempts = {attempts_kept}, parked_at = NULL, {free} WHERE {ours}"
)
RELEASE_SPARED = RELEASE.replace("{attempts_kept}", "{attempts_spared}")
PARK = (
    "UPDATE {jobs} SET available_at = {ready_at}, attempts = {attempts_spared},"
    " parked_at = COALESCE(parked_at, {now}), {free} WHERE {ours}"
)
LEASED = "SELECT id, reserved_by FROM {jobs}{by_key} WHERE id IN (:ids) AND reserved_at <= lease_until ORDER BY id"
LEASED_HERE = LEASED + " {claim}"
RENEW = "UPDATE {jobs}{by_key} SET lease_until = {now} + :lease, reserved_at = {today} WHERE id IN (:ids)"
HOLDS = "SELECT 1 FROM {jobs} WHERE {ours}"
PARKED_FOR = "SELECT {now} - parked_at FROM {jobs} WHERE id = :id AND parked_at IS NOT NULL"

# Leases

FIRST_LEASE = "(SELECT MIN(lease_until) FROM {jobs} WHERE lease_until IS NOT NULL)"
FIRST_FOREIGN = "(SELECT MIN(reserved_at) FROM {jobs} WHERE reserved_at IS NOT NULL AND reserved_by IS NULL)"
NEXT_EXPIRY = f"SELECT {{now}}, {FIRST_LEASE}, {FIRST_FOREIGN} + :foreign"
# Claimed, so that a row that a frozen worker has locked in the middle of a settlement is passed by.
EXPIRED = "SELECT id FROM {jobs} WHERE lease_until <= {now} ORDER BY lease_until LIMIT 1000 {claim}"
ABANDONED = "SELECT id FROM {jobs} WHERE {abandoned} ORDER BY reserved_at LIMIT 1000 {claim}"
FREE_EXPIRED = (  # what PHP took meanwhile becomes a row of PHP's
    "UPDATE {jobs}{by_key} SET reserved_at = CASE WHEN reserved_at > lease_until THEN reserved_at END,"
    " reserved_by = NULL, lease_until = NULL WHERE id IN (:ids) AND lease_until <= {now}"
)
FREE_ABANDONED = "UPDATE {jobs}{by_key} SET {free} WHERE id IN (:ids) AND {abandoned}"
AHEAD = (
    "SELECT id, reserved_by, lease_until FROM {jobs} WHERE lease_until > {now} + :lease AND reserved_by IS NOT NULL"
    " ORDER BY lease_until DESC LIMIT 1000 {claim}"
)
FREE_AHEAD = (
    "UPDATE {jobs}{by_key} SET {free} WHERE id IN (:ids) AND reserved_by IN (:tokens) AND lease_until > {now} + :lease"
)
FIRST_WAITING = "(SELECT MIN(available_at) FROM {jobs} WHERE queue = :queue AND reserved_at IS NULL)"


def soonest(queues: int) -> str:
    """Seconds until there may be something to reserve; parameters `queue0`, `queue1`, … One column: a client in pure
    Python spends its time on columns."""
    waiting = [FIRST_WAITING.replace(":queue", f":queue{number}") for number in range(queues)]
    moments = ", ".join(
        f"COALESCE({moment}, 1e18)" for moment in (FIRST_LEASE, f"{FIRST_FOREIGN} + :foreign", *waiting)
    )
    return f"SELECT {{least}}({moments}) - {{now}}"


# For operators

NOW = "SELECT {now}"
# The time is a number in it: an expression would be worked out for each of a million rows.
# One statement, so that all is counted at one moment: a job on its way from one state to the next is in one of them.
COUNTS = (
    "SELECT queue, COUNT(CASE WHEN available_at <= :at THEN 1 END), COUNT(*), MIN(available_at), 0"
    " FROM {jobs} WHERE reserved_at IS NULL{among} GROUP BY queue"
    " UNION ALL SELECT queue, 0, 0, NULL, COUNT(*) FROM {jobs} WHERE lease_until IS NOT NULL{among} GROUP BY queue"
    " UNION ALL SELECT queue, 0, 0, NULL, COUNT(*) FROM {jobs}"
    " WHERE reserved_at IS NOT NULL AND reserved_by IS NULL{among} GROUP BY queue"
)
AMONG = " AND queue IN (:queues)"

WAITING_PAGE = (
    "SELECT id, {payload}, attempts, available_at, parked_at FROM {jobs} WHERE queue = :queue AND reserved_at IS NULL"
    " AND {when} AND (available_at > :at OR (available_at = :at AND id > :id)) ORDER BY available_at, id LIMIT :limit"
)
RESERVED_PAGE = (
    "SELECT id, {payload}, attempts, {lease_end}, NULL FROM {jobs} WHERE queue = :queue AND reserved_at IS NOT NULL"
    " AND ({lease_end} > :at OR ({lease_end} = :at AND id > :id)) ORDER BY {lease_end}, id LIMIT :limit"
)
PAGES = {
    "ready": WAITING_PAGE.replace("{when}", "available_at <= {now}"),
    "delayed": WAITING_PAGE.replace("{when}", "available_at > {now}"),
    "reserved": RESERVED_PAGE,
}
FOUND = (
    "SELECT id, queue, {payload}, attempts, reserved_at, available_at, {lease_end}, parked_at, {now} FROM {jobs} WHERE "
)
NEXT_ID = "SELECT MIN(id) FROM {jobs} WHERE id > :after"

LAST_ID = "SELECT MAX(id) FROM {jobs} WHERE queue = :queue"
SOME_IDS = "SELECT id FROM {jobs} WHERE queue = :queue AND id <= :last ORDER BY id LIMIT 20000"
HELD_IDS = "SELECT id, LENGTH(payload) FROM {jobs}{by_key} WHERE id IN (:ids) ORDER BY id {hold}"
WAITING_IDS = (
    "SELECT id, queue, attempts, available_at FROM {jobs}{by_key} WHERE id IN (:ids) AND reserved_at IS NULL"
    " ORDER BY id {claim}"
)
DELETE_IDS = "{delete_jobs}:ids{named_jobs}"

CHECK_JOBS = (
    "SELECT id, queue, payload, attempts, reserved_at, available_at, created_at, reserved_by, lease_until, parked_at"
    " FROM {jobs} WHERE 1 = 0"
)
CHECK_FAILED = (
    "SELECT id, uuid, connection, queue, payload, exception, failed_at, job, error, message, attempts, failed_time,"
    " fingerprint, place FROM {failed} WHERE 1 = 0"
)
CHECK_REMOVED = "SELECT id FROM {removed} WHERE 1 = 0"
CHECK_CONTROL = "SELECT {key}, value, expires_at FROM {control} WHERE 1 = 0"

# The failed store

FAIL_AWAY = "DELETE FROM {failed} WHERE uuid = :uuid"
FAIL_OLDER_AWAY = FAIL_AWAY + " AND {failed_time} <= :failed_time"
FAILED_NEWER = "SELECT 1 FROM {failed} WHERE uuid = :uuid AND {failed_time} > :failed_time"
FAIL = (
    "INSERT INTO {failed} (uuid, connection, queue, payload, exception, failed_at, job, error, message, attempts,"
    " failed_time, fingerprint, place) VALUES (:uuid, :connection, :queue, :payload, :exception, :failed_at, :job,"
    " :error, :message, :attempts, :failed_time, :fingerprint, :place)"
)
# Bodies are read only where nobody wrote our columns: rows of PHP.
FAILED_PAGE = (
    "SELECT id, uuid, connection, queue, job, error, message, attempts, {failed_time}, fingerprint, place,"
    " CASE WHEN job IS NULL THEN {payload} END, CASE WHEN job IS NULL THEN SUBSTR(exception, 1, 2000) END"
    " FROM {failed} WHERE id < :before{among} ORDER BY id DESC LIMIT :limit"
)
FAILED_AMONG = " AND queue = :queue"
FAILED_WHOLE = (
    "SELECT id, uuid, connection, queue, job, error, message, attempts, {failed_time}, fingerprint, place, {payload},"
    " exception FROM {failed} WHERE "
)
FAILED_BY_UUID = FAILED_WHOLE + "uuid = :key"
FAILED_BY_ID = FAILED_WHOLE + "id = :key"
FAILED_COUNT = "SELECT COUNT(*) FROM {failed}"
FAILED_IDS = "SELECT uuid, id FROM {failed} WHERE uuid IN (:keys)"
FAILED_TAKE = (
    "SELECT id, uuid, queue, LENGTH(payload), CASE WHEN LENGTH(payload) <= :small THEN {payload} END"
    " FROM {failed}{by_key} WHERE id IN (:ids) ORDER BY id {claim}"
)
FAILED_BODIES = "SELECT id, {payload} FROM {failed}{by_key} WHERE id IN (:ids)"
FAILED_CLAIM = "SELECT id, uuid, 0 FROM {failed}{by_key} WHERE id IN (:ids) ORDER BY id {claim}"
FAILED_CLAIM_SIZED = FAILED_CLAIM.replace("0", "LENGTH(payload)", 1)
AMONG_IDS, AMONG_UUIDS = "{failed}{by_key} WHERE id IN (:ids)", "{failed_by_uuid}"
"""How these name their rows, and how they may name them instead; parameter `uuids`."""
FAILED_HELD = "SELECT id, LENGTH(payload) FROM {failed}{by_key} WHERE id IN (:ids) ORDER BY id {hold}"
FAILED_DELETE = "{delete_failed}:ids{named_failed}"
FAILED_LAST = "SELECT MAX(id) FROM {failed}"
FAILED_SOME = "SELECT id FROM {failed} WHERE id <= :last{before} ORDER BY id LIMIT 1000"
FAILED_BEFORE = " AND {failed_time} <= :before"

# The control store

CONTROL_FORGET = "DELETE FROM {control} WHERE {key} = :key"
CONTROL_FORGET_DEAD = "DELETE FROM {control} WHERE {key} = :key AND expires_at <= {now}"
CONTROL_INSERT = "INSERT INTO {control} ({key}, value, expires_at) VALUES (:key, :value, {expiry})"
CONTROL_INSERT_NEW = "{insert_new} {control} ({key}, value, expires_at) VALUES (:key, :value, {expiry}) {or_not}"
CONTROL_GET = "SELECT value FROM {control} WHERE {key} = :key AND {living}"
CONTROL_HELD = CONTROL_GET + " {hold}"  # as it is now, in a transaction whose snapshot is older as well
CONTROL_SCAN = "SELECT {key}, value FROM {control} WHERE {key} >= :first AND {key} < :last AND {living}"
CONTROL_DELETE = "DELETE FROM {control} WHERE {key} = :key AND {living}"
CONTROL_DELETE_HELD = CONTROL_DELETE + " AND value = :holding"
CONTROL_ADD = "UPDATE {control} SET value = CAST(CAST(value AS {to_integer}) + :by AS {to_text}) WHERE {key} = :key"
SWEPT = 1000
CONTROL_SWEEP = "SELECT {key} FROM {control} WHERE expires_at <= {now} ORDER BY expires_at LIMIT 1000"
CONTROL_SWEEP_AWAY = "DELETE FROM {control} WHERE {key} IN (:keys) AND expires_at <= {now}"
