"""The scripts of the control store: a hash of values and a sorted set of expiries for each class of keys."""

from __future__ import annotations

from queuectl.drivers.redis.lua import CLOCK, script

LIVING = """
-- KEYS: values, expiries, classes.
local now = clock(ARGV[1])

local function read(key)
  local expires = redis.call('ZSCORE', KEYS[2], key)
  if expires and tonumber(expires) <= now then return false end
  return redis.call('HGET', KEYS[1], key)
end

local function remove(key)
  redis.call('ZREM', KEYS[2], key)
  return redis.call('HDEL', KEYS[1], key)
end

-- Removes some of what has expired; a first write that a full server allows, so beats and marks still work there.
local function tidy()
  redis.call('HDEL', KEYS[1], '')
  local stale = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 100)
  for _, key in ipairs(stale) do remove(key) end
end

local function write(key, value, ttl, class)
  tidy()
  redis.call('SADD', KEYS[3], class)
  redis.call('HSET', KEYS[1], key, value)
  if ttl == '' then redis.call('ZREM', KEYS[2], key) else redis.call('ZADD', KEYS[2], now + ttl, key) end
end
"""

PUT = script("put", CLOCK, LIVING, "write(ARGV[2], ARGV[3], ARGV[4], ARGV[5])")
PUT_NEW = script(
    "put-new",
    CLOCK,
    LIVING,
    """
if read(ARGV[2]) then return 0 end
write(ARGV[2], ARGV[3], ARGV[4], ARGV[5])
return 1
""",
)
GET = script("get", CLOCK, LIVING, "return read(ARGV[2])")
SCAN = script(
    "scan",
    CLOCK,
    LIVING,
    """
local found = {}
for _, key in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(key, 1, #ARGV[2]) == ARGV[2] then
    local value = read(key)
    if value then
      found[#found + 1] = key
      found[#found + 1] = value
    end
  end
end
return found
""",
)
DELETE = script(
    "delete",
    CLOCK,
    LIVING,
    """
-- ARGV: now, key, '1' if it must hold a value, that value.
local value = read(ARGV[2])
if not value then
  remove(ARGV[2])
  return 0
end
if ARGV[3] == '1' and value ~= ARGV[4] then return 0 end
return remove(ARGV[2])
""",
)
INCREMENT = script(
    "increment",
    CLOCK,
    LIVING,
    """
-- ARGV: now, key, step, ttl, class.
if not read(ARGV[2]) then write(ARGV[2], '0', ARGV[4], ARGV[5]) else tidy() end
return redis.call('HINCRBY', KEYS[1], ARGV[2], ARGV[3])
""",
)
