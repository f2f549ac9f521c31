-- wrk: the first fifty contacts
function request()
    return wrk.format("GET", "/api/v1/contacts?limit=50")
end
