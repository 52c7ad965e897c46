//! How often an address may try to get in: each has ten tries, which come back one every six seconds.
//!
//! Owns no more than it may hold: so many addresses, and one place for all further ones together.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::model::Timestamp;

/// Tries in a row.
const TRIES: u64 = 10;
/// How long until a try comes back.
const BACK_AFTER: Duration = Duration::from_secs(6);
/// Addresses that are told apart.
const ADDRESSES: usize = 10_000;

/// Who tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum From {
    /// An address; of IPv6 the network that one customer has.
    Address(IpAddr),
    /// Everybody for whom there is no room.
    Others,
}

impl From {
    fn of(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(v6) => {
                let [a, b, c, d, ..] = v6.segments();
                IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
            }
            v4 @ IpAddr::V4(_) => v4,
        })
    }
}

/// The tries of all addresses. Of each only one instant is kept: the one at which it would have all its tries back.
#[derive(Debug, Default)]
pub(super) struct Tries(HashMap<From, Timestamp>);

impl Tries {
    /// Takes a try of `address`.
    ///
    /// # Errors
    /// How long to wait for the next one, where there is none left.
    pub(super) fn take(&mut self, address: IpAddr, now: Timestamp) -> Result<(), Duration> {
        let from = self.place(address, now);
        let whole_at = self.0.get(&from).copied().unwrap_or(now).max(now);
        let most = BACK_AFTER * u32::try_from(TRIES - 1).unwrap_or(u32::MAX);
        let owed = whole_at.since(now);
        if owed > most {
            return Err(owed.saturating_sub(most));
        }
        self.0.insert(from, whole_at.plus(BACK_AFTER));
        Ok(())
    }

    /// Gives a try back that was a good one.
    pub(super) fn give_back(&mut self, address: IpAddr) {
        for from in [From::of(address), From::Others] {
            if let Some(whole_at) = self.0.get_mut(&from) {
                *whole_at = whole_at.minus(BACK_AFTER);
                return;
            }
        }
    }

    fn place(&mut self, address: IpAddr, now: Timestamp) -> From {
        let from = From::of(address);
        if self.0.contains_key(&from) || self.0.len() < ADDRESSES {
            return from;
        }
        self.0.retain(|_, whole_at| *whole_at > now);
        if self.0.len() < ADDRESSES {
            from
        } else {
            From::Others
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

    fn address(n: u32) -> IpAddr {
        IpAddr::V4(n.into())
    }

    #[test]
    fn ten_tries_then_one_every_six_seconds() {
        let mut tries = Tries::default();
        for n in 0..10 {
            assert_eq!(tries.take(address(1), NOW), Ok(()), "{n}");
        }
        assert_eq!(tries.take(address(1), NOW), Err(Duration::from_secs(6)));
        assert_eq!(tries.take(address(2), NOW), Ok(()), "others may go on");
        let later = NOW.plus(Duration::from_secs(5));
        assert_eq!(tries.take(address(1), later), Err(Duration::from_secs(1)));
        let later = NOW.plus(Duration::from_secs(6));
        assert_eq!(tries.take(address(1), later), Ok(()));
        assert_eq!(tries.take(address(1), later), Err(Duration::from_secs(6)));
        tries.give_back(address(1));
        assert_eq!(tries.take(address(1), later), Ok(()));
    }

    #[test]
    fn one_network_of_ipv6_is_one_address_and_mapped_ones_are_ipv4() {
        let mut tries = Tries::default();
        for n in 0..10_u16 {
            let address = Ipv6Addr::new(0x2001, 0xdb8, 0, 7, n, 0, 0, n);
            assert_eq!(tries.take(address.into(), NOW), Ok(()));
        }
        let next = Ipv6Addr::new(0x2001, 0xdb8, 0, 7, 99, 0, 0, 99);
        assert!(tries.take(next.into(), NOW).is_err());
        let other = Ipv6Addr::new(0x2001, 0xdb8, 0, 8, 0, 0, 0, 1);
        assert!(tries.take(other.into(), NOW).is_ok());
        let plain: IpAddr = "192.0.2.7".parse().expect("an address");
        let mapped: IpAddr = "::ffff:192.0.2.7".parse().expect("an address");
        for n in 0..10 {
            let address = if n % 2 == 0 { plain } else { mapped };
            assert!(tries.take(address, NOW).is_ok());
        }
        assert!(tries.take(plain, NOW).is_err());
    }

    #[test]
    fn memory_is_bounded_and_who_is_known_is_not_forgotten_for_it() {
        let mut tries = Tries::default();
        for _ in 0..10 {
            assert_eq!(tries.take(address(0), NOW), Ok(()));
        }
        let refused = (1..30_000).filter(|n| tries.take(address(*n), NOW).is_err());
        assert!(refused.count() > 10_000, "further ones share one place");
        assert!(tries.0.len() <= ADDRESSES + 1);
        assert!(tries.take(address(0), NOW).is_err());
        let later = NOW.plus(Duration::from_mins(2));
        assert_eq!(tries.take(address(40_000), later), Ok(()));
        assert_eq!(tries.0.len(), 1, "who has all tries back is forgotten");
    }
}
