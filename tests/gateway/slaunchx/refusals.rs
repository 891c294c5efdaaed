//! What is refused: by whom it is asked before what is asked, and always in three members.

use harness::{Server, Tenant};
use http::Method;
use serde_json::json;

use super::{Product, error};
use crate::echo::Echo;
use crate::rest::{Answer, Rest, settings};

const OWNER: &str = "Only workspace owner can manage API keys";
const TOKEN: &str = "Invalid or expired token";

async fn as_of(product: &Product, tenant: &Tenant, token: &str, body: &str) -> Answer {
    let path = format!("/web/v1/workspaces/{}/api-keys", tenant.id);
    let asking = product.rest.post(&path, body.to_owned()).bearer(token);
    let asking = asking.header("X-Workspace-Id", &tenant.id).header("X-Client-Hash", "3f2a");
    asking.send().await
}

#[tokio::test]
async fn a_token_that_is_none_is_the_documented_401() {
    let product = Product::new("tokens").await;
    let ed = &product.server.identities().ed;
    let mut claims = ed.claims(&product.tenant.id, "owner");
    claims["exp"] = 1_000.into();
    let expired = ed.key.token(&claims);
    for token in ["", "abc", "a.b.c", expired.as_str(), &product.owner[..product.owner.len() - 4]] {
        let answer = as_of(&product, &product.tenant, token, r#"{"name":"a"}"#).await;
        assert_eq!(error(&answer), (401, TOKEN.to_owned()), "{token}");
        let told = "Bearer realm=\"keyward\", error=\"invalid_token\"";
        assert_eq!(answer.header("www-authenticate"), told, "{token}");
    }
    let asking = product.rest.post(&product.keys(), r#"{"name":"a"}"#);
    let asking = product.but_for(asking, "", "Authorization");
    assert_eq!(error(&asking.send().await), (401, TOKEN.to_owned()));
}

#[tokio::test]
async fn not_owner_not_member_and_no_such_workspace_are_one_answer_byte_for_byte() {
    let product = Product::new("mine").await;
    let other = product.server.workspace("another").await;
    let nowhere = Tenant { id: "ws_01kaxkgbw8f1xtw2y1c6qpf6cm".to_owned(), ..other.clone() };
    let malformed = Tenant { id: "nothing".to_owned(), ..other.clone() };
    let member = product.server.user_token(&product.tenant, "member");
    let body = r#"{"name":"a"}"#;
    let expected = format!(r#"{{"success":false,"code":"4030","message":"{OWNER}"}}"#);
    for (tenant, token) in [
        (&product.tenant, &member),
        (&other, &product.owner),
        (&nowhere, &product.owner),
        (&malformed, &product.owner),
    ] {
        let answer = as_of(&product, tenant, token, body).await;
        assert_eq!(answer.status, 403, "{}", tenant.id);
        assert_eq!(answer.body, expected.as_bytes(), "{}", tenant.id);
    }
}

#[tokio::test]
async fn who_asks_is_judged_before_what_is_asked() {
    let product = Product::new("order").await;
    let other = product.server.workspace("not mine").await;
    let member = product.server.user_token(&product.tenant, "member");
    for body in ["", "{", "[]", "{}", r#"{"name":""}"#, r#"{"name":"a","mode":3}"#, r#"{"mode":2}"#]
    {
        assert_eq!(error(&as_of(&product, &product.tenant, "a.b.c", body).await).0, 401, "{body}");
        let refused = error(&as_of(&product, &product.tenant, &member, body).await);
        assert_eq!(refused, (403, OWNER.to_owned()), "{body}");
        let refused = error(&as_of(&product, &other, &product.owner, body).await);
        assert_eq!(refused, (403, OWNER.to_owned()), "{body}");
    }
    let refused = error(&product.create(r#"{"name":"","mode":2}"#).await);
    assert_eq!(refused, (403, "Only the PARTNER portal can create TEST keys".to_owned()));
    // Without any other header as well.
    let asking = product.rest.post(&product.keys(), "").bearer(&member);
    assert_eq!(error(&asking.send().await), (403, OWNER.to_owned()));
    let asking = product.rest.post(&product.keys(), "").bearer(&product.owner);
    assert_eq!(error(&asking.send().await), (400, "X-Workspace-Id is required".to_owned()));
    let asking = product.rest.get(&product.keys()).bearer("a.b.c");
    assert_eq!(error(&asking.send().await), (401, TOKEN.to_owned()));
}

#[tokio::test]
async fn a_required_header_that_is_missing_or_wrong_is_a_400() {
    let product = Product::new("headers").await;
    let body = r#"{"name":"a"}"#;
    for name in ["X-Workspace-Id", "X-Client-Hash"] {
        let asking = product.rest.post(&product.keys(), body);
        let answer = product.but_for(asking, &product.owner, name).send().await;
        assert_eq!(error(&answer), (400, format!("{name} is required")));
    }
    for (name, value, message) in [
        ("X-Workspace-Id", "ws_other", "X-Workspace-Id must be the workspace of the path"),
        (
            "X-Client-Hash",
            &"x".repeat(257),
            "X-Client-Hash must be 1 to 256 visible ASCII characters",
        ),
        ("X-Client-Hash", "a b", "X-Client-Hash must be 1 to 256 visible ASCII characters"),
    ] {
        let asking = product.rest.post(&product.keys(), body);
        let asking = product.but_for(asking, &product.owner, name).header(name, value);
        assert_eq!(error(&asking.send().await), (400, message.to_owned()), "{value}");
    }
}

#[tokio::test]
async fn accept_and_content_type_must_leave_json() {
    let product = Product::new("media").await;
    for (name, value, status) in [
        ("Accept", "text/html", 406),
        ("Accept", "application/json;q=0, */*", 406),
        ("Accept", "*/*", 201),
        ("Content-Type", "text/plain", 415),
        ("Content-Type", "application/x-www-form-urlencoded", 415),
        ("Content-Type", "application/json; charset=utf-8", 201),
        ("Content-Type", "application/vnd.api+json", 201),
    ] {
        let asking = product.rest.post(&product.keys(), r#"{"name":"a"}"#);
        let asking = product.but_for(asking, &product.owner, name).header(name, value);
        let answer = asking.send().await;
        assert_eq!(answer.status, status, "{value}");
        if status != 201 {
            error(&answer);
        }
    }
}

#[tokio::test]
async fn each_rule_of_a_member_is_told_by_name() {
    let product = Product::new("members").await;
    let rule = "name must have 1 to 128 characters and not only blanks";
    let mode = "mode must be 1 (LIVE) or 2 (TEST)";
    for (body, message) in [
        (json!({}), "name is required"),
        (json!({"name": null}), "name is required"),
        (json!({"name": ""}), rule),
        (json!({"name": "  "}), rule),
        (json!({"name": "鍵".repeat(129)}), rule),
        (json!({"name": 7}), "name must be a string"),
        (json!({"name": "a", "mode": 0}), mode),
        (json!({"name": "a", "mode": 3}), mode),
        (json!({"name": "a", "mode": "1"}), mode),
        (json!({"name": "a", "mode": 1.5}), mode),
        (json!({"name": "a", "mode": true}), mode),
        (json!({"name": "a", "scopes": "x"}), "scopes must be a list of strings"),
        (json!({"name": "a", "scopes": ["x", 1]}), "scopes[1] must be a string"),
        (
            json!({"name": "a", "scopes": ["x", "Y Z"]}),
            "scopes[1] must be 1 to 64 of the characters a-z 0-9 : _ . * -",
        ),
        (json!({"name": "a", "ipWhitelist": {}}), "ipWhitelist must be a list of strings"),
        (
            json!({"name": "a", "ipWhitelist": ["10.0.0.0/8", "192.168.1.7/24"]}),
            "ipWhitelist[1] has host bits set; the network is 192.168.1.0/24",
        ),
        (
            json!({"name": "a", "ipWhitelist": ["2001:db8::1/32"]}),
            "ipWhitelist[0] has host bits set; the network is 2001:db8::/32",
        ),
        (
            json!({"name": "a", "ipWhitelist": ["home"]}),
            "ipWhitelist[0] must be an IP address or a network in CIDR notation",
        ),
        (json!({"name": "a", "ipWhiteList": ["10.0.0.1"]}), "ipWhiteList is not known here"),
    ] {
        let refused = error(&product.create(&body.to_string()).await);
        assert_eq!(refused, (400, message.to_owned()), "{body}");
    }
    let any = error(&product.create(r#"{"name":"a","ipWhitelist":["0.0.0.0/0"]}"#).await);
    assert_eq!(any.0, 400);
    assert!(any.1.starts_with("ipWhitelist[0] is not valid: "), "{any:?}");
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_a_400_that_repeats_nothing() {
    let product = Product::new("bodies").await;
    let deep = format!("{}{}", "[".repeat(33), "]".repeat(33));
    for body in ["", "{", "[]", "null", "\"kwk_live_x\"", "{\"name\":\"\\ud800\"}", "{} x", &deep] {
        let (status, message) = error(&product.create(body).await);
        assert_eq!(status, 400, "{body}");
        assert!(message.starts_with("The body can't be read"), "{body}: {message}");
        assert!(!message.contains("kwk_live_x"), "{message}");
    }
    let twice = error(&product.create(r#"{"name":"a","name":"b"}"#).await);
    assert_eq!(twice, (400, "name must be there once".to_owned()));
    let large = format!("{{\"name\":\"a\"{}}}", " ".repeat(64 * 1024));
    assert_eq!(error(&product.create(&large).await).0, 413);
}

#[tokio::test]
async fn paths_methods_and_workspaces_that_are_not_open_are_in_the_same_envelope() {
    let product = Product::new("paths").await;
    assert_eq!(error(&product.get("/web/v1/nothing").await).0, 404);
    let answer = product.complete(product.rest.request(Method::PUT, &product.keys()), "x");
    let answer = answer.send().await;
    assert_eq!(error(&answer).0, 405);
    let mut allow: Vec<_> = answer.header("allow").split(", ").collect();
    allow.sort_unstable();
    assert_eq!(allow, ["GET", "HEAD", "POST"]);
    let suspend = api::v1::SuspendWorkspaceRequest {
        workspace_id: product.tenant.id.clone(),
        ..api::v1::SuspendWorkspaceRequest::default()
    };
    product.server.operator.clone().workspaces.suspend_workspace(suspend).await.unwrap();
    let refused = error(&product.create(r#"{"name":"a"}"#).await);
    assert_eq!(refused, (400, "The workspace is suspended".to_owned()));
}

#[tokio::test]
async fn a_service_that_is_not_there_is_a_503_that_says_when_to_try_again() {
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let rest = Rest::start(settings(gone)).await;
    let product = Product { rest, ..Product::new("gone").await };
    for body in [r#"{"name":"a"}"#, "{"] {
        let answer = product.create(body).await;
        assert_eq!(error(&answer).0, 503);
        assert_eq!(answer.header("retry-after"), "1");
    }
    product.rest.stop().await;
}

#[tokio::test]
async fn only_this_products_credential_goes_on_and_the_client_hash_is_renamed() {
    let echo = Echo::start().await;
    let rest = Rest::start(settings(echo.address)).await;
    let product = Product { rest, server: Server::shared().await, ..Product::new("echo").await };
    let asking = product.complete(product.rest.get(&product.keys()), "a-token");
    let asking = asking.header("x-keyward-api-key", "kwk").header("x-keyward-client-hash", "6");
    asking.header("x-velt-auth-token", "v").send().await;
    let asked = echo.only();
    assert_eq!(asked["authorization"], "Bearer a-token");
    let hashes: Vec<_> = asked.get_all("x-keyward-client-hash").iter().collect();
    assert_eq!(hashes, ["3f2a"]);
    for name in ["x-keyward-api-key", "x-client-hash", "x-workspace-id", "x-velt-auth-token"] {
        assert!(!asked.contains_key(name), "{name} goes on");
    }
    product.rest.stop().await;
}
