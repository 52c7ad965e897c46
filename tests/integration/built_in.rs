//! The built-in MCP server, behind `serve` without an upstream: real clients of both eras ask it, and are tracked.

use serde_json::{Value, json};

use crate::support::{Client, Daemon, Driver, new_data_dir, sessions_until};

const TOOLS: &[&str] = &[
    "health_check",
    "session_info",
    "list_sessions",
    "session_stats",
    "user_stats",
    "usage_summary",
    "disconnected_sessions",
];

/// What `tool` answered.
fn told<'e>(events: &'e [Value], tool: &str) -> &'e Value {
    let call = events.iter().find(|event| event["tool"] == tool);
    &call.unwrap_or_else(|| panic!("{tool} was called"))["structuredContent"]
}

/// Rule: session/timeouts-set
#[test]
fn real_clients_of_both_eras_ask_it_and_their_calls_are_tracked() {
    for (driver, era, derivation, version) in [
        (Driver::TsLegacy, "legacy", "protocol", "2025-11-25"),
        (Driver::PyLegacy, "legacy", "protocol", "2025-11-25"),
        (Driver::TsModern, "modern", "inferred", "2026-07-28"),
        (Driver::PyModern, "modern", "inferred", "2026-07-28"),
    ] {
        let (_root, data_dir) = new_data_dir();
        let daemon = Daemon::start(&data_dir, &[]);
        let events = Client::call(driver, &daemon.url, TOOLS);
        assert!(
            events
                .iter()
                .any(|event| event["event"] == "tools" && event["count"] == 8),
            "{events:?}"
        );
        assert_eq!(told(&events, "health_check")["status"], "healthy");
        assert_eq!(told(&events, "session_info")["session_timeout"], 3_600);

        let calls = TOOLS.len() + 1;
        let sessions = sessions_until(&data_dir, "the calls", |sessions| {
            sessions
                .iter()
                .any(|session| session["total_requests"] == calls)
        });
        assert_eq!(sessions.len(), 1, "{sessions:?}");
        let session = &sessions[0];
        assert_eq!(
            (&session["server"], &session["client_name"]),
            (&json!("archonctl"), &json!(driver.name()))
        );
        assert_eq!(
            (&session["era"], &session["derivation"]),
            (&json!(era), &json!(derivation))
        );
        assert_eq!(
            (&session["protocol_version"], &session["failed_requests"]),
            (&json!(version), &json!(0))
        );

        // The next one is told of the first.
        let events = Client::call(driver, &daemon.url, &["usage_summary", "session_stats"]);
        let usage = told(&events, "usage_summary");
        let by_tool = usage["by_tool"].as_array().expect("a list");
        assert!(
            by_tool.iter().any(|tool| tool["name"] == "list_sessions"),
            "{usage}"
        );
        assert!(
            by_tool
                .iter()
                .all(|tool| tool["name"] != "initialize" && tool["name"] != "server/discover"),
            "{usage}"
        );
        let counted = told(&events, "session_stats")["total"]["total_requests"].as_u64();
        assert!(counted >= Some(calls as u64), "{counted:?}");
        if era == "legacy" {
            let ended = sessions_until(&data_dir, "both ends", |sessions| {
                sessions.len() == 2
                    && sessions
                        .iter()
                        .all(|session| session["status"] == "disconnected")
            });
            assert!(
                ended
                    .iter()
                    .all(|session| session["disconnect_reason"] == "client_disconnect"),
                "{ended:?}"
            );
        }
        assert!(daemon.stop_with("TERM").success());
    }
}
