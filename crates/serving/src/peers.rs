//! How many connections one address has open, so that one client can't take all that there are.
//!
//! Loopback is not counted: a proxy on the same machine speaks for everybody.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a client can choose freely of an IPv6 address is not looked at.
const NETWORK: u128 = u128::MAX << 64;

/// The open connections, by address.
#[derive(Debug)]
pub(crate) struct Peers {
    most: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// A place among the connections of its address, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    peers: Arc<Peers>,
    address: Option<IpAddr>,
}

impl Peers {
    /// None yet, and at most `most` for each address.
    pub(crate) fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most, open: Mutex::default() })
    }

    /// A place for one more connection of `address`; `None` if it has enough.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let address = counted(address);
        if let Some(address) = address {
            let mut open = self.open();
            let count = open.entry(address).or_default();
            if *count >= self.most {
                return None;
            }
            *count += 1;
        }
        Some(Place { peers: Arc::clone(self), address })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(address) = self.address else {
            return;
        };
        let mut open = self.peers.open();
        if let Some(count) = open.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&address);
            }
        }
    }
}

/// What an address is counted as; `None` if it is not.
#[must_use]
pub fn counted(address: IpAddr) -> Option<IpAddr> {
    Some(network(address)).filter(|_| !address.to_canonical().is_loopback())
}

/// An address but for what its client can choose of it: of IPv6, its /64.
#[must_use]
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            Ipv6Addr::from_bits(address.to_bits() & NETWORK).into()
        }
        address @ (IpAddr::V4(_) | IpAddr::V6(_)) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(peers: &Arc<Peers>, address: &str) -> Option<Place> {
        peers.admit(address.parse().unwrap())
    }

    #[test]
    fn an_address_has_so_many_places_and_gets_back_those_that_it_gives_up() {
        let peers = Peers::new(2);
        let first = admit(&peers, "192.0.2.7");
        let second = admit(&peers, "::ffff:192.0.2.7");
        assert!(first.is_some() && second.is_some());
        assert!(admit(&peers, "192.0.2.7").is_none());
        assert!(admit(&peers, "192.0.2.8").is_some(), "another address has places of its own");
        drop(first);
        let third = admit(&peers, "192.0.2.7");
        assert!(third.is_some() && admit(&peers, "192.0.2.7").is_none());
        drop((second, third));
        assert!(peers.open().is_empty(), "nothing is kept of who is gone");
    }

    #[test]
    fn a_network_of_ipv6_is_one_client_and_loopback_is_not_counted() {
        let peers = Peers::new(1);
        let _held = admit(&peers, "2001:db8:0:1::1").unwrap();
        assert!(admit(&peers, "2001:db8:0:1:ffff::2").is_none());
        assert!(admit(&peers, "2001:db8:0:2::1").is_some());
        for loopback in ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"] {
            let held = [admit(&peers, loopback), admit(&peers, loopback)];
            assert!(held.iter().all(Option::is_some), "{loopback}");
        }
    }
}
