-- wrk: POSTs of one body, each with an Idempotency-Key of its own; where the body has a number of
-- "########", with an even number each.
--   wrk ... -s post.lua URL -- KEY FILE-OF-BODY PATH SALT
-- The last line it prints is what the bench reads.
local head, middle, tail, at = "", "", nil, 0
local place, digits = "@@@@@@@@@@@@", "########"
local stride, numbers = 61803398, 100000000

function init(args)
  local file = assert(io.open(args[2], "rb"))
  local body = file:read("*a")
  file:close()
  local text = wrk.format("POST", args[3], {
    Authorization = "Bearer " .. args[1],
    ["Content-Type"] = "application/json",
    ["Idempotency-Key"] = "bench-" .. args[4] .. "-" .. thread_number .. "-" .. place,
  }, body)
  local from, to = text:find(place, 1, true)
  head, middle = text:sub(1, from - 1), text:sub(to + 1)
  from, to = middle:find(digits, 1, true)
  if from then
    middle, tail = middle:sub(1, from - 1), middle:sub(to + 1)
  end
end

local threads = 0
function setup(thread)
  thread:set("thread_number", threads)
  threads = threads + 1
end

function request()
  at = at + 1
  if not tail then
    return head .. string.format("%012d", at) .. middle
  end
  return head .. string.format("%012d", at) .. middle .. string.format("%08d", at * stride % numbers) .. tail
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%.6f,"failed":%d,"p50_ms":%.3f,"p95_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
