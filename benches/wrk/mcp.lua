-- One kind of request over and over, told by scripts/bench: BODY_FILE "Header: value"...
-- In the body @ID@ stands for the JSON-RPC id.

-- Ids must differ among the requests in flight, as a client's do. They come from a ring of ready-made requests,
-- because wrk shares the machine with what it measures.
local RING = 256
local threads = 0

function setup(thread)
   thread:set("first_id", threads * RING)
   threads = threads + 1
end

function init(args)
   local file = assert(io.open(args[1], "rb"))
   local body = file:read("*a")
   file:close()
   for i = 2, #args do
      local name, value = args[i]:match("^([^:]+):%s*(.*)$")
      wrk.headers[name] = value
   end
   requests = {}
   for i = 1, RING do
      local numbered = body:gsub("@ID@", tostring(first_id + i))
      requests[i] = wrk.format("POST", nil, nil, numbered)
   end
   turn = 0
end

function request()
   turn = turn % RING + 1
   return requests[turn]
end

function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      'RESULT {"requests":%d,"duration_us":%d,"p50_us":%d,"p99_us":%d,"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
      errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
