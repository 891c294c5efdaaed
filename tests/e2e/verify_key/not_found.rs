//! One answer for whatever the caller may not see, byte for byte.

use prost::Message;

use super::*;

/// The bytes of the answer, but for its freshness.
async fn bytes(tenant: &Tenant, request: VerifyKeyRequest) -> Vec<u8> {
    let response = ask(tenant, request).await;
    assert_eq!(response.denial(), Denial::NotFound);
    VerifyKeyResponse { freshness: None, ..response }.encode_to_vec()
}

/// A well-formed key with the kid of one and the secret of another.
pub(crate) fn spliced(kid_of: &str, secret_of: &str) -> String {
    let [head, tail] = [&kid_of[..26], &secret_of[26..]];
    let body = [head, &tail[..tail.len() - 6]].concat();
    format!("{body}{}", checksum(&body))
}

/// CRC-32/ISO-HDLC in six characters of base62.
fn checksum(body: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let crc = body.bytes().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
        })
    });
    let mut rest = !crc;
    let mut text = [b'0'; 6];
    for digit in text.iter_mut().rev() {
        *digit = DIGITS[rest as usize % 62];
        rest /= 62;
    }
    text.map(char::from).iter().collect()
}

#[tokio::test]
async fn unknown_wrong_foreign_and_unexpected_keys_get_the_same_bytes() {
    let server = Server::shared().await;
    let (own, other) = (server.workspace("own").await, server.workspace("other").await);
    let key = own.create_key("a key").await;
    let (second, foreign) = (own.create_key("second").await, other.create_key("foreign").await);
    // The same request in every case but for the key, so that `depends_on` is the same as well.
    let request = |secret: &str, key_id: &str| VerifyKeyRequest {
        expected_key_id: key_id.to_owned(),
        workspace_id: own.id.clone(),
        allowed_envs: vec![Environment::Live.into()],
        ..needing(secret, &[], &[])
    };
    let key_id = key.api_key.unwrap().key_id;
    assert_eq!(denial(&own, request(&key.secret, &key_id)).await, Denial::Unspecified);

    let wrong_secret = spliced(&key.secret, &second.secret);
    assert_ne!(wrong_secret, key.secret);
    let unknown =
        spliced(&key.secret.replacen(&key.secret[9..26], "0000000000000000a", 1), &key.secret);
    // What has become of a key is told to those who have it.
    let dead = own.create_key("dead").await;
    let dead_id = dead.api_key.unwrap().key_id;
    own.revoke_key(&dead_id).await;
    let dead_and_wrong = spliced(&dead.secret, &second.secret);
    let test = own.create(test_world(&own)).await;
    let foreign_id = foreign.api_key.unwrap().key_id;
    let second_id = second.api_key.unwrap().key_id;
    let test_id = test.api_key.unwrap().key_id;
    let reference = bytes(&own, request(&unknown, &key_id)).await;
    let cases = [
        ("wrong secret", request(&wrong_secret, &key_id)),
        ("wrong secret of a revoked key", request(&dead_and_wrong, &dead_id)),
        ("of another workspace", request(&foreign.secret, &foreign_id)),
        ("of another environment", request(&test.secret, &test_id)),
        ("another than expected", request(&key.secret, &second_id)),
        ("expected one of another workspace", request(&key.secret, &foreign_id)),
    ];
    for (what, request) in cases {
        assert_eq!(bytes(&own, request).await, reference, "{what}");
    }
}

#[tokio::test]
async fn a_key_is_not_found_in_a_workspace_that_it_is_not_of_even_for_its_owner() {
    let server = Server::shared().await;
    let (own, other) = (server.workspace("own").await, server.workspace("other").await);
    let secret = own.create_key("a key").await.secret;
    for (asker, workspace_id) in [(&own, &other.id), (&other, &own.id), (&other, &other.id)] {
        let request = VerifyKeyRequest { workspace_id: workspace_id.clone(), ..plain(&secret) };
        assert_eq!(denial(asker, request).await, Denial::NotFound);
    }
    assert_eq!(denial(&other, plain(&secret)).await, Denial::NotFound);
}

#[tokio::test]
async fn a_foreign_key_is_not_found_in_whatever_state_it_is() {
    let server = Server::shared().await;
    let (own, other) = (server.workspace("own").await, server.workspace("other").await);
    let revoked = own.create_key("revoked").await;
    own.revoke_key(&revoked.api_key.unwrap().key_id).await;
    let bound = own.create(bound_to(&own, &["192.0.2.7"])).await;
    for secret in [revoked.secret, bound.secret] {
        assert_eq!(denial(&other, needing(&secret, &["x"], &[])).await, Denial::NotFound);
    }
}

#[tokio::test]
async fn credentials_of_other_kinds_are_no_keys() {
    let tenant = tenant().await;
    let request = CreateApiKeyRequest { create_auth_token: true, ..tenant.key("with a token") };
    let made = tenant.create(request).await;
    assert!(!made.auth_token.is_empty());
    for credential in [made.auth_token.as_str(), tenant.token.as_str()] {
        assert_eq!(denial(&tenant, plain(credential)).await, Denial::NotFound);
    }
}
