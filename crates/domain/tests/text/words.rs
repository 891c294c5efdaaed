//! Names, descriptions, reasons and e-mail addresses.

use domain::{Description, EmailAddress, Labels, Name, Principal, ReasonText, Scope};
use proptest::prelude::*;
use serde_json::json;

use crate::limits::object;

/// Characters that no text may have: NUL, C0, DEL, C1, line separators, bidirectional controls, BOM.
fn forbidden() -> impl Iterator<Item = char> {
    let ranges = [
        '\0'..='\u{1f}',
        '\u{7f}'..='\u{9f}',
        '\u{61c}'..='\u{61c}',
        '\u{200e}'..='\u{200f}',
        '\u{2028}'..='\u{202e}',
        '\u{2066}'..='\u{2069}',
        '\u{feff}'..='\u{feff}',
    ];
    ranges.into_iter().flatten()
}

#[test]
fn no_text_has_a_character_that_controls_or_turns_what_is_seen() {
    for c in forbidden() {
        for text in [format!("a{c}b"), format!("{c}a"), format!("a{c}"), c.to_string()] {
            assert!(Name::new(&text).is_err(), "{c:?}");
            assert!(Description::new(&text).is_err(), "{c:?}");
            assert!(ReasonText::new(&text).is_err(), "{c:?}");
            assert!(EmailAddress::new(format!("{text}@example.com")).is_err(), "{c:?}");
            assert!(EmailAddress::new(format!("a@{text}.example.com")).is_err(), "{c:?}");
            assert!(Labels::new([(text.clone(), "a".to_owned())].into()).is_err(), "{c:?}");
            assert!(Labels::new([("a".to_owned(), text.clone())].into()).is_err(), "{c:?}");
            for value in [json!({"a": text}), json!({text.clone(): 1}), json!({"a": [{text: 1}]})] {
                assert!(object(value).is_err(), "{c:?}");
            }
        }
    }
}

#[test]
fn the_refusal_names_the_character_by_its_number_and_repeats_no_text() {
    let refusal = Name::new("secret\u{202e}name").expect_err("a bidirectional control");
    assert!(refusal.rule().contains("U+202E"), "{refusal}");
    assert!(!refusal.rule().contains("secret") && !refusal.rule().contains('\u{202e}'));
}

#[test]
fn text_of_every_script_is_taken_as_it_is() {
    for text in [
        "Zürich \u{2014} Köln",
        "東京",
        "العربية",
        "עברית",
        "\u{1f469}\u{200d}\u{1f4bb}",
        "می\u{200c}خواهم",
        "e\u{301}",
        " a ",
        "<b>&'\";--",
        "\u{a0}x",
    ] {
        assert_eq!(Name::new(text).expect(text).as_str(), text);
    }
}

#[test]
fn length_is_counted_in_unicode_scalar_values() {
    for one in ["a", "é", "東", "\u{1f947}"] {
        assert!(Name::new(one.repeat(128)).is_ok());
        assert!(Name::new(one.repeat(129)).is_err());
        assert!(Description::new(one.repeat(1024)).is_ok());
        assert!(Description::new(one.repeat(1025)).is_err());
        assert!(ReasonText::new(one.repeat(1024)).is_ok());
        assert!(ReasonText::new(one.repeat(1025)).is_err());
    }
    assert!(Name::new("").is_err() && Description::new("").is_ok() && ReasonText::new("").is_ok());
    let refusal = Name::new("a".repeat(129)).expect_err("too long");
    assert_eq!(refusal.rule(), "must have 1 to 128 characters (has 129)");
}

#[test]
fn a_name_must_leave_a_mark() {
    for text in [
        " ",
        "   ",
        "\u{a0}",
        "\u{3000}",
        "\u{2003}",
        "\u{200b}",
        "\u{200b} \u{200d}",
        "\u{ad}",
        "\u{2060}",
        "\u{3164}",
        "\u{115f}",
        "\u{180e}",
        "\u{fe0f}",
        "\u{e0020}",
        "\u{2800}",
        "\u{34f}",
    ] {
        assert!(Name::new(text).is_err(), "{text:?}");
        assert!(Description::new(text).is_ok(), "{text:?}");
    }
}

#[test]
fn an_email_address_has_a_local_part_and_a_host_of_two_labels() {
    for good in [
        "a@example.com",
        "first.last+tag@sub.example.co.uk",
        "!#$%&'*+/=?^_`{|}~-@example.com",
        "A@EXAMPLE.COM",
        "jürgen@straße.de",
        "用户@例子.公司",
        "a@xn--strae-oqa.de",
        "1@2.example",
    ] {
        assert_eq!(EmailAddress::new(good).expect(good).as_str(), good);
    }
    for bad in [
        "",
        "@",
        "a",
        "a@",
        "@example.com",
        "a@b",
        "a@localhost",
        "a@example",
        "a@example.com.",
        "a@.example.com",
        "a@example..com",
        "a@-example.com",
        "a@exa_mple.com",
        "a@192.0.2.7",
        "a@[192.0.2.7]",
        "a@[IPv6:::1]",
        "a@127.0.0.0x1",
        ".a@example.com",
        "a.@example.com",
        "a..b@example.com",
        "a b@example.com",
        " a@example.com",
        "a@example.com ",
        "a@ example.com",
        "a@b@example.com",
        "\"a b\"@example.com",
        "a,b@example.com",
        "a@example.com,b@example.com",
        "A <a@example.com>",
        "mailto:a@example.com",
        "a(c)@example.com",
        "a\\b@example.com",
        "a;b@example.com",
        "a@example.com\n",
        "a\r\nbcc:x@example.com",
        "a@example.com/x",
        "a@example.com:25",
        "a@exa\u{ad}mple.com",
        "a@exa\u{200b}mple.com",
        "a@\u{feff}example.com",
        "a\u{200b}@example.com",
        "\u{1f600}@example.com",
        "a@\u{1f600}\u{200d}.example",
    ] {
        assert!(EmailAddress::new(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn an_email_address_has_at_most_64_and_254_bytes() {
    let labels = [63, 63, 57].map(|length| "h".repeat(length)).join(".");
    let of = |local: usize| format!("{}@{labels}.com", "l".repeat(local));
    assert_eq!(of(64).len(), 254);
    assert!(EmailAddress::new(of(64)).is_ok());
    assert!(EmailAddress::new(of(65)).is_err());
    let longer =
        format!("{}@{}", "l".repeat(64), [63, 63, 62].map(|length| "h".repeat(length)).join("."));
    assert_eq!(longer.len(), 255);
    assert!(EmailAddress::new(longer).is_err());
    assert!(EmailAddress::new(format!("{}@example.com", "é".repeat(33))).is_err());
}

proptest! {
    #[test]
    fn no_text_makes_the_rules_panic(text in any::<String>()) {
        let refused = text.chars().any(|c| forbidden().any(|bad| bad == c));
        prop_assert!(!refused || Name::new(&text).is_err());
        let _ = (Description::new(&text), EmailAddress::new(&text), Principal::user(&text));
        let _ = text.parse::<Scope>();
    }
}
