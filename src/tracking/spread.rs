//! A count that many threads change and few read.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

/// Places of a count. Threads beyond so many share them.
const PLACES: usize = 16;

/// A number spread over several cache lines, so that threads which change it do not take turns at one.
#[derive(Debug, Default)]
pub struct Spread([Place; PLACES]);

/// One thread's share, alone on its cache lines (two: processors fetch them in pairs).
#[derive(Debug, Default)]
#[repr(align(128))]
struct Place(AtomicI64);

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static PLACE: usize = THREADS.fetch_add(1, Ordering::Relaxed) % PLACES;
}

impl Spread {
    /// Adds `number`, which may be negative.
    pub fn add(&self, number: i64) {
        // A thread that is ending has no place of its own any more.
        let place = PLACE.try_with(|place| *place).unwrap_or(0);
        if let Some(Place(share)) = self.0.get(place) {
            share.fetch_add(number, Ordering::Relaxed);
        }
    }

    /// The sum. While others change it, one of the values that it had meanwhile or is about to have; never below zero.
    #[must_use]
    pub fn sum(&self) -> u64 {
        let shares = self
            .0
            .iter()
            .map(|Place(share)| share.load(Ordering::Relaxed));
        u64::try_from(shares.sum::<i64>()).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_thread_adds_another_may_take() {
        let count = Spread::default();
        std::thread::scope(|scope| {
            for _ in 0..40 {
                scope.spawn(|| count.add(3));
            }
        });
        count.add(-20);
        assert_eq!(count.sum(), 100);
    }
}
