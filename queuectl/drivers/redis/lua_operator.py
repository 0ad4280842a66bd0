"""The scripts behind operators' commands: counts, the time, clear."""

from __future__ import annotations

from queuectl.drivers.redis.lua import CLOCK, QUEUE, script

COUNTS = script(
    "counts",
    CLOCK,
    QUEUE,
    """
-- KEYS: four.  ARGV: now.
-- Returns {ready, due, delayed, reserved, tail of the list's head, since when the first due job is}.
local q, now = queue(1), string.format('%.17g', clock(ARGV[1]))
local due = redis.call('ZCOUNT', q.delayed, '-inf', now)
local head = redis.call('LINDEX', q.list, 0)
return {
  redis.call('LLEN', q.list),
  due,
  redis.call('ZCARD', q.delayed) - due,
  redis.call('ZCARD', q.reserved),
  head and string.sub(head, -400) or '',
  due > 0 and redis.call('ZRANGE', q.delayed, 0, 0, 'WITHSCORES')[2] or '',
}
""",
)

CLEAR = script(
    "clear",
    QUEUE,
    """
-- KEYS: four, parked.  Returns how many jobs there were.
local q = queue(1)
check(q)
local jobs = redis.call('LLEN', q.list) + redis.call('ZCARD', q.delayed) + redis.call('ZCARD', q.reserved)
redis.call('UNLINK', q.list, q.delayed, q.reserved, q.notify, KEYS[5])
return jobs
""",
)

NOW = script("now", CLOCK, "return string.format('%.17g', clock(ARGV[1]))")
