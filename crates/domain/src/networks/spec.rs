//! Merged ranges against an oracle that knows nothing of them: one `ipnet` block after the other.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use proptest::prelude::*;

use super::{AddressRanges, Network};

fn ranges(entries: &[&str]) -> AddressRanges {
    let networks: Vec<_> =
        entries.iter().map(|entry| Network::parse(entry, true).expect("a network")).collect();
    AddressRanges::new(&networks)
}

fn contain(ranges: &AddressRanges, address: &str) -> bool {
    ranges.contain(address.parse().expect("an address"))
}

/// Few bits vary, so that blocks nest, touch and overlap; the ends of the number line are among them.
fn v4() -> impl Strategy<Value = u32> {
    (prop_oneof![Just(0), Just(0x0a00_0000), Just(0xffff_ff00)], 0_u32..256)
        .prop_map(|(base, low)| base + low)
}

fn v6() -> impl Strategy<Value = u128> {
    let bases = prop_oneof![
        Just(0),
        Just(0xffff_0000_0000),
        Just(0xfffe_ffff_ff00),
        Just(0x2001_0db8_u128 << 96),
        Just(u128::MAX - 255),
    ];
    (bases, 0_u128..256).prop_map(|(base, low)| base + low)
}

fn block() -> impl Strategy<Value = IpNet> {
    let length = |most: u8| prop_oneof![9 => most - 9..=most, 1 => 0..=most];
    let four = (v4(), length(32)).prop_map(|(at, length)| {
        IpNet::V4(Ipv4Net::new(Ipv4Addr::from(at), length).expect("<= 32").trunc())
    });
    let six = (v6(), length(128)).prop_map(|(at, length)| {
        IpNet::V6(Ipv6Net::new(Ipv6Addr::from(at), length).expect("<= 128").trunc())
    });
    prop_oneof![four, six]
}

fn address() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        v4().prop_map(|at| IpAddr::from(Ipv4Addr::from(at))),
        v4().prop_map(|at| IpAddr::from(Ipv4Addr::from(at).to_ipv6_mapped())),
        v6().prop_map(|at| IpAddr::from(Ipv6Addr::from(at))),
        any::<u32>().prop_map(|at| IpAddr::from(Ipv4Addr::from(at))),
        any::<u128>().prop_map(|at| IpAddr::from(Ipv6Addr::from(at))),
    ]
}

/// What a mapped block means, told apart from the code under test: 96 bits less, and IPv4.
fn meant(block: IpNet) -> IpNet {
    let IpNet::V6(six) = block else {
        return block;
    };
    match (six.addr().to_ipv4_mapped(), six.prefix_len()) {
        (Some(four), 96..) => Ipv4Net::new(four, six.prefix_len() - 96).expect("<= 32").into(),
        (Some(_) | None, _) => block,
    }
}

fn sorted_and_apart<T: Ord + Copy>(ranges: &[(T, T)], next: impl Fn(T) -> Option<T>) -> bool {
    ranges.iter().all(|(first, last)| first <= last)
        && ranges.windows(2).all(|pair| next(pair[0].1).is_some_and(|gap| gap < pair[1].0))
}

proptest! {
    #[test]
    fn ranges_answer_as_one_block_after_the_other(
        blocks in prop::collection::vec(block(), 0..40),
        addresses in prop::collection::vec(address(), 20),
    ) {
        let networks: Vec<_> = blocks
            .iter()
            .map(|block| Network::parse(&block.to_string(), true).expect("no host bits"))
            .collect();
        let ranges = AddressRanges::new(&networks);
        prop_assert_eq!(ranges.is_empty(), blocks.is_empty());
        prop_assert!(sorted_and_apart(&ranges.v4, |last| last.checked_add(1)));
        prop_assert!(sorted_and_apart(&ranges.v6, |last| last.checked_add(1)));

        let meant: Vec<_> = blocks.into_iter().map(meant).collect();
        let edges = meant.iter().flat_map(|block| [block.network(), block.broadcast()]);
        for address in addresses.into_iter().chain(edges.collect::<Vec<_>>()) {
            let expected = meant.iter().any(|block| block.contains(&address.to_canonical()));
            prop_assert_eq!(ranges.contain(address), expected, "{}", address);
        }
    }
}

#[test]
fn no_entries_contain_nobody() {
    let none = AddressRanges::new([]);
    assert!(none.is_empty() && none == AddressRanges::default());
    assert!(!contain(&none, "10.0.0.1") && !contain(&none, "::1"));
}

#[test]
fn touching_nested_and_equal_blocks_become_one_range() {
    let ranges = ranges(&["10.0.1.0/24", "10.0.0.0/24", "10.0.0.7", "10.0.1.0/24", "10.0.3.0/24"]);
    assert_eq!(ranges.v4.len(), 2);
    for (address, expected) in [
        ("9.255.255.255", false),
        ("10.0.0.0", true),
        ("10.0.1.255", true),
        ("10.0.2.0", false),
        ("10.0.3.0", true),
        ("10.0.4.0", false),
    ] {
        assert_eq!(contain(&ranges, address), expected, "{address}");
    }
}

#[test]
fn both_ends_of_the_number_line_are_reached() {
    let ranges = ranges(&[
        "0.0.0.0",
        "0.0.0.0/31",
        "255.255.255.255",
        "::",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ]);
    assert_eq!((ranges.v4.len(), ranges.v6.len()), (2, 2));
    assert!(contain(&ranges, "0.0.0.1") && contain(&ranges, "255.255.255.255"));
    assert!(!contain(&ranges, "0.0.0.2") && !contain(&ranges, "255.255.255.254"));
}

#[test]
fn a_mapped_address_is_the_ipv4_address_on_both_sides() {
    for entry in ["10.0.0.0/8", "::ffff:10.0.0.0/104"] {
        let ranges = ranges(&[entry]);
        assert!(contain(&ranges, "10.1.2.3") && contain(&ranges, "::ffff:10.1.2.3"), "{entry}");
        assert!(!contain(&ranges, "::10.1.2.3") && !contain(&ranges, "::ffff:11.0.0.0"), "{entry}");
    }
}

#[test]
fn all_of_ipv6_lets_no_ipv4_address_in_even_if_it_comes_mapped() {
    let six = ranges(&["::/0"]);
    assert!(contain(&six, "2001:db8::1") && contain(&six, "::"));
    assert!(!contain(&six, "10.0.0.1") && !contain(&six, "::ffff:10.0.0.1"));
    let four = ranges(&["0.0.0.0/0"]);
    assert!(contain(&four, "::ffff:10.0.0.1") && !contain(&four, "::1"));
}
