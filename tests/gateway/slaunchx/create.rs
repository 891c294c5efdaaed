//! Creating a key: every documented member and header, and what they make.

use api::v1::Decision;
use serde_json::{Value, json};

use super::{Product, SAMPLE, order, success};

#[tokio::test]
async fn the_sample_request_gets_the_sample_answer() {
    let product = Product::new("sample").await;
    let body = r#"{"name":"Production Key","scopes":["payment:read","payment:write"],"mode":1,"ipWhitelist":["192.168.1.0/24"]}"#;
    let answer = product.create(body).await;
    let made = success(&answer, 201);
    assert_eq!(order(&answer.body), order(SAMPLE.as_bytes()));
    let sample: Value = serde_json::from_str(SAMPLE).unwrap();
    for name in ["name", "status", "mode", "scopes", "ipWhitelist"] {
        assert_eq!(made[name], sample["data"][name], "{name}");
    }
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("location"), "");
    let created = made["createdAt"].as_str().unwrap();
    assert!(created.len() == 20 && created.ends_with('Z'), "{created}");

    let key = product.tenant.read_key(made["apiKeyId"].as_str().unwrap()).await;
    assert_eq!(key.name, "Production Key");
    let secret = made["secret"].as_str().unwrap();
    let mut question = product.tenant.question(secret);
    question.client_ip = "192.168.1.7".to_owned();
    let verdict = product.tenant.client.clone().keys.verify_key(question).await.unwrap();
    assert_eq!(verdict.into_inner().decision(), Decision::Accepted);
}

#[tokio::test]
async fn what_is_left_out_is_live_without_scopes_and_from_anywhere() {
    let product = Product::new("defaults").await;
    for body in [
        json!({"name": "a"}),
        json!({"name": "a", "scopes": null, "mode": null, "ipWhitelist": null}),
        json!({"name": "a", "scopes": [], "mode": 1, "ipWhitelist": []}),
    ] {
        let made = success(&product.create(&body.to_string()).await, 201);
        assert_eq!(made["mode"], "LIVE", "{body}");
        assert_eq!((&made["scopes"], &made["ipWhitelist"]), (&json!([]), &json!([])), "{body}");
        assert!(made["secret"].as_str().unwrap().starts_with("kwk_live_"));
    }
}

#[tokio::test]
async fn single_addresses_are_shown_as_they_were_given() {
    let product = Product::new("addresses").await;
    let body = json!({"name": "a", "ipWhitelist": ["192.168.1.100", "2001:db8::1", "10.0.0.0/8"]});
    let made = success(&product.create(&body.to_string()).await, 201);
    let mut shown: Vec<_> =
        made["ipWhitelist"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    shown.sort_unstable();
    assert_eq!(shown, ["10.0.0.0/8", "192.168.1.100", "2001:db8::1"]);
}

#[tokio::test]
async fn a_name_has_up_to_128_characters_of_any_alphabet() {
    let product = Product::new("names").await;
    let name = "鍵".repeat(128);
    let made = success(&product.create(&json!({"name": name}).to_string()).await, 201);
    assert_eq!(made["name"], name);
}

#[tokio::test]
async fn the_partner_portal_makes_test_keys_and_nobody_else_does() {
    let product = Product::new("portal").await;
    let body = r#"{"name":"sandbox","mode":2}"#;
    let asking = product.rest.post(&product.keys(), body);
    let answer = product.complete(asking, &product.partner("owner")).send().await;
    let made = success(&answer, 201);
    assert_eq!(made["mode"], "TEST");
    assert!(made["secret"].as_str().unwrap().starts_with("kwk_test_"));

    let refused = super::error(&product.create(body).await);
    assert_eq!(refused, (403, "Only the PARTNER portal can create TEST keys".to_owned()));
    // Whoever is no owner is told that first, portal or not.
    for token in [product.partner("member"), product.server.user_token(&product.tenant, "member")] {
        let asking = product.rest.post(&product.keys(), body);
        let refused = super::error(&product.complete(asking, &token).send().await);
        assert_eq!(refused, (403, "Only workspace owner can manage API keys".to_owned()));
    }
}

#[tokio::test]
async fn a_client_hash_is_recorded_and_one_of_another_client_is_no_valid_token() {
    let product = Product::new("client hash").await;
    let ed = &product.server.identities().ed;
    let mut claims = ed.claims(&product.tenant.id, "owner");
    claims["client_hash"] = "3f2a".into();
    let own = ed.key.token(&claims);
    claims["client_hash"] = "another".into();
    let other = ed.key.token(&claims);
    let body = r#"{"name":"a"}"#;
    let asking = product.rest.post(&product.keys(), body);
    let made = success(&product.complete(asking, &own).send().await, 201);
    let asking = product.rest.post(&product.keys(), body);
    let refused = super::error(&product.complete(asking, &other).send().await);
    assert_eq!(refused, (401, "Invalid or expired token".to_owned()));

    assert!(made["secret"].is_string());
    let sql = "SELECT count(*) FROM log.events WHERE workspace_id = $1 \
               AND convert_from(metadata, 'UTF8') LIKE '%\"client_hash\"%3f2a%'";
    let row = product.server.tables().row(sql, &[&product.tenant.id]).await;
    assert!(row.get::<_, i64>(0) > 0);
}

#[tokio::test]
async fn an_idempotency_key_makes_one_key_of_two_requests() {
    let product = Product::new("idempotent").await;
    let create = async |name: &str| {
        let body = json!({"name": name}).to_string();
        let asking = product.complete(product.rest.post(&product.keys(), body), &product.owner);
        asking.header("Idempotency-Key", "0123456789abcdef").send().await
    };
    let (first, second) = (create("once").await, create("once").await);
    assert_eq!(success(&first, 201), success(&second, 201));
    assert_eq!(super::error(&create("other").await).0, 409);
}

#[tokio::test]
async fn headers_that_say_what_is_so_anyway_may_be_left_out() {
    let product = Product::new("left out").await;
    for name in ["Content-Type", "Accept", "Accept-Language"] {
        let asking = product.rest.post(&product.keys(), r#"{"name":"a"}"#);
        success(&product.but_for(asking, &product.owner, name).send().await, 201);
    }
}
