"""The scripts of a job's life: push, reserve, renew, and every settlement."""

from __future__ import annotations

from queuectl.drivers.redis.lua import ACCEPT, CLOCK, COUNTED, QUEUE, SWEEP, UNIQUE, UNLIKE, script

PUSH = script(
    "push",
    CLOCK,
    QUEUE,
    SWEEP,
    UNIQUE,
    ACCEPT,
    """
-- KEYS: four a queue, then unique keys.  ARGV: now, number of queues, once-key (its place in KEYS or 0), entries.
-- Returns {0, uuid, …}, or {n, place of an entry, …} and has done nothing: those would collapse with a delayed twin.
local now, once = clock(ARGV[1]), tonumber(ARGV[3])
local found = queues(1, tonumber(ARGV[2]))
local twins = {0}
for a = 4, #ARGV, 6 do
  if tonumber(ARGV[a + 1]) > 0 and redis.call('ZSCORE', found[tonumber(ARGV[a])].delayed, ARGV[a + 2]) then
    twins[1] = twins[1] + 1
    twins[#twins + 1] = (a - 4) / 6
  end
end
if once > 0 then
  if redis.call('EXISTS', KEYS[once]) == 1 then return {0} end
elseif twins[1] > 0 then
  return twins
end
local standing = accept(found, 4, now)
if once > 0 then redis.call('SET', KEYS[once], '1', 'EX', 604800) end
table.insert(standing, 1, 0)
return standing
""",
)

PUSH_READY = script(
    "push_ready",
    CLOCK,
    QUEUE,
    SWEEP,
    """
-- What `push` does for jobs of one queue that are ready at once and hold no key, in slices that fit on Lua's stack.
-- KEYS: the queue's four.  ARGV: now, payloads.
local now, q, slice = clock(ARGV[1]), queue(1), 1000
-- Each counts, and raises WRONGTYPE before anything is written.
local jobs, tokens = redis.call('LLEN', q.list) + #ARGV - 1, redis.call('LLEN', q.notify) + #ARGV - 1
local due = redis.call('ZCOUNT', q.delayed, '-inf', now) + redis.call('ZCOUNT', q.reserved, '-inf', now)
local ones = {}
for i = 1, math.min(#ARGV - 1, slice) do ones[i] = '1' end
for i = 2, #ARGV, slice do redis.call('RPUSH', q.notify, unpack(ones, 1, math.min(#ARGV - i + 1, slice))) end
if due > 0 then sweep(q, now) end
for i = 2, #ARGV, slice do redis.call('RPUSH', q.list, unpack(ARGV, i, math.min(#ARGV, i + slice - 1))) end
if due > 0 or tokens > jobs then announce(q) end
""",
)

RESERVE = script(
    "reserve",
    CLOCK,
    QUEUE,
    SWEEP,
    COUNTED,
    UNLIKE,
    """
-- KEYS: four a queue.  ARGV: now, lease, room.
-- Returns {seconds until something falls due or '', place of the queue that stopped us or -1, its head, and then for
-- each reserved job: place of its queue, attempts, text}.
local now, lease, room = clock(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local out = {'', -1, ''}

-- Take up to *most* jobs off the list, under a lease; how many. Few calls: each costs a microsecond.
local function take(q, place, most)
  local jobs = redis.call('LPOP', q.list, most)  -- a first write that frees memory: a full server allows the others
  if not jobs then return 0 end
  local texts, attempts, n = {}, {}, 0
  for i, job in ipairs(jobs) do
    texts[i], attempts[i] = counted(job)
    if not texts[i] then break end
    n = i
  end
  if n > 1 then n = unlike(q, texts, n) end
  local pairs_ = {}
  for i = 1, n do pairs_[2 * i - 1], pairs_[2 * i] = now + lease, texts[i] end
  if n > 0 and redis.call('ZADD', q.reserved, 'NX', unpack(pairs_)) == 0 then n = 0 end
  for i = 1, n do
    local last = #out
    out[last + 1], out[last + 2], out[last + 3] = place, attempts[i], texts[i]
  end
  for i = #jobs, n + 1, -1 do redis.call('LPUSH', q.list, jobs[i]) end
  if n < #jobs then out[2], out[3] = place, jobs[n + 1] end
  return n
end

for i = 0, #KEYS / 4 - 1 do
  local q = queue(4 * i + 1)
  sweep(q, now)
  redis.call('LLEN', q.notify)
  local most, taken
  repeat
    most = math.min(room, SLICE)
    taken = take(q, i, most)
    room = room - taken
  until room == 0 or taken < most
  announce(q)
  if room == 0 or out[2] >= 0 then return out end
end
if #out > 3 then return out end
local due
for i = 1, #KEYS, 4 do
  for k = i + 1, i + 2 do
    local first = tonumber(redis.call('ZRANGE', KEYS[k], 0, 0, 'WITHSCORES')[2])
    if first and (not due or first < due) then due = first end
  end
end
if due then out[1] = string.format('%.6f', due - now) end
return out
""",
)

FORGET = script(
    "forget",
    """
-- Remove finished jobs.  KEYS: reserved.  ARGV: members.  Returns 1, or 0 (not ours any more), for each.
local gone = {}
for i, member in ipairs(ARGV) do gone[i] = redis.call('ZREM', KEYS[1], member) end
return gone
""",
)

TAKE = script(
    "take",
    CLOCK,
    QUEUE,
    """
-- Reserve the head of the list under a text made by the client, if it still is the head.
-- KEYS: four.  ARGV: now, lease, head, text.
local q = queue(1)
check(q)
if redis.call('LINDEX', q.list, 0) ~= ARGV[3] then return 0 end
redis.call('LPOP', q.notify)
redis.call('ZADD', q.reserved, clock(ARGV[1]) + ARGV[2], ARGV[4])
redis.call('LPOP', q.list)
announce(q)
return 1
""",
)

RENEW = script(
    "renew",
    CLOCK,
    """
-- KEYS: reserved, scratch.  ARGV: now, lease, members.  Returns 1 or 0 for each.
redis.call('ZCARD', KEYS[1])
redis.call('DEL', KEYS[2])  -- a first write that a full server allows: it then allows the others
local until_ = clock(ARGV[1]) + ARGV[2]
local kept = {}
for a = 3, #ARGV do
  kept[#kept + 1] = redis.call('ZSCORE', KEYS[1], ARGV[a]) and 1 or 0
  redis.call('ZADD', KEYS[1], 'XX', until_, ARGV[a])
end
return kept
""",
)

RELEASE = script(
    "release",
    CLOCK,
    QUEUE,
    SWEEP,
    """
-- KEYS: four, parked.  ARGV: now, member, seconds, new text or '', whose it is or '' (as parked as before), how long it
-- is remembered since when it is parked, or '' (it no longer is).
-- Returns 1, 0 (not ours any more) or -1 (would collapse with a delayed twin; nothing done).
local q, now, after = queue(1), clock(ARGV[1]), tonumber(ARGV[3])
local text = ARGV[4] == '' and ARGV[2] or ARGV[4]
check(q)
redis.call('ZCARD', KEYS[5])
if not redis.call('ZSCORE', q.reserved, ARGV[2]) then return 0 end
if after > 0 and redis.call('ZSCORE', q.delayed, text) then return -1 end
redis.call('ZREM', q.reserved, ARGV[2])
if ARGV[6] ~= '' then
  redis.call('ZADD', KEYS[5], 'NX', now, ARGV[5])
  redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', now - ARGV[6])
elseif ARGV[5] ~= '' then
  redis.call('ZREM', KEYS[5], ARGV[5])
end
if after > 0 then
  redis.call('ZADD', q.delayed, now + after, text)
else
  sweep(q, now)
  redis.call('RPUSH', q.list, text)
  redis.call('RPUSH', q.notify, '1')
end
announce(q)
return 1
""",
)

UNLOCK = script(
    "unlock",
    UNIQUE,
    """
-- KEYS: a unique key.  ARGV: uuid.  Returns 1, or 0 (another job holds it, or nobody).
return unlock(1, 1, ARGV[1])
""",
)

FINISH = script(
    "finish",
    CLOCK,
    QUEUE,
    SWEEP,
    UNIQUE,
    ACCEPT,
    """
-- Remove a finished job, free its keys and push what follows it.
-- KEYS: reserved, four a queue of what follows, keys to free, unique keys of what follows.
-- ARGV: now, member, uuid, number of queues, number of keys to free, entries.  Returns 1, or 0 (not ours any more).
local now, n = clock(ARGV[1]), tonumber(ARGV[4])
local found = queues(2, n)
if redis.call('ZREM', KEYS[1], ARGV[2]) == 0 then return 0 end
unlock(2 + 4 * n, 1 + 4 * n + ARGV[5], ARGV[3])
accept(found, 6, now)
return 1
""",
)
