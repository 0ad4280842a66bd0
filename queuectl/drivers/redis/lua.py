"""What the scripts share. They run atomically but are never rolled back, so each looks at the type of every key before
its first write, and none decodes a payload: a counter is changed in place, at the tail."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha1


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua text and the name the server knows it by."""

    name: str
    text: bytes = field(repr=False)
    sha: bytes = field(repr=False)


def script(name: str, *parts: str) -> Script:
    text = "\n".join(parts).encode()
    return Script(name, text, sha1(text, usedforsecurity=False).hexdigest().encode())


CLOCK = """
-- The bound clock's time, or the server's own.
local function clock(bound)
  if bound ~= '' then return tonumber(bound) end
  local t = redis.call('TIME')
  return t[1] + t[2] / 1000000
end
"""

QUEUE = """
-- A queue's four keys, from KEYS[first] on.
local function queue(first)
  return {list = KEYS[first], delayed = KEYS[first + 1], reserved = KEYS[first + 2], notify = KEYS[first + 3]}
end

-- Raises WRONGTYPE before anything is written, so that no script can stop halfway.
local function check(q)
  redis.call('LLEN', q.list)
  redis.call('LLEN', q.notify)
  redis.call('ZCARD', q.delayed)
  redis.call('ZCARD', q.reserved)
end

-- `notify` has a token while the list has a job, and never more tokens than jobs.
local function announce(q)
  local jobs = redis.call('LLEN', q.list)
  if jobs == 0 then
    redis.call('DEL', q.notify)
    return
  end
  local tokens = redis.call('LLEN', q.notify)
  if tokens == 0 then
    redis.call('LPOP', q.notify)  -- a full server allows no RPUSH as a first write
    redis.call('RPUSH', q.notify, '1')
  elseif tokens > jobs then
    redis.call('LTRIM', q.notify, 0, jobs - 1)
  end
end
"""

SWEEP = """
local SLICE = 100

local function soonest(key, now)
  return redis.call('ZRANGEBYSCORE', key, '-inf', now, 'WITHSCORES', 'LIMIT', 0, SLICE)
end

-- Due jobs and expired leases go to the list, a slice at a time, in the order in which they fell due.
local function sweep(q, now)
  local late = redis.call('ZCOUNT', q.delayed, '-inf', now)
  local lost = redis.call('ZCOUNT', q.reserved, '-inf', now)
  if late + lost == 0 then return end
  redis.call('LLEN', q.list)
  redis.call('LPOP', q.notify)  -- a first write that frees memory: a full server then allows the others
  local a, b = soonest(q.delayed, now), soonest(q.reserved, now)
  local i, j = 1, 1
  for _ = 1, math.min(late + lost, SLICE) do
    local key, job
    if b[j] == nil or (a[i] ~= nil and tonumber(a[i + 1]) <= tonumber(b[j + 1])) then
      key, job, i = q.delayed, a[i], i + 2
    else
      key, job, j = q.reserved, b[j], j + 2
    end
    redis.call('RPUSH', q.list, job)
    redis.call('RPUSH', q.notify, '1')
    redis.call('ZREM', key, job)
  end
end
"""

PORTION = """
-- Bytes after which a script lets others have their turn.
local PORTION = 1000000
"""

EXPIRE = """
-- What is kept in these keys goes by itself.
local function expire(first, last, seconds)
  for k = first, last do redis.call('EXPIRE', KEYS[k], seconds) end
end
"""

UNIQUE = """
-- Who holds a unique key: its value is `expiry|uuid`.
local function holder(key, now)
  local held = redis.call('GET', key)
  if not held then return nil end
  local expires, uuid = string.match(held, '^([^|]*)|(.*)$')
  if expires and tonumber(expires) > now then return uuid end
  return nil
end

-- Free the keys from KEYS[first] on that *uuid* still holds, and say how many it did.
local function unlock(first, last, uuid)
  local freed = 0
  for k = first, last do
    local held = redis.call('GET', KEYS[k])
    if held and (uuid == '' or string.match(held, '|(.*)$') == uuid) then freed = freed + redis.call('DEL', KEYS[k]) end
  end
  return freed
end
"""

COUNTED = """
-- The payload with one more attempt and that number, or nil where the counter is not at the tail (Laravel's newer
-- payloads have a `delay` behind it).
local function counted(job)
  local start, _, count, rest = string.find(job, '[,{]"attempts":(%d+)(})%s*$', -32)
  if not start then
    start, _, count, rest = string.find(job, '[,{]"attempts":(%d+)(,"delay":%w+})%s*$', -64)
  end
  if not start or #count > 8 then return nil end
  local attempts = count + 1
  return string.sub(job, 1, start) .. '"attempts":' .. attempts .. rest, attempts
end
"""

UNLIKE = """
-- How many of the first n texts come before one that is reserved already, or that is among them twice.
local function unlike(q, texts, n)
  local held, seen = redis.call('ZMSCORE', q.reserved, unpack(texts, 1, n)), {}
  for i = 1, n do
    if held[i] or seen[texts[i]] then return i - 1 end
    seen[texts[i]] = true
  end
  return n
end
"""

ACCEPT = """
-- The queues whose keys stand from KEYS[first] on, looked at before anything is written.
local function queues(first, n)
  local found = {}
  for i = 1, n do
    found[i] = queue(first + 4 * (i - 1))
    check(found[i])
  end
  return found
end

-- Six arguments an entry from ARGV[first] on: queue, delay, payload, uuid, unique key (place in KEYS or 0), its ttl.
-- Each entry's first write may be refused by a full server; nothing of a batch is written before its first one is.
local function accept(found, first, now)
  local standing = {}
  for a = first, #ARGV, 6 do
    local q, delay, uuid, unique = found[tonumber(ARGV[a])], tonumber(ARGV[a + 1]), ARGV[a + 3], tonumber(ARGV[a + 4])
    local held = unique > 0 and holder(KEYS[unique], now)
    standing[#standing + 1] = held or uuid
    if not held then
      if unique > 0 then
        local ttl = tonumber(ARGV[a + 5])
        redis.call('SET', KEYS[unique], string.format('%.17g', now + ttl) .. '|' .. uuid, 'PX', math.ceil(ttl * 1000))
      end
      if delay > 0 then
        redis.call('ZADD', q.delayed, 'NX', now + delay, ARGV[a + 2])
      else
        redis.call('RPUSH', q.notify, '1')
        if not q.swept then sweep(q, now) end
        q.swept = true
        redis.call('RPUSH', q.list, ARGV[a + 2])
      end
    end
  end
  for _, q in ipairs(found) do announce(q) end
  return standing
end
"""
