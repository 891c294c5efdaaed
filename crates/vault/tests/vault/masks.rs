//! Masks show little, and are known again.

use proptest::prelude::*;
use vault::{looks_masked, mask};

proptest! {
    #[test]
    fn a_mask_shows_at_most_three_and_three_and_is_recognised(secret in ".{0,80}") {
        let mask = mask(&secret);
        prop_assert!(mask == "..." || mask.len() == 9);
        prop_assert!(looks_masked(&mask));
        prop_assert!(mask == "..." || secret.chars().count() >= 20);
    }

    #[test]
    fn two_ascii_secrets_with_the_same_ends_have_the_same_mask(
        one in "[a-zA-Z0-9]{14,60}",
        other in "[a-zA-Z0-9]{14,60}",
    ) {
        let whole = |middle: &str| mask(&format!("sk-{middle}XyZ"));
        prop_assert_eq!(whole(&one), "sk-...XyZ");
        prop_assert_eq!(whole(&one), whole(&other));
    }

    #[test]
    fn a_secret_of_ten_characters_or_more_is_not_taken_for_a_mask(secret in "[!-)+-~]{10,60}") {
        prop_assert!(!looks_masked(&secret));
    }
}

#[test]
fn nothing_is_shown_of_short_secrets() {
    for secret in ["", "a", "abcdef", "0123456789012345678"] {
        assert_eq!(mask(secret), "...", "{secret:?}");
    }
    assert_eq!(mask("01234567890123456789"), "012...789");
    assert_eq!(mask("SG.34567890123456789"), "SG....789");
}

#[test]
fn characters_that_could_mislead_are_not_shown() {
    let long = "0123456789012345678901234567890";
    for secret in [
        format!("\u{e9}{long}"),
        format!("ab\u{1f511}{long}"),
        format!("{long}\u{202e}"),
        format!("{long}\n"),
        format!(" {long}"),
        "\u{e9}".repeat(40),
        "\u{1f511}".repeat(20),
    ] {
        assert_eq!(mask(&secret), "...", "{secret:?}");
    }
}

#[test]
fn masks_are_recognised_however_a_form_returns_them() {
    for text in [
        "...",
        "sk-...XyZ",
        "SG....XyZ",
        "sk-....yZ",
        ".........",
        " sk-...XyZ\n",
        "sk-\u{2026}XyZ",
        "\u{2026}",
        "...XyZ",
        "sk-...",
        "......",
        "****",
        "\u{2022}\u{2022}\u{2022}",
        "sk-****XyZ",
        "****1234",
        "sk-1\u{2022}\u{2022}\u{2022}\u{2022}",
    ] {
        assert!(looks_masked(text), "{text:?} was taken for a secret");
    }
    for text in [
        "",
        " ",
        "sk-12345",
        "sk-live...XyZ",
        "a..b",
        "SG.abc.def",
        "1.2.3.4",
        "a*b*c*d*e*",
        "ab**cdefg",
        "sk-12***secret",
    ] {
        assert!(!looks_masked(text), "{text:?} was taken for a mask");
    }
}
