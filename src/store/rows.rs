//! The rows that queries give back and the windows they take: what `reports` builds its answers from.
//!
//! Owns the shape of rows only; what a question means is `reports`' business, which shows these types as its own. Field
//! names follow the REST contract; nothing here may be renamed or change type.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::{Cost, OperationStatus, Period, SessionId, SessionStatus, Timestamp};

/// A session as lists show it: the contract's `Session` and what this tool adds.
///
/// Texts that other writers may have put into the database (client types, reasons) stay texts: an unknown one is
/// shown as it stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, sqlx::FromRow)]
#[schemars(rename = "McpClient")]
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
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
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
    /// Operations finished, the handshake left out.
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
    /// Only sessions with exactly this `User-Agent`.
    pub user_agent: Option<String>,
    /// Only sessions with at least one operation beside the handshake.
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

/// An operation as it is stored: the contract's `Request` and what this tool adds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, sqlx::FromRow)]
#[schemars(rename = "McpRequest")]
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
    /// Sum of both estimates; an unknown one counts as 0.
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

/// What one user did. Grouped by user id; the latest e-mail address and name are shown.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema, sqlx::FromRow)]
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
    /// Operations, the handshake left out.
    pub total_requests: i64,
    /// Estimated tokens.
    pub total_tokens: i64,
    /// Estimated cost.
    pub total_cost: Cost,
}

/// A session and the sums over its operations.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct SessionWithSums {
    /// The session.
    #[sqlx(flatten)]
    pub session: SessionRow,
    /// Estimated tokens of all arguments.
    pub total_prompt_tokens: i64,
    /// Estimated tokens of all results.
    pub total_completion_tokens: i64,
    /// Estimated cost of both.
    pub total_cost: Cost,
    /// Rows of operations that are there to be paged through.
    pub stored_requests: i64,
}

/// Ended sessions that share a reason.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct ReasonSums {
    /// The reason as it stands; `unknown` where there is none.
    pub reason: String,
    /// How many sessions.
    pub sessions: i64,
    /// Of those, how many have a duration.
    pub timed_sessions: i64,
    /// Sum of the durations, seconds.
    pub duration_sum: i64,
    /// Longest duration, seconds.
    pub longest: Option<i64>,
    /// Shortest duration, seconds.
    pub shortest: Option<i64>,
}

/// Sessions that share a client type. Durations and reasons are those of ended sessions.
#[derive(Clone, Debug, Default, PartialEq, sqlx::FromRow)]
pub struct ClientSums {
    /// The client type.
    pub client_type: String,
    /// How many sessions.
    pub sessions: i64,
    /// Of those, active.
    pub active: i64,
    /// Of those, idle.
    pub idle: i64,
    /// Of those, ended.
    pub disconnected: i64,
    /// Ended for want of activity.
    pub timeouts: i64,
    /// Ended by the client.
    pub client_disconnects: i64,
    /// Ended by a graceful stop of the daemon.
    pub server_shutdowns: i64,
    /// Ended by an error.
    pub errors: i64,
    /// Ended ones that have a duration.
    pub timed_sessions: i64,
    /// Sum of their durations, seconds.
    pub duration_sum: i64,
    /// Longest of them, seconds.
    pub longest: Option<i64>,
    /// Operations, the handshake left out.
    pub requests: i64,
    /// Of those, how many did not succeed.
    pub failed: i64,
}

/// Successful operations that share a tool, or a method where there is no tool.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct ToolSums {
    /// Tool name, else method.
    pub name: String,
    /// How many operations.
    pub requests: i64,
    /// Estimated tokens of arguments.
    pub prompt_tokens: i64,
    /// Estimated tokens of results.
    pub completion_tokens: i64,
    /// Estimated cost.
    pub cost: Cost,
}

/// Which operations a list asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OperationFilter {
    /// Only these statuses; empty for all.
    pub statuses: Vec<OperationStatus>,
    /// Only this session's.
    pub session: Option<SessionId>,
    /// Only those whose tool name or error message contains this, with no regard to the case of ASCII letters.
    pub search: Option<String>,
    /// Only those that started at this instant or later.
    pub from: Option<Timestamp>,
    /// Only those that started before this instant.
    pub before: Option<Timestamp>,
}

/// An operation and whose it is.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct OperationOfClient {
    /// The operation.
    #[sqlx(flatten)]
    pub operation: OperationRow,
    /// The client type of its session.
    pub session_client_type: Option<String>,
}

/// Operations that share a status.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct StatusCount {
    /// `success`, `error` or `timeout`.
    pub status: String,
    /// How many.
    pub operations: i64,
}

/// Of when sums are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// A period, both ends included.
    Period(Period),
    /// All there ever was, and what clocks that are wrong say is still to come.
    AllTime {
        /// The present: from its day on sums are by hour.
        now: Timestamp,
    },
}

/// Operations of one day or hour that share a status.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct UnitSums {
    /// The first instant of the day or hour.
    pub began: Timestamp,
    /// 1 for the methods of the handshake, 0 for all others.
    pub handshake: i64,
    /// `success`, `error` or `timeout`.
    pub status: String,
    /// How many.
    pub requests: i64,
    /// Of those, how many have a duration.
    pub timed_requests: i64,
    /// Sum of the durations, milliseconds.
    pub duration_ms_sum: i64,
    /// Estimated tokens of arguments.
    pub prompt_tokens: i64,
    /// Estimated tokens of results.
    pub completion_tokens: i64,
    /// Estimated cost.
    pub cost: Cost,
}

/// How long the operations of one tool took.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ToolTimes {
    /// Tool name, else method.
    pub tool: String,
    /// How many have a duration.
    pub timed_requests: i64,
    /// Sum of the durations, milliseconds.
    pub duration_ms_sum: i64,
    /// Shortest, milliseconds.
    pub shortest: Option<i64>,
    /// Longest, milliseconds.
    pub longest: Option<i64>,
}

/// Operations that took equally long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct DurationCount {
    /// Milliseconds.
    pub ms: i64,
    /// How many.
    pub operations: i64,
}

/// Operations of one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct HourSums {
    /// The hour's first instant.
    pub hour: Timestamp,
    /// How many.
    pub requests: i64,
    /// Of those, how many have a duration.
    pub timed_requests: i64,
    /// Sum of the durations, milliseconds.
    pub duration_ms_sum: i64,
}

/// Operations of one hour that share status, tool and error message.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct TextCount {
    /// The hour's first instant.
    pub hour: Timestamp,
    /// `success`, `error` or `timeout`.
    pub status: String,
    /// The tool.
    pub tool_name: Option<String>,
    /// The error message.
    pub error_message: Option<String>,
    /// How many.
    pub operations: i64,
}

/// Open sessions by status and age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct OpenAges {
    /// Active ones.
    pub active: i64,
    /// Idle ones.
    pub idle: i64,
    /// Those heard of a short while ago.
    pub healthy: i64,
    /// Those not heard of for long.
    pub stale: i64,
}

/// Sessions that connected in a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct ConnectedSums {
    /// How many.
    pub sessions: i64,
    /// Of those, how many are over.
    pub ended: i64,
    /// Of those, how many have a duration.
    pub timed_sessions: i64,
    /// Sum of the durations, seconds.
    pub duration_sum: i64,
}

/// What a model's tokens cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::FromRow)]
#[schemars(rename = "Price")]
pub struct PriceRow {
    /// Number of the row.
    pub id: i64,
    /// The model.
    pub model_name: String,
    /// Who offers it.
    pub provider: String,
    /// US dollars for 1,000 tokens of input.
    pub input_price_per_1k: Cost,
    /// US dollars for 1,000 tokens of output.
    pub output_price_per_1k: Cost,
    /// The day the price took effect, `YYYY-MM-DD`.
    pub effective_date: String,
    /// Remarks.
    pub notes: Option<String>,
    /// Whether it came with this program, and nobody has changed it.
    pub seeded: bool,
}
