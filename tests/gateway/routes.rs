//! Every RPC by its route, as `curl` would ask it.

use harness::Server;
use serde_json::{Value, json};

use crate::rest::Rest;

#[tokio::test]
async fn a_key_is_made_listed_verified_and_revoked_over_rest() {
    let (server, rest) = (Server::shared().await, Rest::shared().await);
    let tenant = server.workspace("rest").await;
    let keys = format!("/v1/workspaces/{}/keys", tenant.id);

    let body = json!({"name": "by rest", "scopes": ["read"], "ipAllowlist": ["10.0.0.0/8"]});
    let made = rest.post(&keys, body.to_string()).bearer(&tenant.token).send().await.ok();
    let (secret, id) =
        (made["secret"].as_str().unwrap(), made["apiKey"]["keyId"].as_str().unwrap());
    assert!(secret.starts_with("kwk_live_"), "{made}");

    let listed = rest.get(&keys).bearer(&tenant.token).send().await.ok();
    assert_eq!(listed["apiKeys"][0]["keyId"], id);
    assert_eq!(listed["apiKeys"][0]["name"], "by rest");

    let question = json!({"key": secret, "client_ip": "10.1.2.3"}).to_string();
    let verdict = rest.post("/v1/keys:verify", question.clone()).bearer(&tenant.token).send().await;
    assert_eq!(verdict.ok()["decision"], "DECISION_ACCEPTED");

    let revoke = json!({"reason": "REVOCATION_REASON_UNUSED"}).to_string();
    let path = format!("{keys}/{id}:revoke");
    let revoked = rest.post(&path, revoke).bearer(&tenant.token).send().await.ok();
    assert_eq!(revoked["apiKey"]["status"], "API_KEY_STATUS_REVOKED", "{revoked}");
    let verdict = rest.post("/v1/keys:verify", question).bearer(&tenant.token).send().await;
    assert_eq!(verdict.ok()["decision"], Value::from("DECISION_DENIED"));
}
