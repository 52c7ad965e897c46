//! `--since`, `--until` and `--days`: which stretch of time a query covers.

use crate::model::{Period, Timestamp, parse_duration};

use super::error::CliError;

/// The stretch of time a query covers.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Period")]
pub(crate) struct PeriodArgs {
    /// From here on: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given
    #[arg(long, value_name = "TIME", conflicts_with = "days")]
    since: Option<String>,

    /// Up to here: a time ago (7d, 1h30m) or RFC 3339; UTC if no offset is given [default: now]
    #[arg(long, value_name = "TIME", conflicts_with = "days")]
    until: Option<String>,

    /// The last N days, 1 to 3650
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=3650))]
    days: Option<u32>,
}

impl PeriodArgs {
    /// The period asked for; `None` if nothing was asked for. An end without a start means everything before it.
    pub(crate) fn resolve(&self, now: Timestamp) -> Result<Option<Period>, CliError> {
        if let Some(days) = self.days {
            return Ok(Some(Period::last_days(days, now)));
        }
        if self.since.is_none() && self.until.is_none() {
            return Ok(None);
        }
        let start = self
            .since
            .as_deref()
            .map(|text| instant("--since", text, now));
        let end = self
            .until
            .as_deref()
            .map(|text| instant("--until", text, now));
        let start = start.transpose()?.unwrap_or_default();
        let end = end.transpose()?.unwrap_or(now);
        Period::between(start, end).map(Some).map_err(|error| {
            CliError::usage("usage", error.to_string())
                .with_hint("--since must lie before --until, which is now unless given")
        })
    }

    /// The period asked for, else the last `days` days before `--until`, else before now.
    pub(crate) fn resolve_or_days(&self, days: u32, now: Timestamp) -> Result<Period, CliError> {
        match (self.resolve(now)?, &self.since, &self.until) {
            (Some(period), None, Some(_)) => Ok(Period::last_days(days, period.end)),
            (Some(period), ..) => Ok(period),
            (None, ..) => Ok(Period::last_days(days, now)),
        }
    }
}

/// A time ago, or an instant.
fn instant(flag: &str, text: &str, now: Timestamp) -> Result<Timestamp, CliError> {
    // A bare number would be read as seconds; whoever writes `--since 7` means something else.
    let bare = text.trim().bytes().all(|b| b.is_ascii_digit());
    let ago = parse_duration(text).ok().filter(|_| !bare);
    ago.map(|ago| now.minus(ago))
        .or_else(|| text.trim().parse().ok())
        .ok_or_else(|| {
            CliError::usage("usage", format!("'{text}' is no time for {flag}")).with_hint(
                "give a time ago, such as 7d or 1h30m, or an instant, such as 2026-07-28T10:00:00Z or 2026-07-28",
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-07-28T12:00:00Z".parse().expect("RFC 3339")
    }

    fn args(since: Option<&str>, until: Option<&str>) -> PeriodArgs {
        PeriodArgs {
            since: since.map(str::to_owned),
            until: until.map(str::to_owned),
            days: None,
        }
    }

    #[test]
    fn both_ends_read_durations_and_instants() {
        for (since, until, start, end) in [
            (
                Some("1d"),
                None,
                "2026-07-27T12:00:00Z",
                "2026-07-28T12:00:00Z",
            ),
            (
                Some("1h30m"),
                Some("30m"),
                "2026-07-28T10:30:00Z",
                "2026-07-28T11:30:00Z",
            ),
            (
                Some("2026-07-01"),
                Some("2026-07-02T02:00:00+02:00"),
                "2026-07-01",
                "2026-07-02",
            ),
            (
                Some("2026-07-01 10:00:00"),
                None,
                "2026-07-01T10:00:00Z",
                "2026-07-28T12:00:00Z",
            ),
            (None, Some("1d"), "1970-01-01", "2026-07-27T12:00:00Z"),
        ] {
            let period = args(since, until)
                .resolve(now())
                .expect("a period")
                .expect("asked for");
            let instant = |text: &str| text.parse::<Timestamp>().expect("an instant");
            assert_eq!((period.start, period.end), (instant(start), instant(end)));
        }
        assert_eq!(args(None, None).resolve(now()).expect("nothing"), None);
    }

    #[test]
    fn the_days_before_an_end_are_counted_from_it() {
        let week = args(None, Some("2026-07-20"))
            .resolve_or_days(7, now())
            .expect("a period");
        assert_eq!(week.start.to_string(), "2026-07-13T00:00:00.000000Z");
        assert_eq!(week.days, 7);
        let week = args(None, None)
            .resolve_or_days(7, now())
            .expect("a period");
        assert_eq!(week.start.to_string(), "2026-07-21T12:00:00.000000Z");
    }

    #[test]
    fn what_is_no_time_is_said_to_be_none() {
        for wrong in ["7", "yesterday", "", "7x", "2026-13-01"] {
            assert!(args(Some(wrong), None).resolve(now()).is_err(), "{wrong}");
        }
        assert!(
            args(Some("2026-08-01"), None).resolve(now()).is_err(),
            "the future"
        );
    }
}
