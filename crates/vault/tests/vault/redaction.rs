//! No key, secret or ciphertext is ever printed.

use std::error::Error;
use std::fmt::Write;

use uuid::Uuid;
use vault::{OpenError, Place, SealPurpose, TokenPurpose};

use crate::fixture::{ANOTHER_KEY, KEYS, binding, entry, fixed_ring, fixed_text, load, workspace};

/// An error with all its causes, as `Display` and `Debug` give them.
fn whole(error: &dyn Error) -> String {
    let mut text = format!("{error} {error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, " {error} {error:?}").unwrap();
        cause = error.source();
    }
    text
}

/// The spellings in which a key of 32 equal bytes could get out.
fn assert_no_key_in(text: &str) {
    for byte in 1..=5_u8 {
        let hex = format!("{byte:02x}").repeat(4);
        let list = format!("{byte}, {byte}, {byte}");
        assert!(!text.contains(&hex), "a key in hex: {text}");
        assert!(!text.contains(&list), "a key as a list: {text}");
    }
    for key in KEYS.into_iter().chain([ANOTHER_KEY]) {
        assert!(!text.contains(&key[..12]), "a key in base64: {text}");
        assert!(!text.contains(&key[8..20]), "a key in base64: {text}");
    }
}

#[test]
fn debug_of_a_ring_and_its_parts_shows_ids_only() {
    let ring = fixed_ring();
    let dek = ring.keks().new_dek(workspace(), Uuid::from_u128(0x33)).ok();
    let wrapped = ring.keks().wrap(&dek.unwrap()).unwrap();
    let shown = format!(
        "{ring:?} {:?} {:?} {:?} {:?}",
        ring.peppers(),
        ring.keks(),
        ring.chain(),
        ring.tokens()
    );
    assert_no_key_in(&shown);
    assert!(shown.contains("active: 1"), "{shown}");
    assert_eq!(format!("{wrapped:?}"), "WrappedDek { kek: 1, .. }");
}

#[test]
fn debug_of_what_was_made_shows_no_byte_of_it() {
    let ring = fixed_ring();
    let dek = ring.keks().new_dek(workspace(), Uuid::from_u128(0x33)).ok().unwrap();
    let place = Place {
        purpose: SealPurpose::ConfigSecret,
        resource: Uuid::nil(),
        field: "ai_models",
        provider: None,
    };
    let sealed = dek.seal(&place, b"sk-planted").unwrap();
    let text = dek.open_text(&place, &sealed).unwrap();
    let bytes = dek.open(&place, &sealed).unwrap();
    let (_, digest) = ring.peppers().digest(&binding(), &[b'7'; 43]);
    let shown = format!("{sealed:?} {text:?} {bytes:?} {digest:?}");
    assert!(!shown.contains("planted"), "{shown}");
    assert!(!shown.contains("115, 107, 45"), "{shown}");
    let list = format!("{:?}", &sealed.bytes[..4]);
    assert!(!shown.contains(list.trim_matches(['[', ']'])), "{shown}");
}

#[test]
fn errors_of_a_ring_never_repeat_what_stands_in_it() {
    let keyless = |text: &str| text.replace("active = true", "");
    let wrongs = [
        fixed_text().replacen("active = true", &format!("active = \"{ANOTHER_KEY}\""), 1),
        fixed_text().replacen("id = 1", &format!("id = \"{ANOTHER_KEY}\""), 1),
        fixed_text().replacen("key = \"", "key = ", 1),
        fixed_text().replacen("\"\nactive", "\nactive", 1),
        fixed_text().replacen("key", ANOTHER_KEY, 1),
        fixed_text().replacen("key", ANOTHER_KEY.trim_end_matches('='), 1),
        fixed_text().replacen("=\"", "\"", 1),
        keyless(&fixed_text()),
        format!("{}{}", fixed_text(), entry("kek", 2, KEYS[0], false)),
        format!("{}{}", fixed_text(), entry("kek", 1, ANOTHER_KEY, false)),
        format!("{}{}", fixed_text(), entry("kek", 0, ANOTHER_KEY, false)),
        format!("{}{}", fixed_text(), entry("kek", 2, &ANOTHER_KEY[4..], false)),
        format!("{}{}", fixed_text(), entry("kek", 2, ANOTHER_KEY, true)),
        ANOTHER_KEY.to_owned(),
    ];
    for wrong in wrongs {
        let error = load(&wrong).unwrap_err();
        assert_no_key_in(&whole(&error));
    }
}

#[test]
fn errors_of_opening_say_nothing_of_the_content() {
    let ring = fixed_ring();
    let error = ring.tokens().open(TokenPurpose::Page, b"", "sk-planted").unwrap_err();
    assert_eq!(error.to_string(), "not a token of ours");
    assert_eq!(
        OpenError::DoesNotOpen.to_string(),
        "does not open: changed, moved, or sealed under another key"
    );
}
