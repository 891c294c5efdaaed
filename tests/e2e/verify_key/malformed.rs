//! What is no key by its shape or checksum.

use super::*;

#[tokio::test]
async fn whatever_is_not_a_well_formed_key_is_malformed() {
    let tenant = tenant().await;
    let secret = tenant.create_key("a key").await.secret;
    assert_eq!(denial(&tenant, plain(&secret)).await, Denial::Unspecified);
    let mut changed = secret.clone().into_bytes();
    let last = changed.last_mut().unwrap();
    *last = if *last == b'0' { b'1' } else { b'0' };
    let changed = String::from_utf8(changed).unwrap();
    let wrong = [
        String::new(),
        " ".to_owned(),
        "nonsense".to_owned(),
        changed,
        secret[1..].to_owned(),
        secret[..secret.len() - 1].to_owned(),
        format!(" {secret}"),
        format!("{secret}\n"),
        format!("Bearer {secret}"),
        secret.to_uppercase(),
        secret.replacen("kw", "ab", 1),
        secret.replacen("_live_", "_test_", 1),
        secret.replacen("_live_", "_prod_", 1),
        secret.replacen('_', "\0", 1),
        secret.replacen("kwk", "kẃk", 1),
    ];
    for key in wrong {
        assert_eq!(denial(&tenant, plain(&key)).await, Denial::Malformed, "{key:?}");
    }
}

#[tokio::test]
async fn what_is_longer_than_any_key_is_malformed_whatever_it_is() {
    let tenant = tenant().await;
    let secret = tenant.create_key("a key").await.secret;
    for length in [127, 128, 129, 1_000, 60_000] {
        let key = format!("{secret}{}", "0".repeat(length - secret.len()));
        assert_eq!(denial(&tenant, plain(&key)).await, Denial::Malformed, "{length}");
        assert_eq!(denial(&tenant, plain(&"é".repeat(length / 2))).await, Denial::Malformed);
    }
}

#[tokio::test]
async fn the_answer_says_nothing_about_what_was_presented() {
    let tenant = tenant().await;
    let mut response = ask(&tenant, plain("kwk_live_secret-that-must-not-come-back")).await;
    response.freshness = None;
    let bare = VerifyKeyResponse {
        decision: Decision::Denied.into(),
        denial: Denial::Malformed.into(),
        ..VerifyKeyResponse::default()
    };
    assert_eq!(response, bare);
}
