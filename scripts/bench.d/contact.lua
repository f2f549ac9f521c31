-- wrk: one contact by a random number; the argument says how many there are
local count
function init(args)
    count = tonumber(args[1])
    math.randomseed(os.time())
end
function request()
    return wrk.format("GET", "/api/v1/contacts/" .. math.random(count))
end
