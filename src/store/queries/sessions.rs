//! Sessions: lists, one with its operations, how they ended, by client type.

use super::window::{Statement, Value, fetch_all};
use crate::model::{Period, SessionId, SessionStatus};
use crate::store::connection::Store;
use crate::store::error::StoreError;
use crate::store::rows::{
    ClientSums, OperationRow, Page, ReasonSums, SessionFilter, SessionRow, SessionWithSums,
};

/// The columns of [`SessionRow`].
const COLUMNS: &str = "session_id, client_type, client_version, connected_at, last_activity, status, disconnected_at, \
    CAST(total_duration AS BIGINT) AS total_duration, disconnect_reason, user_id, user_email, user_name, \
    client_capabilities, coalesce(metadata, '{}') AS metadata, client_name, era, \
    derivation, server, protocol_version, user_agent, detected_at, resumed_from, total_requests, failed_requests, \
    notifications, bytes_in, bytes_out";

impl Store {
    /// Sessions that match `filter`, newest activity first, and how many match in all.
    pub(crate) async fn sessions(
        &self,
        filter: &SessionFilter,
    ) -> Result<(Vec<SessionRow>, i64), StoreError> {
        let mut count = Statement::new("SELECT count(*) FROM archon_mcp_sessions");
        filter_sessions(&mut count, filter);
        let mut list = Statement::new(&format!("SELECT {COLUMNS} FROM archon_mcp_sessions"));
        filter_sessions(&mut list, filter);
        list.push(" ORDER BY last_activity DESC, session_id DESC")
            .page(filter.page);
        let total: Vec<(i64,)> = fetch_all!(self, count, "count sessions")?;
        let rows = fetch_all!(self, list, "list sessions")?;
        Ok((rows, total.first().map_or(0, |(n,)| *n)))
    }

    /// One session with its sums.
    pub(crate) async fn session(
        &self,
        id: SessionId,
    ) -> Result<Option<SessionWithSums>, StoreError> {
        let mut statement = Statement::new(&format!(
            "SELECT {COLUMNS}, total_prompt_tokens, total_completion_tokens, total_cost, \
             (SELECT count(*) FROM archon_mcp_requests r WHERE r.session_id = s.session_id) AS stored_requests \
             FROM archon_mcp_sessions s"
        ));
        statement.condition_with("session_id = ", Value::Session(id), "");
        let rows: Vec<SessionWithSums> = fetch_all!(self, statement, "read a session")?;
        Ok(rows.into_iter().next())
    }

    /// Operations of a session, newest first.
    pub(crate) async fn operations_of(
        &self,
        id: SessionId,
        page: Page,
    ) -> Result<Vec<OperationRow>, StoreError> {
        let mut statement = Statement::new(
            "SELECT request_id, session_id, method, tool_name, CAST(prompt_tokens AS BIGINT) AS prompt_tokens, \
             CAST(completion_tokens AS BIGINT) AS completion_tokens, \
             CAST(coalesce(prompt_tokens, 0) AS BIGINT) + coalesce(completion_tokens, 0) AS total_tokens, \
             coalesce(nullif(estimated_cost, 'NaN'), 0) AS estimated_cost, timestamp, \
             CAST(duration_ms AS BIGINT) AS duration_ms, status, error_message, prompt_name, \
             resource_uri, sent_by, bytes_in, bytes_out, protocol_version, trace_id FROM archon_mcp_requests",
        );
        statement
            .condition_with("session_id = ", Value::Session(id), "")
            .push(" ORDER BY timestamp DESC, request_id DESC")
            .page(page);
        fetch_all!(self, statement, "list a session's operations")
    }

    /// Sessions that ended in `period`, newest end first.
    pub(crate) async fn ended_sessions(
        &self,
        period: Period,
        page: Page,
    ) -> Result<Vec<SessionRow>, StoreError> {
        let mut statement = Statement::new(&format!("SELECT {COLUMNS} FROM archon_mcp_sessions"));
        ended_in(&mut statement, period);
        statement
            .push(" ORDER BY disconnected_at DESC, session_id DESC")
            .page(page);
        fetch_all!(self, statement, "list ended sessions")
    }

    /// How the sessions that ended in `period` ended, by reason.
    pub(crate) async fn ended_by_reason(
        &self,
        period: Period,
    ) -> Result<Vec<ReasonSums>, StoreError> {
        let mut statement = Statement::new(
            "SELECT coalesce(disconnect_reason, 'unknown') AS reason, count(*) AS sessions, \
             count(total_duration) AS timed_sessions, CAST(coalesce(sum(total_duration), 0) AS BIGINT) AS duration_sum, \
             CAST(max(total_duration) AS BIGINT) AS longest, CAST(min(total_duration) AS BIGINT) AS shortest FROM archon_mcp_sessions",
        );
        ended_in(&mut statement, period);
        statement.push(" GROUP BY coalesce(disconnect_reason, 'unknown')");
        fetch_all!(self, statement, "sum up ended sessions")
    }

    /// Sessions by client type, most sessions first; those that connected in `period`, or all.
    pub(crate) async fn sessions_by_client(
        &self,
        period: Option<Period>,
    ) -> Result<Vec<ClientSums>, StoreError> {
        let mut statement = Statement::new(
            "SELECT client_type, count(*) AS sessions, \
             count(*) FILTER (WHERE status = 'active') AS active, \
             count(*) FILTER (WHERE status = 'idle') AS idle, \
             count(*) FILTER (WHERE status = 'disconnected') AS disconnected, \
             count(*) FILTER (WHERE status = 'disconnected' \
                AND disconnect_reason IN ('timeout', 'timeout_no_activity')) AS timeouts, \
             count(*) FILTER (WHERE status = 'disconnected' AND disconnect_reason = 'client_disconnect') \
                AS client_disconnects, \
             count(*) FILTER (WHERE status = 'disconnected' AND disconnect_reason = 'server_shutdown') \
                AS server_shutdowns, \
             count(*) FILTER (WHERE status = 'disconnected' \
                AND (disconnect_reason = 'error' OR substr(disconnect_reason, 1, 6) = 'error:')) AS errors, \
             count(total_duration) FILTER (WHERE status = 'disconnected') AS timed_sessions, \
             CAST(coalesce(sum(total_duration) FILTER (WHERE status = 'disconnected'), 0) AS BIGINT) AS duration_sum, \
             CAST(max(total_duration) FILTER (WHERE status = 'disconnected') AS BIGINT) AS longest, \
             CAST(sum(total_requests) AS BIGINT) AS requests, CAST(sum(failed_requests) AS BIGINT) AS failed \
             FROM archon_mcp_sessions",
        );
        if let Some(period) = period {
            statement
                .condition_with("connected_at >= ", Value::Instant(period.start), "")
                .condition_with("connected_at <= ", Value::Instant(period.end), "");
        }
        statement.push(" GROUP BY client_type ORDER BY count(*) DESC, client_type");
        fetch_all!(self, statement, "sum up sessions by client")
    }
}

fn ended_in(statement: &mut Statement, period: Period) {
    statement
        .condition("status = 'disconnected'")
        .condition_with("disconnected_at >= ", Value::Instant(period.start), "")
        .condition_with("disconnected_at <= ", Value::Instant(period.end), "");
}

fn filter_sessions(statement: &mut Statement, filter: &SessionFilter) {
    let wanted = |status| filter.statuses.is_empty() || filter.statuses.contains(&status);
    // In the words of the partial indexes: the planner compares texts.
    match (
        wanted(SessionStatus::Active),
        wanted(SessionStatus::Idle),
        wanted(SessionStatus::Disconnected),
    ) {
        (true, true, true) => {}
        (true, true, false) => {
            statement.condition("status <> 'disconnected'");
        }
        (false, false, _) => {
            statement.condition("status = 'disconnected'");
        }
        (active, _, false) => {
            let word = if active { "active" } else { "idle" };
            statement
                .condition("status <> 'disconnected'")
                .condition_with("status = ", Value::Text(word.to_owned()), "");
        }
        (active, _, true) => {
            let word = if active { "idle" } else { "active" };
            statement.condition_with("status <> ", Value::Text(word.to_owned()), "");
        }
    }
    if let Some(period) = filter.period {
        statement
            .condition_with("last_activity >= ", Value::Instant(period.start), "")
            .condition_with("last_activity <= ", Value::Instant(period.end), "");
    }
    if let Some(client_type) = &filter.client_type {
        statement.condition_with(
            "lower(client_type) = lower(",
            Value::Text(client_type.clone()),
            ")",
        );
    }
    if let Some(server) = &filter.server {
        statement.condition_with("server = ", Value::Text(server.clone()), "");
    }
    if let Some(user_agent) = &filter.user_agent {
        statement.condition_with("user_agent = ", Value::Text(user_agent.clone()), "");
    }
    if filter.with_calls {
        statement.condition("total_requests > 0");
    }
}
