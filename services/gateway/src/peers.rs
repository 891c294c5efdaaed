//! What one address may ask for: requests a second, and workspaces an hour. Loopback is not counted but for
//! the last: a proxy on the same machine speaks for everybody.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serving::{counted, network};

/// A second's requests may come at once, and as many again.
const BURST: u32 = 2;
const HOUR: Duration = Duration::from_secs(3_600);
/// So many addresses are remembered before those are forgotten that owe nothing.
const REMEMBERED: usize = 65_536;

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
        // Nothing under the lock leaves the map half-written.
        let mut had = self.had.lock().unwrap_or_else(PoisonError::into_inner);
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
    use std::net::Ipv6Addr;

    use super::*;

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
