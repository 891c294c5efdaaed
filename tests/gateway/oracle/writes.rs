//! Every RPC that writes, one after the other.

use super::row::{Caller, Row, ask, create};

pub(super) fn rows() -> Vec<Row> {
    let unused = r#"{"reason":"REVOCATION_REASON_UNUSED","reasonText":"not needed"}"#;
    let everything = r#"{"name":"all","env":"ENVIRONMENT_TEST","owner":{"serviceAccountId":"s",
        "ownerEmail":"a@a.example"},"description":"d","scopes":["b","a"],"ipAllowlist":["10.0.0.0/8"],
        "allowedDomains":["a.example"],"allowLocalhost":true,"expiresAt":"2031-01-01T00:00:00.25Z",
        "plan":{"type":"p","custom":true,"customData":{"x":{"y":[1.5,"z",false,null]}}},
        "email":{"enabled":true,"type":"EMAIL_SERVICE_TYPE_SENDGRID","apiKey":"SG.secret",
        "fromEmail":"f@a.example"},"webhook":{"enabled":true,"authToken":"hush-hush",
        "rawNotificationUrl":"https://a.example/raw"},"createAuthToken":true,
        "metadata":{"b":"2","a":"1"},"requestId":"request-of-a-test-1"}"#;
    let event = "GET W/events?order=EVENT_ORDER_OLDEST_FIRST&pageSize=200";
    vec![
        create(everything),
        create(everything),
        create(r#"{"name":"other","requestId":"request-of-a-test-1"}"#),
        ask("GET W/keys?env=ENVIRONMENT_TEST"),
        ask("PUT K/config/secrets/ai_models.openai").body(r#"{"secret":"sk-of-a-provider"}"#),
        ask("GET K/config"),
        ask("DELETE K/config/secrets/ai_models.openai"),
        ask("POST K/authTokens").body(r#"{"name":"t","allowLocalhost":true}"#).keep("/authToken/authTokenId"),
        ask("GET K/authTokens?showDead=true"),
        ask("POST K/authTokens/$last:reset").body("{}"),
        ask("DELETE K/authTokens/$last"),
        ask("GET K/authTokens?showDead=true"),
        ask("POST W:eraseSubject").body(r#"{"ownerEmail":"a@a.example"}"#),
        ask("POST K:disable").body("{}"),
        ask("POST /v1/keys:verify").body(r#"{"key":"$secret","mode":"VERIFY_MODE_EXPLAIN"}"#),
        ask("POST K:enable").body("{}"),
        ask("PATCH K").body(r#"{"apiKey":{"name":"n","description":"d"},"updateMask":"name,description"}"#),
        ask("POST K:rotate").body(r#"{"grace":"60s"}"#),
        ask("POST K:rotate").body(r#"{"grace":"60s"}"#),
        ask("POST K:endRotationGrace").body("{}"),
        ask("POST /v1/keys:verify").body(r#"{"key":"$secret"}"#),
        ask("DELETE K"),
        ask("GET W/keys?showDeleted=true"),
        ask("POST K:undelete").body("{}"),
        ask("POST W/keys:revoke").body(r#"{"namePrefix":"none","reason":3}"#),
        ask("POST W/keys:revoke").body(r#"{"namePrefix":"al","reason":3,"dryRun":true}"#),
        ask("POST W/keys:import")
            .body(r#"{"items":[{"raw":"imported-$secret","apiKey":{"name":"i"}},{"raw":"x","apiKey":{"name":"i"}}]}"#),
        ask("POST K:verifyAt").body(r#"{"atTime":"1999-01-01T00:00:00Z"}"#),
        ask("POST K:verifyAt").body(r#"{"atTime":"2030-01-01T00:00:00Z"}"#),
        ask("POST K:revoke").body(unused),
        ask("POST K:revoke").body(unused),
        ask("POST K:enable").body("{}"),
        ask("POST /v1/keys:verify").body(r#"{"key":"$secret","mode":3}"#),
        ask("GET K"),
        ask(event),
        ask("GET W/events:watch").streams(),
    ]
}

pub(super) fn rows_of_operator() -> Vec<Row> {
    let rows = vec![
        ask("POST /v1/workspaces").body(r#"{"name":"made"}"#),
        ask("GET W"),
        ask("POST W:suspend").body(r#"{"reasonText":"late"}"#),
        ask("POST /v1/keys:verify").body(r#"{"key":"$secret"}"#),
        ask("POST W:resume").body("{}"),
        ask("POST W:resetToken").body("{}"),
        ask("POST /v1/serviceCredentials")
            .body(r#"{"name":"s","permissions":["PERMISSION_VERIFY",4],"workspaceIds":["$ws"],"envs":[1]}"#)
            .keep("/serviceCredential/serviceCredentialId"),
        ask("GET /v1/serviceCredentials?workspaceId=$ws"),
        ask("DELETE /v1/serviceCredentials/$last"),
        ask("GET /v1/serviceCredentials?workspaceId=$ws&showDead=true"),
        ask("POST /v1/serviceCredentials").body(r#"{"name":"s","permissions":[]}"#),
        ask("POST /v1/serviceCredentials").body(r#"{"name":"s","permissions":"PERMISSION_VERIFY"}"#),
    ];
    rows.into_iter().map(|row| row.by(Caller::Operator)).collect()
}
