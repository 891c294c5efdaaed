//! Workspaces that whoever asks may make, if the operator lets them.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use api::v1::{Environment, Permission};
use gateway::config::Settings;
use harness::{Server, Tenant};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{CREATE, LIST, error, text};
use crate::rest::{Answer, Rest, settings};

const SIGN_UP: &str = "/v2/workspace/create";

/// A gateway that lets whoever asks make a workspace.
struct Open {
    server: Server,
    rest: Rest,
    _folder: TempDir,
}

impl Open {
    async fn with(permission: Permission, per_hour: u32) -> Self {
        let (server, folder) = (Server::shared().await, TempDir::new().unwrap());
        let path = folder.path().join("credential");
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.write(true).create(true).mode(0o600).open(&path).unwrap();
        writeln!(file, "{}", server.service(&[permission], &[]).await).unwrap();
        let rest = Rest::start(Settings {
            velt_workspace_credential_file: Some(path),
            velt_workspaces_per_hour: Some(per_hour),
            trusted_proxy: Some(vec!["127.0.0.1/32".parse().unwrap()]),
            ..settings(server.address())
        });
        Self { server, rest: rest.await, _folder: folder }
    }

    async fn new() -> Self {
        Self::with(Permission::WorkspaceCreate, 3_600).await
    }

    async fn ask(&self, data: &Value) -> Answer {
        self.from("192.0.2.1", data).await
    }

    async fn from(&self, client: &str, data: &Value) -> Answer {
        let ask = self.rest.post(SIGN_UP, json!({"data": data}).to_string());
        ask.header("x-forwarded-for", client).send().await
    }
}

#[tokio::test]
async fn the_documented_request_makes_a_workspace_with_a_first_key_and_both_secrets_are_good() {
    let open = Open::new().await;
    let documented = json!({
        "ownerEmail": "owner@example.com", "name": "John Doe", "workspaceName": "My Workspace",
        "avatar": "https://example.com/avatar.png",
    });
    let answer = open.ask(&documented).await;
    let made = answer.ok()["result"]["data"].clone();
    let (id, token) = (made["id"].as_str().unwrap(), made["authToken"].as_str().unwrap());
    let (key_id, _) = made["apiKeyList"].as_object().unwrap().iter().next().unwrap();
    assert_eq!(
        text(&answer),
        format!(
            "{{\"result\":{{\"status\":\"success\",\"message\":\"Workspace created successfully\",\
             \"data\":{{\"id\":\"{id}\",\"name\":\"My Workspace\",\"owner\":{{\
             \"email\":\"owner@example.com\",\"name\":\"John Doe\",\
             \"avatar\":\"https://example.com/avatar.png\"}},\"authToken\":\"{token}\",\
             \"apiKeyList\":{{\"{key_id}\":{{\"apiKeyName\":\"Owner Test API Key\",\
             \"id\":\"{key_id}\",\"type\":\"testing\"}}}}}}}}}}"
        )
    );
    assert!(id.starts_with("ws_") && token.starts_with("kww_live_"));
    let tenant = Tenant { id: id.to_owned(), ..open.server.workspace("template").await };
    let tenant = Tenant { client: open.server.bearer(token), ..tenant };
    let whole = answer.header("x-velt-api-key").to_owned();
    assert_eq!(&tenant.verify(&whole).await.key.unwrap().key_id, key_id);
    let key = tenant.read_key(key_id).await;
    assert_eq!(key.env(), Environment::Test);
    assert_eq!(key.owner.unwrap().owner_email, "owner@example.com");

    let headers = |path: &str, body: &str| {
        let ask = open.rest.post(path, body.to_owned()).header("x-velt-workspace-id", id);
        ask.header("x-velt-workspace-auth-token", token)
    };
    let body = "{\"data\":{\"ownerEmail\":\"owner@example.com\",\"type\":\"production\"}}";
    headers(CREATE, body).send().await.ok();
    let listed = headers(LIST, "").send().await.ok();
    assert_eq!(listed["result"]["data"].as_array().unwrap().len(), 2);
    open.rest.stop().await;
}

#[tokio::test]
async fn what_is_left_out_is_named_by_the_address_of_the_owner() {
    let open = Open::new().await;
    let least = json!({"ownerEmail": "ann@example.com", "name": null});
    let made = open.ask(&least).await.ok()["result"]["data"].clone();
    assert_eq!(made["name"], "ann@example.com workspace");
    let owner = json!({"email": "ann@example.com", "name": "ann@example.com"});
    assert_eq!(made["owner"], owner);
    let keys = made["apiKeyList"].as_object().unwrap();
    assert_eq!(keys.values().next().unwrap()["apiKeyName"], "Ann Test API Key");
    let named = json!({"ownerEmail": "ann@example.com", "name": "Ann"});
    assert_eq!(open.ask(&named).await.ok()["result"]["data"]["name"], "Ann workspace");
    open.rest.stop().await;
}

#[tokio::test]
async fn every_member_that_breaks_its_rule_is_named_and_costs_nothing_of_the_limit() {
    let open = Open::with(Permission::WorkspaceCreate, 1).await;
    let good = "owner@example.com";
    for (data, begins) in [
        (json!({}), "ownerEmail is required."),
        (json!({"ownerEmail": ""}), "ownerEmail is required."),
        (json!({"ownerEmail": "nobody"}), "ownerEmail must be an e-mail address"),
        (json!({"ownerEmail": "a b@example.com"}), "ownerEmail must be an e-mail address"),
        (json!({"ownerEmail": "a@example"}), "ownerEmail must be an e-mail address"),
        (json!({"ownerEmail": 1}), "ownerEmail must be a string."),
        (json!({"ownerEmail": good, "name": ""}), "name must have 1 to 200 characters."),
        (json!({"ownerEmail": good, "name": "x".repeat(201)}), "name must have 1 to 200"),
        (json!({"ownerEmail": good, "workspaceName": ""}), "workspaceName must have 1 to 200"),
        (json!({"ownerEmail": good, "avatar": "x".repeat(2_001)}), "avatar must have at most 2000"),
        (json!({"ownerEmail": good, "plan": "free"}), "plan is not a known field."),
    ] {
        let (status, name, message) = error(&open.ask(&data).await);
        assert_eq!((status, name.as_str()), (400, "INVALID_ARGUMENT"), "{data}");
        assert!(message.starts_with(begins) && message.ends_with('.'), "{data}: {message}");
    }
    let once = open.rest.post(SIGN_UP, json!({"data": {"ownerEmail": good}}).to_string());
    let once = once.header("idempotency-key", "0123456789abcdef").send().await;
    assert_eq!(error(&once).2, "Idempotency-Key must not be sent here.");
    // The service's own limit is narrower than the product's.
    let long = json!({"ownerEmail": good, "workspaceName": "x".repeat(129)});
    let (status, _, message) = error(&open.from("192.0.2.2", &long).await);
    assert!(status == 400 && message.starts_with("workspaceName must have 1 to 128"), "{message}");
    open.ask(&json!({"ownerEmail": good})).await.ok();
    open.rest.stop().await;
}

#[tokio::test]
async fn an_address_makes_so_many_an_hour_and_is_told_when_it_may_make_the_next() {
    let open = Open::with(Permission::WorkspaceCreate, 2).await;
    let data = json!({"ownerEmail": "owner@example.com"});
    for _ in 0..2 {
        open.from("198.51.100.7", &data).await.ok();
    }
    let limited = open.from("198.51.100.7", &data).await;
    assert_eq!(
        error(&limited),
        (
            429,
            "RESOURCE_EXHAUSTED".to_owned(),
            "Rate limit exceeded for this endpoint. Try again later.".to_owned()
        )
    );
    let after: u64 = limited.header("retry-after").parse().unwrap();
    assert!((1_700..=1_800).contains(&after), "{after}");
    open.from("198.51.100.8", &data).await.ok();
    open.rest.stop().await;
}

#[tokio::test]
async fn nobody_makes_workspaces_unless_the_operator_lets_them() {
    let rest = Rest::shared().await;
    for body in ["", "{\"data\":{\"ownerEmail\":\"owner@example.com\"}}"] {
        let (status, name, message) = error(&rest.post(SIGN_UP, body).send().await);
        assert_eq!((status, name.as_str()), (403, "PERMISSION_DENIED"));
        assert_eq!(message, "Workspaces can't be created here.");
    }
}

#[tokio::test]
async fn a_credential_that_may_not_make_workspaces_is_the_operators_fault_and_not_the_clients() {
    let open = Open::with(Permission::Verify, 3_600).await;
    let answer = open.ask(&json!({"ownerEmail": "owner@example.com"})).await;
    let (status, name, _) = error(&answer);
    assert_eq!((status, name.as_str()), (503, "UNAVAILABLE"));
    assert_eq!(answer.header("retry-after"), "1");
    open.rest.stop().await;
}
