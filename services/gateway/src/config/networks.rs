//! Networks as an operator writes them: one with its length, or a single address.

use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de};

/// A network, or an address alone, which is the network of only that one.
///
/// # Errors
/// What it must be.
pub fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse::<IpNet>().ok();
    network.or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from)).ok_or_else(|| {
        "must be a network such as 10.0.0.0/8, or an address such as 10.1.2.3".to_owned()
    })
}

/// A list of them in a TOML file.
///
/// # Errors
/// What the first wrong one must be.
pub fn networks<'de, D: Deserializer<'de>>(source: D) -> Result<Option<Vec<IpNet>>, D::Error> {
    let texts = Vec::<String>::deserialize(source)?;
    texts
        .iter()
        .map(|text| network(text).map_err(de::Error::custom))
        .collect::<Result<_, _>>()
        .map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_alone_is_the_network_of_that_one() {
        for (text, network_text) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("10.1.2.3", "10.1.2.3/32"),
            ("::1", "::1/128"),
            ("2001:db8::/32", "2001:db8::/32"),
        ] {
            assert_eq!(network(text), Ok(network_text.parse().unwrap()), "{text}");
        }
        for text in ["", "10.0.0", "10.0.0.0/33", "nginx", "10.0.0.1:80"] {
            assert!(network(text).unwrap_err().contains("must be a network"), "{text}");
        }
    }
}
