//! How sessions are right now: how many there are of each status, how old the open ones are, what the last day brought.

use super::window::{Statement, Value, fetch_all};
use crate::model::Timestamp;
use crate::store::connection::Store;
use crate::store::dialect;
use crate::store::error::StoreError;
use crate::store::rows::{ConnectedSums, OpenAges};

impl Store {
    /// Open sessions by status, and by whether their last activity is after `fresh`, not before `aging`, or older.
    pub(crate) async fn open_ages(
        &self,
        fresh: Timestamp,
        aging: Timestamp,
    ) -> Result<OpenAges, StoreError> {
        let mut statement = Statement::new(
            "SELECT count(*) FILTER (WHERE status = 'active') AS active, count(*) FILTER (WHERE status = 'idle') AS idle, \
             count(*) FILTER (WHERE last_activity > ",
        );
        statement
            .value(Value::Instant(fresh))
            .push(") AS healthy, count(*) FILTER (WHERE last_activity < ")
            .value(Value::Instant(aging))
            .push(") AS stale FROM archon_mcp_sessions")
            .condition("status <> 'disconnected'");
        let rows: Vec<OpenAges> = fetch_all!(self, statement, "count open sessions")?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }

    /// How many sessions are over.
    pub(crate) async fn count_ended(&self) -> Result<i64, StoreError> {
        let statement = Statement::new(if self.is_embedded() {
            "SELECT count(*) FROM archon_mcp_sessions WHERE status = 'disconnected'"
        } else {
            dialect::ENDED
        });
        let rows: Vec<(i64,)> = fetch_all!(self, statement, "count ended sessions")?;
        Ok(rows.first().map_or(0, |(n,)| *n))
    }

    /// Sessions that connected from `since` on.
    pub(crate) async fn connected_since(
        &self,
        since: Timestamp,
    ) -> Result<ConnectedSums, StoreError> {
        let mut statement = Statement::new(
            "SELECT CAST(coalesce(sum(sessions), 0) AS BIGINT) AS sessions, CAST(coalesce(sum(ended), 0) AS BIGINT) AS ended, \
             CAST(coalesce(sum(timed), 0) AS BIGINT) AS timed_sessions, \
             CAST(coalesce(sum(duration), 0) AS BIGINT) AS duration_sum FROM (",
        );
        for (union, state) in [("", "="), (" UNION ALL ", "<>")] {
            let over = i32::from(state == "=");
            statement
                .another(&format!(
                    "{union}SELECT count(*) AS sessions, count(*) * {over} AS ended, \
                     count(total_duration) * {over} AS timed, sum(total_duration) * {over} AS duration \
                     FROM archon_mcp_sessions"
                ))
                .condition(&format!("status {state} 'disconnected'"))
                .condition_with("connected_at >= ", Value::Instant(since), "");
            // The embedded store's index is by activity, which there never comes before the connection.
            if self.is_embedded() {
                statement.condition_with("last_activity >= ", Value::Instant(since), "");
            }
        }
        statement.push(") AS h");
        let rows: Vec<ConnectedSums> =
            fetch_all!(self, statement, "count the last day's sessions")?;
        Ok(rows.into_iter().next().unwrap_or_default())
    }
}
