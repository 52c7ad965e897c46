//! The shapes of the answers. Field names follow the REST contract; nothing here may be renamed or change type.
//!
//! Rows of the tables themselves are `store`'s types, shown as ours. Nothing here asks the store anything.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Cost, Period, SessionId, SessionStatus, Timestamp};
use crate::store::{OperationRow, SessionRow};

/// A page of sessions, newest activity first, and how many match in all.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionPage {
    /// The page.
    pub sessions: Vec<SessionRow>,
    /// How many sessions match, on all pages.
    pub total: i64,
}

/// Sums over operations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UsageTotals {
    /// How many operations, the handshake left out.
    pub total_requests: i64,
    /// Estimated tokens of arguments.
    pub total_prompt_tokens: i64,
    /// Estimated tokens of results.
    pub total_completion_tokens: i64,
    /// Both estimates together.
    pub total_tokens: i64,
    /// Estimated cost in US dollars.
    pub total_cost: Cost,
}

/// Where a page stands in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pagination {
    /// Rows on all pages.
    pub total: i64,
    /// Rows at the most on this page.
    pub limit: u32,
    /// Rows before this page.
    pub offset: u64,
    /// Whether rows follow.
    pub has_more: bool,
}

/// One session with its operations, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionDetails {
    /// The session.
    pub session: SessionRow,
    /// A page of its operations.
    pub requests: Vec<OperationRow>,
    /// Sums over all its operations, not the page.
    pub summary: UsageTotals,
    /// Where the page stands.
    pub pagination: Pagination,
}

/// Sessions that ended in a period.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DisconnectedSessions {
    /// A page of them, newest end first.
    pub sessions: Vec<SessionRow>,
    /// Over the whole period, not the page.
    pub statistics: DisconnectStatistics,
    /// The period.
    pub period: Period,
}

/// How sessions of a period ended. Durations in seconds, `None` without any session that has one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DisconnectStatistics {
    /// How many sessions ended.
    pub total_disconnected: i64,
    /// How many for each reason; sessions without one under `unknown`.
    pub disconnect_reasons: BTreeMap<String, i64>,
    /// Mean duration.
    pub avg_duration_seconds: Option<f64>,
    /// Longest duration.
    pub max_duration_seconds: Option<i64>,
    /// Shortest duration.
    pub min_duration_seconds: Option<i64>,
}

/// Sessions by client type, and all together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SessionStats {
    /// The period the sessions connected in; `None` for all time.
    pub period: Option<Period>,
    /// One row for each client type, most sessions first.
    pub by_client: Vec<ClientStats>,
    /// All client types together, under the name `all`.
    pub total: ClientStats,
}

/// Sessions of one client type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ClientStats {
    /// The client type.
    pub client_type: String,
    /// All sessions.
    pub total_sessions: i64,
    /// Of those, active now.
    pub active_sessions: i64,
    /// Of those, idle now.
    pub idle_sessions: i64,
    /// Of those, ended.
    pub disconnected_sessions: i64,
    /// Ended for want of activity (the legacy spelling `timeout_no_activity` included).
    pub timeout_disconnects: i64,
    /// Ended by the client.
    pub client_disconnects: i64,
    /// Ended by a graceful stop of the daemon.
    pub server_shutdown_disconnects: i64,
    /// Ended by an error (`error`, `error:…` and the legacy `error: …`).
    pub error_disconnects: i64,
    /// Mean duration of ended sessions, seconds.
    pub avg_duration_seconds: Option<f64>,
    /// Longest duration of ended sessions, seconds.
    pub max_duration_seconds: Option<i64>,
    /// Operations of all these sessions, the handshakes left out.
    pub total_requests: i64,
    /// Of those, how many did not succeed.
    pub failed_requests: i64,
}

/// What was used in a period: successful operations only, as the contract says.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct UsageSummary {
    /// The period.
    pub period: Period,
    /// Sums.
    pub summary: UsageWithSessions,
    /// By tool name, else by method; in falling order of count.
    pub by_tool: Vec<ToolUsage>,
}

/// Sums over operations and the sessions they came from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct UsageWithSessions {
    /// The sums.
    #[serde(flatten)]
    pub totals: UsageTotals,
    /// How many different sessions.
    pub unique_sessions: i64,
}

/// Use of one tool.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ToolUsage {
    /// Tool name, else method.
    pub name: String,
    /// Successful operations.
    pub count: i64,
    /// Estimated tokens.
    pub tokens: i64,
    /// Estimated cost.
    pub cost: Cost,
}

/// An operation with the level of a log.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LogEntry {
    /// The operation.
    #[serde(flatten)]
    pub request: OperationRow,
    /// `info`, `warning` (a timeout) or `error`.
    pub level: &'static str,
}

/// A page of operations of all sessions, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct LogPage {
    /// The page.
    pub logs: Vec<LogEntry>,
    /// Where it stands.
    pub pagination: Pagination,
}

/// An operation that did not succeed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ErrorEntry {
    /// The operation.
    #[serde(flatten)]
    pub request: OperationRow,
    /// `error` or `timeout`.
    pub severity: String,
    /// The client type of its session.
    pub session_client_type: Option<String>,
}

/// Operations that did not succeed, newest first.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ErrorPage {
    /// The newest.
    pub errors: Vec<ErrorEntry>,
    /// Over all of them, whatever the severity asked for.
    pub summary: ErrorSummary,
    /// How many are of the severity asked for.
    pub total: i64,
}

/// How many operations did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ErrorSummary {
    /// Errors.
    pub error_count: i64,
    /// Timeouts.
    pub timeout_count: i64,
    /// When the newest of both started.
    pub last_error_at: Option<Timestamp>,
    /// Both, of all operations; `None` without any operation.
    pub error_rate_percent: Option<f64>,
}

/// Trends of a period.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Analytics {
    /// The period.
    pub period: Period,
    /// Over time.
    pub trends: Trends,
    /// How operations ended.
    pub ratios: Ratios,
    /// How long they took.
    pub response_times: ResponseTimes,
    /// Against the same length of time before; `None` where it was not asked for.
    pub comparison: Option<Comparison>,
}

/// Operations over time.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Trends {
    /// One for each day (UTC) that the period touches, the oldest first.
    pub daily: Vec<DayTrend>,
    /// One for each hour of the day (UTC), over all days.
    pub hourly: Vec<HourTrend>,
}

/// The operations of one day.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct DayTrend {
    /// `YYYY-MM-DD`.
    pub date: String,
    /// How many.
    pub requests: i64,
    /// Their estimated tokens.
    pub tokens: i64,
    /// Their estimated cost.
    pub cost: Cost,
    /// How many per cent succeeded; `None` without any.
    pub success_rate: Option<f64>,
}

/// The operations of one hour of the day.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct HourTrend {
    /// 0 to 23.
    pub hour: u8,
    /// How many.
    pub requests: i64,
    /// Mean duration, milliseconds.
    pub avg_duration: Option<f64>,
}

/// How operations ended.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Ratios {
    /// With success.
    pub success: i64,
    /// With an error.
    pub error: i64,
    /// Without an answer in time.
    pub timeout: i64,
    /// How many per cent succeeded; `None` without any.
    pub success_rate: Option<f64>,
}

/// How long operations took, in milliseconds, those of unknown duration left out.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ResponseTimes {
    /// By tool name, else by method; most operations first.
    pub by_tool: Vec<ToolResponseTimes>,
    /// Mean.
    pub overall_avg: Option<f64>,
    /// Half of them took no longer. From 1,000 on in three digits.
    pub p50: Option<i64>,
    /// 95 per cent of them took no longer.
    pub p95: Option<i64>,
    /// 99 per cent of them took no longer.
    pub p99: Option<i64>,
}

/// How long the operations of one tool took, in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ToolResponseTimes {
    /// Tool name, else method.
    pub tool: String,
    /// Mean.
    pub avg_ms: Option<f64>,
    /// Shortest.
    pub min_ms: Option<i64>,
    /// Longest.
    pub max_ms: Option<i64>,
    /// How many have a duration.
    pub count: i64,
}

/// A period against the one before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Comparison {
    /// Operations.
    pub requests: Change<i64>,
    /// How many per cent succeeded.
    pub success_rate: Change<Option<f64>>,
    /// Estimated tokens.
    pub tokens: Change<i64>,
    /// Estimated cost.
    pub cost: Change<Cost>,
}

/// One figure against that of the period before.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Change<T> {
    /// In this period.
    pub current: T,
    /// In the one before.
    pub previous: T,
    /// By how many per cent it grew; `None` where there was nothing before.
    pub change_percent: Option<f64>,
}

/// How sessions are right now.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SessionsHealth {
    /// All sessions.
    pub status_breakdown: StatusBreakdown,
    /// Open sessions by their last activity.
    pub age_distribution: AgeDistribution,
    /// Sessions that connected in the last 24 hours.
    pub connection_health: ConnectionHealth,
    /// The sessions with the newest activity.
    pub recent_activity: Vec<RecentSession>,
    /// When this was so.
    pub timestamp: Timestamp,
}

/// Sessions by status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StatusBreakdown {
    /// Active.
    pub active: i64,
    /// Idle.
    pub idle: i64,
    /// Ended.
    pub disconnected: i64,
    /// All.
    pub total: i64,
}

/// Open sessions by age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AgeDistribution {
    /// Last activity less than 5 minutes ago.
    pub healthy: i64,
    /// 5 to 10 minutes ago.
    pub aging: i64,
    /// More than 10 minutes ago.
    pub stale: i64,
}

/// Sessions that connected in the last 24 hours.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
pub struct ConnectionHealth {
    /// Mean duration of those that ended and have one.
    pub avg_duration_seconds: Option<f64>,
    /// How many an hour.
    pub sessions_per_hour: f64,
    /// How many per cent of them ended; `None` without any.
    pub disconnect_rate_percent: Option<f64>,
    /// How many.
    pub total_sessions_24h: i64,
}

/// A session at a glance.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct RecentSession {
    /// The session.
    pub session_id: SessionId,
    /// Its client type.
    pub client_type: String,
    /// How it is.
    pub status: SessionStatus,
    /// Minutes since its last activity, in tenths.
    pub age_minutes: f64,
    /// Minutes from its start until now or its end, in tenths.
    pub uptime_minutes: f64,
}
