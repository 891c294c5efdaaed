//! Tokens that must be taken, so that what is refused is refused for its own fault.

use serde_json::{Value, json};

use super::{Scene, Tokens};

pub(super) fn tokens(scene: &Scene<'_>) -> Tokens {
    let mut good = Tokens::new();
    for provider in scene.identities.each() {
        for role in ["owner", "member"] {
            let name = format!("{} by {}", role, provider.key.algorithm);
            good.push((name, provider.token(scene.tenant, role)));
        }
    }
    let claims = scene.claims();
    let now = claims["iat"].as_i64().unwrap();
    let seconds = now as f64;
    let of_claims = [
        ("aud in a list", "aud", json!(["somebody", "keyward"])),
        ("exp with a fraction", "exp", json!(seconds + 100.5)),
        ("exp within the leeway", "exp", json!(now - 15)),
        ("nbf within the leeway", "nbf", json!(now + 15)),
        ("nbf long past", "nbf", json!(0)),
        ("no iat", "iat", Value::Null),
        ("one role", "access", json!({"roles": "owner"})),
        ("a subject of 128 characters", "sub", json!("x".repeat(128))),
        ("a subject with marks", "sub", json!("auth0|a:b/c")),
        ("from the portal", "portal", json!("partner")),
        ("claims that mean nothing here", "extra", json!({"deep": [[[[{"a": 1}]]]]})),
    ];
    for (name, claim, value) in of_claims {
        good.push((name.to_owned(), scene.claiming(claim, value)));
    }
    let of_headers = [
        ("no typ", "typ", Value::Null),
        ("typ in lower case", "typ", json!("jwt")),
        ("an access token", "typ", json!("at+jwt")),
        ("an access token in full", "typ", json!("application/AT+JWT")),
        ("no kid where there is one key", "kid", Value::Null),
        ("a thumbprint", "x5t", json!("dGh1bWI")),
    ];
    for (name, member, value) in of_headers {
        good.push((name.to_owned(), scene.heading(member, value)));
    }
    let large = scene.claiming("extra", json!("x".repeat(5_600)));
    assert!((7_000..=8_192).contains(&large.len()), "{}", large.len());
    good.push(("nearly 8 KiB".to_owned(), large));
    good
}
