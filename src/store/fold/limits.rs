//! How much of a value the database at hand takes.
//!
//! A record that is refused would stop the records behind it for ever; so what does not fit is cut, here and nowhere else,
//! and sums are those of the values as they are stored.

use crate::model::{Cost, Operation};

/// No single count of bytes or money goes into a sum with more than this, so that no sum of a session can overflow and
/// make the whole batch fail for ever.
const LARGEST_ADDEND: i64 = 1_000_000_000_000_000;

/// PostgreSQL adds an operation's tokens up in 32 bits, and refuses the row when those are too few.
const POSTGRES_TOKENS: u32 = (1 << 30) - 1;

/// The largest of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    /// Characters of methods and tools.
    pub(super) method: Option<usize>,
    /// Characters of clients' versions.
    pub(super) version: Option<usize>,
    /// Characters of users' names.
    pub(super) user_name: Option<usize>,
    duration_ms: i64,
    tokens: u32,
    cost: i64,
}

impl Limits {
    pub(super) const SQLITE: Self = Self {
        method: None,
        version: None,
        user_name: None,
        duration_ms: LARGEST_ADDEND,
        tokens: u32::MAX,
        cost: LARGEST_ADDEND,
    };

    pub(super) const POSTGRES: Self = Self {
        duration_ms: i32::MAX as i64,
        tokens: POSTGRES_TOKENS,
        ..Self::SQLITE
    };

    /// As the oldest tables have it. Migrations widen their columns; where something of somebody else's depends on one,
    /// they cannot.
    pub(super) const OLDEST: Self = Self {
        method: Some(100),
        version: Some(50),
        user_name: Some(255),
        cost: 9_999_999_999,
        ..Self::POSTGRES
    };

    /// An operation's duration, rounded to the nearest millisecond; `None` where nobody measured it.
    pub(super) fn duration_ms(&self, operation: &Operation) -> Option<i64> {
        operation.duration()?;
        Some(addend(operation.duration_us.saturating_add(500) / 1_000).min(self.duration_ms))
    }

    /// A count of tokens.
    pub(super) fn tokens(&self, count: Option<u32>) -> Option<u32> {
        count.map(|count| count.min(self.tokens))
    }

    /// A cost, in micro-dollars.
    pub(super) fn cost(&self, cost: Option<Cost>) -> Option<i64> {
        Some(cost?.as_micros().clamp(-self.cost, self.cost))
    }
}

/// A count of bytes.
pub(super) fn addend(count: u64) -> i64 {
    i64::try_from(count).map_or(LARGEST_ADDEND, |count| count.min(LARGEST_ADDEND))
}
