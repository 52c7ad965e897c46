//! Users: sessions and usage summed up by user id.

use super::window::{Statement, Value, fetch_all};
use crate::model::Period;
use crate::store::connection::Store;
use crate::store::dialect;
use crate::store::error::StoreError;
use crate::store::rows::UserStats;

impl Store {
    /// Sessions and usage by user, latest activity first: sessions that were open at some time in `period`, or all. The
    /// sums are those of whole sessions. E-mail address and name are those of the newest session that has one, in the period or
    /// not.
    pub(crate) async fn users(&self, period: Option<Period>) -> Result<Vec<UserStats>, StoreError> {
        let mut statement = Statement::default();
        match period {
            // Kept sums have no sessions without a user.
            None if !self.is_embedded() => {
                statement.push(dialect::USERS).push(" UNION ALL ");
                grouped(&mut statement, |sessions| {
                    sessions.condition("user_id IS NULL");
                });
            }
            None => grouped(&mut statement, |_| {}),
            Some(period) => grouped(&mut statement, |sessions| {
                sessions
                    .condition_with("connected_at <= ", Value::Instant(period.end), "")
                    .condition_with("last_activity >= ", Value::Instant(period.start), "");
            }),
        }
        statement.push(" ORDER BY last_activity_at DESC, user_id NULLS FIRST");
        fetch_all!(self, statement, "sum up sessions by user")
    }
}

/// Sessions by user; `which` says of which sessions.
fn grouped(statement: &mut Statement, which: impl Fn(&mut Statement)) {
    // Few groups first: what costs is done once for each session, the rest once for each group.
    statement.push(
        "SELECT u.user_id, \
         (SELECT e.user_email FROM archon_mcp_sessions e \
            WHERE e.user_id = u.user_id AND e.user_email IS NOT NULL \
            ORDER BY e.connected_at DESC, e.session_id DESC LIMIT 1) AS user_email, \
         (SELECT n.user_name FROM archon_mcp_sessions n \
            WHERE n.user_id = u.user_id AND n.user_name IS NOT NULL \
            ORDER BY n.connected_at DESC, n.session_id DESC LIMIT 1) AS user_name, \
         u.total_sessions, u.total_sessions - u.disconnected_sessions AS active_sessions, u.disconnected_sessions, \
         u.duration / nullif(u.timed, 0) AS avg_session_duration_seconds, u.max_session_duration_seconds, \
         u.first_session_at, u.last_activity_at, u.total_requests, u.total_tokens, u.total_cost \
         FROM (SELECT user_id, CAST(sum(n) AS BIGINT) AS total_sessions, \
            CAST(coalesce(sum(n) FILTER (WHERE status = 'disconnected'), 0) AS BIGINT) AS disconnected_sessions, \
            CAST(sum(duration) FILTER (WHERE status = 'disconnected') AS DOUBLE PRECISION) AS duration, \
            CAST(sum(timed) FILTER (WHERE status = 'disconnected') AS DOUBLE PRECISION) AS timed, \
            CAST(max(longest) FILTER (WHERE status = 'disconnected') AS BIGINT) AS max_session_duration_seconds, \
            min(first_at) AS first_session_at, max(last_at) AS last_activity_at, \
            CAST(sum(requests) AS BIGINT) AS total_requests, CAST(sum(tokens) AS BIGINT) AS total_tokens, \
            sum(cost) AS total_cost \
            FROM (SELECT user_id, status, count(*) AS n, count(total_duration) AS timed, \
               sum(total_duration) AS duration, max(total_duration) AS longest, min(connected_at) AS first_at, \
               max(last_activity) AS last_at, sum(total_requests) AS requests, \
               sum(total_prompt_tokens + total_completion_tokens) AS tokens, sum(total_cost) AS cost \
               FROM archon_mcp_sessions",
    );
    which(statement);
    statement.push(" GROUP BY user_id, status) AS g GROUP BY user_id) AS u");
}
