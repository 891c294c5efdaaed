//! Who sends a request: the peer, or, if that is a proxy of the operator's, whom the proxies say.
//!
//! Each proxy appends the address that it sees to `X-Forwarded-For`. What a client writes there itself
//! stands to the left of that; so the list is read from the right, and the first address that is no
//! proxy of the operator's is the client's. What stands there that is no address ends the reading: the
//! proxy that let it through is all that is known.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName};
use ipnet::IpNet;

static FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client of a request that came from `peer`.
#[must_use]
pub fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let trusted = |address: &IpAddr| is_proxy(*address, proxies);
    let mut last = peer;
    if proxies.is_empty() || !trusted(&peer) {
        return peer;
    }
    let lines: Vec<_> = headers.get_all(&FORWARDED).iter().collect();
    for line in lines.into_iter().rev() {
        let Ok(line) = line.to_str() else {
            return last;
        };
        for entry in line.rsplit(',') {
            let Some(address) = address(entry.trim()) else {
                return last;
            };
            last = address;
            if !trusted(&address) {
                return address;
            }
        }
    }
    last
}

/// Whether an address is that of a proxy of the operator's.
#[must_use]
pub fn is_proxy(address: IpAddr, proxies: &[IpNet]) -> bool {
    let address = address.to_canonical();
    proxies.iter().any(|network| network.contains(&address))
}

/// An address, as proxies spell it: bare, in brackets, with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok();
    let address = address.or_else(|| text.parse::<SocketAddr>().ok().map(|it| it.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn found(peer: &str, lines: &[&str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(&FORWARDED, HeaderValue::from_str(line).unwrap());
        }
        let proxies: Vec<_> = proxies.iter().map(|proxy| proxy.parse().unwrap()).collect();
        client(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn only_a_trusted_peer_is_believed() {
        assert_eq!(found("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(found("192.0.2.1", &["198.51.100.7"], &["10.0.0.0/8"]), "192.0.2.1");
        assert_eq!(found("10.0.0.1", &["198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
        assert_eq!(found("::ffff:10.0.0.1", &["198.51.100.7"], &["10.0.0.0/8"]), "198.51.100.7");
    }

    #[test]
    fn what_a_client_writes_itself_stands_to_the_left_of_what_counts() {
        let proxies = &["10.0.0.0/8", "2001:db8:1::/48"];
        for lines in [
            &["1.1.1.1, 198.51.100.7"][..],
            &["10.9.9.9, 198.51.100.7"],
            &["1.1.1.1", "198.51.100.7"],
            &["1.1.1.1,198.51.100.7, 10.0.0.2"],
            &["unknown, 198.51.100.7", "2001:db8:1::5"],
            &["::1, 198.51.100.7:4711"],
            &["1.1.1.1, [::ffff:198.51.100.7]:443"],
        ] {
            assert_eq!(found("10.0.0.1", lines, proxies), "198.51.100.7", "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_address_ends_the_reading() {
        let proxies = &["10.0.0.0/8"];
        for lines in
            [&["198.51.100.7, unknown"][..], &["198.51.100.7,"], &["198.51.100.7, 010.1.1.1"], &[]]
        {
            assert_eq!(found("10.0.0.1", lines, proxies), "10.0.0.1", "{lines:?}");
        }
        assert_eq!(found("10.0.0.1", &["10.0.0.5"], proxies), "10.0.0.5");
    }
}
