//! Where the two answer differently on purpose: the reason, and the requests with our status and Envoy's.

use std::collections::BTreeMap;

type Rows = &'static [(&'static str, [u16; 2])];

pub(super) const LISTED: &[(&str, Rows)] = &[
    (
        "A path that is there for other methods is 405 with Allow; Envoy knows 404 only.",
        &[
            ("POST K%3Aenable", [405, 404]),
            ("POST K:", [405, 404]),
            ("GET K:disable", [405, 404]),
            ("GET W:suspend", [405, 404]),
            ("GET /v1/workspaces", [405, 404]),
            ("GET /v1/keys:verify", [405, 404]),
            ("PUT W/keys", [405, 404]),
            ("DELETE W/keys", [405, 404]),
            ("POST K", [405, 404]),
            ("PUT K", [405, 404]),
            ("PATCH W", [405, 404]),
            ("OPTIONS K", [405, 404]),
            ("DELETE /v1/log/head", [405, 404]),
        ],
    ),
    (
        "HEAD is answered as GET; Envoy knows it as a method without a path.",
        &[("HEAD K", [200, 404])],
    ),
    (
        "A path ends where its template ends, and a variable is not empty; Envoy drops a last slash and takes an empty id.",
        &[
            ("POST K/:enable", [404, 200]),
            ("GET W/", [404, 200]),
            ("GET W/keys/", [404, 200]),
            ("GET K/", [404, 200]),
            ("GET /v1/workspaces//keys", [404, 400]),
        ],
    ),
    (
        "Server-sent events for who accepts them; Envoy knows one form of stream.",
        &[("GET W/events:watch [accept: text/event-stream]", [200, 200])],
    ),
    (
        "A parameter that may be there once is there twice; Envoy takes the last one.",
        &[
            ("GET W/keys?pageSize=1&page_size=2", [400, 200]),
            ("GET W/keys?pageSize=1&pageSize=2", [400, 200]),
            ("GET W/keys?pageSize=1&pageSize=1", [400, 200]),
            ("GET W/keys?env=ENVIRONMENT_LIVE&env=ENVIRONMENT_LIVE", [400, 200]),
            ("PATCH K/config?updateMask=requireJwtToken&updateMask=allowLocalhost {}", [400, 200]),
        ],
    ),
    (
        "A field that the path has, or a body may have, in the query; Envoy takes it, against google.api.http.",
        &[
            ("GET W/keys?workspace_id=$ws", [400, 200]),
            ("PATCH K/config?updateMask=requireJwtToken&config.requireJwtToken=true", [400, 200]),
            ("POST /v1/keys:verify?key=a", [400, 200]),
            ("POST /v1/keys:verify?requiredScopes.allOf=a", [400, 200]),
        ],
    ),
    (
        "A parameter without a name, or a number without a value; Envoy passes it over.",
        &[("GET W/keys?=1", [400, 200]), ("GET W/keys?pageSize", [400, 200])],
    ),
    (
        "A whole number in a query may be spelt as in a body (1.0, 1e1); Envoy takes digits only.",
        &[("GET W/keys?pageSize=1.0", [200, 400]), ("GET W/keys?pageSize=1e1", [200, 400])],
    ),
    (
        "True and false have one spelling each; Envoy takes others, and strings.",
        &[
            ("GET W/keys?showDead=True", [400, 200]),
            ("GET W/keys?showDead=1", [400, 200]),
            ("GET W/keys?showDead=0", [400, 200]),
            ("GET W/keys?showDead=yes", [400, 200]),
            (r#"POST W/keys {\"name\":\"a\",\"allowLocalhost\":\"true\"}"#, [400, 200]),
            (r#"POST W/keys {\"name\":\"a\",\"allowLocalhost\":\"yes\"}"#, [400, 200]),
        ],
    ),
    (
        "No minute has a second 60, and no duration a space; Envoy takes both.",
        &[
            ("GET W/keys?expiringBefore=2030-01-01T00:00:60Z", [400, 200]),
            (r#"POST K:rotate {\"grace\":\" 1s\",\"force\":true}"#, [400, 200]),
        ],
    ),
    (
        "Refused by both: here by the gateway, behind Envoy by the service, in other words.",
        &[
            ("GET W/keys/%ff", [400, 400]),
            ("GET W/keys?workspaceId=ws_other", [400, 400]),
            ("GET W/keys?namePrefix=%ff", [400, 400]),
            ("POST K:disable?etag=x", [400, 400]),
            (r#"POST /v1/keys:batchVerify {\"requests\":[null]}"#, [400, 400]),
            (r#"POST W/keys {\"name\":\"a\",\"metadata\":{\"a\":null}}"#, [400, 400]),
            ("PATCH K/config?updateMask=requireJwtToken null", [400, 400]),
            (
                r#"PATCH K {\"apiKey\":{\"name\":\"c\"},\"updateMask\":\"name, description\"}"#,
                [400, 400],
            ),
            (r#"POST K:verifyAt {\"atPosition\":\"+1\"}"#, [400, 400]),
            (r#"POST K:verifyAt {\"atPosition\":1.}"#, [400, 400]),
            ("DELETE K/config/secrets/x {}", [400, 400]),
            (r#"POST W/keys {\"name\":\"a\nb\"}"#, [400, 400]),
            (r#"POST W/keys {\"name\":\"a\tb\"}"#, [400, 400]),
            (
                r#"POST W/keys {\"name\":\"a\",\"plan\":{\"custom\":true,\"type\":\"x\",\"customData\... (247 bytes)"#,
                [400, 400],
            ),
        ],
    ),
    (
        "A list is a list, with no null and no list in it; Envoy takes one value for a list of one, drops nulls and flattens.",
        &[
            (
                r#"POST /v1/keys:verify {\"key\":\"$secret\",\"requiredScopes\":{\"allOf\":\"read\"}}"#,
                [400, 200],
            ),
            (
                r#"POST /v1/keys:verify {\"key\":\"$secret\",\"requiredScopes\":{\"allOf\":[\"read\",null]}}"#,
                [400, 200],
            ),
            (
                r#"POST /v1/keys:verify {\"key\":\"$secret\",\"requiredScopes\":{\"allOf\":[null]}}"#,
                [400, 200],
            ),
            (
                r#"POST /v1/keys:verify {\"key\":\"$secret\",\"requiredScopes\":{\"allOf\":[[\"read\"]]}}"#,
                [400, 200],
            ),
            (r#"POST /v1/keys:verify {\"key\":\"$secret\",\"allowedEnvs\":2}"#, [400, 200]),
            (r#"POST /v1/keys:batchVerify {\"requests\":{}}"#, [400, 200]),
            (r#"POST W/keys {\"name\":\"a\",\"scopes\":\"read\"}"#, [400, 200]),
            (
                r#"POST /v1/serviceCredentials {\"name\":\"s\",\"permissions\":\"PERMISSION_VERIFY\"}"#,
                [400, 200],
            ),
        ],
    ),
    (
        "An unknown member is refused, as a mistyped ipAllowlist must not make an open key; Envoy drops it.",
        &[
            (r#"POST /v1/keys:verify {\"Key\":\"$secret\"}"#, [400, 200]),
            (r#"POST /v1/keys:verify {\"key\":\"$secret\",\"nothing\":1}"#, [400, 200]),
            (r#"POST /v1/keys:verify {\"key\":\"$secret\",\"keyward.v1.x\":1}"#, [400, 200]),
            (
                r#"POST /v1/keys:batchVerify {\"requests\":[{\"key\":\"$secret\",\"nothing\":1}]}"#,
                [400, 200],
            ),
            (r#"POST W/keys {\"name\":\"a\",\"ipWhitelist\":[\"10.0.0.0/8\"]}"#, [400, 200]),
            (
                r#"PATCH K/config?updateMask=requireJwtToken {\"config\":{\"requireJwtToken\":true}}"#,
                [400, 200],
            ),
        ],
    ),
    (
        "A member is there once, in one spelling; Envoy takes the last one.",
        &[
            (r#"POST /v1/keys:verify {\"key\":\"a\",\"key\":\"$secret\"}"#, [400, 200]),
            (
                r#"POST /v1/keys:verify {\"key\":\"$secret\",\"clientIp\":\"10.0.0.1\",\"client_ip\":\"10.0.0.... (62 bytes)"#,
                [400, 200],
            ),
        ],
    ),
    (
        "The body has another value than the path; Envoy takes the path's.",
        &[(r#"POST W/keys {\"name\":\"a\",\"workspaceId\":\"ws_other\"}"#, [400, 200])],
    ),
    (
        "What JSON has as a text (times, durations, masks) is no object; Envoy takes its fields.",
        &[
            (r#"POST W/keys {\"name\":\"a\",\"expiresAt\":{\"seconds\":1893456000}}"#, [400, 200]),
            (
                r#"PATCH K {\"apiKey\":{\"name\":\"c\"},\"updateMask\":{\"paths\":[\"name\"]}}"#,
                [400, 200],
            ),
            (r#"POST K:rotate {\"grace\":{\"seconds\":60},\"force\":true}"#, [400, 200]),
        ],
    ),
    ("GET has no body; Envoy drops it.", &[("GET K {}", [400, 200])]),
    (
        "JSON as RFC 8259 has it: no bare or single-quoted texts, no last comma, no escape that there is not.",
        &[
            (r#"POST W/keys {\"name\":\"a\",}"#, [400, 200]),
            (r#"POST W/keys {\"scopes\":[\"a\",],\"name\":\"a\"}"#, [400, 200]),
            (r#"POST W/keys {name:\"a\"}"#, [400, 200]),
            (r#"POST W/keys {\'name\':\"a\"}"#, [400, 200]),
            (r#"POST W/keys {\"name\":\'a\'}"#, [400, 200]),
            (r#"POST W/keys {\"name\":\"\\x\"}"#, [400, 200]),
        ],
    ),
    (
        "A body says application/json in UTF-8, not compressed, or nothing; Envoy looks at none of this.",
        &[
            (
                r#"POST /v1/keys:verify [content-type: text/plain] {\"key\":\"$secret\"}"#,
                [415, 200],
            ),
            (
                r#"POST /v1/keys:verify [content-type: application/x-www-form-urlencoded] {\"key\":\"$secret\"}"#,
                [415, 200],
            ),
            (
                r#"POST /v1/keys:verify [content-type: application/json; charset=latin1] {\"key\":\"$secret\"}"#,
                [415, 200],
            ),
            (
                r#"POST /v1/keys:verify [content-type: application/grpc] {\"key\":\"$secret\"}"#,
                [415, 200],
            ),
            (
                r#"POST /v1/keys:verify [content-type: application/grpc-web] {\"key\":\"$secret\"}"#,
                [415, 200],
            ),
            (r#"POST /v1/keys:verify [content-encoding: gzip] {\"key\":\"$secret\"}"#, [415, 200]),
        ],
    ),
    (
        "A body has at most 64 KiB where no list is taken; Envoy has one limit for all.",
        &[(
            r#"POST /v1/keys:verify {\"key\":\"a\"                                                        ... (65537 bytes)"#,
            [413, 200],
        )],
    ),
    (
        "Two credentials are refused as two; Envoy joins the headers to one that is invalid.",
        &[("GET K [authorization: Bearer twice]", [400, 401])],
    ),
    (
        "Idempotency-Key and If-Match; Envoy does not know them.",
        &[
            (r#"POST W/keys [idempotency-key: the-first-request] {\"name\":\"i\"}"#, [409, 200]),
            (r#"DELETE K [if-match: "nonsense"]"#, [400, 200]),
        ],
    ),
];

/// The list by request.
pub(super) fn list() -> BTreeMap<&'static str, [u16; 2]> {
    let rows = LISTED.iter().flat_map(|(_, rows)| rows.iter().copied());
    let list: BTreeMap<_, _> = rows.clone().collect();
    assert_eq!(list.len(), rows.count(), "a request is listed twice");
    list
}
