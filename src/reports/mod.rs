//! Questions about sessions, users and usage, and their answers: shared by the command line, the API and the
//! built-in MCP server.
//!
//! Owns what a question means and the shape of its answer. Holds no SQL (that is `store`) and prints nothing.

mod analytics;
mod digest;
mod events;
mod logs;
mod recent;
mod types;

#[cfg(test)]
mod tests;

pub use analytics::analytics;
pub use digest::Digest;
pub use events::{
    EventId, EventKind, EventPage, EventSession, GoingOn, LiveEvent, NoEventId, agreed_id,
    events_behind, events_end, go_on_behind,
};
pub use logs::{LogFilter, LogLevel, errors, logs};
pub use recent::{active_sessions, prices, sessions_health};
pub use types::{
    AgeDistribution, Analytics, Change, ClientStats, Comparison, ConnectionHealth, DayTrend,
    DisconnectStatistics, DisconnectedSessions, ErrorEntry, ErrorPage, ErrorSummary, HourTrend,
    LogEntry, LogPage, Pagination, Ratios, RecentSession, ResponseTimes, SessionDetails,
    SessionPage, SessionStats, SessionsHealth, StatusBreakdown, ToolResponseTimes, ToolUsage,
    Trends, UsageSummary, UsageTotals, UsageWithSessions,
};

pub use crate::store::{OperationRow, Page, PriceRow, SessionFilter, SessionRow, UserStats};

use crate::model::{Cost, Period, SessionId};
use crate::store::{ClientSums, ReasonSums, Store, StoreError, ToolSums};

/// Sessions that match `filter`, newest activity first.
///
/// # Errors
/// When the store does not answer.
pub async fn list_sessions(
    store: &Store,
    filter: &SessionFilter,
) -> Result<SessionPage, StoreError> {
    let (sessions, total) = store.sessions(filter).await?;
    Ok(SessionPage { sessions, total })
}

/// One session with a page of its operations, newest first; `None` for an unknown id.
///
/// # Errors
/// When the store does not answer.
pub async fn session_details(
    store: &Store,
    id: SessionId,
    page: Page,
) -> Result<Option<SessionDetails>, StoreError> {
    let mut id = id;
    let mut found = store.session(id).await?;
    if found.is_none() {
        // What a client was told before the instances had agreed on one id.
        id = store.named(id).await?;
        found = store.session(id).await?;
    }
    let Some(found) = found else {
        return Ok(None);
    };
    let requests = store.operations_of(id, page).await?;
    let shown = page.offset.saturating_add(requests.len() as u64);
    Ok(Some(SessionDetails {
        summary: UsageTotals {
            total_requests: found.session.total_requests,
            total_prompt_tokens: found.total_prompt_tokens,
            total_completion_tokens: found.total_completion_tokens,
            total_tokens: found.total_prompt_tokens + found.total_completion_tokens,
            total_cost: found.total_cost,
        },
        session: found.session,
        requests,
        pagination: Pagination {
            total: found.stored_requests,
            limit: page.limit,
            offset: page.offset,
            has_more: u64::try_from(found.stored_requests).is_ok_and(|total| shown < total),
        },
    }))
}

/// Sessions that ended in `period`, newest end first, with statistics over the whole period.
///
/// # Errors
/// When the store does not answer.
pub async fn disconnected_sessions(
    store: &Store,
    period: Period,
    page: Page,
) -> Result<DisconnectedSessions, StoreError> {
    let reasons = store.ended_by_reason(period).await?;
    let sessions = store.ended_sessions(period, page).await?;
    Ok(DisconnectedSessions {
        sessions,
        statistics: DisconnectStatistics::from(reasons),
        period,
    })
}

/// Sessions by client type; those that connected in `period`, or all.
///
/// # Errors
/// When the store does not answer.
pub async fn session_stats(
    store: &Store,
    period: Option<Period>,
) -> Result<SessionStats, StoreError> {
    let by_client = store.sessions_by_client(period).await?;
    let mut total = ClientSums {
        client_type: "all".to_owned(),
        ..ClientSums::default()
    };
    for sums in &by_client {
        total.sessions += sums.sessions;
        total.active += sums.active;
        total.idle += sums.idle;
        total.disconnected += sums.disconnected;
        total.timeouts += sums.timeouts;
        total.client_disconnects += sums.client_disconnects;
        total.server_shutdowns += sums.server_shutdowns;
        total.errors += sums.errors;
        total.timed_sessions += sums.timed_sessions;
        total.duration_sum += sums.duration_sum;
        total.longest = total.longest.max(sums.longest);
        total.requests += sums.requests;
        total.failed += sums.failed;
    }
    Ok(SessionStats {
        period,
        by_client: by_client.into_iter().map(ClientStats::from).collect(),
        total: total.into(),
    })
}

/// Sessions and usage by user, latest activity first: sessions that were open at some time in `period`, or all. A
/// session counts with all it did, in the period or not.
///
/// # Errors
/// When the store does not answer.
pub async fn user_stats(
    store: &Store,
    period: Option<Period>,
) -> Result<Vec<UserStats>, StoreError> {
    store.users(period).await
}

/// Successful operations that started in `period`, in sum and by tool; the handshake is none of them.
///
/// # Errors
/// When the store does not answer.
pub async fn usage_summary(store: &Store, period: Period) -> Result<UsageSummary, StoreError> {
    let tools = store.usage_by_tool(period).await?;
    let unique_sessions = store.sessions_with_usage(period).await?;
    let mut totals = UsageTotals::default();
    for tool in &tools {
        totals.total_requests += tool.requests;
        totals.total_prompt_tokens += tool.prompt_tokens;
        totals.total_completion_tokens += tool.completion_tokens;
        totals.total_cost =
            Cost::from_micros(totals.total_cost.as_micros() + tool.cost.as_micros());
    }
    totals.total_tokens = totals.total_prompt_tokens + totals.total_completion_tokens;
    Ok(UsageSummary {
        period,
        summary: UsageWithSessions {
            totals,
            unique_sessions,
        },
        by_tool: tools.into_iter().map(ToolUsage::from).collect(),
    })
}

/// `None` without anything to divide by.
fn mean(sum: i64, count: i64) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "sums of seconds stay far below 2^53"
    )]
    (count > 0).then(|| sum as f64 / count as f64)
}

/// How many per cent `part` is of `whole`; `None` without anything to divide by.
fn percent(part: i64, whole: i64) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        reason = "counts stay far below 2^53, and a share needs no more digits"
    )]
    (whole != 0).then(|| part as f64 / whole as f64 * 100.0)
}

impl From<Vec<ReasonSums>> for DisconnectStatistics {
    fn from(reasons: Vec<ReasonSums>) -> Self {
        let timed = reasons.iter().map(|r| r.timed_sessions).sum();
        let duration = reasons.iter().map(|r| r.duration_sum).sum();
        Self {
            total_disconnected: reasons.iter().map(|r| r.sessions).sum(),
            avg_duration_seconds: mean(duration, timed),
            max_duration_seconds: reasons.iter().filter_map(|r| r.longest).max(),
            min_duration_seconds: reasons.iter().filter_map(|r| r.shortest).min(),
            disconnect_reasons: reasons
                .into_iter()
                .map(|r| (r.reason, r.sessions))
                .collect(),
        }
    }
}

impl From<ClientSums> for ClientStats {
    fn from(sums: ClientSums) -> Self {
        Self {
            client_type: sums.client_type,
            total_sessions: sums.sessions,
            active_sessions: sums.active,
            idle_sessions: sums.idle,
            disconnected_sessions: sums.disconnected,
            timeout_disconnects: sums.timeouts,
            client_disconnects: sums.client_disconnects,
            server_shutdown_disconnects: sums.server_shutdowns,
            error_disconnects: sums.errors,
            avg_duration_seconds: mean(sums.duration_sum, sums.timed_sessions),
            max_duration_seconds: sums.longest,
            total_requests: sums.requests,
            failed_requests: sums.failed,
        }
    }
}

impl From<ToolSums> for ToolUsage {
    fn from(sums: ToolSums) -> Self {
        Self {
            name: sums.name,
            count: sums.requests,
            tokens: sums.prompt_tokens + sums.completion_tokens,
            cost: sums.cost,
        }
    }
}
