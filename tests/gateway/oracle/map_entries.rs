//! Envoy 1.40 dies on an answer with a map entry that lacks its key or its value.

use harness::Server;
use harness::proxy::installed;

use super::envoy;
use super::row::{Caller, Row, ask, create, verify};
use super::side::Side;

/// What would be such an entry if it were taken and shown.
fn rows() -> Vec<Row> {
    let custom = |data: &str| {
        let plan = format!(r#"{{"type":"x","custom":true,"customData":{data}}}"#);
        create(format!(r#"{{"name":"a","plan":{plan}}}"#))
    };
    vec![
        create(r#"{"name":"a","metadata":{"":"a"}}"#),
        create(r#"{"name":"a","metadata":{"a":""}}"#),
        create(r#"{"name":"a","metadata":{"":""}}"#),
        create(r#"{"name":"a","metadata":{"a":"1","":"2"}}"#),
        custom(r#"{"":1}"#),
        custom(r#"{"":null}"#),
        custom(r#"{"a":{"":1}}"#),
        custom(r#"{"a":[{"b":[{"":{}}]}]}"#),
        custom(r#"{"a":{}}"#),
        custom(r#"{"a":[]}"#),
        custom(r#"{"a":""}"#),
        custom(r#"{"a":null}"#),
        custom(r#"{"a":0,"b":false}"#),
        custom("{}"),
        ask("PATCH K").body(r#"{"apiKey":{"metadata":{"":"a"}},"updateMask":"metadata"}"#),
        ask("PATCH K").body(r#"{"apiKey":{"metadata":{"a":""}},"updateMask":"metadata"}"#),
        ask("PATCH K/config?updateMask=plan")
            .body(r#"{"plan":{"type":"x","custom":true,"customData":{"a":{"":""}}}}"#),
        ask("PATCH K/config?updateMask=aiModels").body(r#"{"aiModels":{"openai":{}}}"#),
        ask("PATCH K/config?updateMask=aiModels").body(r#"{"aiModels":{"":{}}}"#),
        ask("PUT K/config/secrets/ai_models.").body(r#"{"secret":"a"}"#),
        ask("PUT K/config/secrets/ai_models.a").body(r#"{"secret":""}"#),
        ask("PUT K/config/secrets/ai_models.a").body(r#"{"secret":"a"}"#),
        ask("POST W/keys:import").body(
            r#"{"items":[{"raw":"imported-$secret","apiKey":{"name":"i","metadata":{"":"a"}}}]}"#,
        ),
        create("{}"),
        verify("{}"),
        ask("GET K/config"),
        ask("GET W/keys?pageSize=100"),
        ask("GET W/events?pageSize=200"),
        ask("GET W/events:watch").streams(),
        verify(r#"{"key":"$secret","mode":3}"#),
        ask("GET K").by(Caller::Nobody),
    ]
}

#[tokio::test]
async fn no_answer_of_the_service_kills_envoy() {
    if !installed("envoy") {
        return;
    }
    let server = Server::shared().await;
    let mut envoy = envoy::start(server.address()).await;
    let mut side = Side::new(&server, envoy.address).await;
    for row in rows() {
        let answered = side.ask(&row).await;
        assert!(envoy.runs(), "{}", row.name());
        assert!(answered.status < 500, "{}: {answered:?}", row.name());
    }
}
