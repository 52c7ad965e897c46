//! Instants, periods and the clock they are read from.
//!
//! One unit throughout: whole microseconds since the Unix epoch, UTC. It is what `PostgreSQL`'s
//! `timestamptz` resolves and what the embedded store keeps as an integer.

use std::borrow::Cow;
use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant, in microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant `micros` microseconds after the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Time from `earlier` to `self`; zero when `earlier` is the later one (clocks do step back).
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Whole seconds from `earlier` to `self`, rounded down, never negative: a session's `total_duration`.
    #[must_use]
    pub fn whole_seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).max(0) / 1_000_000
    }

    /// This instant moved by `by` into the future, held at the end of the representable range.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// This instant moved by `by` into the past, held at the start of the representable range.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)),
        )
    }

    /// The same instant as chrono has it; the epoch for instants chrono cannot hold.
    #[must_use]
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(value: DateTime<Utc>) -> Self {
        Self(value.timestamp_micros())
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with a `Z` and microseconds, as the REST contract has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            &self
                .to_datetime()
                .to_rfc3339_opts(SecondsFormat::Micros, true),
        )
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::str::FromStr for Timestamp {
    type Err = chrono::ParseError;

    /// RFC 3339; a time without an offset is UTC, a bare date is its midnight.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(with_offset) = DateTime::parse_from_rfc3339(text) {
            return Ok(with_offset.with_timezone(&Utc).into());
        }
        if let Ok(date) = text.parse::<NaiveDate>() {
            return Ok(date.and_time(chrono::NaiveTime::MIN).and_utc().into());
        }
        text.replacen(' ', "T", 1)
            .parse::<NaiveDateTime>()
            .map(|naive| naive.and_utc().into())
    }
}

/// In text formats an RFC 3339 string; in the journal's binary format the microseconds.
impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            serializer.serialize_i64(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?
                .parse()
                .map_err(serde::de::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Self)
        }
    }
}

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

/// Where the present comes from. Injected, so that lifecycle tests run in virtual time.
pub trait Clock: Send + Sync {
    /// The present.
    fn now(&self) -> Timestamp;
}

/// The system's wall clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp(since_epoch.map_or(0, |d| i64::try_from(d.as_micros()).unwrap_or(i64::MAX)))
    }
}

/// A clock that moves only when told to.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock standing at `start`.
    #[must_use]
    pub fn at(start: Timestamp) -> Self {
        Self(AtomicI64::new(start.0))
    }

    /// Moves the clock forward by `by`.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(
            i64::try_from(by.as_micros()).unwrap_or(i64::MAX),
            Ordering::SeqCst,
        );
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

/// A stretch of time that a query covers: from `start` (inclusive) to `end` (inclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Period {
    /// First instant covered.
    pub start: Timestamp,
    /// Last instant covered.
    pub end: Timestamp,
    /// Length in days, rounded up; what the caller asked for when it asked in days.
    pub days: u32,
}

/// Why two instants make no [`Period`].
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the period starts at {start}, after its end at {end}")]
pub struct PeriodError {
    /// The start that was asked for.
    pub start: Timestamp,
    /// The end that was asked for.
    pub end: Timestamp,
}

impl Period {
    /// The `days` days that end now.
    #[must_use]
    pub fn last_days(days: u32, now: Timestamp) -> Self {
        let length = Duration::from_secs(u64::from(days) * 86_400);
        Self {
            start: now.minus(length),
            end: now,
            days,
        }
    }

    /// The stretch from `start` to `end`.
    ///
    /// # Errors
    /// When `start` lies after `end`.
    pub fn between(start: Timestamp, end: Timestamp) -> Result<Self, PeriodError> {
        if start > end {
            return Err(PeriodError { start, end });
        }
        let days = end.since(start).as_secs().div_ceil(86_400);
        Ok(Self {
            start,
            end,
            days: u32::try_from(days).unwrap_or(u32::MAX),
        })
    }
}

/// Reads a duration such as `7d`, `1h30m`, `45s`, `250ms`; a bare number is seconds.
///
/// # Errors
/// A sentence that says what is wrong and which forms are allowed.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const ALLOWED: &str = "use a number with a unit, such as 30s, 5m, 1h30m, 7d or 250ms";
    let text = text.trim();
    if text.is_empty() {
        return Err(format!("an empty duration; {ALLOWED}"));
    }
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let letters = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(letters);
        let number: u64 = number
            .parse()
            .map_err(|_| format!("'{text}' is no duration; {ALLOWED}"))?;
        let millis: u64 = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => return Err(format!("'{text}' is no duration; {ALLOWED}")),
        };
        let part = number
            .checked_mul(millis)
            .ok_or_else(|| format!("'{text}' is too long a duration"))?;
        total = total
            .checked_add(Duration::from_millis(part))
            .ok_or_else(|| format!("'{text}' is too long a duration"))?;
        rest = next;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_people_write_them() {
        assert_eq!(parse_duration("1h30m"), Ok(Duration::from_mins(90)));
        assert_eq!(parse_duration("7d"), Ok(Duration::from_hours(168)));
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(parse_duration("90"), Ok(Duration::from_secs(90)));
        for wrong in [
            "",
            "h",
            "5 parsecs",
            "-3s",
            "1.5h",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn timestamps_print_and_read_rfc_3339() {
        let stamp: Timestamp = "2026-07-28T10:00:00.250+02:00".parse().expect("RFC 3339");
        assert_eq!(stamp.to_string(), "2026-07-28T08:00:00.250000Z");
        assert_eq!("2026-07-28T08:00:00.25".parse::<Timestamp>(), Ok(stamp));
        assert_eq!(
            "2026-07-28"
                .parse::<Timestamp>()
                .expect("a date")
                .to_string(),
            "2026-07-28T00:00:00.000000Z"
        );
    }

    /// Rule: session/total-duration
    #[test]
    fn a_session_never_lasts_less_than_nothing() {
        let (early, late) = (Timestamp::from_micros(1), Timestamp::from_micros(5_999_999));
        assert_eq!(late.whole_seconds_since(early), 5);
        assert_eq!(early.whole_seconds_since(late), 0);
    }
}
