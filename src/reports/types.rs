//! The shapes of the answers. Field names follow the REST contract; nothing here may be renamed or change type.

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

use crate::model::{Cost, Period, SessionId, SessionStatus, Timestamp};

/// A session as lists show it: the contract's `Session` and what this tool adds.
///
/// Texts that other writers may have put into the database (client types, reasons) stay texts: an unknown one is
/// shown as it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionRow {
    /// The session's id.
    pub session_id: SessionId,
    /// Product name, `Unknown` where the client's name is not known.
    pub client_type: String,
    /// `clientInfo.version`, as sent.
    pub client_version: Option<String>,
    /// When the first request began.
    pub connected_at: Timestamp,
    /// End of the last operation or other activity.
    pub last_activity: Timestamp,
    /// `active`, `idle` or `disconnected`.
    pub status: SessionStatus,
    /// When it ended.
    pub disconnected_at: Option<Timestamp>,
    /// `disconnected_at - connected_at` in whole seconds.
    pub total_duration: Option<i64>,
    /// Why it ended.
    pub disconnect_reason: Option<String>,
    /// The user's id.
    pub user_id: Option<Uuid>,
    /// The user's e-mail address.
    pub user_email: Option<String>,
    /// The user's name.
    pub user_name: Option<String>,
    /// The client's capabilities, a JSON object.
    pub client_capabilities: Option<serde_json::Value>,
    /// Free-form JSON object.
    pub metadata: serde_json::Value,
    /// `clientInfo.name`, as sent.
    pub client_name: Option<String>,
    /// `legacy` or `modern`.
    pub era: Option<String>,
    /// The rule by which requests found this session.
    pub derivation: Option<String>,
    /// Name of the MCP server.
    pub server: Option<String>,
    /// Protocol revision.
    pub protocol_version: Option<String>,
    /// HTTP `User-Agent`, as sent.
    pub user_agent: Option<String>,
    /// When the end was noticed.
    pub detected_at: Option<Timestamp>,
    /// The session this one goes on from.
    pub resumed_from: Option<SessionId>,
    /// Operations finished.
    pub total_requests: i64,
    /// Of those, how many did not succeed.
    pub failed_requests: i64,
    /// Notifications seen.
    pub notifications: i64,
    /// Bytes of all requests' bodies.
    pub bytes_in: i64,
    /// Bytes of all answers' bodies.
    pub bytes_out: i64,
}

/// Which sessions a list asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionFilter {
    /// Only these statuses; empty for all.
    pub statuses: Vec<SessionStatus>,
    /// Only sessions whose last activity lies in the period.
    pub period: Option<Period>,
    /// Only sessions of this client type (no regard to case).
    pub client_type: Option<String>,
    /// Only sessions with this server.
    pub server: Option<String>,
    /// Only sessions with at least one operation.
    pub with_calls: bool,
    /// How many rows at the most, and from which on.
    pub page: Page,
}

/// A window on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Page {
    /// Rows at the most.
    pub limit: u32,
    /// Rows left out before the first.
    pub offset: u64,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            limit: 50,
            offset: 0,
        }
    }
}

/// A page of sessions, newest activity first, and how many match in all.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionPage {
    /// The page.
    pub sessions: Vec<SessionRow>,
    /// How many sessions match, on all pages.
    pub total: i64,
}

/// An operation as it is stored: the contract's `Request` and what this tool adds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct OperationRow {
    /// The operation's id.
    pub request_id: Uuid,
    /// Its session.
    pub session_id: SessionId,
    /// JSON-RPC method.
    pub method: String,
    /// Tool, for `tools/call`.
    pub tool_name: Option<String>,
    /// Estimated tokens of the arguments.
    pub prompt_tokens: Option<i64>,
    /// Estimated tokens of the result.
    pub completion_tokens: Option<i64>,
    /// Their sum; an unknown one counts as 0.
    pub total_tokens: i64,
    /// Estimated cost in US dollars.
    pub estimated_cost: Cost,
    /// When it started.
    pub timestamp: Timestamp,
    /// Milliseconds, rounded to the nearest.
    pub duration_ms: Option<i64>,
    /// `success`, `error` or `timeout`.
    pub status: String,
    /// What went wrong.
    pub error_message: Option<String>,
    /// Prompt, for `prompts/get`.
    pub prompt_name: Option<String>,
    /// URI, for `resources/read` and its kin.
    pub resource_uri: Option<String>,
    /// `client` or `server`: who sent the request.
    pub sent_by: String,
    /// Bytes of the request's body.
    pub bytes_in: Option<i64>,
    /// Bytes of the answer's body.
    pub bytes_out: Option<i64>,
    /// Protocol revision.
    pub protocol_version: Option<String>,
    /// W3C trace id.
    pub trace_id: Option<String>,
}

/// Sums over operations.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct UsageTotals {
    /// How many operations.
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
    /// Operations of all these sessions.
    pub total_requests: i64,
    /// Of those, how many did not succeed.
    pub failed_requests: i64,
}

/// What one user did. Grouped by user id; the latest e-mail address and name are shown.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UserStats {
    /// The user; `None` gathers sessions without one.
    pub user_id: Option<Uuid>,
    /// Latest e-mail address.
    pub user_email: Option<String>,
    /// Latest name.
    pub user_name: Option<String>,
    /// All sessions.
    pub total_sessions: i64,
    /// Of those, not disconnected.
    pub active_sessions: i64,
    /// Of those, ended.
    pub disconnected_sessions: i64,
    /// Mean duration of ended sessions, seconds.
    pub avg_session_duration_seconds: Option<f64>,
    /// Longest duration of ended sessions, seconds.
    pub max_session_duration_seconds: Option<i64>,
    /// First session's start.
    pub first_session_at: Timestamp,
    /// Last activity.
    pub last_activity_at: Timestamp,
    /// Operations.
    pub total_requests: i64,
    /// Estimated tokens.
    pub total_tokens: i64,
    /// Estimated cost.
    pub total_cost: Cost,
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
