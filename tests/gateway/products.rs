//! What holds on every path of every product, sister operations among them: one table of all, asked the same.

mod bodies;
mod failures;
mod odd;
mod paths;
mod samples;

use harness::{Server, Tenant};
use http::Method;

use crate::rest::{Answer, Asking, Rest};
use crate::{organization, slaunchx, velt};

/// Nobody's key.
const KEY: &str = "key_01kaxkgbw8f1xtw2y1c6qpf6cm";

/// Whose envelope an answer must be in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Product {
    Velt,
    Organization,
    SlaunchX,
}

/// What is looked at of an error.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    http: u16,
    /// Of Velt, which alone says it.
    status: String,
    message: String,
}

impl Product {
    /// Reads an error that must be byte for byte in this envelope, and say nothing of what made it.
    fn told(self, answer: &Answer) -> Told {
        let (http, status, message) = match self {
            Self::Velt => velt::error(answer),
            Self::Organization => {
                let (http, message) = organization::error(answer);
                (http, String::new(), message)
            }
            Self::SlaunchX => {
                let (http, message) = slaunchx::error(answer);
                (http, String::new(), message)
            }
        };
        for inner in ["panick", ".rs:", "tonic", "keyward.v1", "grpc", "h2 ", "transport"] {
            assert!(!message.to_lowercase().contains(inner), "{message}");
        }
        Told { http, status, message }
    }

    /// The name that Velt has for an HTTP status; nothing of the others.
    fn named(self, name: &str) -> String {
        if self == Self::Velt { name.to_owned() } else { String::new() }
    }
}

/// Who asks.
struct Caller {
    workspace_id: String,
    workspace_token: String,
    key: String,
    key_token: String,
    user_token: String,
}

impl Caller {
    /// Nobody, but in the form of somebody.
    fn nobody() -> Self {
        Self {
            workspace_id: "ws_01kaxkgbw8f1xtw2y1c6qpf6cm".to_owned(),
            workspace_token: "kww_live_x".to_owned(),
            key: KEY.to_owned(),
            key_token: "kwa_live_x".to_owned(),
            user_token: "e30.eyJzdWIiOiJ1In0.e30".to_owned(),
        }
    }

    /// Somebody who may.
    async fn of(server: &Server, tenant: &Tenant) -> Self {
        let pair = tenant.pair(tenant.key("a key")).await;
        Self {
            workspace_id: tenant.id.clone(),
            workspace_token: tenant.token.clone(),
            key: pair.key,
            key_token: pair.token,
            user_token: server.user_token(tenant, "owner"),
        }
    }
}

/// What a path takes its body for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    /// Its members are asked for.
    Read,
    /// Whatever it is.
    Ignored,
}

/// Who calls on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The headers of a workspace.
    Workspace,
    /// The same, naming a key.
    WorkspaceOnKey,
    /// The headers of a key.
    Key,
    /// The headers of a user.
    User,
}

/// An operation of a product.
#[derive(Debug, Clone)]
struct Operation {
    product: Product,
    method: Method,
    path: String,
    /// A body that is as it must be.
    good: String,
    body: Body,
    by: By,
}

impl Operation {
    /// Asks for it with this body, and all headers but the one of the body's kind.
    fn ask(&self, rest: &Rest, caller: &Caller, body: impl Into<bytes::Bytes>) -> Asking {
        let ask = rest.request(self.method.clone(), &self.path).body(body);
        let workspace = |ask: Asking| {
            let ask = ask.header("x-velt-workspace-id", &caller.workspace_id);
            ask.header("x-velt-auth-token", &caller.workspace_token)
        };
        match (self.product, self.by) {
            (Product::Velt, By::Workspace) => workspace(ask),
            (Product::Velt, By::WorkspaceOnKey) => {
                workspace(ask).header("x-velt-api-key", &caller.key)
            }
            (Product::Velt, By::Key | By::User) => {
                let ask = ask.header("x-velt-api-key", &caller.key);
                ask.header("x-velt-auth-token", &caller.key_token)
            }
            (Product::Organization, _) => ask.bearer(&caller.user_token),
            (Product::SlaunchX, _) => {
                let ask = ask.header("x-workspace-id", &caller.workspace_id);
                ask.header("x-client-hash", "3f2a").bearer(&caller.user_token)
            }
        }
    }

    /// Asks for it as it should be.
    async fn good(&self, rest: &Rest, caller: &Caller) -> Answer {
        self.ask(rest, caller, self.good.clone()).send().await
    }
}

/// Every operation but Velt's workspace/create, which is closed here.
fn operations(workspace_id: &str) -> Vec<Operation> {
    let velt = |name: &str, by, body, good: &str| Operation {
        product: Product::Velt,
        method: Method::POST,
        path: format!("/v2/workspace/{name}"),
        good: format!("{{\"data\":{good}}}"),
        body,
        by,
    };
    let (read, ignored) = (Body::Read, Body::Ignored);
    let (workspace, on_key, key) = (By::Workspace, By::WorkspaceOnKey, By::Key);
    let named = format!("{{\"apiKey\":\"{KEY}\"}}");
    let renamed = format!("{{\"apiKey\":\"{KEY}\",\"apiKeyName\":\"a\"}}");
    let domains = "{\"domains\":[\"example.com\"]}";
    let mut all = vec![
        velt("apikey/create", workspace, read, "{\"ownerEmail\":\"a@a.com\",\"type\":\"testing\"}"),
        velt("apikeys/get", workspace, read, "{\"pageSize\":50}"),
        velt("apikeyconfig/get", key, ignored, "{}"),
        velt("apikey/update", workspace, read, &renamed),
        velt("apikeyconfig/update", key, read, "{\"requireJwtToken\":true}"),
        velt("authtokens/get", workspace, read, &named),
        velt("authtoken/reset", workspace, read, &named),
        velt("domains/get", key, ignored, "{}"),
        velt("get", workspace, read, "{}"),
        velt("domains/add", on_key, read, domains),
        velt("domains/delete", on_key, read, domains),
        velt("emailconfig/get", key, ignored, "{}"),
        velt("emailconfig/update", key, read, "{\"useEmailService\":false}"),
        velt("webhookconfig/get", key, ignored, "{}"),
        velt("webhookconfig/update", key, read, "{\"useWebhookService\":false}"),
    ];
    let other = |product, method: &Method, path: &str, body, good: &str| Operation {
        product,
        method: method.clone(),
        path: path.to_owned(),
        good: good.to_owned(),
        body,
        by: By::User,
    };
    let (get, post) = (Method::GET, Method::POST);
    let (keys, one) = ("/v1/api-keys", format!("/v1/api-keys/{KEY}"));
    let organization = |method: &Method, path: &str, body, good: &str| {
        other(Product::Organization, method, path, body, good)
    };
    all.extend([
        organization(&post, keys, read, "{\"name\":\"a\"}"),
        organization(&get, keys, ignored, ""),
        organization(&get, &one, ignored, ""),
        organization(&Method::PATCH, &one, read, "{\"name\":\"b\"}"),
        organization(&Method::DELETE, &one, ignored, ""),
        organization(&post, &format!("{one}/rotate"), read, ""),
    ]);
    let keys = format!("/web/v1/workspaces/{workspace_id}/api-keys");
    let one = format!("{keys}/{KEY}");
    let slaunchx = |method: &Method, path: &str, body, good: &str| {
        other(Product::SlaunchX, method, path, body, good)
    };
    all.extend([
        slaunchx(&post, &keys, read, "{\"name\":\"a\"}"),
        slaunchx(&get, &keys, ignored, ""),
        slaunchx(&get, &one, ignored, ""),
        slaunchx(&post, &format!("{one}/disable"), read, ""),
        slaunchx(&post, &format!("{one}/enable"), read, ""),
        slaunchx(&post, &format!("{one}/delete"), read, ""),
    ]);
    all
}
