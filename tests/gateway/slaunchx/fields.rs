//! Every documented member of a create: there, not there, null, of each wrong kind, at the edges of its rule.

use serde_json::{Value, json};

use super::{Product, error, success};

impl Product {
    async fn with(&self, more: &Value) -> Result<Value, String> {
        let mut body = json!({"name": "a"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = self.create(&body.to_string()).await;
        if answer.status == 201 {
            return Ok(success(&answer, 201));
        }
        let (status, message) = error(&answer);
        assert_eq!(status, 400, "{more}: {message}");
        Err(message)
    }
}

#[tokio::test]
async fn a_member_of_another_kind_is_refused_and_null_is_as_if_it_were_not_there() {
    let product = Product::new("kinds").await;
    let values = [json!("x"), json!(7), json!(-1), json!(1.5), json!(true), json!([]), json!({})];
    let mode = "mode must be 1 (LIVE) or 2 (TEST)";
    for (member, rule, fits) in [
        ("name", "name must be a string", &values[0]),
        ("scopes", "scopes must be a list of strings", &values[5]),
        ("ipWhitelist", "ipWhitelist must be a list of strings", &values[5]),
        ("mode", mode, &Value::Null),
    ] {
        for value in values.iter().filter(|&value| value != fits) {
            assert_eq!(product.with(&json!({member: value})).await.unwrap_err(), rule, "{value}");
        }
        let null = product.with(&json!({member: null})).await;
        assert_eq!(null.is_ok(), member != "name", "{member}: {null:?}");
    }
    for member in ["scopes", "ipWhitelist"] {
        for value in [json!(null), json!(1), json!(["a"]), json!({}), json!(false)] {
            let refused = product.with(&json!({member: ["10.0.0.1", value]})).await.unwrap_err();
            assert_eq!(refused, format!("{member}[1] must be a string"), "{value}");
        }
    }
    let deep = (1..32).fold(json!([]), |inner, _| json!([inner]));
    let refused = product.with(&json!({"scopes": deep})).await.unwrap_err();
    assert!(refused.contains("must not be deeper than 32 levels"), "{refused}");
    for name in ["x", "Name", "ip_whitelist", "env", "workspaceId", "expiresAt"] {
        let refused = product.with(&json!({name: "a"})).await.unwrap_err();
        assert_eq!(refused, format!("{name} is not known here"));
    }
}

#[tokio::test]
async fn members_may_be_as_large_as_their_rule_says_and_no_larger() {
    let product = Product::new("edges").await;
    let scopes = |count: usize| json!(Vec::from_iter((0..count).map(|at| format!("s:{at}"))));
    let scope = |length: usize| json!(["s".repeat(length)]);
    let networks = |count: usize| {
        json!(Vec::from_iter((0..count).map(|at| format!("10.{}.{}.0/24", at / 250, at % 250))))
    };
    for (member, fits, exceeds) in [
        ("name", json!("a"), json!("")),
        ("name", json!("😀".repeat(128)), json!("😀".repeat(129))),
        ("name", json!(" a "), json!("\u{3000}")),
        ("mode", json!(1), json!(0)),
        ("mode", json!(1), json!(3)),
        ("mode", json!(1), json!(u64::MAX)),
        ("scopes", scopes(128), scopes(129)),
        ("scopes", scope(64), scope(65)),
        ("scopes", json!(["a:b_c.d-e*"]), json!([""])),
        ("scopes", json!(["payment:read"]), json!(["Payment:Read"])),
        ("ipWhitelist", networks(1_000), json!(["10.0.0.1/8"])),
        ("ipWhitelist", json!(["192.168.1.100"]), json!(["192.168.1.256"])),
        ("ipWhitelist", json!(["192.168.1.0/24"]), json!(["192.168.1.0/33"])),
        ("ipWhitelist", json!(["2001:db8::/32"]), json!(["2001:db8::/129"])),
        ("ipWhitelist", json!(["10.0.0.0/8"]), json!([" 10.0.0.0/8"])),
        ("ipWhitelist", json!(["10.0.0.0/8"]), json!(["010.0.0.1"])),
        ("ipWhitelist", json!(["10.0.0.0/8"]), json!(["fe80::1%eth0"])),
        ("ipWhitelist", json!(["10.0.0.0/8"]), json!([""])),
    ] {
        let made = product.with(&json!({member: fits})).await;
        assert!(made.is_ok(), "{member} {fits}: {made:?}");
        let refused = product.with(&json!({member: exceeds})).await.unwrap_err();
        assert!(refused.starts_with(member), "{exceeds}: {refused}");
    }
}

#[tokio::test]
async fn what_comes_out_is_what_went_in_in_its_one_spelling() {
    let product = Product::new("spellings").await;
    for (member, sent, shown) in [
        ("scopes", json!(["b", "a", "b"]), json!(["a", "b"])),
        ("ipWhitelist", json!(["192.168.1.100/32"]), json!(["192.168.1.100"])),
        ("ipWhitelist", json!(["2001:DB8:0::1/128"]), json!(["2001:db8::1"])),
        ("ipWhitelist", json!(["10.0.0.0/8", "10.0.0.0/8"]), json!(["10.0.0.0/8"])),
        ("name", json!("\u{e9}"), json!("\u{e9}")),
    ] {
        assert_eq!(product.with(&json!({member: sent})).await.unwrap()[member], shown, "{sent}");
    }
}
