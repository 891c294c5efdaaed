//! Paths: every read by its route, escapes, verbs, slashes, methods.

use super::row::{Caller, Row, ask};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = vec![
        ask("GET K"),
        ask("GET W"),
        ask("GET W/keys"),
        ask("GET K/config"),
        ask("GET K/usage"),
        ask("GET K/authTokens"),
        ask("GET W/events?order=EVENT_ORDER_OLDEST_FIRST"),
        ask("GET W/events:watch").streams(),
        ask("GET W/events:watch").header("accept", "text/event-stream").streams(),
        ask("GET /v1/log/head").by(Caller::Operator),
        ask("POST /v1/log:verify").body(r#"{"maxEvents":1}"#).by(Caller::Operator),
        ask("GET /v1/serviceCredentials?workspaceId=$ws").by(Caller::Operator),
    ];
    rows.extend(escapes());
    rows.extend(verbs());
    rows.extend(methods());
    rows
}

/// What a path encodes.
fn escapes() -> Vec<Row> {
    vec![
        ask("GET /v1/workspaces/$ws/keys/%6bey_unknown"),
        ask("GET /v1/workspaces/$ws/key%73"),
        ask("GET /v1%2Fworkspaces/$ws"),
        ask("GET W/keys/a%2Fb"),
        ask("GET W/keys/a%2fb%3Ac"),
        ask("GET W/keys/%20"),
        ask("GET W/keys/+"),
        ask("GET W/keys/%2B"),
        ask("GET W/keys/%E2%82%AC"),
        ask("GET W/keys/%f0%9f%98%80"),
        ask("GET W/keys/%ff"),
        ask("GET W/keys/%00"),
        ask("GET W/keys/%"),
        ask("GET W/keys/%2"),
        ask("GET W/keys/%zz"),
        ask("GET W/keys/%25"),
        ask("GET W/keys/a;b"),
        ask("GET W/keys/a=b&c"),
        ask("GET W/keys/~a!b*c'd(e)"),
        ask("GET W/keys/."),
        ask("GET W/keys/.."),
        ask("GET W/keys/$key?"),
        ask("GET W/keys/$key?&&"),
        ask("PUT K/config/secrets/ai_models%2Eopenai").body(r#"{"secret":"sk-of-a-provider"}"#),
        ask("DELETE K/config/secrets/ai_models%2eopenai"),
        ask("PUT K/config/secrets/ai_models%2Fopenai").body(r#"{"secret":"sk-of-a-provider"}"#),
    ]
}

/// Verbs behind a colon, and where there are none.
fn verbs() -> Vec<Row> {
    vec![
        ask("POST K:disable"),
        ask("POST K%3Aenable"),
        ask("POST K:enable"),
        ask("POST K:burn"),
        ask("POST K:"),
        ask("GET K:disable"),
        ask("GET W/keys/a:b"),
        ask("GET W/keys/a%3Ab"),
        ask("GET W:suspend"),
        ask("POST K:enable:disable"),
        ask("POST K:Enable"),
        ask("POST K/:enable"),
        ask("POST W/keys/:enable"),
        ask("POST /v1/keys"),
        ask("POST /v1/keys:verify/"),
        ask("POST /v1/keys%3Averify").body("{}"),
        ask("POST /v1/keys:verifyx").body("{}"),
        ask("GET W/"),
        ask("GET W/keys/"),
        ask("GET K/"),
        ask("GET /v1/workspaces//keys"),
        ask("GET //v1/workspaces/$ws"),
        ask("GET /V1/workspaces/$ws"),
        ask("GET /v1/workspaces"),
        ask("GET /v1/"),
        ask("GET /v1/nothing"),
        ask("POST /keyward.v1.ApiKeyService/VerifyKey").body("{}"),
        ask("POST /keyward.v1.ApiKeyService/RevealConfigSecret").body("{}"),
    ]
}

/// Methods that a path does not take.
fn methods() -> Vec<Row> {
    vec![
        ask("GET /v1/keys:verify"),
        ask("PUT W/keys"),
        ask("DELETE W/keys"),
        ask("POST K"),
        ask("PUT K"),
        ask("PATCH W"),
        ask("HEAD K"),
        ask("OPTIONS K"),
        ask("DELETE /v1/log/head"),
    ]
}
