//! The organization's path: the documented request and answer, each field and each error.

mod fields;
mod sisters;

use api::v1::Permission;
use harness::{Server, Tenant};
use serde_json::{Value, json};

use crate::rest::{Answer, Rest};

const KEYS: &str = "/v1/api-keys";

struct Organization {
    server: Server,
    rest: Rest,
    tenant: Tenant,
    user: String,
}

impl Organization {
    async fn new(name: &str) -> Self {
        let server = Server::shared().await;
        let tenant = server.workspace(name).await;
        let user = server.user_token(&tenant, "owner");
        Self { server, rest: Rest::shared().await, tenant, user }
    }

    async fn create(&self, body: &Value) -> Answer {
        self.rest.post(KEYS, body.to_string()).bearer(&self.user).send().await
    }
}

fn text(answer: &Answer) -> &str {
    std::str::from_utf8(&answer.body).unwrap()
}

pub(crate) fn error(answer: &Answer) -> (u16, String) {
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.json();
    let code = answer.status.as_u16();
    let (message, name) = (&body["message"], answer.header("x-request-id"));
    let exact = format!("{{\"code\":{code},\"message\":{message},\"requestId\":\"{name}\"}}");
    assert_eq!(text(answer), exact);
    (code, message.as_str().unwrap().to_owned())
}

#[tokio::test]
async fn every_member_arrives_and_the_answer_is_as_documented() {
    let org = Organization::new("org all").await;
    let body = r#"{"name": "ci", "description": "for builds", "scope": "read-write",
        "expiresAt": "2099-12-31T23:59:59.120300999+02:00"}"#;
    let ask = org.rest.post(KEYS, body).bearer(&org.user).header("x-request-id", "abc-123");
    let answer = ask.header("content-type", "application/json").send().await;
    let body = answer.ok();
    let data = |name: &str| body["data"][name].as_str().unwrap();
    let exact = format!(
        "{{\"code\":200,\"data\":{{\"createdAt\":\"{}\",\"createdBy\":\"user-1\",\
         \"description\":\"for builds\",\"expiresAt\":\"2099-12-31T21:59:59.1203Z\",\
         \"id\":\"{}\",\"key\":\"{}\",\"keyPrefix\":\"{}\",\"name\":\"ci\",\
         \"organizationId\":\"{}\",\"scope\":\"read-write\",\"userId\":\"user-1\"}},\
         \"message\":\"success\",\"requestId\":\"abc-123\"}}",
        data("createdAt"),
        data("id"),
        data("key"),
        data("keyPrefix"),
        org.tenant.id,
    );
    assert_eq!(text(&answer), exact);
    assert!(
        data("key").starts_with(data("keyPrefix")) && data("keyPrefix").starts_with("kwk_live_")
    );
    let verdict = org.tenant.verify(data("key")).await.key.unwrap();
    assert_eq!(
        (verdict.key_id.as_str(), verdict.scopes),
        (data("id"), vec!["read-write".to_owned()])
    );
}

#[tokio::test]
async fn what_is_left_out_is_the_least_and_is_left_out_of_the_answer() {
    let org = Organization::new("org least").await;
    let nulls = json!({"name": "a", "scope": null, "description": null, "expiresAt": null,
        "serviceAccountId": null});
    for body in [json!({"name": "a"}), nulls] {
        let answer = org.create(&body).await;
        let request_id = answer.header("x-request-id").to_owned();
        let body = answer.ok();
        assert_eq!(body["requestId"], request_id.as_str());
        assert_eq!(request_id.len(), 36);
        let data = body["data"].as_object().unwrap();
        assert_eq!(data["scope"], "read");
        let members: Vec<_> = data.keys().map(String::as_str).collect();
        let expected = [
            "createdAt",
            "createdBy",
            "id",
            "key",
            "keyPrefix",
            "name",
            "organizationId",
            "scope",
            "userId",
        ];
        assert_eq!(members, expected);
    }
}

#[tokio::test]
async fn a_key_is_the_service_accounts_that_is_named() {
    let org = Organization::new("org account").await;
    let data =
        org.create(&json!({"name": "a", "serviceAccountId": "sa-7"})).await.ok()["data"].clone();
    assert_eq!((&data["serviceAccountId"], &data["userId"]), (&json!("sa-7"), &Value::Null));
}

#[tokio::test]
async fn a_service_that_is_bound_to_one_workspace_needs_not_name_it() {
    let org = Organization::new("org service").await;
    let other = org.server.workspace("org second").await;
    let create = async |permission: Permission, workspaces: &[&Tenant]| {
        let service = org.server.service(&[permission], workspaces).await;
        org.rest.post(KEYS, "{\"name\":\"a\"}").bearer(&service).send().await
    };
    let made = create(Permission::OrgReadWrite, &[&org.tenant]).await.ok();
    assert_eq!(made["data"]["organizationId"], org.tenant.id.as_str());
    assert_eq!(made["data"]["serviceAccountId"], made["data"]["createdBy"]);
    let message = "The token must be a user's, or that of a service in one organization only.";
    let tenants = org.rest.post(KEYS, "{\"name\":\"a\"}").bearer(&org.tenant.token).send().await;
    assert_eq!(error(&tenants), (403, message.to_owned()));
    for workspaces in [vec![], vec![&org.tenant, &other]] {
        let refused = error(&create(Permission::OrgReadWrite, &workspaces).await);
        assert_eq!(refused, (403, message.to_owned()));
    }
    assert_eq!(error(&create(Permission::OrgRead, &[&org.tenant]).await).0, 403);
}

#[tokio::test]
async fn every_member_that_breaks_its_rule_is_refused_by_its_name() {
    let org = Organization::new("org rules").await;
    for (body, begins) in [
        (json!({}), "name is required"),
        (json!({"name": null}), "name is required"),
        (json!({"name": ""}), "name is required"),
        (json!({"name": "x".repeat(129)}), "name must have"),
        (json!({"name": "a", "description": "x".repeat(1_025)}), "description must have"),
        (json!({"name": "a", "expiresAt": "2020-01-01T00:00:00Z"}), "expiresAt must"),
        (json!({"name": "a", "expiresAt": "2099-01-01"}), "expiresAt must be a time"),
        (json!({"name": "a", "scope": "write"}), "scope must be \"read\" or \"read-write\""),
        (json!({"name": "a", "serviceAccountId": ""}), "serviceAccountId must"),
        (json!({"name": 1}), "name must be a string"),
        (json!({"name": "a", "scopes": ["read"]}), "scopes is not a known field"),
        // The service's own names are not known here, and not taken for what they are there.
        (json!({"name": "a", "expires_at": "x"}), "expires_at is not a known field"),
        (json!({"name": "a", "workspace_id": "x"}), "workspace_id is not a known field"),
    ] {
        let (code, message) = error(&org.create(&body).await);
        assert_eq!(code, 400, "{body}");
        assert!(message.starts_with(begins), "{body}: {message}");
    }
    for body in ["[]", "{", "{\"name\":\"a\",\"name\":\"a\"}", "{\"name\":\"\\ud800\"}"] {
        let answer = org.rest.post(KEYS, body).bearer(&org.user).send().await;
        assert_eq!(error(&answer).0, 400, "{body}");
    }
    // The documentation's own curl sends nothing.
    let answer = org.rest.post(KEYS, "{}").bearer(&org.user).send().await;
    assert_eq!(error(&answer), (400, "name is required".to_owned()));
}

#[tokio::test]
async fn refusals_have_the_number_of_http_as_their_code() {
    let org = Organization::new("org refusals").await;
    let post = |body: &str| org.rest.post(KEYS, body.to_owned());
    let one = "{\"name\":\"a\"}";
    assert_eq!(error(&post(one).send().await).0, 401);
    assert_eq!(error(&post(one).bearer("x").send().await).0, 401);
    assert_eq!(error(&post(one).bearer(&org.tenant.token).send().await).0, 403);
    let member = org.server.user_token(&org.tenant, "member");
    assert_eq!(error(&post(one).bearer(&member).send().await).0, 403);
    let large = format!("{{\"name\":\"a\"{}}}", " ".repeat(65 * 1024));
    assert_eq!(error(&post(&large).bearer(&org.user).send().await).0, 413);
    let kind = post(one).bearer(&org.user).header("content-type", "text/plain");
    assert_eq!(error(&kind.send().await).0, 415);
    let put = org.rest.request(http::Method::PUT, KEYS);
    assert_eq!(error(&put.send().await).0, 405);
    assert_eq!(error(&org.rest.get("/v1/api-keys/a/b").send().await).0, 404);
    let twice =
        |body: &str| post(body).bearer(&org.user).header("idempotency-key", "0123456789abcdef");
    let first = twice(one).send().await.ok();
    assert_eq!(twice(one).send().await.ok()["data"], first["data"]);
    assert_eq!(error(&twice("{\"name\":\"b\"}").send().await).0, 409);
}

#[tokio::test]
async fn a_key_is_listed_read_changed_rotated_and_revoked() {
    let org = Organization::new("org life").await;
    let made = org.create(&json!({"name": "a"})).await.ok()["data"].clone();
    org.create(&json!({"name": "b"})).await.ok();
    let (id, secret) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    let path = format!("{KEYS}/{id}");
    let ask = async |method: http::Method, path: &str, body: &str| {
        let ask = org.rest.request(method, path).body(body.to_owned());
        ask.bearer(&org.user).send().await
    };
    let (get, patch) = (http::Method::GET, http::Method::PATCH);

    let first = ask(get.clone(), &format!("{KEYS}?pageSize=1"), "").await.ok()["data"].clone();
    assert_eq!(first["apiKeys"][0]["name"], "b");
    let token = first["nextPageToken"].as_str().unwrap();
    let next = ask(get.clone(), &format!("{KEYS}?pageSize=1&pageToken={token}"), "").await.ok();
    let mut shown = made.clone();
    shown.as_object_mut().unwrap().remove("key");
    assert_eq!(next["data"], json!({"apiKeys": [shown]}));
    assert_eq!(ask(get.clone(), &path, "").await.ok()["data"], shown);

    let changes = r#"{"name": "c", "description": "d", "scope": "read-write",
        "expiresAt": "2099-01-01T00:00:00Z"}"#;
    let changed = ask(patch.clone(), &path, changes).await.ok()["data"].clone();
    let changes: Value = serde_json::from_str(changes).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        assert_eq!(&changed[name], value, "{name}");
    }

    let rotated = ask(http::Method::POST, &format!("{path}/rotate"), "").await.ok();
    let renewed = rotated["data"]["key"].as_str().unwrap();
    assert_ne!(renewed, secret);
    assert!(org.tenant.verify(renewed).await.key.is_some());

    let revoked = ask(http::Method::DELETE, &path, "").await.ok();
    assert!(revoked["data"]["revokedAt"].is_string());
    assert_eq!(org.tenant.verify(renewed).await.denial(), api::v1::Denial::Revoked);

    for (method, path, body, code) in [
        (get.clone(), format!("{KEYS}?size=1"), "", 400),
        (get.clone(), format!("{KEYS}?pageSize=x"), "", 400),
        (get.clone(), format!("{KEYS}/nothing"), "", 400),
        (get, format!("{KEYS}/key_00000000000000000000000000"), "", 404),
        (patch.clone(), path.clone(), "{}", 400),
        (patch, path.clone(), "{\"key\":\"a\"}", 400),
        (http::Method::POST, format!("{path}/rotate"), "{\"force\":true}", 400),
    ] {
        assert_eq!(error(&ask(method.clone(), &path, body).await).0, code, "{method} {path}");
    }
}
