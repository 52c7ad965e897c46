//! Shapes of answers that are the API's own. Everything else is a report as it stands.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use crate::model::{Cost, Period};
use crate::reports::{PriceRow, SessionRow, ToolUsage, UsageSummary, UsageWithSessions};

/// `GET /api/mcp/health`.
#[derive(Debug, Serialize)]
pub(super) struct McpHealth {
    pub(super) status: &'static str,
    pub(super) service: &'static str,
}

/// `GET /health/live` and `/health/ready`.
#[derive(Debug, Serialize)]
pub(super) struct Probe {
    /// `ok` or `unavailable`.
    pub(super) status: &'static str,
    /// What is in the way.
    pub(super) reasons: Vec<String>,
}

/// `GET /api/mcp/status`.
#[derive(Debug, Serialize)]
pub(super) struct StatusAnswer {
    pub(super) status: &'static str,
    /// Seconds.
    pub(super) uptime: Option<u64>,
    /// Kept for older readers, always empty: the daemon's log is where its supervisor puts it.
    pub(super) logs: Vec<String>,
    /// Why it is not `running`.
    pub(super) reasons: Vec<String>,
}

/// `GET /api/mcp/config`.
#[derive(Debug, Serialize)]
pub(super) struct Config {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) transport: &'static str,
    /// Kept for older readers: archonctl uses no model.
    pub(super) model_choice: Option<String>,
}

/// `GET /api/mcp/clients`.
#[derive(Debug, Serialize)]
pub(super) struct Clients {
    pub(super) clients: Vec<SessionRow>,
    /// How many there are on all pages.
    pub(super) total: i64,
}

/// `GET /api/mcp/sessions`.
#[derive(Debug, Serialize)]
pub(super) struct SessionsAnswer {
    pub(super) active_sessions: i64,
    /// Seconds.
    pub(super) session_timeout: u64,
    pub(super) server_uptime_seconds: u64,
}

/// `GET /api/mcp/pricing`.
#[derive(Debug, Serialize)]
pub(super) struct PricingAnswer {
    pub(super) pricing: Vec<PriceRow>,
    pub(super) total: usize,
    pub(super) note: &'static str,
}

/// `GET /api/mcp/usage/summary`.
#[derive(Debug, Serialize)]
pub(super) struct Usage {
    period: Period,
    summary: UsageWithSessions,
    by_tool: ByTool,
}

/// An object whose members stand in falling order of count.
#[derive(Debug)]
struct ByTool(Vec<ToolUsage>);

/// Use of one tool.
#[derive(Debug, Serialize)]
struct OneTool {
    count: i64,
    tokens: i64,
    cost: Cost,
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
