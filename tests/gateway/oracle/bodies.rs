//! Bodies: members of every kind, and what they may be.

use super::row::{Row, ask, create, verify};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = verdicts();
    rows.extend(keys());
    rows.extend(configs());
    rows
}

fn verdicts() -> Vec<Row> {
    let bodies = [
        r#"{"key":"$secret"}"#,
        r#"{"key":"$secret","mode":"VERIFY_MODE_EXPLAIN"}"#,
        r#"{"key":"$secret","mode":3}"#,
        r#"{"key":"$secret","mode":3.0}"#,
        r#"{"key":"$secret","mode":3e0}"#,
        r#"{"key":"$secret","mode":"3"}"#,
        r#"{"key":"$secret","mode":9}"#,
        r#"{"key":"$secret","mode":-1}"#,
        r#"{"key":"$secret","mode":3.5}"#,
        r#"{"key":"$secret","mode":2147483648}"#,
        r#"{"key":"$secret","mode":"EXPLAIN"}"#,
        r#"{"key":"$secret","mode":"verify_mode_explain"}"#,
        r#"{"key":"$secret","mode":""}"#,
        r#"{"key":"$secret","mode":true}"#,
        r#"{"key":"$secret","mode":null}"#,
        r#"{"key":"$secret","requiredScopes":{"allOf":["payment:read"]}}"#,
        r#"{"key":"$secret","required_scopes":{"all_of":["payment:write"],"any_of":[]}}"#,
        r#"{"key":"$secret","requiredScopes":{"anyOf":["a","b"]},"mode":3}"#,
        r#"{"key":"$secret","requiredScopes":[]}"#,
        r#"{"key":"$secret","requiredScopes":"read"}"#,
        r#"{"key":"$secret","requiredScopes":{"allOf":"read"}}"#,
        r#"{"key":"$secret","requiredScopes":{"allOf":["read",null]}}"#,
        r#"{"key":"$secret","requiredScopes":{"allOf":[null]}}"#,
        r#"{"key":"$secret","requiredScopes":{"allOf":[["read"]]}}"#,
        r#"{"key":"$secret","requiredScopes":{"allOf":[1]}}"#,
        r#"{"key":"$secret","requiredScopes":{"allOf":null}}"#,
        r#"{"key":"$secret","allowedEnvs":["ENVIRONMENT_LIVE",2]}"#,
        r#"{"key":"$secret","allowedEnvs":[2]}"#,
        r#"{"key":"$secret","allowedEnvs":2}"#,
        r#"{"key":"$secret","allowedEnvs":["LIVE"]}"#,
        r#"{"key":"$secret","consistency":{"minimizeLatency":true}}"#,
        r#"{"key":"$secret","consistency":{"minimizeLatency":true,"atLeast":"x"}}"#,
        r#"{"key":"$secret","consistency":{"minimizeLatency":null,"atLeast":"x"}}"#,
        r#"{"key":"$secret","consistency":{"atLeast":"nonsense"}}"#,
        r#"{"key":"$secret","clientIp":"10.0.0.1","origin":"https://a.example","userAgent":"x"}"#,
        r#"{"key":"$secret","clientIp":"nonsense"}"#,
        r#"{"key":"$secret","expectedKeyId":"$key","workspaceId":"$ws"}"#,
        r#"{"key":"$secret","workspaceId":"ws_other"}"#,
        r#"{"key":"kwk_live_unknown"}"#,
        r#"{"key":""}"#,
        r#"{"key":"a\u0000b"}"#,
        r#"{"key":null}"#,
        r#"{"key":1}"#,
        r#"{"key":true}"#,
        r#"{"key":{}}"#,
        r#"{"key":["a"]}"#,
        r#"{"Key":"$secret"}"#,
        r#"{"key":"a","key":"$secret"}"#,
        r#"{"key":"$secret","clientIp":"10.0.0.1","client_ip":"10.0.0.2"}"#,
        r#"{"key":"$secret","nothing":1}"#,
        r#"{"key":"$secret","":1}"#,
        r#"{"key":"$secret","keyward.v1.x":1}"#,
    ];
    let batches = [
        r#"{"requests":[{"key":"$secret"},{"key":"x"}]}"#,
        r#"{"requests":[]}"#,
        r#"{"requests":[null]}"#,
        r#"{"requests":{}}"#,
        r#"{"requests":[{"key":"$secret","nothing":1}]}"#,
    ];
    let batches = batches.map(|body| ask("POST /v1/keys:batchVerify").body(body));
    bodies.map(verify).into_iter().chain(batches).collect()
}

fn keys() -> Vec<Row> {
    let bodies = [
        r#"{"name":"a"}"#,
        r#"{"name":"a","workspaceId":"$ws"}"#,
        r#"{"name":"a","workspaceId":"ws_other"}"#,
        r#"{"name":"a","owner":{"userId":"u"}}"#,
        r#"{"name":"a","owner":{"userId":"u","serviceAccountId":"s"}}"#,
        r#"{"name":"a","owner":{"userId":"u","serviceAccountId":null}}"#,
        r#"{"name":"a","owner":null,"scopes":null,"metadata":null,"expiresAt":null,"env":null}"#,
        r#"{"name":"a","owner":[]}"#,
        r#"{"name":"a","scopes":"read"}"#,
        r#"{"name":"a","scopes":{"0":"read"}}"#,
        r#"{"name":"a","allowLocalhost":true,"allowedDomains":["a.example"]}"#,
        r#"{"name":"a","allowLocalhost":"true"}"#,
        r#"{"name":"a","allowLocalhost":1}"#,
        r#"{"name":"a","allowLocalhost":"yes"}"#,
        r#"{"name":"a","expiresAt":"2030-01-01T00:00:00Z"}"#,
        r#"{"name":"a","expiresAt":"2030-01-01T00:00:00.5+01:00"}"#,
        r#"{"name":"a","expiresAt":"2030-01-01T00:00:00.123456789Z"}"#,
        r#"{"name":"a","expiresAt":"2030-01-01t00:00:00z"}"#,
        r#"{"name":"a","expiresAt":"2030-01-01 00:00:00Z"}"#,
        r#"{"name":"a","expiresAt":""}"#,
        r#"{"name":"a","expiresAt":1893456000}"#,
        r#"{"name":"a","expiresAt":{"seconds":1893456000}}"#,
        r#"{"name":"a","metadata":{"team":"a","x.y":"€"}}"#,
        r#"{"name":"a","metadata":{"":"a"}}"#,
        r#"{"name":"a","metadata":{"a":""}}"#,
        r#"{"name":"a","metadata":{"a":null}}"#,
        r#"{"name":"a","metadata":{"a":1}}"#,
        r#"{"name":"a","metadata":{"a":"1","a":"2"}}"#,
        r#"{"name":"a","metadata":[]}"#,
        r#"{"name":"a","metadata":[{"key":"a","value":"b"}]}"#,
        r#"{"name":"a","plan":{"type":"x","custom":true,"customData":{"a":[1,-2.5e3,null,true,{"b":"c"}]}}}"#,
        r#"{"name":"a","plan":{"type":"x","custom":true,"customData":{"a":9007199254740993,"b":0.1,"c":1e300,"d":-0.0}}}"#,
        r#"{"name":"a","plan":{"type":"x","custom":true,"customData":{"":1}}}"#,
        r#"{"name":"a","plan":{"type":"x","custom":true,"customData":{"x":1,"x":2}}}"#,
        r#"{"name":"a","plan":{"type":"x","custom":true,"customData":[]}}"#,
        r#"{"name":"a","plan":{"type":"x","custom":true,"customData":null}}"#,
        r#"{"name":"a","plan":{"type":"x","custom":true,"customData":{"a":1e400}}}"#,
        r#"{"name":"a","ipAllowlist":["10.0.0.1/8"]}"#,
        r#"{"name":"a","ipWhitelist":["10.0.0.0/8"]}"#,
    ];
    bodies.map(create).into_iter().collect()
}

fn configs() -> Vec<Row> {
    let patches = [
        ("updateMask=requireJwtToken", r#"{"requireJwtToken":true}"#),
        ("updateMask=require_jwt_token", r#"{"requireJwtToken":false}"#),
        ("update_mask=requireJwtToken,allowLocalhost", r#"{"allow_localhost":true}"#),
        ("updateMask=requireJwtToken%2CallowLocalhost", ""),
        ("updateMask=requireJwtToken&updateMask=allowLocalhost", "{}"),
        ("updateMask=nothing", "{}"),
        ("updateMask=", "{}"),
        ("", "{}"),
        ("updateMask=plan.type", r#"{"plan":{"type":"y"}}"#),
        ("updateMask=requireJwtToken", r#"{"config":{"requireJwtToken":true}}"#),
        ("updateMask=requireJwtToken", "[]"),
        ("updateMask=requireJwtToken", "null"),
        ("updateMask=requireJwtToken", r#"{"keyId":"x","requireJwtToken":true}"#),
        ("updateMask=email.fromEmail", r#"{"email":{"fromEmail":"a@a.example"}}"#),
        ("updateMask=defaultDocumentAccess", r#"{"defaultDocumentAccess":2}"#),
    ];
    let patches =
        patches.into_iter().map(|(query, body)| ask(format!("PATCH K/config?{query}")).body(body));
    let keys = [
        r#"{"apiKey":{"name":"b"},"updateMask":"name"}"#,
        r#"{"apiKey":{"name":"c"},"update_mask":"name"}"#,
        r#"{"apiKey":{"allowLocalhost":true},"updateMask":"allowLocalhost"}"#,
        r#"{"apiKey":{"allowLocalhost":true},"updateMask":"allow_localhost"}"#,
        r#"{"apiKey":{"name":"c"},"updateMask":"name,description"}"#,
        r#"{"apiKey":{"name":"c"},"updateMask":"name, description"}"#,
        r#"{"apiKey":{"name":"c"},"updateMask":""}"#,
        r#"{"apiKey":{"name":"c"},"updateMask":["name"]}"#,
        r#"{"apiKey":{"name":"c"},"updateMask":{"paths":["name"]}}"#,
        r#"{"apiKey":{"name":"c"}}"#,
        r#"{"apiKey":{"metadata":{"a":"b"}},"updateMask":"metadata"}"#,
        r#"{"apiKey":{"metadata":{"a":"b"}},"updateMask":"metadata.a"}"#,
        r#"{"apiKey":{"credentials":[{"generation":"1"}]},"updateMask":"credentials"}"#,
        r#"{"apiKey":{"credentials":[{"generation":1e0}]},"updateMask":"credentials"}"#,
        r#"{"apiKey":{"credentials":[{"generation":1.5}]},"updateMask":"credentials"}"#,
        r#"{"apiKey":{"credentials":[{"generation":"1.0"}]},"updateMask":"credentials"}"#,
        r#"{"apiKey":{"credentials":[{"generation":" 1"}]},"updateMask":"credentials"}"#,
        r#"{"apiKey":{"credentials":[{"generation":2147483648}]},"updateMask":"credentials"}"#,
        r#"{"apiKey":{"credentials":[{"generation":"NaN"}]},"updateMask":"credentials"}"#,
        r#"{"apiKey":{"credentials":[{"generation":true}]},"updateMask":"credentials"}"#,
    ];
    let keys = keys.into_iter().map(|body| ask("PATCH K").body(body));
    patches.chain(keys).chain(rotations()).chain(moments()).collect()
}

/// Durations.
fn rotations() -> Vec<Row> {
    let graces = [
        r#""0s""#,
        r#""1.5s""#,
        r#""1.1234567891s""#,
        r#""-1s""#,
        r#""1""#,
        r#""1m""#,
        r#""s""#,
        r#"60"#,
        r#""1e1s""#,
        r#"" 1s""#,
        r#""315576000001s""#,
        r#"{"seconds":60}"#,
    ];
    graces
        .into_iter()
        .map(|grace| ask("POST K:rotate").body(format!(r#"{{"grace":{grace},"force":true}}"#)))
        .collect()
}

/// Numbers of 64 bits.
fn moments() -> Vec<Row> {
    let moments = [
        r#""atPosition":1"#,
        r#""atPosition":"1""#,
        r#""atPosition":1.0"#,
        r#""atPosition":1e0"#,
        r#""atPosition":10e-1"#,
        r#""atPosition":"1e0""#,
        r#""atPosition":1.5"#,
        r#""atPosition":-1"#,
        r#""atPosition":"-1""#,
        r#""atPosition":-0"#,
        r#""atPosition":"18446744073709551615""#,
        r#""atPosition":18446744073709551615"#,
        r#""atPosition":18446744073709551616"#,
        r#""atPosition":"0x1""#,
        r#""atPosition":"""#,
        r#""atPosition":"+1""#,
        r#""atPosition":"01""#,
        r#""atPosition":01"#,
        r#""atPosition":.5"#,
        r#""atPosition":1."#,
        r#""atPosition":+1"#,
        r#""atPosition":NaN"#,
        r#""atPosition":"Infinity""#,
        r#""atPosition":false"#,
        r#""atPosition":null"#,
        r#""atPosition":1,"atTime":"2030-01-01T00:00:00Z""#,
        r#""atPosition":null,"atTime":"1999-01-01T00:00:00Z""#,
    ];
    moments.into_iter().map(|moment| ask("POST K:verifyAt").body(format!("{{{moment}}}"))).collect()
}
