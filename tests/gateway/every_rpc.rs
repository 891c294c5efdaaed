//! Every RPC that has a route is asked by it, and answers what `prost-reflect` reads as its answer.

use std::collections::BTreeSet;

use harness::{Server, Tenant};
use http::Method;
use prost_reflect::{DescriptorPool, DynamicMessage};
use serde_json::{Value, json};

use crate::rest::Rest;

/// The RPCs that have a route.
pub(crate) fn with_routes() -> Vec<String> {
    let pool = DescriptorPool::decode(api::DESCRIPTORS).unwrap();
    let http = pool.get_extension_by_name("google.api.http").unwrap();
    let services = pool.services().filter(|service| service.package_name() == "keyward.v1");
    let rpcs = services.flat_map(|service| service.methods().collect::<Vec<_>>());
    let routed = rpcs.filter(|rpc| rpc.options().has_extension(&http));
    routed.map(|rpc| rpc.name().to_owned()).collect()
}

/// Requests in their plainest form: RPC, method, what follows `/v1/`, body. `{id}` is what was made last.
fn plain(secret: &str) -> Vec<(&'static str, Method, &'static str, Value)> {
    let (get, post) = (Method::GET, Method::POST);
    let unused = json!({"reason": "REVOCATION_REASON_UNUSED"});
    let name = json!({"name": "made by a test"});
    let update = json!({"apiKey": name, "updateMask": "name"});
    let imported = json!({"items": [{"raw": format!("imported-{secret}"), "apiKey": name}]});
    let credential = json!({"name": "a service", "permissions": ["PERMISSION_VERIFY"]});
    vec![
        ("CreateApiKey", post.clone(), "W/keys", name.clone()),
        ("GetApiKey", get.clone(), "K", Value::Null),
        ("ListApiKeys", get.clone(), "W/keys", Value::Null),
        ("GetConfig", get.clone(), "K/config", Value::Null),
        ("GetKeyUsage", get.clone(), "K/usage", Value::Null),
        (
            "UpdateConfig",
            Method::PATCH,
            "K/config?updateMask=requireJwtToken",
            json!({"requireJwtToken": true}),
        ),
        (
            "PutConfigSecret",
            Method::PUT,
            "K/config/secrets/ai_models.openai",
            json!({"secret": "sk-of-a-provider"}),
        ),
        ("DeleteConfigSecret", Method::DELETE, "K/config/secrets/ai_models.openai", Value::Null),
        ("IssueAuthToken", post.clone(), "K/authTokens", name.clone()),
        ("ListAuthTokens", get.clone(), "K/authTokens", Value::Null),
        ("ResetAuthToken", post.clone(), "K/authTokens/{id}:reset", json!({})),
        ("RevokeAuthToken", Method::DELETE, "K/authTokens/{id}", Value::Null),
        ("EraseSubject", post.clone(), "W:eraseSubject", json!({"ownerEmail": "a@a.example"})),
        ("DisableApiKey", post.clone(), "K:disable", json!({})),
        ("EnableApiKey", post.clone(), "K:enable", Value::Null),
        ("UpdateApiKey", Method::PATCH, "K", update),
        ("RotateApiKey", post.clone(), "K:rotate", json!({})),
        ("EndRotationGrace", post.clone(), "K:endRotationGrace", json!({})),
        ("DeleteApiKey", Method::DELETE, "K", Value::Null),
        ("UndeleteApiKey", post.clone(), "K:undelete", json!({})),
        (
            "RevokeApiKeys",
            post.clone(),
            "W/keys:revoke",
            json!({"namePrefix": "none", "reason": 3}),
        ),
        ("ImportApiKeys", post.clone(), "W/keys:import", imported),
        ("VerifyKey", post.clone(), "keys:verify", json!({"key": secret})),
        (
            "BatchVerifyKeys",
            post.clone(),
            "keys:batchVerify",
            json!({"requests": [{"key": secret}]}),
        ),
        ("VerifyAt", post.clone(), "K:verifyAt", json!({"atTime": "2026-01-01T00:00:00Z"})),
        ("RevokeApiKey", post.clone(), "K:revoke", unused),
        ("ListEvents", get.clone(), "W/events", Value::Null),
        ("WatchEvents", get.clone(), "W/events:watch", Value::Null),
        ("GetHead", get.clone(), "log/head", Value::Null),
        ("VerifyLog", post.clone(), "log:verify", json!({"maxEvents": 1})),
        ("CreateWorkspace", post.clone(), "workspaces", name),
        ("GetWorkspace", get.clone(), "W", Value::Null),
        ("SuspendWorkspace", post.clone(), "W:suspend", json!({})),
        ("ResumeWorkspace", post.clone(), "W:resume", json!({})),
        ("ResetWorkspaceToken", post.clone(), "W:resetToken", json!({})),
        ("CreateServiceCredential", post, "serviceCredentials", credential),
        ("ListServiceCredentials", get, "serviceCredentials", Value::Null),
        ("RevokeServiceCredential", Method::DELETE, "serviceCredentials/{id}", Value::Null),
    ]
}

/// RPCs that not the tenant but the operator calls.
pub(crate) const OPERATORS: &[&str] = &[
    "GetHead",
    "VerifyLog",
    "CreateWorkspace",
    "SuspendWorkspace",
    "ResumeWorkspace",
    "ResetWorkspaceToken",
    "CreateServiceCredential",
    "ListServiceCredentials",
    "RevokeServiceCredential",
];

fn answer_of(pool: &DescriptorPool, rpc: &str, json: &str) -> DynamicMessage {
    let mut services = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    let output = services.find(|method| method.name() == rpc).unwrap().output();
    let mut reader = serde_json::Deserializer::from_str(json);
    let read = DynamicMessage::deserialize(output, &mut reader);
    let read = read.unwrap_or_else(|error| panic!("{rpc}: {error} in {json}"));
    reader.end().unwrap();
    read
}

#[tokio::test]
async fn every_rpc_answers_at_its_route() {
    let (server, rest) = (Server::shared().await, Rest::shared().await);
    let pool = DescriptorPool::decode(api::DESCRIPTORS).unwrap();
    let tenant: Tenant = server.workspace("every").await;
    let made = tenant.create_key("the key").await;
    let (id, secret) = (made.api_key.unwrap().key_id, made.secret);
    let (workspace, key) =
        (format!("workspaces/{}", tenant.id), format!("workspaces/{}/keys/{id}", tenant.id));
    let mut last = String::new();
    let mut asked = BTreeSet::new();
    for (rpc, method, path, body) in plain(&secret) {
        let path = match path.split_at(1) {
            ("W", rest) => format!("/v1/{workspace}{rest}"),
            ("K", rest) => format!("/v1/{key}{}", rest.replace("{id}", &last)),
            _ => format!("/v1/{}", path.replace("{id}", &last)),
        };
        let token = if OPERATORS.contains(&rpc) { server.operator_token() } else { &tenant.token };
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let asking = rest.request(method, &path).body(body).bearer(token);
        if rpc == "WatchEvents" {
            assert_eq!(asking.begin().await.status(), 200);
        } else {
            let answer = asking.send().await;
            assert_eq!(answer.status, 200, "{rpc} {path}: {:?}", answer.body);
            let text = std::str::from_utf8(&answer.body).unwrap();
            answer_of(&pool, rpc, text);
            let json = answer.json();
            let made = [
                &json["serviceCredential"]["serviceCredentialId"],
                &json["authToken"]["authTokenId"],
            ];
            if let Some(id) = made.iter().find_map(|id| id.as_str()) {
                id.clone_into(&mut last);
            }
        }
        assert!(asked.insert(rpc.to_owned()), "{rpc} is there twice");
    }
    assert_eq!(asked, with_routes().into_iter().collect(), "the RPCs of the protos");
}
