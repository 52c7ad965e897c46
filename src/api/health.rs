//! The body of `/health`, and the judgement behind it.
//!
//! Owns the words `healthy` and `degraded` and when each is said. Reads no store and opens no connection: it only
//! looks at figures others have counted, so that `/health` answers while the store does not.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::model::HealthView;

/// Why the daemon is not quite well, one sentence for each cause; empty when it is.
///
/// Three things count: records that were lost, a store that takes none (they wait in the journal then), and a journal that is full of
/// those. A server
/// behind the daemon that does not answer is that server's trouble: it is listed under `upstreams`, and an
/// orchestrator that restarted this daemon for it would only end sessions with the others.
#[must_use]
pub fn reasons(view: &HealthView) -> Vec<String> {
    let mut reasons = Vec::new();
    if view.records_dropped > 0 {
        reasons.push(format!(
            "{} records could not be written to the journal since the start and are lost; \
             look for space and permissions in the data directory",
            view.records_dropped
        ));
    }
    if view.journal_full {
        reasons.push(format!(
            "the journal is full ({} bytes, see --journal-bound): records are lost until the store has taken some",
            view.journal_backlog_bytes
        ));
    }
    if let Some(error) = &view.store_error {
        reasons.push(format!(
            "the store takes no records ({error}); {} bytes wait in the journal",
            view.journal_backlog_bytes
        ));
    }
    reasons
}

/// The body of `GET /health` and `GET /api/health`, on the MCP port and the API port.
///
/// The contract fixes `{"status":"healthy","service":"archon-mcp","success":true,"uptime_seconds":n,"health":{…}}`.
/// `status` stands at the top and again inside `health`, where `reasons` lists what is wrong. With anything in
/// that list both say `degraded`; `success` stays true, and the HTTP status 200, because requests still pass and
/// are still answered. `success: false` is for a daemon that cannot serve, and such a daemon does not get here.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[expect(clippy::struct_field_names, reason = "as the contract has them")]
pub struct Health {
    /// `healthy` or `degraded`.
    #[schemars(extend("enum" = ["healthy", "degraded"]))]
    status: &'static str,
    service: &'static str,
    success: bool,
    uptime_seconds: u64,
    health: HealthFigures,
}

/// The figures, and why they are not quite well.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct HealthFigures {
    /// `healthy` or `degraded`.
    #[schemars(extend("enum" = ["healthy", "degraded"]))]
    status: &'static str,
    reasons: Vec<String>,
    #[serde(flatten)]
    view: HealthView,
}

impl Health {
    /// The body for these figures.
    #[must_use]
    pub fn of(view: HealthView, uptime_seconds: u64) -> Self {
        let reasons = reasons(&view);
        let status = if reasons.is_empty() {
            "healthy"
        } else {
            "degraded"
        };
        Self {
            status,
            service: "archon-mcp",
            success: true,
            uptime_seconds,
            health: HealthFigures {
                status,
                reasons,
                view,
            },
        }
    }
}

/// [`Health`] as a JSON document.
#[must_use]
pub fn health_json(view: &HealthView, uptime_seconds: u64) -> Value {
    // Texts, numbers and lists of them: nothing that has no JSON.
    serde_json::to_value(Health::of(view.clone(), uptime_seconds)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    use crate::model::{Rejections, UpstreamHealth};

    fn well() -> HealthView {
        HealthView {
            open_sessions: 2,
            operations_recorded: 40,
            records_dropped: 0,
            bodies_unparsed: 1,
            operations_counted: 30,
            operations_estimated: 10,
            journal_backlog_bytes: 512,
            journal_full: false,
            store_error: None,
            connections: 3,
            held_streams: 1,
            rejections: Rejections::default(),
            upstreams: vec![UpstreamHealth {
                name: "tools".to_owned(),
                url: "http://127.0.0.1:9000/mcp".to_owned(),
                reachable: Some(false),
            }],
        }
    }

    #[test]
    fn a_healthy_daemon_answers_as_the_contract_says() {
        let body = health_json(&well(), 17);
        assert_eq!(body["status"], "healthy");
        assert_eq!(body["service"], "archon-mcp");
        assert_eq!(body["success"], true);
        assert_eq!(body["uptime_seconds"], 17);
        assert_eq!(body["health"]["reasons"], json!([]));
        assert_eq!(body["health"]["upstreams"][0]["reachable"], false);
    }

    #[test]
    fn every_figure_of_the_view_is_in_the_body() {
        let view = well();
        let body = health_json(&view, 0);
        let Ok(Value::Object(figures)) = serde_json::to_value(&view) else {
            panic!("a view is an object");
        };
        for (name, value) in figures {
            assert_eq!(body["health"][&name], value, "{name}");
        }
    }

    #[test]
    fn lost_records_and_a_store_that_is_away_degrade_it() {
        let mut view = well();
        view.records_dropped = 3;
        view.journal_full = true;
        view.store_error = Some("connection refused".to_owned());
        let body = health_json(&view, 0);
        assert_eq!(body["status"], "degraded");
        assert_eq!(body["health"]["status"], "degraded");
        assert_eq!(body["success"], true);
        let reasons = reasons(&view);
        assert!(reasons[0].starts_with("3 records"), "{reasons:?}");
        assert!(
            reasons[1].starts_with("the journal is full (512 bytes"),
            "{reasons:?}"
        );
        assert!(reasons[2].contains("connection refused"), "{reasons:?}");
    }
}
