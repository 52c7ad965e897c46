//! Instants cut to whole hours and days (UTC).

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// The hour that `column` lies in, by its first instant.
pub(in crate::store) fn hour_of(embedded: bool, column: &str) -> String {
    cut(embedded, column, HOUR, "hour")
}

/// The day that `column` lies in, by its first instant.
pub(in crate::store) fn day_of(embedded: bool, column: &str) -> String {
    cut(embedded, column, DAY, "day")
}

fn cut(embedded: bool, column: &str, micros: i64, unit: &str) -> String {
    if embedded {
        // The remainder of an instant before 1970 is negative.
        format!("{column} - ({column} % {micros} + {micros}) % {micros}")
    } else {
        format!("date_trunc('{unit}', {column}, 'UTC')")
    }
}
