//! Shapes of answers that are the API's own. Everything else is a report as it stands.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::model::{ClientType, Cost, Period, RequestId, SessionId, SessionStatus, Timestamp};
use crate::reports::{PriceRow, SessionRow, ToolUsage, UsageSummary, UsageWithSessions};
use crate::tracking::{EndedSession, Recorded};

/// `GET /api/mcp/health`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct McpHealth {
    pub(super) status: &'static str,
    pub(super) service: &'static str,
}

/// `GET /health/live` and `/health/ready`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Probe {
    /// `ok` or `unavailable`.
    #[schemars(extend("enum" = ["ok", "unavailable"]))]
    pub(super) status: &'static str,
    /// What is in the way.
    pub(super) reasons: Vec<String>,
}

/// `GET /api/mcp/status`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "DaemonStatus")]
pub(super) struct StatusAnswer {
    #[schemars(extend("enum" = ["running", "starting", "stopped", "stopping", "unhealthy", "unreachable"]))]
    pub(super) status: &'static str,
    /// Seconds.
    pub(super) uptime: Option<u64>,
    /// Kept for older readers, always empty: the daemon's log is where its supervisor puts it.
    pub(super) logs: Vec<String>,
    /// Why it is not `running`.
    pub(super) reasons: Vec<String>,
}

/// `GET /api/mcp/config`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Config {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) transport: &'static str,
    /// Kept for older readers: archonctl uses no model.
    pub(super) model_choice: Option<String>,
}

/// `GET /api/mcp/clients`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Clients {
    pub(super) clients: Vec<SessionRow>,
    /// How many there are on all pages.
    pub(super) total: i64,
}

/// `GET /api/mcp/sessions`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "SessionCounts")]
pub(super) struct SessionsAnswer {
    pub(super) active_sessions: i64,
    /// Seconds.
    pub(super) session_timeout: u64,
    pub(super) server_uptime_seconds: u64,
}

/// `GET /api/mcp/pricing`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Pricing")]
pub(super) struct PricingAnswer {
    pub(super) pricing: Vec<PriceRow>,
    pub(super) total: usize,
    pub(super) note: &'static str,
}

/// `GET /api/mcp/usage/summary`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Usage {
    period: Period,
    summary: UsageWithSessions,
    by_tool: ByTool,
}

/// An object whose members stand in falling order of count.
#[derive(Debug)]
struct ByTool(Vec<ToolUsage>);

/// Use of one tool.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "UsageOfTool")]
struct OneTool {
    count: i64,
    /// Estimated tokens.
    tokens: i64,
    /// Estimated cost.
    cost: Cost,
}

impl JsonSchema for ByTool {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ByTool".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "object", "additionalProperties": generator.subschema_for::<OneTool>()})
    }
}

impl Serialize for ByTool {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for tool in &self.0 {
            let one = OneTool {
                count: tool.count,
                tokens: tool.tokens,
                cost: tool.cost,
            };
            map.serialize_entry(&tool.name, &one)?;
        }
        map.end()
    }
}

impl From<UsageSummary> for Usage {
    fn from(usage: UsageSummary) -> Self {
        Self {
            period: usage.period,
            summary: usage.summary,
            by_tool: ByTool(usage.by_tool),
        }
    }
}

/// `POST /api/mcp/sessions`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "OpenedSession")]
pub(super) struct OpenedAnswer {
    /// The new session.
    pub(super) session_id: SessionId,
}

/// `POST /api/mcp/sessions/{session_id}/requests`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RecordedRequests")]
pub(super) struct RecordedAnswer {
    /// The session that goes on: the one that was named or, where that was over, the one that goes on from it.
    session_id: SessionId,
    /// The ids of the requests, in the order they were sent in.
    request_ids: Vec<RequestId>,
}

impl From<Recorded> for RecordedAnswer {
    fn from(recorded: Recorded) -> Self {
        Self {
            session_id: recorded.session_id,
            request_ids: recorded.request_ids,
        }
    }
}

/// `POST /api/mcp/sessions/{session_id}/close`: the contract's `Session`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ClosedSession {
    session_id: SessionId,
    /// Product name, `Unknown` where the client's name is not known.
    client_type: &'static str,
    /// `clientInfo.version`, as sent.
    client_version: Option<String>,
    /// When it began.
    connected_at: Timestamp,
    /// End of the last request or other activity.
    last_activity: Timestamp,
    /// `disconnected`.
    status: SessionStatus,
    /// When it ended.
    disconnected_at: Timestamp,
    /// `disconnected_at - connected_at` in whole seconds.
    total_duration: i64,
    /// Why it ended; the first reason stays.
    disconnect_reason: Option<String>,
    /// The user's id.
    user_id: Option<uuid::Uuid>,
    /// The user's e-mail address.
    user_email: Option<String>,
    /// The user's name.
    user_name: Option<String>,
    /// The client's capabilities, a JSON object.
    client_capabilities: Option<serde_json::Value>,
    /// Free-form JSON object.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    metadata: serde_json::Value,
    /// `clientInfo.name`, as sent.
    client_name: Option<String>,
    /// Name of the server that reported it.
    server: String,
}

impl From<EndedSession> for ClosedSession {
    fn from(ended: EndedSession) -> Self {
        let EndedSession {
            opened,
            last_activity,
            end,
        } = ended;
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        let client = opened.client_name.as_deref();
        let client = client.map_or(ClientType::UNKNOWN, ClientType::from_name);
        let capabilities = opened.client_capabilities.as_deref();
        Self {
            session_id: opened.session_id,
            client_type: client.as_str(),
            client_version: text(&opened.client_version),
            connected_at: opened.connected_at,
            last_activity,
            status: SessionStatus::Disconnected,
            disconnected_at: end.disconnected_at,
            total_duration: end.disconnected_at.whole_seconds_since(opened.connected_at),
            disconnect_reason: end.reason,
            user_id: opened.user.user_id,
            user_email: text(&opened.user.user_email),
            user_name: text(&opened.user.user_name),
            client_capabilities: capabilities.and_then(|text| serde_json::from_str(text).ok()),
            metadata: serde_json::Value::Object(serde_json::Map::new()),
            client_name: text(&opened.client_name),
            server: opened.server.as_ref().to_owned(),
        }
    }
}
