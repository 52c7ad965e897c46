//! Users: sessions and usage summed up by user id.

use super::window::{Statement, Value, fetch_all};
use crate::model::Period;
use crate::store::connection::Store;
use crate::store::error::StoreError;
use crate::store::rows::UserStats;

impl Store {
    /// Sessions and usage by user, latest activity first: sessions that were open at some time in `period`, or all. The
    /// sums are those of whole sessions. E-mail address and name are the latest the user had, in the period or not.
    pub(crate) async fn users(&self, period: Option<Period>) -> Result<Vec<UserStats>, StoreError> {
        let mut statement = Statement::new(
            "SELECT u.user_id, \
             (SELECT e.user_email FROM archon_mcp_sessions e \
                WHERE e.user_id = u.user_id AND e.user_email IS NOT NULL \
                ORDER BY e.last_activity DESC, e.session_id DESC LIMIT 1) AS user_email, \
             (SELECT n.user_name FROM archon_mcp_sessions n \
                WHERE n.user_id = u.user_id AND n.user_name IS NOT NULL \
                ORDER BY n.last_activity DESC, n.session_id DESC LIMIT 1) AS user_name, \
             u.total_sessions, u.active_sessions, u.disconnected_sessions, u.avg_session_duration_seconds, \
             u.max_session_duration_seconds, u.first_session_at, u.last_activity_at, u.total_requests, u.total_tokens, \
             u.total_cost \
             FROM (SELECT user_id, count(*) AS total_sessions, \
                count(*) FILTER (WHERE status <> 'disconnected') AS active_sessions, \
                count(*) FILTER (WHERE status = 'disconnected') AS disconnected_sessions, \
                CAST(avg(total_duration) FILTER (WHERE status = 'disconnected') AS DOUBLE PRECISION) \
                    AS avg_session_duration_seconds, \
                CAST(max(total_duration) FILTER (WHERE status = 'disconnected') AS BIGINT) \
                    AS max_session_duration_seconds, \
                min(connected_at) AS first_session_at, max(last_activity) AS last_activity_at, \
                CAST(sum(total_requests) AS BIGINT) AS total_requests, \
                CAST(sum(total_prompt_tokens + total_completion_tokens) AS BIGINT) AS total_tokens, \
                sum(total_cost) AS total_cost FROM archon_mcp_sessions",
        );
        if let Some(period) = period {
            statement
                .condition_with("connected_at <= ", Value::Instant(period.end), "")
                .condition_with("last_activity >= ", Value::Instant(period.start), "");
        }
        statement.push(" GROUP BY user_id) AS u ORDER BY u.last_activity_at DESC, u.user_id");
        fetch_all!(self, statement, "sum up sessions by user")
    }
}
