"""The scripts of the failed store. Rows, payloads and texts are kept apart: a listing reads rows alone."""

from __future__ import annotations

from queuectl.drivers.redis.lua import CLOCK, EXPIRE, PORTION, QUEUE, SWEEP, UNIQUE, script

KEEP = """
local function keep(first, uuid, failed_at, row, payload, text)
  redis.call('ZADD', KEYS[first], failed_at, uuid)
  redis.call('HSET', KEYS[first + 1], uuid, row)
  redis.call('HSET', KEYS[first + 2], uuid, payload)
  redis.call('HSET', KEYS[first + 3], uuid, text)
end

local function look(first)
  redis.call('ZCARD', KEYS[first])
  for k = first + 1, first + 3 do redis.call('HLEN', KEYS[k]) end
end
"""

DROP = """
-- How many of these there were. No more at once than `unpack` can hold.
local function drop(first, uuids)
  local gone = redis.call('ZREM', KEYS[first], unpack(uuids))
  for k = first + 1, first + 3 do redis.call('HDEL', KEYS[k], unpack(uuids)) end
  return gone
end
"""

FAIL = script(
    "fail",
    KEEP,
    UNIQUE,
    """
-- From reserved to failed, in one step.  KEYS: reserved, four of the failed store, keys to free.
-- ARGV: member, uuid, failed_at, row, payload, text.  Returns 1, or 0 (not ours any more).
look(2)
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then return 0 end
keep(2, ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
unlock(6, #KEYS, ARGV[2])
return 1
""",
)

NOTE = script(
    "note",
    """
-- This queue has failures.  KEYS: the index of such queues, a key that never exists.  ARGV: queue.
redis.call('DEL', KEYS[2])  -- a first write that a full server allows: it then allows the other
return redis.call('SADD', KEYS[1], ARGV[1])
""",
)

ADD = script(
    "add",
    KEEP,
    """
-- KEYS: four of the failed store.  ARGV: uuid, failed_at, row, payload, text.  Returns 1, or 0 (there is a newer one).
local former = redis.call('ZSCORE', KEYS[1], ARGV[1])
if former and tonumber(former) > tonumber(ARGV[2]) then return 0 end
keep(1, ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5])
return 1
""",
)

RETRY = script(
    "retry",
    CLOCK,
    QUEUE,
    SWEEP,
    KEEP,
    DROP,
    """
-- Back to the queue, those that still are the failed jobs that the client read.
-- KEYS: four, four of the failed store, parked.  ARGV: now; uuid, digest of the payload read, payload of the new life
-- of each.  Returns 1 or 0 for each.
local q = queue(1)
check(q)
look(5)
redis.call('ZCARD', KEYS[9])
local answer, uuids, lives = {}, {}, {}
for a = 2, #ARGV, 3 do
  local payload = redis.call('HGET', KEYS[7], ARGV[a])
  local same = payload and redis.sha1hex(payload) == ARGV[a + 1]
  answer[#answer + 1] = same and 1 or 0
  if same then
    uuids[#uuids + 1] = ARGV[a]
    lives[#lives + 1] = ARGV[a + 2]
  end
end
if #uuids == 0 then return answer end
drop(5, uuids)
redis.call('ZREM', KEYS[9], unpack(uuids))
sweep(q, clock(ARGV[1]))
redis.call('RPUSH', q.list, unpack(lives))
for i = 1, #lives do lives[i] = '1' end
redis.call('RPUSH', q.notify, unpack(lives))
announce(q)
return answer
""",
)

ASIDE = """
-- A failed job into the four keys from KEYS[5] on, where there are any; its size.
local function set_aside(uuid)
  local failed_at, size = KEYS[5] and redis.call('ZSCORE', KEYS[1], uuid), 0
  if not failed_at then return 0 end
  redis.call('ZADD', KEYS[5], failed_at, uuid)
  for k = 2, 4 do
    local text = redis.call('HGET', KEYS[k], uuid)
    if text then redis.call('HSET', KEYS[k + 4], uuid, text) end
    size = size + #(text or '')
  end
  return size
end
"""

FORGET = script(
    "forget",
    KEEP,
    DROP,
    ASIDE,
    EXPIRE,
    PORTION,
    """
-- KEYS: four of the failed store, and four that keep them or none.  ARGV: seconds to keep, uuids.
-- Returns 1 or 0 for each, as far as it got.
local gone, size = {}, 0
look(1)
redis.call('HDEL', KEYS[2], '')  -- a first write that a full server allows: it then allows the others
for a = 2, #ARGV do
  if size > PORTION then break end
  size = size + set_aside(ARGV[a])
  gone[a - 1] = drop(1, {ARGV[a]})
end
expire(5, #KEYS, ARGV[1])
return gone
""",
)

FLUSH = script(
    "flush",
    KEEP,
    DROP,
    ASIDE,
    EXPIRE,
    PORTION,
    """
-- A batch of those that failed at or before a time; how many.  KEYS: four of the failed store, and four that keep them
-- or none.  ARGV: seconds to keep, time, size of the batch.
local gone, size = {}, 0
look(1)
redis.call('HDEL', KEYS[2], '')  -- a first write that a full server allows: it then allows the others
for i, uuid in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[2], 'LIMIT', 0, ARGV[3])) do
  if size > PORTION then break end
  size = size + set_aside(uuid)
  gone[i] = uuid
end
if #gone > 0 then drop(1, gone) end
expire(5, #KEYS, ARGV[1])
return #gone
""",
)
