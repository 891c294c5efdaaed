//! Short-lived sealed texts.

use proptest::prelude::*;
use vault::{NotOurs, TokenPurpose};

use crate::fixture::{ANOTHER_KEY, KEYS, entry, fixed_ring, fixed_text, load};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_token_opens_to_what_was_sealed(
        plaintext in proptest::collection::vec(any::<u8>(), 0..200),
        aad in proptest::collection::vec(any::<u8>(), 0..40),
    ) {
        let ring = fixed_ring();
        let token = ring.tokens().seal(TokenPurpose::Page, &aad, &plaintext).unwrap();
        prop_assert!(token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        let opened = ring.tokens().open(TokenPurpose::Page, &aad, &token).unwrap();
        prop_assert_eq!(opened.as_slice(), plaintext);
    }

    #[test]
    fn one_changed_bit_anywhere_is_not_ours(bit in 0_usize..(19 + 12 + 5 + 16) * 8) {
        let ring = fixed_ring();
        let mut sealed = ring.tokens().seal_bytes(TokenPurpose::Reply, b"", b"reply").unwrap();
        prop_assert_eq!(sealed.len(), 19 + 12 + 5 + 16);
        sealed[bit / 8] ^= 1 << (bit % 8);
        let opened = ring.tokens().open_bytes(TokenPurpose::Reply, b"", &sealed);
        prop_assert_eq!(opened.err(), Some(NotOurs));
    }

    #[test]
    fn any_text_is_refused_without_a_panic(text in ".{0,120}") {
        let opened = fixed_ring().tokens().open(TokenPurpose::Page, b"", &text);
        prop_assert_eq!(opened.err(), Some(NotOurs));
    }
}

#[test]
fn a_token_for_another_purpose_or_caller_is_not_ours() {
    let ring = fixed_ring();
    let token = ring.tokens().seal(TokenPurpose::Page, b"ws 1", b"7").unwrap();
    let open = |purpose, aad: &[u8]| ring.tokens().open(purpose, aad, &token).err();
    assert_eq!(open(TokenPurpose::Reply, b"ws 1"), Some(NotOurs));
    assert_eq!(open(TokenPurpose::Page, b"ws 2"), Some(NotOurs));
    assert_eq!(open(TokenPurpose::Page, b""), Some(NotOurs));
    assert_eq!(open(TokenPurpose::Page, b"ws 1"), None);
}

#[test]
fn only_the_canonical_spelling_opens() {
    let ring = fixed_ring();
    let token = ring.tokens().seal(TokenPurpose::Page, b"", b"").unwrap();
    for other in [format!("{token}="), format!(" {token}"), format!("{token}\n")] {
        let opened = ring.tokens().open(TokenPurpose::Page, b"", &other);
        assert_eq!(opened.err(), Some(NotOurs), "{other:?}");
    }
}

#[test]
fn a_token_outlives_the_rotation_of_its_key_but_not_its_removal() {
    let token = fixed_ring().tokens().seal(TokenPurpose::Page, b"", b"7").unwrap();
    let old = entry("page_token", 1, KEYS[3], true);
    let retired = entry("page_token", 1, KEYS[3], false);
    let new = entry("page_token", 2, ANOTHER_KEY, true);
    let rotated = load(&fixed_text().replace(&old, &format!("{retired}{new}"))).unwrap();
    assert!(rotated.tokens().open(TokenPurpose::Page, b"", &token).is_ok());
    let removed = load(&fixed_text().replace(&old, &new)).unwrap();
    let opened = removed.tokens().open(TokenPurpose::Page, b"", &token);
    assert_eq!(opened.err(), Some(NotOurs));
}
