-- wrk: GETs of many calls in turn.   wrk ... -s get.lua URL -- KEY FILE-OF-IDS PATH-PREFIX
-- The last line it prints is what the bench reads.
local requests, at = {}, 0

function init(args)
  local headers = { Authorization = "Bearer " .. args[1] }
  for id in io.lines(args[2]) do
    requests[#requests + 1] = wrk.format("GET", args[3] .. id, headers)
  end
  at = math.floor(#requests * tonumber(thread_share or 0))
end

local threads = 0
function setup(thread)
  thread:set("thread_share", (threads % 2) / 2)
  threads = threads + 1
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%.6f,"failed":%d,"p50_ms":%.3f,"p95_ms":%.3f,"p99_ms":%.3f}\n',
    summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3))
end
