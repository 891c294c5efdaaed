//! Stored forms that must never change: computed with Python's `hmac` and `cryptography`, not with
//! this crate. A test that fails here would lock every deployment out of what it has stored.

use domain::{CredentialKind, Env, PepperId, Sealed, SecretDigest};
use secrecy::ExposeSecret;
use uuid::Uuid;
use vault::{Dek, KeyPurpose, Place, SealPurpose, TokenPurpose, WrappedDek};

use crate::fixture::{binding, fixed_ring, unhex, workspace};

const NONCE: &str = "000102030405060708090a0b";

fn dek() -> Dek {
    let sealed = "4001ebf3d840854d2281491f97b76cf25a37c9c51a139dd07379668699181b9ce24ee21bad2418616a1a9841926af41b";
    let wrapped = WrappedDek { kek: 1, bytes: unhex(&format!("{NONCE}{sealed}")) };
    let dek = fixed_ring().keks().unwrap(workspace(), Uuid::from_u128(0x33), &wrapped);
    dek.ok().unwrap()
}

fn sealed(ciphertext: &str) -> Sealed {
    Sealed { dek: Uuid::from_u128(0x33), version: 1, bytes: unhex(&format!("{NONCE}{ciphertext}")) }
}

#[test]
fn digests_are_as_in_the_design() {
    let ring = fixed_ring();
    let digest = |binding| {
        let (pepper, digest) = ring.peppers().digest(&binding, &[b'7'; 43]);
        assert_eq!(pepper, PepperId(1));
        digest
    };
    let of = |text| SecretDigest(unhex(text).try_into().unwrap());
    assert!(
        digest(binding()) == of("45df550c0d25b3716e19b9912cf68503d285aff99e0f67ba0049e735859382e3")
    );
    let mut service = binding();
    service.workspace = None;
    service.env = Env::Test;
    service.kind = CredentialKind::ServiceCredential;
    assert!(
        digest(service) == of("ce0c63dcb5a4a9a403c8c881cce37d0116e365951675d500b44b16dbbb824027")
    );
}

#[test]
fn a_stored_config_secret_opens() {
    let place = Place {
        purpose: SealPurpose::ConfigSecret,
        resource: Uuid::from_u128(0x22),
        field: "ai_models",
        provider: Some("openai"),
    };
    let stored = sealed("993ab6b2502e4491fa32750752f467b464096b83e5cce81fb101");
    let text = dek().open_text(&place, &stored).unwrap();
    assert_eq!(text.expose_secret(), "sk-planted");
}

#[test]
fn a_stored_personal_detail_opens() {
    let place = Place {
        purpose: SealPurpose::PersonalDetail,
        resource: Uuid::from_u128(0x22),
        field: "owner_email",
        provider: None,
    };
    let stored = sealed("8b11f9ec59374b88ef3a497dbad1621248066b1024f1479fb4ccb9");
    let bytes = dek().open(&place, &stored).unwrap();
    assert_eq!(bytes.expose_secret(), b"a@b.example");
}

#[test]
fn a_page_token_handed_out_opens() {
    let token = "AQABAAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKC2qmlZkRH8q58y6zl-qsTa-hDUpYARYc";
    let ring = fixed_ring();
    let opened = ring.tokens().open(TokenPurpose::Page, b"list keys", token);
    assert_eq!(opened.unwrap().as_slice(), b"after 7");
}

#[test]
fn a_kept_reply_opens() {
    let stored = "010001000102030405060708090a0b0c0d0e0f000102030405060708090a0bb40ca292ce19c4cdb2125479891b73eb0e7ead81a9";
    let ring = fixed_ring();
    let opened = ring.tokens().open_bytes(TokenPurpose::Reply, b"", &unhex(stored));
    assert_eq!(opened.unwrap().as_slice(), b"reply");
}

#[test]
fn the_chain_is_hmac_sha_256() {
    let mac = unhex("961f1384dd8b1a20c7ad2d715ee665bf89691755d0f80380b68f9d603cf71f09");
    assert_eq!(fixed_ring().chain().link(b"event").1.as_slice(), mac);
}

#[test]
fn check_values_tell_keys_apart_and_stay() {
    let ring = fixed_ring();
    let values: Vec<_> = ring
        .key_check_values()
        .iter()
        .map(|check| (check.purpose, check.id, check.value.to_vec()))
        .collect();
    let expected = [
        (KeyPurpose::Pepper, 1, unhex("0cd3333c4cb9323b")),
        (KeyPurpose::Kek, 1, unhex("49c82fdd02900594")),
        (KeyPurpose::Chain, 1, unhex("813e11ce826167ed")),
        (KeyPurpose::PageToken, 1, unhex("cd90c6e8ea86ca4c")),
    ];
    assert_eq!(values, expected);
}

#[test]
fn sha256_is_sha_256() {
    let digest = unhex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(vault::sha256(b"abc").as_slice(), digest);
}
