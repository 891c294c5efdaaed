//! Errors of each gRPC code that a caller can provoke, and the headers that only the gateway reads.

use super::row::{Caller, Row, ask, create, verify};

pub(super) fn rows() -> Vec<Row> {
    let nobody = |row: Row| row.by(Caller::Nobody);
    vec![
        // UNAUTHENTICATED
        nobody(ask("GET K")),
        nobody(verify(r#"{"key":"$secret"}"#)),
        nobody(ask("GET K").header("authorization", "Bearer kww_live_nothing")),
        nobody(ask("GET K").header("authorization", "Basic YTpi")),
        nobody(ask("GET K").header("authorization", "")),
        nobody(ask("GET K/config").header("x-keyward-api-key", "$key")),
        // PERMISSION_DENIED
        ask("POST /v1/workspaces").body(r#"{"name":"x"}"#),
        ask("GET /v1/log/head"),
        // NOT_FOUND
        ask("GET /v1/workspaces/ws_01m7z4q90pffyr6grw1xbf0abq/keys"),
        ask("GET W/keys/key_01m7z4q90pffyr6grw1xbf0abq"),
        ask("DELETE K/config/secrets/ai_models.openai"),
        // INVALID_ARGUMENT
        create("{}"),
        create(r#"{"name":"a","expiresAt":"1999-01-01T00:00:00Z"}"#),
        ask("POST K:revoke").body("{}"),
        ask("GET W/keys?pageSize=-1"),
        ask("GET K").header("authorization", "Bearer twice"),
        // ABORTED
        ask("POST K:disable").body(r#"{"etag":"\"1\""}"#),
        ask("PATCH K").body(r#"{"apiKey":{"name":"b"},"updateMask":"name","etag":"x"}"#),
        ask("POST K:enable").body(r#"{"etag":"\"1\""}"#),
        ask("DELETE K?etag=%221%22"),
        // ALREADY_EXISTS
        create(r#"{"name":"a","requestId":"request-of-a-test-2"}"#),
        create(r#"{"name":"b","requestId":"request-of-a-test-2"}"#),
        // FAILED_PRECONDITION
        ask("POST K:revoke").body(r#"{"reason":1}"#),
        ask("POST K:rotate").body("{}"),
        // A place in the log that is not there yet, and a log that is another one.
        create(r#"{"name":"a"}"#).keep("/consistencyToken"),
        ask("GET K?atLeast=$last"),
        ask("GET K?atLeast=$last0000"),
        ask("GET K?atLeast=x$last"),
        // What only the gateway reads, or refuses to pass on.
        ask("GET K").header("grpc-timeout", "1n"),
        ask("GET K").header("x-keyward-client-address", "10.0.0.1"),
        ask("GET K").header("x-http-method-override", "DELETE"),
        ask("GET K").header("te", "trailers"),
        create(r#"{"name":"h"}"#).header("idempotency-key", "the-first-request"),
        create(r#"{"name":"i"}"#).header("idempotency-key", "the-first-request"),
        ask("DELETE K").header("if-match", "\"nonsense\""),
    ]
}

/// When nobody is behind.
pub(super) fn rows_without_service() -> Vec<Row> {
    vec![ask("GET K"), verify(r#"{"key":"a"}"#), ask("GET /v1/nothing")]
}
