"""The scripts that take jobs out of a queue for an operator, keep them, and bring them back."""

from __future__ import annotations

from queuectl.drivers.redis.lua import CLOCK, EXPIRE, PORTION, QUEUE, script
from queuectl.drivers.redis.lua_failed import DROP, KEEP

UNLIKE_THOSE = """
-- Into a sorted set whose equal members would merge: a twin gets a blank at its end, which changes no JSON.
local function add(key, at, member)
  while redis.call('ZADD', key, 'NX', at, member) == 0 do member = member .. ' ' end
end
"""

NOTE = script(
    "note-removed",
    CLOCK,
    """
-- Something is about to be kept.  KEYS: the index.  ARGV: now, seconds to keep, which queue and operation.
local now = clock(ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])  -- a first write that a full server allows
redis.call('ZADD', KEYS[1], now, ARGV[3])
""",
)

CLEAR_ASIDE = script(
    "clear-aside",
    QUEUE,
    EXPIRE,
    UNLIKE_THOSE,
    """
-- KEYS: four, three of what is kept.  ARGV: seconds to keep, jobs of each state that one run moves if it must move them
-- one by one.  Returns {how many there were, 1 if there may be more}.
local q = queue(1)
check(q)
if redis.call('EXISTS', KEYS[5], KEYS[6], KEYS[7]) == 0 then
  local jobs = redis.call('LLEN', q.list) + redis.call('ZCARD', q.delayed) + redis.call('ZCARD', q.reserved)
  for k = 1, 3 do
    if redis.call('EXISTS', KEYS[k]) == 1 then redis.call('RENAME', KEYS[k], KEYS[k + 4]) end
  end
  announce(q)
  expire(5, 7, ARGV[1])
  return {jobs, 0}
end
-- The same operation once more: what came since joins what it has.
redis.call('LLEN', KEYS[5])
for k = 6, 7 do redis.call('ZCARD', KEYS[k]) end
local jobs = redis.call('LPOP', q.list, ARGV[2]) or {}
local moved, more = #jobs, #jobs == tonumber(ARGV[2])
for _, job in ipairs(jobs) do redis.call('RPUSH', KEYS[5], job) end
for k = 2, 3 do
  local found = redis.call('ZPOPMIN', KEYS[k], ARGV[2])
  for i = 1, #found, 2 do add(KEYS[k + 4], found[i + 1], found[i]) end
  moved, more = moved + #found / 2, more or #found / 2 == tonumber(ARGV[2])
end
announce(q)
expire(5, 7, ARGV[1])
return {moved, more and 1 or 0}
""",
)

CANCEL_DELAYED = script(
    "cancel-delayed",
    EXPIRE,
    UNLIKE_THOSE,
    """
-- KEYS: delayed, a key that never exists, and delayed of what is kept or nothing.  ARGV: seconds to keep, members.
-- Returns 1 or 0 for each.
redis.call('ZCARD', KEYS[1])
redis.call('DEL', KEYS[2])  -- a first write that a full server allows: it then allows the others
local answer = {}
for a = 2, #ARGV do
  local due = redis.call('ZSCORE', KEYS[1], ARGV[a])
  if due and KEYS[3] then add(KEYS[3], due, ARGV[a]) end  -- kept before it is gone: a script is never rolled back
  answer[a - 1] = redis.call('ZREM', KEYS[1], ARGV[a])
end
expire(3, #KEYS, ARGV[1])
return answer
""",
)

CANCEL_LISTED = script(
    "cancel-listed",
    QUEUE,
    EXPIRE,
    """
-- Take some of a slice out of the list, which forgets one in its middle by its value only: they are marked first.
-- KEYS: four, a key that never exists, and the list of what is kept or nothing.
-- ARGV: a text that is no job, seconds to keep, first and last of the slice (below 0: from the end), digests.
-- Returns {jobs looked at, bytes of them, 1 if there are no more, places in ARGV of those taken out, from 1 …}.
local q, first, last = queue(1), tonumber(ARGV[3]), tonumber(ARGV[4])
check(q)
local places, out, size, looked_at = {}, {}, 0, 0
for a = #ARGV, 5, -1 do
  places[ARGV[a]] = places[ARGV[a]] or {}
  table.insert(places[ARGV[a]], a - 4)
end
local members = redis.call('LRANGE', q.list, first, last)
local from, to, step, before = 1, #members, 1, first - 1
if last < 0 then from, to, step, before = #members, 1, -1, last - #members end
local length = redis.call('LLEN', q.list)
local head = last < 0 and length + first or first  -- how far it is from there
local most = math.max(20, 10000000 / math.max(math.min(head, length - head), 1))  -- the middle of a long list is far

redis.call('DEL', KEYS[5])  -- a first write that a full server allows: it then allows the others
for i = from, to, step do
  local job = members[i]
  local same = places[redis.sha1hex(job)]
  if same and #same > 0 then
    if KEYS[6] then redis.call('RPUSH', KEYS[6], job) end
    redis.call('LSET', q.list, before + i, ARGV[1])
    out[#out + 1] = table.remove(same)
  end
  size, looked_at = size + #job, looked_at + 1
  if #out >= most then break end
end
if #out > 0 then
  redis.call('LREM', q.list, head <= length - head and #out or -#out, ARGV[1])
  announce(q)
  expire(6, #KEYS, ARGV[2])
end
return {looked_at, size, looked_at == #members and #members <= last - first and 1 or 0, unpack(out)}
""",
)

PUT_BACK = script(
    "put-back",
    QUEUE,
    UNLIKE_THOSE,
    PORTION,
    """
-- KEYS: four, three of what is kept.  ARGV: how many, '1' if those that ran go back too.  Returns how many did.
local q, room, size = queue(1), tonumber(ARGV[1]), 0
check(q)

-- The last one first, so that each comes before those that were behind it, and all before what was pushed since.
local function first_in_line(job)
  redis.call('LPUSH', q.list, job)
  redis.call('RPUSH', q.notify, '1')
end

local function each(take, put)
  while room > 0 and size < PORTION do
    local job, at = take()
    if not job then return end
    put(job, at)
    room, size = room - 1, size + #job
  end
end

local function popped(name, key)
  return function() return unpack(redis.call(name, key)) end
end

each(function() return redis.call('RPOP', KEYS[5]) end, first_in_line)
each(popped('ZPOPMIN', KEYS[6]), function(job, due) add(q.delayed, due, job) end)
if ARGV[2] == '1' then each(popped('ZPOPMAX', KEYS[7]), first_in_line) end
announce(q)
return ARGV[1] - room
""",
)

PUT_BACK_FAILED = script(
    "put-back-failed",
    KEEP,
    DROP,
    PORTION,
    """
-- KEYS: four of the failed store, four of what is kept.  ARGV: uuids.
-- Returns for each, as far as it got: 1, or 0 (it is not kept, or has failed again since).
local answer, size = {}, 0
look(1)
redis.call('HDEL', KEYS[6], '')  -- a first write that a full server allows: it then allows the others
for a, uuid in ipairs(ARGV) do
  if size > PORTION then break end
  local at, former = redis.call('ZSCORE', KEYS[5], uuid), redis.call('ZSCORE', KEYS[1], uuid)
  answer[a] = 0
  if at and not (former and tonumber(former) > tonumber(at)) then
    local row, payload = redis.call('HGET', KEYS[6], uuid), redis.call('HGET', KEYS[7], uuid)
    local text = redis.call('HGET', KEYS[8], uuid)
    keep(1, uuid, at, row or '', payload or '', text or '')
    answer[a], size = 1, size + #(payload or '') + #(text or '')
  end
  drop(5, {uuid})
end
return answer
""",
)

SIZES = script(
    "sizes",
    """
-- KEYS: seven of what is kept.  Returns how many were ready, delayed, reserved and failed.
return {redis.call('LLEN', KEYS[1]), redis.call('ZCARD', KEYS[2]), redis.call('ZCARD', KEYS[3]),
        redis.call('ZCARD', KEYS[4])}
""",
)

DISCARD = script(
    "discard",
    """
-- KEYS: seven of what is kept.  Returns how many jobs there were.
local jobs = redis.call('LLEN', KEYS[1])
for k = 2, 4 do jobs = jobs + redis.call('ZCARD', KEYS[k]) end
redis.call('UNLINK', unpack(KEYS))
return jobs
""",
)

TRIM = script(
    "trim",
    DROP,
    """
-- KEYS: seven of what is kept.  ARGV: how many of the oldest to let go.  Returns how many did.
local room = tonumber(ARGV[1])
local uuids = redis.call('ZRANGE', KEYS[4], 0, room - 1)
if #uuids > 0 then drop(4, uuids) end
room = room - #uuids
local ready = math.min(room, redis.call('LLEN', KEYS[1]))
redis.call('LTRIM', KEYS[1], ready, -1)
room = room - ready
for k = 2, 3 do
  if room > 0 then room = room - redis.call('ZREMRANGEBYRANK', KEYS[k], 0, room - 1) end
end
return ARGV[1] - room
""",
)
