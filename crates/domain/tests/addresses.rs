//! The strict address parser: a table of entries, of client addresses, and of round trips.

use std::net::IpAddr;

use domain::{Network, parse_client_address};
use proptest::prelude::*;

const SHAPE: &str = "four decimal parts without leading zeros, or an IPv6 address";
const ZONE: &str = "no zone id";
const LENGTH_4: &str = "a prefix length from 0 to 32 without leading zeros";
const LENGTH_6: &str = "a prefix length from 0 to 128 without leading zeros";
const ANY: &str = "must not cover every address";

/// What an entry becomes: its canonical text, or a part of the rule that it breaks.
const ENTRIES: &[(&str, Result<&str, &str>)] = &[
    // Single addresses.
    ("192.0.2.7", Ok("192.0.2.7")),
    ("0.0.0.0", Ok("0.0.0.0")),
    ("255.255.255.255", Ok("255.255.255.255")),
    ("2001:db8::1", Ok("2001:db8::1")),
    ("2001:DB8:0:0:0:0:0:1", Ok("2001:db8::1")),
    ("2001:0db8::0001", Ok("2001:db8::1")),
    ("::", Ok("::")),
    ("::1", Ok("::1")),
    ("::192.0.2.7", Ok("::c000:207")),
    ("64:ff9b::192.0.2.7", Ok("64:ff9b::c000:207")),
    // Blocks.
    ("192.0.2.7/32", Ok("192.0.2.7")),
    ("10.0.0.0/8", Ok("10.0.0.0/8")),
    ("128.0.0.0/1", Ok("128.0.0.0/1")),
    ("192.0.2.6/31", Ok("192.0.2.6/31")),
    ("2001:db8::/32", Ok("2001:db8::/32")),
    ("2001:db8::1/128", Ok("2001:db8::1")),
    ("8000::/1", Ok("8000::/1")),
    // Mapped addresses are the IPv4 ones that they mean.
    ("::ffff:192.0.2.7", Ok("192.0.2.7")),
    ("::FFFF:c000:0207", Ok("192.0.2.7")),
    ("0:0:0:0:0:ffff:192.0.2.7/128", Ok("192.0.2.7")),
    ("::ffff:10.0.0.0/104", Ok("10.0.0.0/8")),
    ("::ffff:a00:0/104", Ok("10.0.0.0/8")),
    ("::ffff:0:0/96", Err(ANY)),
    ("::fffe:0:0/95", Ok("::fffe:0:0/95")),
    ("::ffff:0:0/95", Err("`::fffe:0:0/95` is the network")),
    ("::ffff:10.0.0.1/104", Err("`10.0.0.0/8` is the network")),
    ("::ffff:10.0.0.0/129", Err(LENGTH_6)),
    ("::ffff:010.0.0.1", Err(SHAPE)),
    // Host bits, with the corrected form.
    ("10.0.0.1/8", Err("`10.0.0.0/8` is the network")),
    ("192.0.2.7/31", Err("`192.0.2.6/31` is the network")),
    ("192.0.2.7/0", Err("`0.0.0.0/0` is the network")),
    ("2001:db8::1/32", Err("`2001:db8::/32` is the network")),
    ("::1/0", Err("`::/0` is the network")),
    // Everything.
    ("0.0.0.0/0", Err(ANY)),
    ("::/0", Err(ANY)),
    // Prefix lengths.
    ("10.0.0.0/33", Err(LENGTH_4)),
    ("10.0.0.0/128", Err(LENGTH_4)),
    ("10.0.0.0/256", Err(LENGTH_4)),
    ("10.0.0.0/999", Err(LENGTH_4)),
    ("10.0.0.0/08", Err(LENGTH_4)),
    ("10.0.0.0/008", Err(LENGTH_4)),
    ("0.0.0.0/00", Err(LENGTH_4)),
    ("10.0.0.0/+8", Err(LENGTH_4)),
    ("10.0.0.0/-8", Err(LENGTH_4)),
    ("10.0.0.0/ 8", Err(LENGTH_4)),
    ("10.0.0.0/8 ", Err(LENGTH_4)),
    ("10.0.0.0/", Err(LENGTH_4)),
    ("10.0.0.0//8", Err(LENGTH_4)),
    ("10.0.0.0/8/8", Err(LENGTH_4)),
    ("10.0.0.0/8.0", Err(LENGTH_4)),
    ("10.0.0.0/0x8", Err(LENGTH_4)),
    ("10.0.0.0/1e1", Err(LENGTH_4)),
    ("10.0.0.0/\u{0668}", Err(LENGTH_4)),
    ("10.0.0.0/\u{ff18}", Err(LENGTH_4)),
    ("10.0.0.0/255.0.0.0", Err(LENGTH_4)),
    ("10.0.0.0/4294967304", Err(LENGTH_4)),
    ("10.0.0.0/0000000008", Err(LENGTH_4)),
    ("2001:db8::/129", Err(LENGTH_6)),
    ("2001:db8::/032", Err(LENGTH_6)),
    ("2001:db8::/1000", Err(LENGTH_6)),
    ("2001:db8::/", Err(LENGTH_6)),
    // Leading zeros, octal, hexadecimal, shorthand.
    ("010.0.0.0/8", Err(SHAPE)),
    ("10.00.0.0/8", Err(SHAPE)),
    ("10.0.0.01", Err(SHAPE)),
    ("0177.0.0.1", Err(SHAPE)),
    ("0x7f.0.0.1", Err(SHAPE)),
    ("0x7f000001", Err(SHAPE)),
    ("2130706433", Err(SHAPE)),
    ("127.1", Err(SHAPE)),
    ("10.0/16", Err(SHAPE)),
    ("10/8", Err(SHAPE)),
    ("10.0.0", Err(SHAPE)),
    ("10.0.0.0.0", Err(SHAPE)),
    ("10.0.0.256", Err(SHAPE)),
    ("10.0.0.-1", Err(SHAPE)),
    ("+10.0.0.1", Err(SHAPE)),
    ("10.0.0.0.", Err(SHAPE)),
    (".10.0.0.0", Err(SHAPE)),
    ("10..0.0", Err(SHAPE)),
    ("10.0.0.*", Err(SHAPE)),
    ("10.0.0.0-10.0.0.9", Err(SHAPE)),
    ("10.0.0.1,10.0.0.2", Err(SHAPE)),
    // Spaces and what can't be seen.
    ("", Err(SHAPE)),
    (" ", Err(SHAPE)),
    ("/", Err(SHAPE)),
    ("/8", Err(SHAPE)),
    (" 10.0.0.0/8", Err(SHAPE)),
    ("10.0.0.0 /8", Err(SHAPE)),
    ("10.0.0.1\n", Err(SHAPE)),
    ("10.0.0.1\0", Err(SHAPE)),
    ("\u{feff}10.0.0.1", Err(SHAPE)),
    // Digits and dots of other scripts.
    ("\u{0661}0.0.0.1", Err(SHAPE)),
    ("\u{ff11}0.0.0.1", Err(SHAPE)),
    ("10\u{3002}0\u{3002}0\u{3002}1", Err(SHAPE)),
    // Ports, brackets, zones, names.
    ("10.0.0.1:80", Err(SHAPE)),
    ("[2001:db8::1]", Err(SHAPE)),
    ("[2001:db8::1]:443", Err(SHAPE)),
    ("[::1]/128", Err(SHAPE)),
    ("fe80::1%eth0", Err(ZONE)),
    ("fe80::1%25eth0", Err(ZONE)),
    ("fe80::%1/64", Err(ZONE)),
    ("10.0.0.1%0", Err(ZONE)),
    ("fe80::/64%eth0", Err(LENGTH_6)),
    ("localhost", Err(SHAPE)),
    ("example.com", Err(SHAPE)),
    ("https://10.0.0.1", Err(SHAPE)),
    ("null", Err(SHAPE)),
    // IPv6 shapes.
    ("2001:db8", Err(SHAPE)),
    ("2001:db8:::1", Err(SHAPE)),
    ("2001::db8::1", Err(SHAPE)),
    ("1:2:3:4:5:6:7", Err(SHAPE)),
    ("1:2:3:4:5:6:7:8:9", Err(SHAPE)),
    ("2001:db8::12345", Err(SHAPE)),
    ("2001:db8::00001", Err(SHAPE)),
    ("2001:db8::g", Err(SHAPE)),
    (":1", Err(SHAPE)),
    ("1:", Err(SHAPE)),
    ("::127.1", Err(SHAPE)),
    ("::ffff:0x7f.0.0.1", Err(SHAPE)),
];

#[test]
fn the_table_is_as_long_as_promised() {
    assert!(ENTRIES.len() >= 70, "{}", ENTRIES.len());
}

#[test]
fn each_entry_becomes_its_canonical_form_or_names_the_rule_it_breaks() {
    for (text, expected) in ENTRIES {
        match (Network::parse(text, false), expected) {
            (Ok(network), Ok(canonical)) => assert_eq!(&network.to_string(), canonical, "{text:?}"),
            (Err(refusal), Err(rule)) => {
                assert!(refusal.rule().contains(rule), "{text:?}: {refusal}");
            }
            (got, expected) => panic!("{text:?}: {got:?}, not {expected:?}"),
        }
    }
}

#[test]
fn the_corrected_form_in_a_refusal_is_accepted() {
    let mut corrected = 0;
    for (text, _) in ENTRIES {
        let Err(refusal) = Network::parse(text, true) else {
            continue;
        };
        if let Some(form) = refusal.rule().split('`').nth(1) {
            assert_eq!(Network::parse(form, true).expect(form).to_string(), form);
            corrected += 1;
        }
    }
    assert!(corrected >= 6);
}

#[test]
fn everything_is_accepted_only_when_it_is_asked_for() {
    for (text, canonical) in
        [("0.0.0.0/0", "0.0.0.0/0"), ("::/0", "::/0"), ("::ffff:0:0/96", "0.0.0.0/0")]
    {
        assert!(Network::parse(text, false).is_err());
        assert_eq!(Network::parse(text, true).expect(text).to_string(), canonical);
    }
    // The flag opens no other door.
    for (text, expected) in ENTRIES {
        if let Err(rule) = expected {
            assert_eq!(Network::parse(text, true).is_ok(), *rule == ANY, "{text:?}");
        }
    }
}

#[test]
fn a_very_long_entry_is_refused() {
    for text in
        ["1".repeat(1 << 16), ":".repeat(1 << 16), format!("10.0.0.0/{}", "0".repeat(1 << 16))]
    {
        assert!(Network::parse(&text, true).is_err());
        assert!(parse_client_address(&text).is_err());
    }
}

#[test]
fn a_client_address_is_what_the_table_accepts_without_a_prefix() {
    for (text, expected) in ENTRIES {
        let whole = !text.contains('/');
        let parsed = parse_client_address(text);
        assert_eq!(parsed.is_ok(), whole && expected.is_ok(), "{text:?}");
        if let (Ok(address), Ok(canonical)) = (parsed, expected) {
            assert_eq!(address.to_string(), *canonical);
            assert!(Network::parse(&address.to_string(), false).is_ok());
        }
    }
}

proptest! {
    #[test]
    fn a_network_prints_what_it_was_read_from(bits: u128, length in 0_u8..=128, v4: bool) {
        let text = if v4 {
            let length = length % 33;
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            let address = std::net::Ipv4Addr::from(u32::from_ne_bytes(
                bits.to_ne_bytes()[..4].try_into().expect("four bytes"),
            ) & mask);
            format!("{address}/{length}")
        } else {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            format!("{}/{length}", std::net::Ipv6Addr::from(bits & mask))
        };
        let network = Network::parse(&text, true).expect("no host bits");
        let printed = network.to_string();
        prop_assert_eq!(Network::parse(&printed, true), Ok(network));
        let stored = serde_json::to_string(&network).expect("JSON");
        prop_assert_eq!(&stored, &format!("\"{printed}\""));
        prop_assert_eq!(serde_json::from_str::<Network>(&stored).expect("a network"), network);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}|[0-9a-f:./% ]{0,50}") {
        let _ = Network::parse(&text, false);
        if let Ok(address) = parse_client_address(&text) {
            prop_assert_eq!(text.parse::<IpAddr>().expect("std agrees").to_canonical(), address);
        }
    }
}
