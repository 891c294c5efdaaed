//! Digests of secrets: what matches, and that nothing else does.

use domain::{Binding, CredentialKind, Env, Kid, PepperId, SecretDigest, WorkspaceId};
use hmac::{Hmac, KeyInit, Mac};
use proptest::prelude::*;
use sha2::Sha256;
use uuid::Uuid;

use crate::fixture::{ANOTHER_KEY, KEYS, binding, entry, fixed_ring, fixed_text, load};

const SECRET: [u8; 43] = [b'7'; 43];

/// The design's formula, written a second time with another library.
fn by_the_book(pepper: &[u8], binding: &Binding, secret: &[u8]) -> [u8; 32] {
    let env: &[u8] = match binding.env {
        Env::Live => b"live",
        Env::Test => b"test",
    };
    let kind: &[u8] = match binding.kind {
        CredentialKind::ApiKey => b"k",
        CredentialKind::AuthToken => b"a",
        CredentialKind::WorkspaceToken => b"w",
        CredentialKind::ServiceCredential => b"s",
        CredentialKind::Imported => b"i",
    };
    let workspace = binding.workspace.map(|id| id.uuid().as_bytes().to_vec());
    let mut mac = Hmac::<Sha256>::new_from_slice(pepper).unwrap();
    mac.update(b"keyward.credential.v1");
    for field in [
        workspace.as_deref().unwrap_or_default(),
        binding.resource.as_bytes(),
        binding.kid.bits(),
        env,
        kind,
    ] {
        mac.update(&[u8::try_from(field.len()).unwrap()]);
        mac.update(field);
    }
    mac.update(secret);
    mac.finalize().into_bytes().into()
}

fn bindings() -> impl Strategy<Value = Binding> {
    let env = prop_oneof![Just(Env::Live), Just(Env::Test)];
    let kind = prop_oneof![
        Just(CredentialKind::ApiKey),
        Just(CredentialKind::AuthToken),
        Just(CredentialKind::WorkspaceToken),
        Just(CredentialKind::ServiceCredential),
    ];
    let ids = (any::<Option<u128>>(), any::<u128>(), any::<[u8; 12]>());
    (ids, env, kind).prop_map(|((workspace, resource, kid), env, kind)| Binding {
        workspace: workspace.map(|id| WorkspaceId::new(Uuid::from_u128(id))),
        resource: Uuid::from_u128(resource),
        kid: Kid::from_entropy(kid),
        env,
        kind,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_digest_is_the_hmac_of_the_design_and_matches(
        binding in bindings(),
        secret in proptest::collection::vec(any::<u8>(), 43),
    ) {
        let secret: [u8; 43] = secret.try_into().unwrap();
        let ring = fixed_ring();
        let (pepper, digest) = ring.peppers().digest(&binding, &secret);
        prop_assert!(digest.0 == by_the_book(&[1; 32], &binding, &secret));
        prop_assert!(ring.peppers().matches(&binding, &secret, pepper, &digest));
    }

    #[test]
    fn a_digest_or_secret_with_one_bit_changed_does_not_match(
        in_digest in 0_usize..256,
        in_secret in 0_usize..43 * 8,
    ) {
        let ring = fixed_ring();
        let (pepper, digest) = ring.peppers().digest(&binding(), &SECRET);
        let mut other = digest;
        other.0[in_digest / 8] ^= 1 << (in_digest % 8);
        prop_assert!(!ring.peppers().matches(&binding(), &SECRET, pepper, &other));
        let mut secret = SECRET;
        secret[in_secret / 8] ^= 1 << (in_secret % 8);
        prop_assert!(!ring.peppers().matches(&binding(), &secret, pepper, &digest));
    }
}

#[test]
fn a_digest_moved_to_another_row_does_not_match() {
    let ring = fixed_ring();
    let (pepper, digest) = ring.peppers().digest(&binding(), &SECRET);
    let moves: [fn(&mut Binding); 7] = [
        |b| b.workspace = None,
        |b| b.workspace = Some(WorkspaceId::new(Uuid::from_u128(0x12))),
        |b| b.resource = Uuid::from_u128(0x23),
        |b| b.kid = Kid::from_entropy([9; 12]),
        |b| b.env = Env::Test,
        |b| b.kind = CredentialKind::WorkspaceToken,
        |b| b.workspace = Some(WorkspaceId::new(b.resource)),
    ];
    for (number, change) in moves.into_iter().enumerate() {
        let mut other = binding();
        change(&mut other);
        let matched = ring.peppers().matches(&other, &SECRET, pepper, &digest);
        assert!(!matched, "move {number} matched");
    }
}

#[test]
fn a_digest_under_a_retired_pepper_still_matches() {
    let (pepper, digest) = fixed_ring().peppers().digest(&binding(), &SECRET);
    let retired = fixed_text().replacen("active = true", "active = false", 1);
    let rotated = load(&format!("{retired}{}", entry("pepper", 2, ANOTHER_KEY, true))).unwrap();
    let peppers = rotated.peppers();
    assert_eq!(peppers.active_id(), PepperId(2));
    assert!(peppers.matches(&binding(), &SECRET, pepper, &digest));
    let (new_pepper, new_digest) = peppers.digest(&binding(), &SECRET);
    assert_eq!(new_pepper, PepperId(2));
    assert!(new_digest != digest);
    assert!(!peppers.matches(&binding(), &SECRET, PepperId(1), &new_digest));
}

#[test]
fn an_unknown_pepper_never_matches_even_where_the_active_one_would() {
    let ring = fixed_ring();
    let (_, digest) = ring.peppers().digest(&binding(), &SECRET);
    for unknown in [0, 2, u16::MAX] {
        let pepper = PepperId(unknown);
        assert!(!ring.peppers().matches(&binding(), &SECRET, pepper, &digest));
    }
}

#[test]
fn a_chain_is_made_under_the_active_key() {
    let retired =
        fixed_text().replace(&entry("chain", 1, KEYS[2], true), &entry("chain", 1, KEYS[2], false));
    let rotated = load(&format!("{retired}{}", entry("chain", 2, ANOTHER_KEY, true))).unwrap();
    let before = fixed_ring().chain().link(b"event");
    assert_eq!(rotated.chain().active_id(), 2);
    assert!(rotated.chain().link(b"event") != before);
}

#[test]
fn only_equal_secrets_are_the_same() {
    assert!(vault::same_secret(b"operator", b"operator"));
    assert!(vault::same_secret(b"", b""));
    for other in ["", "operato", "operators", "Operator"] {
        assert!(!vault::same_secret(b"operator", other.as_bytes()));
    }
}

#[test]
fn chance_does_not_repeat() {
    let drawn: [[u8; 16]; 2] = [vault::random().unwrap(), vault::random().unwrap()];
    assert_ne!(drawn[0], drawn[1]);
    let mut filled = [0; 64];
    vault::fill(&mut filled).unwrap();
    assert_ne!(filled, [0; 64]);
}

#[test]
fn a_digest_of_zeros_is_no_master_key() {
    let none = SecretDigest([0; 32]);
    let ring = fixed_ring();
    assert!(!ring.peppers().matches(&binding(), &SECRET, PepperId(1), &none));
}
