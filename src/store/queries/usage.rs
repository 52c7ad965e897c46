//! Usage: successful operations of a period, by tool. The handshake is none of them.
//!
//! Whole days and whole hours of a period come from the sums that are kept of them; what is left at its ends is read row
//! by row, so that the answer is exact.

use super::window::{Statement, Value, fetch_all};
use crate::model::{HANDSHAKE_METHODS, Period, Timestamp};
use crate::store::connection::Store;
use crate::store::dialect;
use crate::store::error::StoreError;
use crate::store::rows::ToolSums;

pub(super) const HOUR: i64 = 3_600_000_000;
pub(super) const DAY: i64 = 24 * HOUR;

/// What a row of operations counts.
const OF_ROWS: &str = "substr(r.method, 1, 100) AS method, coalesce(substr(r.tool_name, 1, 100), '') AS tool_name, \
    1 AS requests, CAST(coalesce(r.prompt_tokens, 0) AS BIGINT) AS prompt_tokens, \
    CAST(coalesce(r.completion_tokens, 0) AS BIGINT) AS completion_tokens, coalesce(nullif(r.estimated_cost, 'NaN'), 0) AS cost";

/// What a kept sum counts.
const OF_SUMS: &str = "method, tool_name, requests, prompt_tokens, completion_tokens, cost";

/// The parts of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parts {
    /// Where its whole hours begin, and where they end; the same for a period without any.
    pub(super) hours: (i64, i64),
    /// Where its whole days begin, and where they end; the same for a period without any.
    pub(super) days: (i64, i64),
}

impl Parts {
    pub(super) fn of(period: Period) -> Self {
        let whole = |(start, end): (i64, i64), unit: i64| {
            let first = start.div_euclid(unit).saturating_mul(unit);
            let first = if first < start {
                first.saturating_add(unit)
            } else {
                first
            };
            let last = end.div_euclid(unit).saturating_mul(unit);
            if first < last {
                (first, last)
            } else {
                (end, end)
            }
        };
        let hours = whole((period.start.as_micros(), period.end.as_micros()), HOUR);
        Self {
            hours,
            days: whole(hours, DAY),
        }
    }
}

impl Store {
    /// Successful operations that started in `period` by tool name, else method; most operations first, then by name.
    /// Names are cut to 100 characters.
    pub(crate) async fn usage_by_tool(&self, period: Period) -> Result<Vec<ToolSums>, StoreError> {
        let parts = Parts::of(period);
        let at = |micros| Value::Instant(Timestamp::from_micros(micros));
        let (hours, days) = (parts.hours, parts.days);
        let by_hour = dialect::usage_by_hour(self.is_embedded());
        let mut statement = Statement::new(
            "SELECT coalesce(nullif(u.tool_name, ''), u.method) AS name, CAST(sum(u.requests) AS BIGINT) AS requests, \
             CAST(sum(u.prompt_tokens) AS BIGINT) AS prompt_tokens, \
             CAST(sum(u.completion_tokens) AS BIGINT) AS completion_tokens, sum(u.cost) AS cost FROM (",
        );
        statement
            .push(&format!("SELECT {OF_SUMS} FROM archon_usage_daily"))
            .condition_with("day >= ", at(days.0), "")
            .condition_with("day < ", at(days.1), "");
        successful(&mut statement, "");
        for (start, end) in [(hours.0, days.0.min(hours.1)), (days.1, hours.1)] {
            statement
                .another(&format!(" UNION ALL SELECT {OF_SUMS} FROM {by_hour}"))
                .condition_with("hour >= ", at(start), "")
                .condition_with("hour < ", at(end), "");
            successful(&mut statement, "");
        }
        statement
            .another(&format!(
                " UNION ALL SELECT {OF_SUMS} FROM archon_usage_pending"
            ))
            .condition_with("hour >= ", at(hours.0), "")
            .condition_with("hour < ", at(hours.1), "");
        successful(&mut statement, "");
        statement
            .another(&format!(
                " UNION ALL SELECT {OF_ROWS} FROM archon_mcp_requests AS r"
            ))
            .condition_with("r.timestamp >= ", Value::Instant(period.start), "")
            .condition_with("r.timestamp < ", at(hours.0), "");
        successful(&mut statement, "r.");
        statement
            .another(&format!(
                " UNION ALL SELECT {OF_ROWS} FROM archon_mcp_requests AS r"
            ))
            .condition_with("r.timestamp >= ", at(hours.1), "")
            .condition_with("r.timestamp <= ", Value::Instant(period.end), "");
        successful(&mut statement, "r.");
        // Sessions that somebody is about to count have no part in any sum. The embedded store has none.
        if !self.is_embedded() {
            statement
                .another(&format!(
                    " UNION ALL SELECT {OF_ROWS} FROM archon_mcp_sessions AS s \
                     JOIN archon_mcp_requests AS r ON r.session_id = s.session_id"
                ))
                .condition("NOT s.counted")
                .condition_with("r.timestamp >= ", at(hours.0), "")
                .condition_with("r.timestamp < ", at(hours.1), "");
            successful(&mut statement, "r.");
        }
        statement.push(
            ") AS u GROUP BY coalesce(nullif(u.tool_name, ''), u.method) HAVING sum(u.requests) <> 0 \
             ORDER BY requests DESC, name",
        );
        fetch_all!(self, statement, "sum up usage by tool")
    }

    /// How many sessions have a successful operation that started in `period`: those whose first or last one lies in it. Only
    /// of sessions that reach over both its ends, or are being counted, the rows are asked.
    pub(crate) async fn sessions_with_usage(&self, period: Period) -> Result<i64, StoreError> {
        let (start, end) = (Value::Instant(period.start), Value::Instant(period.end));
        let mut statement = Statement::new("SELECT count(*) FROM (");
        // Of sessions that are over, an index has all that is asked.
        for (union, state) in [("", "="), (" UNION ALL ", "<>")] {
            statement
                .another(&format!(
                    "{union}SELECT session_id, first_success_at, last_success_at FROM archon_mcp_sessions"
                ))
                .condition(&format!("status {state} 'disconnected'"))
                .condition("counted")
                .condition_with("last_success_at >= ", start.clone(), "")
                .condition_with("first_success_at <= ", end.clone(), "");
        }
        if !self.is_embedded() {
            // There, all are counted always, and no index would say so.
            statement.push(
                " UNION ALL SELECT session_id, NULL, NULL FROM archon_mcp_sessions WHERE NOT counted",
            );
        }
        statement
            .push(") AS s WHERE s.first_success_at >= ")
            .value(start.clone())
            .push(" OR s.last_success_at <= ")
            .value(end.clone())
            .push(" OR EXISTS (SELECT 1 FROM archon_mcp_requests AS r")
            .another("")
            .condition("r.session_id = s.session_id")
            .condition_with("r.timestamp >= ", start, "")
            .condition_with("r.timestamp <= ", end, "");
        successful(&mut statement, "r.");
        statement.push(")");
        let rows: Vec<(i64,)> = fetch_all!(self, statement, "count sessions with usage")?;
        Ok(rows.first().map_or(0, |(n,)| *n))
    }
}

/// Successful ones, the handshake left out.
fn successful(statement: &mut Statement, table: &str) {
    statement.condition(&format!("{table}status = 'success'"));
    for method in HANDSHAKE_METHODS {
        statement.condition(&format!("{table}method <> '{method}'"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(start: i64, end: i64) -> Parts {
        let at = Timestamp::from_micros;
        Parts::of(Period::between(at(start), at(end)).expect("a period"))
    }

    #[test]
    fn a_period_falls_into_days_hours_and_the_rest() {
        let minute = HOUR / 60;
        let within_an_hour = parts(minute, 2 * minute);
        assert_eq!(within_an_hour.hours, (2 * minute, 2 * minute));
        let over_the_hour = parts(minute, HOUR + minute);
        assert_eq!(
            over_the_hour.hours,
            (HOUR + minute, HOUR + minute),
            "no whole one"
        );
        let two = parts(minute, 3 * HOUR);
        assert_eq!(
            (two.hours, two.days),
            ((HOUR, 3 * HOUR), (3 * HOUR, 3 * HOUR))
        );
        let days = parts(-DAY - 2 * HOUR - 1, 2 * DAY + minute);
        assert_eq!(
            (days.hours, days.days),
            ((-DAY - 2 * HOUR, 2 * DAY), (-DAY, 2 * DAY))
        );
    }
}
