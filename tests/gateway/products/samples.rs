//! The sample requests of the five documents in, their sample answers as the shape of what comes out: the same
//! members in the same order, with values of the same kinds.

use api::v1::Permission;
use harness::{Server, Tenant};
use serde_json::{Value, json};

use crate::rest::{Answer, Asking, Rest};
use crate::slaunchx::order;

/// A workspace, and everybody in it.
struct Somebody {
    server: Server,
    rest: Rest,
    tenant: Tenant,
}

impl Somebody {
    async fn new(name: &str) -> Self {
        let server = Server::shared().await;
        let tenant = server.workspace(name).await;
        Self { server, rest: Rest::shared().await, tenant }
    }

    /// On one of Velt's paths, with the headers that its documentation sends.
    fn velt(&self, path: &str, body: &'static str) -> Asking {
        let ask = self.rest.post(path, body).header("Content-Type", "application/json");
        let ask = ask.header("x-velt-auth-token", &self.tenant.token);
        ask.header("x-velt-workspace-id", &self.tenant.id)
    }

    fn slaunchx(&self, body: &'static str, token: &str) -> Asking {
        let path = format!("/web/v1/workspaces/{}/api-keys", self.tenant.id);
        let mut ask = self.rest.post(&path, body).bearer(token);
        for (name, value) in [
            ("Content-Type", "application/json"),
            ("Accept", "application/json"),
            ("X-Client-Hash", "3f2a"),
            ("Accept-Language", "en"),
            ("X-Workspace-Id", &self.tenant.id),
        ] {
            ask = ask.header(name, value);
        }
        ask
    }
}

/// The answer is the sample but for its texts and numbers.
fn same_shape(answer: &Answer, status: u16, sample: &str) {
    assert_eq!(answer.status, status, "{:?}", answer.body);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(order(&answer.body), order(sample.as_bytes()));
    same_kinds("", &answer.json(), &serde_json::from_str(sample).unwrap());
}

fn same_kinds(path: &str, one: &Value, other: &Value) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            for (name, value) in one {
                same_kinds(&format!("{path}.{name}"), value, &other[name]);
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for (one, other) in one.iter().zip(other) {
                same_kinds(&format!("{path}[]"), one, other);
            }
        }
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Null, Value::Null) => {}
        (one, other) => panic!("{path}: {one} is of another kind than {other}"),
    }
}

/// The answer is the sample, byte for byte but for blanks.
fn same(answer: &Answer, status: u16, sample: &str) {
    same_shape(answer, status, sample);
    assert_eq!(answer.json(), serde_json::from_str::<Value>(sample).unwrap());
    assert!(!answer.body.contains(&b'\n'));
}

#[tokio::test]
async fn velts_create_api_key() {
    let somebody = Somebody::new("sample 000").await;
    let path = "/v2/workspace/apikey/create";
    let request = r#"{
  "data": {
    "ownerEmail": "owner@example.com",
    "type": "testing",
    "createAuthToken": true
  }
}"#;
    let sample = r#"{
  "result": {
    "status": "success",
    "message": "API key created successfully.",
    "data": {
      "apiKey": "your_new_api_key"
    }
  }
}"#;
    let answer = somebody.velt(path, request).send().await;
    same_shape(&answer, 200, sample);
    assert!(answer.header("x-velt-auth-token").starts_with("kwa_"));
    let failure = r#"{
  "error": {
    "status": "INVALID_ARGUMENT",
    "message": "ownerEmail is required."
  }
}"#;
    let nothing = r#"{"data": {"type": "testing", "createAuthToken": true}}"#;
    same(&somebody.velt(path, nothing).send().await, 400, failure);
}

#[tokio::test]
async fn velts_get_api_keys() {
    let somebody = Somebody::new("sample 001").await;
    let path = "/v2/workspace/apikeys/get";
    for _ in 0..3 {
        somebody.tenant.create_key("a").await;
    }
    let sample = r#"{
  "result": {
    "status": "success",
    "message": "API keys retrieved successfully.",
    "data": [
      {
        "id": "velt_api_key_1",
        "apiKeyName": "Production Key",
        "type": "production"
      },
      {
        "id": "velt_api_key_2",
        "apiKeyName": "Testing Key",
        "type": "testing"
      }
    ],
    "nextPageToken": "eyJsYXN0SWQiOiJ2ZWx0X2FwaV9rZXlfMiJ9"
  }
}"#;
    let two = somebody.velt(path, "{\"data\": {\"pageSize\": 2}}").send().await;
    same_shape(&two, 200, sample);
    let request = "{\n  \"data\": {\n    \"pageSize\": 50\n  }\n}";
    let all = somebody.velt(path, request).send().await.ok();
    assert_eq!(all["result"]["data"].as_array().unwrap().len(), 3);
    assert_eq!(all["result"].get("nextPageToken"), None, "the last page has none");
    let failure = r#"{
  "error": {
    "status": "PERMISSION_DENIED",
    "message": "Invalid workspace credentials."
  }
}"#;
    same(&somebody.rest.post(path, request).send().await, 403, failure);
}

#[tokio::test]
async fn velts_get_api_key_config() {
    let somebody = Somebody::new("sample 003").await;
    let pair = somebody.tenant.pair(somebody.tenant.key("a")).await;
    let put =
        somebody.tenant.put_secret(&pair.key_id, "ai_models.openai", "sk-0123456789abcdefXyZ");
    somebody.tenant.client.clone().keys.put_config_secret(put).await.unwrap();
    let sample = r#"{
  "result": {
    "status": "success",
    "message": "API key metadata retrieved successfully.",
    "data": {
      "ownerEmail": "owner@example.com",
      "planInfo": {
        "type": "sdk test"
      },
      "defaultDocumentAccessType": "public",
      "isPrivateCommentsEnabled": false,
      "requireJwtToken": false,
      "requireAutoOrgUser": false,
      "aiModelsConfig": {
        "openai": {
          "displayText": "sk-...XyZ"
        }
      }
    }
  }
}"#;
    // By curl without a body, and with the one of the example.
    for body in ["", "{\n  \"data\": {}\n}"] {
        let ask = somebody.rest.post("/v2/workspace/apikeyconfig/get", body);
        let ask = ask.header("x-velt-api-key", &pair.key);
        let answer = ask.header("x-velt-auth-token", &pair.token).send().await;
        same_shape(&answer, 200, sample);
        let models = &answer.json()["result"]["data"]["aiModelsConfig"];
        assert_eq!(models, &json!({"openai": {"displayText": "sk-...XyZ"}}));
    }
    let failure = r#"{
  "error": {
    "status": "PERMISSION_DENIED",
    "message": "Invalid API key."
  }
}"#;
    same(&somebody.rest.post("/v2/workspace/apikeyconfig/get", "").send().await, 403, failure);
}

#[tokio::test]
async fn the_organizations_create_api_key() {
    let somebody = Somebody::new("sample 002").await;
    let sample = r#"{ "code": 200, "data": { "createdAt": "<string>", "createdBy": "<string>", "description": "<string>", "expiresAt": "<string>", "id": "<string>", "key": "<string>", "keyPrefix": "<string>", "lastUsedAt": "<string>", "lastUsedIp": "<string>", "lastUsedUserAgent": "<string>", "name": "<string>", "organizationId": "<string>", "revokedAt": "<string>", "scope": "read", "serviceAccountId": "<string>", "userId": "<string>" }, "message": "success", "requestId": "abc-123"}"#;
    let request = r#"{"name": "ci", "description": "for builds", "scope": "read",
        "expiresAt": "2099-01-01T00:00:00Z"}"#;
    // By a user; by a service account; for one.
    let service = somebody.server.service(&[Permission::OrgReadWrite], &[&somebody.tenant]).await;
    let user = somebody.server.user_token(&somebody.tenant, "owner");
    for token in [user, service] {
        let ask = somebody.rest.post("/v1/api-keys", request).bearer(&token);
        let answer = ask.header("Content-Type", "application/json").send().await;
        let body = answer.ok();
        same_kinds("", &body, &serde_json::from_str(sample).unwrap());
        // What is not set is left out; what is there is in the order of the sample.
        let (made, all) = (order(&answer.body), order(sample.as_bytes()));
        let mut rest = all.split_whitespace();
        for name in made.split_whitespace() {
            assert!(rest.any(|documented| documented == name), "{name} of {made}");
        }
        let data = body["data"].as_object().unwrap();
        assert_ne!(data.contains_key("userId"), data.contains_key("serviceAccountId"));
        assert_eq!(data.len(), 11, "{data:?}");
    }
}

#[tokio::test]
async fn slaunchxs_create_api_key() {
    let somebody = Somebody::new("sample 004").await;
    let owner = somebody.server.user_token(&somebody.tenant, "owner");
    let member = somebody.server.user_token(&somebody.tenant, "member");
    let sample = r#"{
  "version": "1.3.0",
  "timestamp": 1709337600000,
  "success": true,
  "code": "2000",
  "message": "SUCCESS",
  "data": {
    "apiKeyId": "sk_live_abc123",
    "secret": "sk_live_**********",
    "name": "Production Key",
    "status": "ACTIVE",
    "mode": "LIVE",
    "scopes": [
      "payment:read",
      "payment:write"
    ],
    "ipWhitelist": [
      "192.168.1.0/24"
    ],
    "createdAt": "2026-03-21T00:00:00Z"
  }
}"#;
    let request = r#"{"name": "Production Key", "scopes": ["payment:read", "payment:write"],
        "mode": 1, "ipWhitelist": ["192.168.1.0/24"]}"#;
    let answer = somebody.slaunchx(request, &owner).send().await;
    same_shape(&answer, 201, sample);
    let mut made = answer.json();
    let mut expected: Value = serde_json::from_str(sample).unwrap();
    for once in ["apiKeyId", "secret", "createdAt"] {
        made["data"][once] = Value::Null;
        expected["data"][once] = Value::Null;
    }
    made["timestamp"] = expected["timestamp"].clone();
    assert_eq!(made, expected);
    let unauthorized = r#"{
  "success": false,
  "code": "4010",
  "message": "Invalid or expired token"
}"#;
    same(&somebody.slaunchx(request, "a.b.c").send().await, 401, unauthorized);
    let forbidden = r#"{
  "success": false,
  "code": "4030",
  "message": "Only workspace owner can manage API keys"
}"#;
    same(&somebody.slaunchx(request, &member).send().await, 403, forbidden);
}
