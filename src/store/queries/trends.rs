//! Kept sums over time: by day, by hour where a period has no whole day, and by tool.
//!
//! As in `usage`: whole days and hours come from the sums that are kept of them, what is left is read row by row.

use super::usage::{DAY, HOUR, Parts};
use super::window::{Statement, Value, fetch_all};
use crate::model::{HANDSHAKE_METHODS, Period, Timestamp};
use crate::store::connection::Store;
use crate::store::dialect;
use crate::store::error::StoreError;
use crate::store::rows::{Stretch, ToolTimes, UnitSums};

/// A time of which sums are asked: its whole days, the whole hours around them, and the rest at both ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    /// First and last instant; `None` for all time.
    ends: Option<(Timestamp, Timestamp)>,
    /// Where whole hours begin and end; for all time there is no end.
    hours: (i64, i64),
    days: (i64, i64),
}

impl Span {
    fn of(stretch: Stretch) -> Self {
        match stretch {
            Stretch::Period(period) => Self::in_period(period),
            Stretch::AllTime { now } => Self {
                ends: None,
                hours: (i64::MIN, i64::MAX),
                days: (
                    i64::MIN,
                    now.as_micros().div_euclid(DAY).saturating_mul(DAY),
                ),
            },
        }
    }

    fn in_period(period: Period) -> Self {
        let parts = Parts::of(period);
        Self {
            ends: Some((period.start, period.end)),
            hours: parts.hours,
            days: parts.days,
        }
    }
}

/// What one part of the sums is asked for, in the columns of each of its sources.
struct Columns {
    daily: String,
    hourly: String,
    pending: String,
    rows: String,
    /// Conditions on columns that all sources have.
    conditions: Vec<String>,
}

impl Store {
    /// Operations of `stretch` summed up by status and apart from the handshake: by day in its whole days, by hour
    /// around them. For all time the hours are those of `now`'s day and later.
    pub(crate) async fn sums_over_time(
        &self,
        stretch: Stretch,
    ) -> Result<Vec<UnitSums>, StoreError> {
        let embedded = self.is_embedded();
        let span = Span::of(stretch);
        let names = HANDSHAKE_METHODS.map(|method| format!("'{method}'"));
        let columns = |unit: &str, table: &str, counts: &str| {
            format!(
                "{unit} AS began, CASE WHEN {table}method IN ({}) THEN 1 ELSE 0 END AS handshake, \
                 {table}status AS status, {counts}",
                names.join(", ")
            )
        };
        let kept =
            "requests, timed_requests, duration_ms_sum, prompt_tokens, completion_tokens, cost";
        let (first, last) = (
            instant(embedded, span.days.0),
            instant(embedded, span.days.1),
        );
        let unit_of = |hour: &str, hour_cut: String| {
            format!(
                "CASE WHEN {hour} >= {first} AND {hour} < {last} THEN {} ELSE {hour_cut} END",
                dialect::day_of(embedded, hour)
            )
        };
        let columns = Columns {
            daily: columns("day", "", kept),
            hourly: columns("hour", "", kept),
            pending: columns(&unit_of("hour", "hour".to_owned()), "", kept),
            rows: columns(
                &unit_of("r.timestamp", dialect::hour_of(embedded, "r.timestamp")),
                "r.",
                "1 AS requests, CASE WHEN r.duration_ms IS NULL THEN 0 ELSE 1 END AS timed_requests, \
                 CAST(coalesce(r.duration_ms, 0) AS BIGINT) AS duration_ms_sum, \
                 CAST(coalesce(r.prompt_tokens, 0) AS BIGINT) AS prompt_tokens, \
                 CAST(coalesce(r.completion_tokens, 0) AS BIGINT) AS completion_tokens, \
                 coalesce(nullif(r.estimated_cost, 'NaN'), 0) AS cost",
            ),
            conditions: Vec::new(),
        };
        let mut statement = Statement::new(
            "SELECT began, CAST(handshake AS BIGINT) AS handshake, status, CAST(sum(requests) AS BIGINT) AS requests, \
             CAST(sum(timed_requests) AS BIGINT) AS timed_requests, \
             CAST(sum(duration_ms_sum) AS BIGINT) AS duration_ms_sum, \
             CAST(sum(prompt_tokens) AS BIGINT) AS prompt_tokens, \
             CAST(sum(completion_tokens) AS BIGINT) AS completion_tokens, sum(cost) AS cost FROM (",
        );
        union(&mut statement, embedded, span, &columns);
        statement.push(
            ") AS u GROUP BY began, handshake, status HAVING sum(requests) <> 0 ORDER BY began, handshake, status",
        );
        fetch_all!(self, statement, "sum up operations over time")
    }

    /// How long operations of `period` took, by tool name, else method; the handshake and those of unknown duration are
    /// left out. Most operations first, then by name.
    pub(crate) async fn times_by_tool(&self, period: Period) -> Result<Vec<ToolTimes>, StoreError> {
        let embedded = self.is_embedded();
        let kept =
            "method, tool_name, timed_requests, duration_ms_sum, duration_ms_min, duration_ms_max";
        let columns = Columns {
            daily: kept.to_owned(),
            hourly: kept.to_owned(),
            pending: kept.to_owned(),
            rows: "substr(r.method, 1, 100) AS method, coalesce(substr(r.tool_name, 1, 100), '') AS tool_name, \
                   CASE WHEN r.duration_ms IS NULL THEN 0 ELSE 1 END AS timed_requests, \
                   CAST(coalesce(r.duration_ms, 0) AS BIGINT) AS duration_ms_sum, \
                   CAST(r.duration_ms AS BIGINT) AS duration_ms_min, CAST(r.duration_ms AS BIGINT) AS duration_ms_max"
                .to_owned(),
            conditions: HANDSHAKE_METHODS
                .iter()
                .map(|method| format!("method <> '{method}'"))
                .collect(),
        };
        let mut statement = Statement::new(
            "SELECT coalesce(nullif(u.tool_name, ''), u.method) AS tool, CAST(sum(u.timed_requests) AS BIGINT) AS timed_requests, \
             CAST(sum(u.duration_ms_sum) AS BIGINT) AS duration_ms_sum, CAST(min(u.duration_ms_min) AS BIGINT) AS shortest, \
             CAST(max(u.duration_ms_max) AS BIGINT) AS longest FROM (",
        );
        union(&mut statement, embedded, Span::in_period(period), &columns);
        statement.push(
            ") AS u GROUP BY coalesce(nullif(u.tool_name, ''), u.method) HAVING sum(u.timed_requests) <> 0 \
             ORDER BY timed_requests DESC, tool",
        );
        fetch_all!(self, statement, "sum up durations by tool")
    }
}

/// An instant as SQL has it, for places that take no parameter.
fn instant(embedded: bool, micros: i64) -> String {
    if embedded {
        micros.to_string()
    } else {
        match micros {
            i64::MIN => "CAST('-infinity' AS timestamptz)".to_owned(),
            i64::MAX => "CAST('infinity' AS timestamptz)".to_owned(),
            _ => format!("CAST('{}' AS timestamptz)", Timestamp::from_micros(micros)),
        }
    }
}

/// Every source of the sums of `span`, one after the other.
fn union(statement: &mut Statement, embedded: bool, span: Span, columns: &Columns) {
    let bounded = |statement: &mut Statement, column: &str, (from, before): (i64, i64)| {
        if from != i64::MIN {
            statement.condition_with(
                &format!("{column} >= "),
                Value::Instant(Timestamp::from_micros(from)),
                "",
            );
        }
        if before != i64::MAX {
            statement.condition_with(
                &format!("{column} < "),
                Value::Instant(Timestamp::from_micros(before)),
                "",
            );
        }
    };
    let common = |statement: &mut Statement, table: &str| {
        for condition in &columns.conditions {
            statement.condition(&format!("{table}{condition}"));
        }
    };
    let (hours, days) = (span.hours, span.days);
    let by_hour = dialect::usage_by_hour(embedded);
    statement.another(&format!("SELECT {} FROM archon_usage_daily", columns.daily));
    bounded(statement, "day", days);
    common(statement, "");
    for (from, before) in [(hours.0, days.0.min(hours.1)), (days.1, hours.1)] {
        if from < before {
            statement.another(&format!(
                " UNION ALL SELECT {} FROM {by_hour}",
                columns.hourly
            ));
            bounded(statement, "hour", (from, before));
            common(statement, "");
        }
    }
    statement.another(&format!(
        " UNION ALL SELECT {} FROM archon_usage_pending",
        columns.pending
    ));
    bounded(statement, "hour", hours);
    common(statement, "");
    // Sessions that somebody is about to count have no part in any sum. The embedded store has none.
    if !embedded {
        statement
            .another(&format!(
                " UNION ALL SELECT {} FROM archon_mcp_sessions AS s \
                 JOIN archon_mcp_requests AS r ON r.session_id = s.session_id",
                columns.rows
            ))
            .condition("NOT s.counted");
        bounded(statement, "r.timestamp", hours);
        common(statement, "r.");
    }
    if let Some((start, end)) = span.ends {
        statement
            .another(&format!(
                " UNION ALL SELECT {} FROM archon_mcp_requests AS r",
                columns.rows
            ))
            .condition_with("r.timestamp >= ", Value::Instant(start), "");
        bounded(statement, "r.timestamp", (i64::MIN, hours.0));
        common(statement, "r.");
        statement.another(&format!(
            " UNION ALL SELECT {} FROM archon_mcp_requests AS r",
            columns.rows
        ));
        bounded(statement, "r.timestamp", (hours.1, i64::MAX));
        statement.condition_with("r.timestamp <= ", Value::Instant(end), "");
        common(statement, "r.");
    }
}

/// Where the whole hours and whole days of a period lie, as `(first, end)` in microseconds; both empty where there are
/// none.
pub(crate) fn whole_units(period: Period) -> ((i64, i64), (i64, i64)) {
    let parts = Parts::of(period);
    (parts.hours, parts.days)
}

/// An hour and a day, in microseconds.
pub(crate) const UNITS: (i64, i64) = (HOUR, DAY);
