//! The credential format: what is issued is read back, and nothing else is.

use domain::{
    Brand, CredentialKind, Env, Kid, Presented, SECRET_LENGTH, Secret, SecretText, display,
};
use proptest::prelude::*;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const KINDS: [CredentialKind; 4] = [
    CredentialKind::ApiKey,
    CredentialKind::AuthToken,
    CredentialKind::WorkspaceToken,
    CredentialKind::ServiceCredential,
];

fn brand(text: &str) -> Brand {
    Brand::new(text).expect("a brand")
}

/// Long division by 62, one bit after the other: slow, plain, and not the code under test.
fn long_division(bits: &[u8], width: usize) -> String {
    let mut number: Vec<bool> = bits
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1 == 1))
        .collect();
    let mut digits = vec![];
    for _ in 0..width {
        let mut rest = 0;
        for bit in &mut number {
            rest = rest * 2 + usize::from(*bit);
            *bit = rest >= 62;
            rest %= 62;
        }
        digits.push(char::from(DIGITS[rest]));
    }
    assert!(!number.contains(&true), "{width} digits are too few");
    digits.into_iter().rev().collect()
}

/// CRC-32/ISO-HDLC bit by bit, as its parameters say it.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

/// `body` with a right checksum.
fn signed(body: &str) -> String {
    format!("{body}{}", long_division(&crc32(body.as_bytes()).to_be_bytes(), 6))
}

fn sample() -> String {
    let secret =
        Secret::from_entropy(&std::array::from_fn(|place| u8::try_from(place * 7).expect("< 256")));
    let kid = Kid::from_entropy(*b"\x01\xfe23456789ab");
    let text = SecretText::new(&Brand::default(), CredentialKind::ApiKey, Env::Live, kid, &secret);
    text.expose().to_owned()
}

fn refused(text: &str) -> bool {
    Presented::parse(text, &Brand::default()).is_err()
}

#[test]
fn the_checksum_of_the_standard_check_string_is_the_standard_one() {
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
}

proptest! {
    #[test]
    fn what_is_issued_is_read_back(
        kid: [u8; 12], bits: [u8; 32], kind in 0..4_usize, live: bool, brand_text in "[a-f]{2,5}",
    ) {
        let (kind, env) = (KINDS[kind], if live { Env::Live } else { Env::Test });
        let (brand, kid) = (brand(&brand_text), Kid::from_entropy(kid));
        let secret = Secret::from_entropy(&bits);
        let text = SecretText::new(&brand, kind, env, kid, &secret);
        let read = Presented::parse(text.expose(), &brand).expect("a credential");
        prop_assert_eq!((read.kind, read.env, read.kid), (kind, env, kid));
        prop_assert_eq!(read.secret(), secret.expose());
        prop_assert_eq!(kid.to_string().parse(), Ok(kid));
        prop_assert!(text.expose().len() <= Presented::MAX_LENGTH);

        let shown = display(&brand, kind, env, kid);
        let lead = format!("{shown}_");
        prop_assert!(text.expose().starts_with(&lead));
        prop_assert_eq!(text.expose().len(), shown.len() + 1 + SECRET_LENGTH + 6);
    }

    #[test]
    fn kid_secret_and_checksum_are_spelled_as_long_division_says(kid: [u8; 12], bits: [u8; 32]) {
        let expected = signed(&format!("kwk_test_{}_{}", long_division(&kid, 17), long_division(&bits, 43)));
        let text = SecretText::new(
            &Brand::default(),
            CredentialKind::ApiKey,
            Env::Test,
            Kid::from_entropy(kid),
            &Secret::from_entropy(&bits),
        );
        prop_assert_eq!(text.expose(), expected);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,140}|kw[kaws]_(live|test)_[0-9A-Za-z_]{60,70}") {
        let _ = Presented::parse(&text, &Brand::default());
        let _ = text.parse::<Kid>();
    }

    #[test]
    fn a_right_checksum_alone_does_not_make_a_credential(body in "[0-9A-Za-z_\\-]{0,75}|kwk_live_[0-9A-Z_]{61}") {
        let text = signed(&body);
        let read = Presented::parse(&text, &Brand::default());
        let shape = text.len() == 76 && body.as_bytes().get(26) == Some(&b'_') && {
            let (head, tail) = body.split_at(9);
            head == "kwk_live_" && tail.matches('_').count() == 1
        };
        prop_assert!(read.is_err() || shape, "{}", text);
    }
}

#[test]
fn every_other_character_at_every_place_is_refused() {
    let good = sample();
    assert!(!refused(&good));
    for place in 0..good.len() {
        for byte in 0..128_u8 {
            let mut bad = good.clone().into_bytes();
            if bad[place] == byte {
                continue;
            }
            bad[place] = byte;
            let bad = String::from_utf8(bad).expect("ASCII");
            assert!(refused(&bad), "place {place}: {bad:?}");
        }
        let mut wide = good.clone();
        wide.replace_range(place..=place, "\u{e9}");
        assert!(refused(&wide));
    }
}

#[test]
fn every_insertion_deletion_and_transposition_is_refused() {
    let good = sample();
    for place in 0..=good.len() {
        for byte in DIGITS.iter().chain(b"_- \n\0") {
            let mut bad = good.clone();
            bad.insert(place, char::from(*byte));
            assert!(refused(&bad), "place {place}: {bad:?}");
        }
    }
    for place in 0..good.len() {
        let mut bad = good.clone();
        bad.remove(place);
        assert!(refused(&bad), "place {place}: {bad:?}");
        for other in place + 1..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes.swap(place, other);
            let bad = String::from_utf8(bytes).expect("ASCII");
            assert_eq!(refused(&bad), bad != good, "places {place} and {other}");
        }
    }
}

#[test]
fn nothing_is_trimmed_and_case_counts() {
    let good = sample();
    for bad in [
        format!(" {good}"),
        format!("{good}\n"),
        format!("Bearer {good}"),
        format!("\u{feff}{good}"),
        good.to_uppercase(),
        good.to_lowercase(),
        good.replacen("live", "LIVE", 1),
        good.replacen("live", "prod", 1),
        String::new(),
        "k".to_owned(),
        "kw".to_owned(),
        "kwk_live_".to_owned(),
        format!("{good}{good}"),
    ] {
        assert!(refused(&bad), "{bad:?}");
    }
}

#[test]
fn a_kid_past_96_bits_is_refused_with_a_right_checksum() {
    let secret = long_division(&[7; 32], 43);
    let with = |kid: &str| signed(&format!("kwk_live_{kid}_{secret}"));
    let greatest = long_division(&[0xff; 12], 17);
    assert!(!refused(&with(&greatest)));
    assert!(!refused(&with(&"0".repeat(17))));
    let mut next = [0; 13];
    next[0] = 1;
    for kid in [long_division(&next, 17), "z".repeat(17)] {
        assert!(kid > greatest);
        assert!(refused(&with(&kid)), "{kid}");
        assert!(kid.parse::<Kid>().is_err());
    }
}

#[test]
fn a_secret_past_256_bits_is_refused_with_a_right_checksum() {
    let with = |secret: &str| signed(&format!("kwk_live_{}_{secret}", "1".repeat(17)));
    let greatest = long_division(&[0xff; 32], 43);
    assert!(!refused(&with(&greatest)));
    assert!(!refused(&with(&"0".repeat(43))));
    let mut next = [0; 33];
    next[0] = 1;
    for secret in [long_division(&next, 43), "z".repeat(43)] {
        assert!(secret > greatest);
        assert!(refused(&with(&secret)), "{secret}");
    }
}

#[test]
fn a_character_that_is_no_digit_is_refused_with_a_right_checksum() {
    let (kid, secret) = ("0".repeat(17), "0".repeat(43));
    let with = |kid: &str, secret: &str| signed(&format!("kwk_live_{kid}_{secret}"));
    assert!(!refused(&with(&kid, &secret)));
    for odd in ["_", "-", "+", "/", ":", " ", "\0", "\u{7f}", "@", "[", "`", "{"] {
        for place in 0..17 {
            let mut kid = kid.clone();
            kid.replace_range(place..=place, odd);
            assert!(refused(&with(&kid, &secret)), "{odd:?} at {place}");
            assert!(kid.parse::<Kid>().is_err(), "{odd:?} at {place}");
        }
        for place in 0..43 {
            let mut secret = secret.clone();
            secret.replace_range(place..=place, odd);
            assert!(refused(&with(&kid, &secret)), "{odd:?} at {place}");
        }
    }
    // As many bytes, fewer characters.
    let wide = format!("\u{e9}{}", "0".repeat(41));
    assert!(refused(&with(&kid, &wide)));
}

#[test]
fn a_longer_or_shorter_part_is_refused_with_a_right_checksum() {
    let (kid, secret) = ("0".repeat(17), "0".repeat(43));
    for extra in 1..60 {
        let zeros = "0".repeat(extra);
        assert!(refused(&signed(&format!("kwk_live_{kid}_{secret}{zeros}"))));
        assert!(refused(&signed(&format!("kwk_live_{kid}{zeros}_{secret}"))));
        assert!(refused(&signed(&format!("kwk_live_{kid}_{secret}_{zeros}"))));
        let kept = secret.len().saturating_sub(extra);
        assert!(refused(&signed(&format!("kwk_live_{kid}_{}", &secret[..kept]))));
    }
}

#[test]
fn another_separator_or_world_is_refused_with_a_right_checksum() {
    let body = format!("kwk_live_{}_{}", "0".repeat(17), "0".repeat(43));
    for (place, _) in body.match_indices('_') {
        for odd in ["-", "0", "a", " "] {
            let mut body = body.clone();
            body.replace_range(place..=place, odd);
            assert!(refused(&signed(&body)), "{body}");
        }
    }
    for world in ["LIVE", "prod", "tess", "    "] {
        assert!(refused(&signed(&body.replacen("live", world, 1))), "{world}");
    }
}

#[test]
fn a_checksum_with_no_digit_or_past_32_bits_is_refused() {
    let good = sample();
    let body = &good[..good.len() - 6];
    let wrapped = u64::from(crc32(body.as_bytes())) + (1 << 32);
    for crc in [long_division(&wrapped.to_be_bytes(), 6), "zzzzzz".to_owned(), "______".to_owned()]
    {
        assert!(refused(&format!("{body}{crc}")), "{crc}");
    }
}

#[test]
fn more_than_128_bytes_are_refused() {
    for length in [128, 129, 1 << 16] {
        assert!(refused(&"k".repeat(length)));
        assert!(refused(&signed(&format!("kwk_live_{}", "1".repeat(length)))));
    }
}

#[test]
fn a_foreign_brand_is_refused() {
    let text = sample();
    for other in ["acme", "kx", "k".repeat(5).as_str(), "kwk", "kwkw"] {
        assert!(Presented::parse(&text, &brand(other)).is_err(), "{other}");
    }
    let theirs = SecretText::new(
        &brand("kwk"),
        CredentialKind::ApiKey,
        Env::Live,
        Kid::from_entropy([1; 12]),
        &Secret::from_entropy(&[2; 32]),
    );
    assert!(Presented::parse(theirs.expose(), &brand("kwk")).is_ok());
    assert!(refused(theirs.expose()));
}

#[test]
fn a_brand_is_two_to_five_lower_case_letters_of_nobody_else() {
    for good in ["kw", "ab", "abcde", "skx", "xgh", "pka"] {
        assert_eq!(brand(good).as_str(), good);
    }
    for bad in [
        "", "k", "abcdef", "KW", "Kw", "k1", "k_", "k ", " kw", "k\u{e9}", "\u{e9}", "sk", "pk",
        "rk", "gh", "ghp", "gho", "ghxyz",
    ] {
        assert!(Brand::new(bad).is_err(), "{bad:?}");
    }
    assert_eq!(Brand::default().as_str(), "kw");
}

#[test]
fn each_kind_has_its_letter_and_no_other_letter_is_a_kind() {
    let letters: String = KINDS.iter().map(|kind| kind.letter()).collect();
    assert_eq!(letters, "kaws");
    let (kid, secret) = ("1".repeat(17), "2".repeat(43));
    for letter in 'a'..='z' {
        let text = signed(&format!("kw{letter}_live_{kid}_{secret}"));
        let read = Presented::parse(&text, &Brand::default());
        assert_eq!(read.is_ok(), letters.contains(letter), "{letter}");
    }
}
