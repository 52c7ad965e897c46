//! What no sums are kept of: how durations spread, when in the day, and which names and texts occur. Read row by row, so asked
//! for a stretch of time that is not long.

use super::operations::within;
use super::window::{Statement, Value, fetch_all};
use crate::model::{HANDSHAKE_METHODS, Timestamp};
use crate::store::connection::Store;
use crate::store::dialect;
use crate::store::error::StoreError;
use crate::store::rows::{DurationCount, HourSums, TextCount};

impl Store {
    /// How many operations took how long, the handshake left out, of those that started from `from` on and before `before`.
    /// Milliseconds; from 1,000 on to three digits, the others zeros.
    pub(crate) async fn durations(
        &self,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<DurationCount>, StoreError> {
        let mut statement = Statement::new(
            "SELECT CAST(CASE WHEN r.duration_ms < 1000 THEN r.duration_ms \
             WHEN r.duration_ms < 10000 THEN r.duration_ms / 10 * 10 \
             WHEN r.duration_ms < 100000 THEN r.duration_ms / 100 * 100 \
             WHEN r.duration_ms < 1000000 THEN r.duration_ms / 1000 * 1000 \
             ELSE r.duration_ms / 10000 * 10000 END AS BIGINT) AS ms, count(*) AS operations FROM archon_mcp_requests AS r",
        );
        within(&mut statement, "r.timestamp", Some(from), Some(before));
        statement.condition("r.duration_ms IS NOT NULL");
        no_handshake(&mut statement);
        statement.push(" GROUP BY 1");
        fetch_all!(self, statement, "count durations")
    }

    /// Operations by the hour they started in, the handshake left out.
    pub(crate) async fn hours(
        &self,
        from: Timestamp,
        before: Timestamp,
    ) -> Result<Vec<HourSums>, StoreError> {
        let hour = dialect::hour_of(self.is_embedded(), "r.timestamp");
        let mut statement = Statement::new(&format!(
            "SELECT {hour} AS hour, count(*) AS requests, count(r.duration_ms) AS timed_requests, \
             CAST(coalesce(sum(r.duration_ms), 0) AS BIGINT) AS duration_ms_sum FROM archon_mcp_requests AS r"
        ));
        within(&mut statement, "r.timestamp", Some(from), Some(before));
        no_handshake(&mut statement);
        statement.push(" GROUP BY 1");
        fetch_all!(self, statement, "count operations by hour")
    }

    /// Which tools and error messages occur in which hour, with which status, `most` rows at the most.
    pub(crate) async fn texts(
        &self,
        from: Timestamp,
        before: Timestamp,
        most: u32,
    ) -> Result<Vec<TextCount>, StoreError> {
        let hour = dialect::hour_of(self.is_embedded(), "r.timestamp");
        let mut statement = Statement::new(&format!(
            "SELECT {hour} AS hour, r.status, r.tool_name, r.error_message, count(*) AS operations \
             FROM archon_mcp_requests AS r"
        ));
        within(&mut statement, "r.timestamp", Some(from), Some(before));
        statement
            .push(" GROUP BY 1, 2, 3, 4 LIMIT ")
            .value(Value::Number(i64::from(most)));
        fetch_all!(self, statement, "count tools and error messages")
    }
}

fn no_handshake(statement: &mut Statement) {
    for method in HANDSHAKE_METHODS {
        statement.condition(&format!("r.method <> '{method}'"));
    }
}
