//! The shapes of the answers. Field names follow the REST contract; nothing here may be renamed or change type.
//!
//! Rows of the tables themselves are `store`'s types, shown as ours. Nothing here asks the store anything.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::{Cost, Period};
use crate::store::{OperationRow, SessionRow};

/// A page of sessions, newest activity first, and how many match in all.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionPage {
    /// The page.
    pub sessions: Vec<SessionRow>,
    /// How many sessions match, on all pages.
    pub total: i64,
}

/// Sums over operations.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct UsageTotals {
    /// How many operations, the handshake left out.
    pub total_requests: i64,
    /// Estimated tokens of arguments.
    pub total_prompt_tokens: i64,
    /// Estimated tokens of results.
    pub total_completion_tokens: i64,
    /// Both.
    pub total_tokens: i64,
    /// Estimated cost in US dollars.
    pub total_cost: Cost,
}

/// Where a page stands in its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DisconnectedSessions {
    /// A page of them, newest end first.
    pub sessions: Vec<SessionRow>,
    /// Over the whole period, not the page.
    pub statistics: DisconnectStatistics,
    /// The period.
    pub period: Period,
}

/// How sessions of a period ended. Durations in seconds, `None` without any session that has one.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionStats {
    /// The period the sessions connected in; `None` for all time.
    pub period: Option<Period>,
    /// One row for each client type, most sessions first.
    pub by_client: Vec<ClientStats>,
    /// All client types together, under the name `all`.
    pub total: ClientStats,
}

/// Sessions of one client type.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UsageSummary {
    /// The period.
    pub period: Period,
    /// Sums.
    pub summary: UsageWithSessions,
    /// By tool name, else by method; in falling order of count.
    pub by_tool: Vec<ToolUsage>,
}

/// Sums over operations and the sessions they came from.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct UsageWithSessions {
    /// The sums.
    #[serde(flatten)]
    pub totals: UsageTotals,
    /// How many different sessions.
    pub unique_sessions: i64,
}

/// Use of one tool.
#[derive(Clone, Debug, PartialEq, Serialize)]
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
