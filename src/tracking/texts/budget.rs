//! How much of the processor counting may take.
//!
//! Time is saved up while little is counted, and spent when much comes at once. What it does not cover is not counted, and
//! not even kept: relaying goes first.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

use crate::wire::Text;

use super::tokenizer;

/// Of each second so much goes into counting, in the long run: some five hundred calls with a kilobyte of text.
const SHARE: Duration = Duration::from_millis(5);
/// So much can be saved up: for a burst of some two thousand of them.
const SAVED: Duration = Duration::from_millis(20);
/// What may be kept between two rounds, whatever was saved: the measure of what counting costs must not run dry.
const LEAST_BYTES: i64 = 32 << 10;
const MOST_BYTES: i64 = 8 << 20;
/// The clock of a thread costs a call of the kernel: it is read once for so many bytes.
const LOOK_EVERY: u64 = 8 << 10;
/// What a byte is taken to cost before anything was measured, in picoseconds.
const FIRST_COST: u64 = 20_000;

/// Time for counting.
#[derive(Debug)]
pub(super) struct Budget {
    /// Bytes of text that may still be kept before the next round.
    allowance: AtomicI64,
    /// What counting a byte costs, in picoseconds, as measured lately.
    cost: AtomicU64,
    saved: Mutex<Saved>,
}

#[derive(Debug)]
struct Saved {
    time: Duration,
    since: Instant,
}

/// One round of counting.
#[derive(Debug)]
pub(super) struct Round<'b> {
    budget: &'b Budget,
    /// What the thread had used before it.
    before: Option<Duration>,
    /// What may be spent.
    time: Duration,
    bytes: u64,
    /// How many bytes there were when the clock was read last.
    looked_at: u64,
    /// Whether the time is over.
    over: bool,
}

impl Budget {
    pub(super) fn new() -> Self {
        let budget = Self {
            allowance: AtomicI64::new(0),
            cost: AtomicU64::new(FIRST_COST),
            saved: Mutex::new(Saved {
                time: SAVED,
                since: Instant::now(),
            }),
        };
        budget.allow(SAVED);
        budget
    }

    /// Whether there is time for another text.
    pub(super) fn allows(&self) -> bool {
        self.allowance.load(Ordering::Relaxed) > 0
    }

    /// Sets time for `bytes` aside; says whether there was any.
    pub(super) fn take(&self, bytes: usize) -> bool {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.allowance.fetch_sub(bytes, Ordering::Relaxed) > 0
    }

    /// Begins a round, with all the time that was saved.
    pub(super) fn begin(&self) -> Round<'_> {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = std::mem::replace(&mut saved.since, Instant::now()).elapsed();
        let earned = passed.saturating_mul(u32::try_from(SHARE.as_millis()).unwrap_or(1)) / 1_000;
        saved.time = saved.time.saturating_add(earned).min(SAVED);
        Round {
            budget: self,
            before: None,
            time: saved.time,
            bytes: 0,
            looked_at: 0,
            over: false,
        }
    }

    /// Lets as much be kept as can be counted in `time`.
    fn allow(&self, time: Duration) {
        let picoseconds = time.as_nanos().saturating_mul(1_000);
        let cost = u128::from(self.cost.load(Ordering::Relaxed).max(1));
        let bytes = i64::try_from(picoseconds / cost).unwrap_or(i64::MAX);
        self.allowance
            .store(bytes.clamp(LEAST_BYTES, MOST_BYTES), Ordering::Relaxed);
    }
}

impl Round<'_> {
    /// The tokens of `text`, if there is time for it.
    pub(super) fn spend(&mut self, text: &Text) -> Option<u32> {
        let before = *self.before.get_or_insert_with(|| {
            // Loading is none of the time that texts take.
            tokenizer::load();
            used()
        });
        if self.bytes > LEAST_BYTES.unsigned_abs() && self.bytes - self.looked_at >= LOOK_EVERY {
            self.looked_at = self.bytes;
            self.over = used().saturating_sub(before) > self.time;
        }
        if self.over {
            return None;
        }
        self.bytes += text.kept() as u64;
        tokenizer::tokens(text)
    }

    /// Notes that an operation has its share of the round, whatever its texts: so many bytes.
    pub(super) fn entry(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
    }

    /// Ends the round: what it took is gone, and what it cost is what the next will cost.
    pub(super) fn end(self) {
        let spent = self
            .before
            .map_or(Duration::ZERO, |before| used().saturating_sub(before));
        if self.bytes >= 1 << 10 {
            let measured = spent.as_nanos().saturating_mul(1_000) / u128::from(self.bytes);
            let measured = u64::try_from(measured).unwrap_or(u64::MAX);
            let known = self.budget.cost.load(Ordering::Relaxed);
            let cost = known / 2 + measured / 2;
            self.budget.cost.store(cost.max(1), Ordering::Relaxed);
        }
        let mut saved = self
            .budget
            .saved
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        saved.time = saved.time.saturating_sub(spent);
        self.budget.allow(saved.time);
    }
}

/// What this thread has used of the processor.
fn used() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (u64::try_from(time.tv_sec), u32::try_from(time.tv_nsec));
    Duration::new(seconds.unwrap_or(0), nanoseconds.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_set_aside_is_not_there_for_others() {
        let budget = Budget::new();
        let all = usize::try_from(MOST_BYTES).expect("a size");
        assert!(budget.allows() && budget.take(all));
        assert!(!budget.allows() && !budget.take(1));
        budget.begin().end();
        assert!(budget.allows(), "nothing was spent");
    }

    #[test]
    fn a_round_ends_when_its_time_is_over_but_measures_something() {
        let budget = Budget::new();
        budget.saved.lock().expect("a lock").time = Duration::ZERO;
        let mut scanner = crate::wire::EnvelopeScanner::default();
        scanner.keep_text(usize::MAX);
        let body = format!(
            r#"{{"id":1,"result":{{"content":[{{"text":"{}"}}]}}}}"#,
            "some words ".repeat(2_000)
        );
        let mut texts = Vec::new();
        scanner.feed(body.as_bytes(), &mut |envelope| texts.extend(envelope.text));
        let mut round = budget.begin();
        round.time = Duration::ZERO;
        let counts: Vec<_> = (0..3).map(|_| round.spend(&texts[0])).collect();
        assert!(counts[0].is_some() && counts[1].is_some(), "{counts:?}");
        assert_eq!(counts[2], None);
    }
}
