"""The scripts that look for single jobs, so that only what was found crosses the network."""

from __future__ import annotations

from queuectl.drivers.redis.lua import script

WANTED = """
-- ARGV: where to go on, how many to look at, names as they stand in JSON.
local wanted = {}
for a = 3, #ARGV do wanted[ARGV[a]] = true end

-- May this be one of them? The client knows for certain. A text without a name of its own is called by its digest.
local function is_wanted(member)
  for _, name in ipairs({'"uuid"%s*:%s*"([^"]*)"', '"id"%s*:%s*"([^"]*)"'}) do
    for word in string.gmatch(member, name) do
      if wanted[word] then return true end
    end
  end
  return wanted[string.sub(redis.sha1hex(member), 1, 32)]
end
"""

FIND_LISTED = script(
    "find-listed",
    WANTED,
    """
-- KEYS: a list. Read from its end, which jobs do not leave while we look: ARGV[1] tells how many were read.
-- Returns {where to go on or '', bytes read, jobs found …}.
local members = redis.call('LRANGE', KEYS[1], -(ARGV[1] + ARGV[2]), -(ARGV[1] + 1))
local found, size = {'', 0}, 0
for _, member in ipairs(members) do
  size = size + #member
  if is_wanted(member) then found[#found + 1] = member end
end
if #members == tonumber(ARGV[2]) then found[1] = tostring(ARGV[1] + #members) end
found[2] = size
return found
""",
)

FIND_SCORED = script(
    "find-scored",
    WANTED,
    """
-- KEYS: a sorted set. ARGV[1] is a cursor of its scan.
-- Returns {where to go on or '', bytes read, jobs found, each with its score …}.
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
