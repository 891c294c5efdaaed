//! SlaunchX's endpoints, as its documentation has them.

mod create;
mod fields;
mod languages;
mod others;
mod refusals;

use harness::{Server, Tenant};
use serde_json::Value;

use crate::rest::{Answer, Asking, Rest};

/// The sample answer of the documentation, shortened by what is never the same.
const SAMPLE: &str = include_str!("slaunchx/sample.json");

/// A workspace, its owner's JWT, and a gateway.
struct Product {
    server: Server,
    rest: Rest,
    tenant: Tenant,
    owner: String,
}

impl Product {
    async fn new(name: &str) -> Self {
        let (server, rest) = (Server::shared().await, Rest::shared().await);
        let tenant = server.workspace(name).await;
        let owner = server.user_token(&tenant, "owner");
        Self { server, rest, tenant, owner }
    }

    /// A JWT that came by the partner portal.
    fn partner(&self, role: &str) -> String {
        let ed = &self.server.identities().ed;
        let mut claims = ed.claims(&self.tenant.id, role);
        claims["portal"] = "partner".into();
        ed.key.token(&claims)
    }

    fn keys(&self) -> String {
        format!("/web/v1/workspaces/{}/api-keys", self.tenant.id)
    }

    /// With every header that the documentation demands.
    fn complete(&self, asking: Asking, token: &str) -> Asking {
        self.but_for(asking, token, "")
    }

    /// With all of them but one.
    fn but_for(&self, mut asking: Asking, token: &str, left_out: &str) -> Asking {
        for (name, value) in [
            ("Content-Type", "application/json"),
            ("Accept", "application/json"),
            ("X-Client-Hash", "3f2a"),
            ("Accept-Language", "en"),
            ("Authorization", &format!("Bearer {token}")),
            ("X-Workspace-Id", self.tenant.id.as_str()),
        ] {
            if name != left_out {
                asking = asking.header(name, value);
            }
        }
        asking
    }

    async fn post(&self, path: &str, body: &str) -> Answer {
        self.complete(self.rest.post(path, body.to_owned()), &self.owner).send().await
    }

    async fn create(&self, body: &str) -> Answer {
        self.post(&self.keys(), body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.complete(self.rest.get(path), &self.owner).send().await
    }
}

/// The body of a success; with what every one says.
fn success(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{:?}", answer.body);
    let body = answer.json();
    assert_eq!(body["version"], "1.3.0");
    assert!(body["timestamp"].as_u64().unwrap() > 1_700_000_000_000);
    assert_eq!((&body["success"], &body["code"]), (&true.into(), &"2000".into()), "{body}");
    assert_eq!(body["message"], "SUCCESS");
    body["data"].clone()
}

/// Status and message of an error, whose bytes are in the documented order and nothing else.
pub(crate) fn error(answer: &Answer) -> (u16, String) {
    let status = answer.status.as_u16();
    let body = answer.json();
    let message = body["message"].as_str().unwrap();
    let exact = format!(
        "{{\"success\":false,\"code\":\"{status}0\",\"message\":{}}}",
        Value::from(message)
    );
    assert_eq!(answer.body, exact.as_bytes(), "{:?}", answer.body);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("vary"), "accept-language");
    assert!(!answer.header("content-language").is_empty());
    assert!(!answer.header("x-request-id").is_empty());
    (status, message.to_owned())
}

/// The names of the members, in the order of the text, those within others in brackets.
pub(crate) fn order(json: &[u8]) -> String {
    let text = std::str::from_utf8(json).unwrap();
    let (mut order, mut rest) = (String::new(), text);
    while let Some(begin) = rest.find('"') {
        let end = begin + 1 + rest[begin + 1..].find('"').unwrap();
        let behind = rest[end + 1..].trim_start();
        if behind.starts_with(':') {
            order.push_str(&rest[begin + 1..end]);
            order.push(' ');
        }
        rest = &rest[end + 1..];
    }
    order
}
