//! What one address may take: connections at once, requests a second, and workspaces an hour. Loopback is
//! not counted but for the last: a proxy on the same machine speaks for everybody.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a client can choose freely of an IPv6 address is not looked at.
const NETWORK: u128 = u128::MAX << 64;
/// A second's requests may come at once, and as many again.
const BURST: u32 = 2;
const HOUR: Duration = Duration::from_secs(3_600);
/// So many addresses are remembered before those are forgotten that owe nothing.
const REMEMBERED: usize = 65_536;

/// What an address is counted as; `None` if it is not.
fn counted(address: IpAddr) -> Option<IpAddr> {
    Some(network(address)).filter(|_| !address.to_canonical().is_loopback())
}

/// An address but for what its client can choose of it.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            Ipv6Addr::from_bits(address.to_bits() & NETWORK).into()
        }
        address @ (IpAddr::V4(_) | IpAddr::V6(_)) => address,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing under these locks leaves a map half-written.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

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
            let mut open = lock(&self.open);
            let count = open.entry(address).or_default();
            if *count >= self.most {
                return None;
            }
            *count += 1;
        }
        Some(Place { peers: Arc::clone(self), address })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(address) = self.address else {
            return;
        };
        let mut open = lock(&self.peers.open);
        if let Some(count) = open.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&address);
            }
        }
    }
}

/// The requests, by the address of the client: each moves the moment on until when its address has had
/// its share (the generic cell rate algorithm).
#[derive(Debug)]
pub(crate) struct Asking {
    /// One request's share of the time; `None` for no limit.
    each: Option<Duration>,
    /// The time whose shares may be had at once.
    most: Duration,
    /// Whether loopback is counted, and nobody let in whom there is no room to remember.
    strict: bool,
    had: Mutex<HashMap<IpAddr, Instant>>,
}

impl Asking {
    /// At most so many a second, or any number.
    pub(crate) fn new(per_second: Option<u32>) -> Self {
        let each = per_second.map(|count| Duration::from_secs(1) / count.max(1));
        Self { each, most: Duration::from_secs(1) * BURST, strict: false, had: Mutex::default() }
    }

    /// At most so many an hour, all at once if need be, whoever asks.
    pub(crate) fn per_hour(count: u32) -> Self {
        let each = Some(HOUR / count.max(1));
        Self { each, most: HOUR, strict: true, had: Mutex::default() }
    }

    /// Takes one more request of `address`.
    ///
    /// # Errors
    /// It has asked too much; when it may ask again.
    pub(crate) fn admit(&self, address: IpAddr) -> Result<(), Duration> {
        let address = if self.strict { Some(network(address)) } else { counted(address) };
        match (self.each, address) {
            (Some(each), Some(address)) => self.admit_at(Instant::now(), each, address),
            (None, _) | (_, None) => Ok(()),
        }
    }

    fn admit_at(&self, now: Instant, each: Duration, address: IpAddr) -> Result<(), Duration> {
        let mut had = lock(&self.had);
        if had.len() >= REMEMBERED && !had.contains_key(&address) {
            had.retain(|_, until| *until > now);
            if self.strict && had.len() >= REMEMBERED {
                return Err(each);
            }
        }
        let until = had.entry(address).or_insert(now);
        let begins = (*until).max(now);
        let ahead = (begins + each).saturating_duration_since(now);
        if ahead > self.most {
            return Err(ahead - self.most);
        }
        *until = begins + each;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_connections_and_gets_back_those_that_it_gives_up() {
        let peers = Peers::new(2);
        let admit = |address: &str| peers.admit(address.parse().unwrap());
        let first = admit("192.0.2.7");
        let _second = admit("::ffff:192.0.2.7").unwrap();
        assert!(admit("192.0.2.7").is_none());
        assert!(admit("192.0.2.8").is_some(), "another address has places of its own");
        drop(first);
        assert!(admit("192.0.2.7").is_some());
        let held: Vec<_> = (0..9).map(|_| admit("127.0.0.1")).collect();
        assert!(held.iter().all(Option::is_some), "loopback is not counted");
    }

    #[test]
    fn an_address_has_so_many_requests_a_second_and_is_told_when_it_has_more() {
        let (asking, now) = (Asking::new(Some(10)), Instant::now());
        let each = asking.each.unwrap();
        let one: IpAddr = "2001:db8:0:1::1".parse().unwrap();
        let same: IpAddr = "2001:db8:0:1:ffff::2".parse().unwrap();
        for asked in 0..20 {
            assert_eq!(asking.admit_at(now, each, counted(one).unwrap()), Ok(()), "{asked}");
        }
        let refused = asking.admit_at(now, each, counted(same).unwrap());
        assert_eq!(refused, Err(Duration::from_millis(100)));
        let other = "192.0.2.8".parse().unwrap();
        assert_eq!(asking.admit_at(now, each, other), Ok(()));
        let later = now + Duration::from_millis(100);
        assert_eq!(asking.admit_at(later, each, counted(one).unwrap()), Ok(()));
        assert!(asking.admit_at(later, each, counted(one).unwrap()).is_err());
        assert_eq!(Asking::new(None).admit(other), Ok(()));
    }

    #[test]
    fn what_is_limited_by_the_hour_is_so_for_loopback_too_and_for_more_than_can_be_remembered() {
        let (asking, now) = (Asking::per_hour(2), Instant::now());
        let each = asking.each.unwrap();
        let local: IpAddr = "::1".parse().unwrap();
        assert_eq!((asking.admit(local), asking.admit(local)), (Ok(()), Ok(())));
        assert!(asking.admit(local).is_err_and(|after| after > Duration::from_secs(1_790)));
        let other = |at: usize| Ipv6Addr::from_bits(u128::try_from(at + 1).unwrap() << 64);
        for at in 1..REMEMBERED {
            assert_eq!(asking.admit_at(now, each, other(at).into()), Ok(()));
        }
        assert_eq!(asking.admit_at(now, each, other(REMEMBERED).into()), Err(each));
        assert_eq!(asking.admit_at(now, each, other(1).into()), Ok(()));
        let later = now + HOUR;
        assert_eq!(asking.admit_at(later, each, other(REMEMBERED).into()), Ok(()));
    }
}
