-- Asks Keyward's gateway whether a request may pass. The action takes the whole URL.

local asked = { "authorization", "x-api-key", "origin", "referer", "user-agent" }
local told = { "x-key-id", "x-workspace-id", "x-key-scopes", "x-key-env", "x-key-owner", "x-key-expires", "x-keyward-verdict" }

core.register_action("keyward", { "http-req" }, function(txn, url)
    local sent = txn.http:req_get_headers()
    -- The gateway reads the list from the right, and believes what its own proxies have written.
    local forwarded = {}
    for _, value in pairs(sent["x-forwarded-for"] or {}) do table.insert(forwarded, value) end
    table.insert(forwarded, tostring(txn.f:src()))
    local headers = { ["x-forwarded-for"] = { table.concat(forwarded, ", ") } }
    -- For the gateway's log.
    headers["x-forwarded-method"] = { txn.f:method() }
    headers["x-forwarded-uri"] = { txn.f:path() }
    for _, name in ipairs(asked) do
        if sent[name] then
            headers[name] = {}
            for _, value in pairs(sent[name]) do table.insert(headers[name], value) end
        end
    end
    local answer = core.httpclient():get({ url = url, headers = headers, timeout = 250 })
    local function first(name)
        local values = answer.headers and answer.headers[name]
        return values and (values[0] or values[1]) or ""
    end
    txn:set_var("txn.keyward_status", tostring(answer.status or 0))
    txn:set_var("txn.keyward_challenge", first("www-authenticate"))
    txn:set_var("txn.keyward_retry_after", first("retry-after"))
    for _, name in ipairs(told) do txn:set_var("txn." .. name:gsub("-", "_"), first(name)) end
end, 1)
