//! Numbers and instants the way people say them.

use super::{Field, TimeStyle, View};
use crate::model::Timestamp;

/// What stands for an unknown value.
pub(super) const UNKNOWN: &str = "-";

/// The field as tables show it, not yet escaped.
pub(super) fn show(field: &Field, view: &View) -> String {
    match field {
        Field::Empty => UNKNOWN.to_owned(),
        Field::Text(text) | Field::Word(text, _) if text.is_empty() => UNKNOWN.to_owned(),
        Field::Text(text) | Field::Word(text, _) => text.clone(),
        Field::Int(number) => number.to_string(),
        Field::Bytes(number) => bytes(*number),
        Field::Seconds(seconds) => duration(*seconds),
        Field::Mean(seconds) => mean(*seconds),
        Field::Millis(ms) => millis(*ms),
        Field::Time(at) => match view.time {
            TimeStyle::Relative => relative(*at, view.now),
            TimeStyle::Iso => iso(*at),
        },
        Field::Due(at) => match view.time {
            TimeStyle::Relative => due(*at, view.now),
            TimeStyle::Iso => iso(*at),
        },
        Field::Money(cost) => format!("${cost}"),
    }
}

/// Whether numbers of this kind stand under one another, ends aligned.
pub(super) const fn is_number(field: &Field) -> bool {
    matches!(
        field,
        Field::Int(_) | Field::Bytes(_) | Field::Millis(_) | Field::Money(_)
    )
}

/// RFC 3339 in whole seconds: tables need no more, the other formats have all of it.
fn iso(at: Timestamp) -> String {
    at.to_datetime()
        .to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// Whole seconds in their two largest units: `42s`, `1h 3m`, `2d 4h`.
pub(crate) fn duration(seconds: i64) -> String {
    let seconds = seconds.max(0);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600, seconds / 60);
    let pair = |large: i64, unit, small: i64, small_unit| match small {
        0 => format!("{large}{unit}"),
        _ => format!("{large}{unit} {small}{small_unit}"),
    };
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3_600 => pair(minutes, 'm', seconds % 60, 's'),
        3_600..86_400 => pair(hours, 'h', minutes % 60, 'm'),
        _ => pair(days, 'd', hours % 24, 'h'),
    }
}

fn mean(seconds: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float cast saturates, and half a second does not matter here"
    )]
    duration(seconds.round() as i64)
}

/// Time since `at` in its largest unit. An instant ahead of `now` (clocks of two machines differ) is `now`.
pub(crate) fn relative(at: Timestamp, now: Timestamp) -> String {
    match now.whole_seconds_since(at) {
        0 => "now".to_owned(),
        seconds @ 1..60 => format!("{seconds}s ago"),
        seconds @ 60..3_600 => format!("{}m ago", seconds / 60),
        seconds @ 3_600..86_400 => format!("{}h ago", seconds / 3_600),
        seconds => format!("{}d ago", seconds / 86_400),
    }
}

/// Time until `at` in its largest unit; once it is there, the time since.
fn due(at: Timestamp, now: Timestamp) -> String {
    match at.whole_seconds_since(now) {
        0 => relative(at, now),
        seconds @ 1..60 => format!("in {seconds}s"),
        seconds @ 60..3_600 => format!("in {}m", seconds / 60),
        seconds @ 3_600..86_400 => format!("in {}h", seconds / 3_600),
        seconds => format!("in {}d", seconds / 86_400),
    }
}

fn millis(ms: i64) -> String {
    match ms {
        ..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => duration(ms / 1_000),
    }
}

/// Bytes in powers of 1024, one decimal place, rounded down.
fn bytes(number: i64) -> String {
    let mut scaled = number.max(0);
    if scaled < 1_024 {
        return format!("{scaled} B");
    }
    let mut tenths = 0;
    let mut unit = "";
    for next in ["KiB", "MiB", "GiB", "TiB", "PiB"] {
        if scaled < 1_024 {
            break;
        }
        tenths = scaled % 1_024 * 10 / 1_024;
        scaled /= 1_024;
        unit = next;
    }
    format!("{scaled}.{tenths} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_in_two_units() {
        for (seconds, said) in [
            (-5, "0s"),
            (0, "0s"),
            (59, "59s"),
            (60, "1m"),
            (61, "1m 1s"),
            (3_780, "1h 3m"),
            (7_200, "2h"),
            (187_200, "2d 4h"),
            (i64::MAX, "106751991167300d 15h"),
        ] {
            assert_eq!(duration(seconds), said);
        }
        assert_eq!(mean(89.6), "1m 30s");
        assert_eq!(mean(f64::NAN), "0s");
    }

    #[test]
    fn the_past_is_said_in_one_unit_and_the_future_is_now() {
        let now = Timestamp::from_micros(1_000_000_000_000);
        for (seconds, said) in [
            (0, "now"),
            (-30, "now"),
            (59, "59s ago"),
            (3_599, "59m ago"),
            (86_399, "23h ago"),
            (864_000, "10d ago"),
        ] {
            let at = Timestamp::from_micros(now.as_micros() - seconds * 1_000_000);
            assert_eq!(relative(at, now), said);
        }
        for (seconds, said) in [(86_400 * 90, "in 90d"), (90, "in 1m"), (-90, "1m ago")] {
            let at = Timestamp::from_micros(now.as_micros() + seconds * 1_000_000);
            assert_eq!(due(at, now), said);
        }
    }

    #[test]
    fn bytes_and_milliseconds_have_units() {
        assert_eq!(bytes(0), "0 B");
        assert_eq!(bytes(1_023), "1023 B");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(bytes(5 * 1_024 * 1_024), "5.0 MiB");
        assert_eq!(bytes(i64::MAX), "8191.9 PiB");
        assert_eq!(millis(12), "12 ms");
        assert_eq!(millis(1_250), "1.2 s");
        assert_eq!(millis(61_000), "1m 1s");
    }
}
