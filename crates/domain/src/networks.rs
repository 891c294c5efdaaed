//! Address lists: a strict parser in front of `ipnet`, which takes `010.0.0.0/8` for 10.0.0.0/8, and
//! merged ranges whose check costs the same for one entry and for ten thousand.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use serde::{Deserialize, Serialize};

use crate::values::InvalidValue;

#[cfg(test)]
mod spec;

/// One entry of a key's address list in canonical form: no host bits, IPv4-mapped IPv6 as IPv4.
/// Prints a single address without its prefix length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

impl Network {
    /// The most entries that a key's list can have.
    pub const MAX_ENTRIES: usize = 10_000;

    /// Reads an address (`192.0.2.7`, `2001:db8::1`) or a CIDR block (RFC 4632, RFC 4291 2.3).
    ///
    /// # Errors
    /// An address that `std::net` refuses (leading zeros, shorthand, spaces), a zone id, a prefix
    /// length with a leading zero or past 32/128, host bits (the message has the corrected form),
    /// or `0.0.0.0/0` / `::/0` unless `allow_any`.
    pub fn parse(text: &str, allow_any: bool) -> Result<Self, InvalidValue> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address = parse_address(address)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let length = prefix.map_or(Ok(most), |prefix| parse_prefix(prefix, most))?;
        let (address, length) = unmap(address, length);
        let block = IpNet::new(address, length)
            .map_err(|_| InvalidValue::new("must have a prefix length that fits the address"))?;
        if block.trunc() != block {
            return Err(InvalidValue::new(format!(
                "must have no host bits: `{}` is the network of it",
                block.trunc()
            )));
        }
        if length == 0 && !allow_any {
            return Err(InvalidValue::new(
                "must not cover every address unless allow_any_address is set",
            ));
        }
        Ok(Self(block))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.prefix_len() == self.0.max_prefix_len() {
            return self.0.addr().fmt(f);
        }
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Network {
    type Error = InvalidValue;

    fn try_from(text: String) -> Result<Self, InvalidValue> {
        Self::parse(&text, true)
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

/// The address of an end client, in canonical form: IPv4-mapped IPv6 becomes IPv4.
///
/// # Errors
/// Anything but one IPv4 or IPv6 address without zone, port or spaces.
pub fn parse_client_address(text: &str) -> Result<IpAddr, InvalidValue> {
    parse_address(text).map(|address| address.to_canonical())
}

fn parse_address(text: &str) -> Result<IpAddr, InvalidValue> {
    if text.contains('%') {
        return Err(InvalidValue::new("must have no zone id"));
    }
    // `std::net` is strict: four decimal parts without leading zeros, no surrounding space.
    text.parse().map_err(|_| {
        InvalidValue::new(
            "must be an IPv4 address of four decimal parts without leading zeros, or an IPv6 address",
        )
    })
}

fn parse_prefix(text: &str, most: u8) -> Result<u8, InvalidValue> {
    let digits = (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let leading_zero = text.len() > 1 && text.starts_with('0');
    text.parse().ok().filter(|&length| digits && !leading_zero && length <= most).ok_or_else(|| {
        InvalidValue::new(format!(
            "must have a prefix length from 0 to {most} without leading zeros"
        ))
    })
}

/// `::ffff:10.0.0.0/104` means 10.0.0.0/8. Shorter prefixes reach past the mapped block and stay IPv6.
fn unmap(address: IpAddr, length: u8) -> (IpAddr, u8) {
    match (address.to_canonical(), length.checked_sub(96)) {
        (IpAddr::V4(inner), Some(length)) if address.is_ipv6() => (IpAddr::V4(inner), length),
        _ => (address, length),
    }
}

/// Sorted, merged ranges of addresses, for the check: two binary searches at the most.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct AddressRanges {
    v4: Box<[(u32, u32)]>,
    v6: Box<[(u128, u128)]>,
}

impl AddressRanges {
    /// The ranges that these networks cover.
    pub fn new<'a>(networks: impl IntoIterator<Item = &'a Network>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for network in networks {
            match network.0 {
                IpNet::V4(block) => v4.push((block.network().into(), block.broadcast().into())),
                IpNet::V6(block) => v6.push((block.network().into(), block.broadcast().into())),
            }
        }
        Self { v4: merge(v4, 1), v6: merge(v6, 1) }
    }

    /// Whether `address` is in one of them. IPv4-mapped IPv6 counts as IPv4.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        match address.to_canonical() {
            IpAddr::V4(address) => within(&self.v4, Ipv4Addr::into(address)),
            IpAddr::V6(address) => within(&self.v6, Ipv6Addr::into(address)),
        }
    }

    /// Whether no address is in them.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }
}

/// For people: the merged networks with blanks between them, cut off after the first few.
impl fmt::Display for AddressRanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 16;
        let v4 = self.v4.iter().flat_map(|&(first, last)| {
            Ipv4Subnets::new(first.into(), last.into(), 0).map(IpNet::V4)
        });
        let v6 = self.v6.iter().flat_map(|&(first, last)| {
            Ipv6Subnets::new(first.into(), last.into(), 0).map(IpNet::V6)
        });
        for (at, network) in v4.chain(v6).take(MOST + 1).enumerate() {
            match at {
                MOST => return f.write_str(" ..."),
                0 => write!(f, "{}", Network(network))?,
                _ => write!(f, " {}", Network(network))?,
            }
        }
        Ok(())
    }
}

fn within<T: Ord + Copy>(ranges: &[(T, T)], address: T) -> bool {
    let after = ranges.partition_point(|&(first, _)| first <= address);
    after > 0 && address <= ranges[after - 1].1
}

fn merge<T>(mut ranges: Vec<(T, T)>, one: T) -> Box<[(T, T)]>
where
    T: Ord + Copy + std::ops::Sub<Output = T>,
{
    ranges.sort_unstable();
    let mut merged: Vec<(T, T)> = Vec::with_capacity(ranges.len());
    for (first, last) in ranges {
        match merged.last_mut() {
            // Touching blocks become one; `first - one` can't wrap, as an earlier range lies below.
            Some(previous) if first <= previous.1 || first - one == previous.1 => {
                previous.1 = previous.1.max(last);
            }
            Some(_) | None => merged.push((first, last)),
        }
    }
    merged.into_boxed_slice()
}
