//! Sessions: lists, one with its operations, how they ended, by client type.

use super::operations::OPERATION_COLUMNS;
use super::window::{Statement, Value, fetch_all};
use crate::model::{Period, SessionId, SessionStatus};
use crate::store::connection::Store;
use crate::store::dialect;
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
        matching(&mut count, filter, Half::ALL);
        let total: Vec<(i64,)> = fetch_all!(self, count, "count sessions")?;
        let rows = self.list_sessions(filter).await?;
        Ok((rows, total.first().map_or(0, |(n,)| *n)))
    }

    /// Sessions that match `filter`, newest activity first, without counting the others.
    pub(crate) async fn list_sessions(
        &self,
        filter: &SessionFilter,
    ) -> Result<Vec<SessionRow>, StoreError> {
        let mut list = Statement::new(&format!("SELECT {COLUMNS} FROM ("));
        let halves = Half::wanted(&filter.statuses);
        for (place, half) in halves.iter().enumerate() {
            // An index has each half in this order: no list sorts all sessions there ever were. SQLite takes LIMIT in
            // a part of a union only inside another SELECT.
            let union = if place == 0 { "" } else { " UNION ALL " };
            list.another(&format!(
                "{union}SELECT * FROM (SELECT * FROM archon_mcp_sessions"
            ));
            matching(&mut list, filter, &[*half]);
            list.push(" ORDER BY last_activity DESC, session_id DESC LIMIT ")
                .value(Value::Number(window_end(filter.page)))
                .push(&format!(") AS half{place}"));
        }
        list.push(") AS s ORDER BY last_activity DESC, session_id DESC")
            .page(filter.page);
        fetch_all!(self, list, "list sessions")
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
        let mut statement = Statement::new(&format!(
            "SELECT {OPERATION_COLUMNS} FROM archon_mcp_requests AS r"
        ));
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
            "SELECT client_type, CAST(sum(n) AS BIGINT) AS sessions, \
             CAST(coalesce(sum(n) FILTER (WHERE kind = 'active'), 0) AS BIGINT) AS active, \
             CAST(coalesce(sum(n) FILTER (WHERE kind = 'idle'), 0) AS BIGINT) AS idle, \
             CAST(coalesce(sum(n) FILTER (WHERE kind NOT IN ('active', 'idle')), 0) AS BIGINT) AS disconnected, \
             CAST(coalesce(sum(n) FILTER (WHERE kind = 'timeout'), 0) AS BIGINT) AS timeouts, \
             CAST(coalesce(sum(n) FILTER (WHERE kind = 'client'), 0) AS BIGINT) AS client_disconnects, \
             CAST(coalesce(sum(n) FILTER (WHERE kind = 'shutdown'), 0) AS BIGINT) AS server_shutdowns, \
             CAST(coalesce(sum(n) FILTER (WHERE kind = 'error'), 0) AS BIGINT) AS errors, \
             CAST(coalesce(sum(timed), 0) AS BIGINT) AS timed_sessions, \
             CAST(coalesce(sum(duration), 0) AS BIGINT) AS duration_sum, CAST(max(longest) AS BIGINT) AS longest, \
             CAST(sum(requests) AS BIGINT) AS requests, CAST(sum(failed) AS BIGINT) AS failed FROM (",
        );
        match period {
            None if !self.is_embedded() => {
                statement.push(dialect::CLIENTS);
            }
            period => by_kind(&mut statement, period),
        }
        statement.push(
            ") AS k GROUP BY client_type HAVING sum(n) > 0 ORDER BY sessions DESC, client_type",
        );
        fetch_all!(self, statement, "sum up sessions by client")
    }
}

/// Sessions by client type and kind: how they are, or how they ended.
fn by_kind(statement: &mut Statement, period: Option<Period>) {
    // Few groups first: what costs is done once for each session, the rest once for each group.
    statement.push(
        "SELECT client_type, CASE WHEN status <> 'disconnected' THEN status \
            WHEN disconnect_reason IN ('timeout', 'timeout_no_activity') THEN 'timeout' \
            WHEN disconnect_reason = 'client_disconnect' THEN 'client' \
            WHEN disconnect_reason = 'server_shutdown' THEN 'shutdown' \
            WHEN disconnect_reason = 'error' OR substr(disconnect_reason, 1, 6) = 'error:' THEN 'error' \
            ELSE 'other' END AS kind, \
         n, CASE WHEN status = 'disconnected' THEN timed ELSE 0 END AS timed, \
         CASE WHEN status = 'disconnected' THEN duration END AS duration, \
         CASE WHEN status = 'disconnected' THEN longest END AS longest, requests, failed \
         FROM (SELECT client_type, status, disconnect_reason, count(*) AS n, count(total_duration) AS timed, \
         sum(total_duration) AS duration, max(total_duration) AS longest, sum(total_requests) AS requests, \
         sum(failed_requests) AS failed FROM archon_mcp_sessions",
    );
    if let Some(period) = period {
        statement
            .condition_with("connected_at >= ", Value::Instant(period.start), "")
            .condition_with("connected_at <= ", Value::Instant(period.end), "");
    }
    statement.push(" GROUP BY client_type, status, disconnect_reason) AS g");
}

fn ended_in(statement: &mut Statement, period: Period) {
    statement
        .condition("status = 'disconnected'")
        .condition_with("disconnected_at >= ", Value::Instant(period.start), "")
        .condition_with("disconnected_at <= ", Value::Instant(period.end), "");
}

/// Sessions that are over, and those that are not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    Open,
    Over,
}

impl Half {
    const ALL: &[Self] = &[Self::Open, Self::Over];

    /// Those that sessions of `statuses` are in; none means all.
    fn wanted(statuses: &[SessionStatus]) -> Vec<Self> {
        let over = |half: &Self| *half == Self::Over;
        let has = |half: &Self| {
            statuses
                .iter()
                .any(|status| over(half) == (*status == SessionStatus::Disconnected))
        };
        let halves = Self::ALL
            .iter()
            .filter(|half| statuses.is_empty() || has(half));
        halves.copied().collect()
    }
}

/// How many rows lie before the end of a page.
pub(super) fn window_end(page: Page) -> i64 {
    let end = page.offset.saturating_add(u64::from(page.limit));
    i64::try_from(end).unwrap_or(i64::MAX)
}

/// The conditions of `filter` on sessions of `halves`, in the words of the partial indexes: planners compare texts.
fn matching(statement: &mut Statement, filter: &SessionFilter, halves: &[Half]) {
    let wanted = |status| filter.statuses.is_empty() || filter.statuses.contains(&status);
    let (active, idle, over) = (
        wanted(SessionStatus::Active),
        wanted(SessionStatus::Idle),
        wanted(SessionStatus::Disconnected),
    );
    match halves {
        [Half::Open] => {
            statement.condition("status <> 'disconnected'");
        }
        [Half::Over] => {
            statement.condition("status = 'disconnected'");
        }
        _ => {
            if !over {
                statement.condition("status <> 'disconnected'");
            } else if !active && !idle {
                statement.condition("status = 'disconnected'");
            }
        }
    }
    // Where one kind of open session is wanted and not the other.
    if halves.contains(&Half::Open) && (active || idle) && active != idle {
        let word = if active { "idle" } else { "active" };
        statement.condition_with("status <> ", Value::Text(word.to_owned()), "");
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
