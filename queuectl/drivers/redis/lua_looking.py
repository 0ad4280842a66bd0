"""The scripts that look: for single jobs, so that only what was found crosses the network, and for a page's place."""

from __future__ import annotations

from queuectl.drivers.redis.lua import script

WANTED = """
-- ARGV from 3 on: names as they stand in JSON.
local wanted = {}
for a = 3, #ARGV do wanted[ARGV[a]] = true end

local function has(member, name)
  for word in string.gmatch(member, name) do
    if wanted[word] then return true end
  end
  return false
end

-- May this be one of them? The client knows for certain. Our own texts, and Laravel's, begin and end with their names;
-- one without any is called by its digest.
local function is_wanted(member)
  local uuid = string.match(member, '^{"uuid":"([^"]*)"')
  local id = string.match(member, '"id":"([^"]*)","attempts":%d+[^"]*$', -100)
  if wanted[uuid or ''] or wanted[id or ''] then return true end
  if uuid and id then return false end
  return has(member, '"uuid"%s*:%s*"([^"]*)"') or has(member, '"id"%s*:%s*"([^"]*)"')
    or wanted[string.sub(redis.sha1hex(member), 1, 32)]
end
"""

FIND_LISTED = script(
    "find-listed",
    WANTED,
    """
-- KEYS: a list.  ARGV: first and last of the slice to look at.  Returns {jobs looked at, bytes of them, jobs found …}.
local members = redis.call('LRANGE', KEYS[1], ARGV[1], ARGV[2])
local found, size = {}, 0
for _, member in ipairs(members) do
  size = size + #member
  if is_wanted(member) then found[#found + 1] = member end
end
return {#members, size, unpack(found)}
""",
)

FIND_SCORED = script(
    "find-scored",
    WANTED,
    """
-- KEYS: a sorted set.  ARGV: cursor of its scan, how many to look at.
-- Returns {where to go on or '', bytes looked at, jobs found, each with its score …}.
local reply = redis.call('ZSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local found, size = {reply[1] == '0' and '' or reply[1], 0}, 0
for i = 1, #reply[2], 2 do
  local member = reply[2][i]
  size = size + #member
  if is_wanted(member) then
    found[#found + 1] = member
    found[#found + 1] = reply[2][i + 1]
  end
end
found[2] = size
return found
""",
)

PLACE = """
-- As the server compares members; Lua's own comparison follows the server's locale.
local function stands_before(a, b)
  for i = 1, math.min(#a, #b) do
    local x, y = string.byte(a, i), string.byte(b, i)
    if x ~= y then return x < y end
  end
  return #a < #b
end

-- How many members of a sorted set stand before this one, which may be gone; however many have its score.
local function place_of(key, score, member)
  local low = redis.call('ZCOUNT', key, '-inf', '(' .. score)
  local high = low + redis.call('ZCOUNT', key, score, score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if stands_before(redis.call('ZRANGE', key, middle, middle)[1], member) then low = middle + 1 else high = middle end
  end
  return low
end
"""

FROM = script(
    "from",
    PLACE,
    """
-- KEYS: a sorted set.  ARGV: score and member where to begin, how many.  Returns members and scores.
local first = place_of(KEYS[1], ARGV[1], ARGV[2])
return redis.call('ZRANGE', KEYS[1], first, first + ARGV[3] - 1, 'WITHSCORES')
""",
)

BEFORE = script(
    "before",
    PLACE,
    """
-- KEYS: a sorted set.  ARGV: score and member before which to begin, how many.  Returns members and scores, backwards.
local place = place_of(KEYS[1], ARGV[1], ARGV[2])
if place == 0 then return {} end
local last = redis.call('ZCARD', KEYS[1]) - place
return redis.call('ZREVRANGE', KEYS[1], last, last + ARGV[3] - 1, 'WITHSCORES')
""",
)
