//! Real clients and real servers through the daemon: what the queries show of them, exactly.

use serde_json::Value;

use crate::support::{
    Client, Daemon, Driver, Everything, EverythingSse, ModernServer, json, new_data_dir,
    sessions_until,
};

/// Long enough for a loaded machine to come back, short enough to wait for.
const GRACE: &[&str] = &["--disconnect-grace", "300ms"];

fn started(upstream: &str, data_dir: &std::path::Path) -> Daemon {
    Daemon::start(data_dir, &[&["--upstream", upstream], GRACE].concat())
}

fn all_closed(sessions: &[Value]) -> bool {
    !sessions.is_empty()
        && sessions
            .iter()
            .all(|session| session["status"] == "disconnected")
}

/// What every driver does: one list, five calls that work, one that fails.
fn assert_counts(session: &Value) {
    assert_eq!(session["total_requests"], 7, "{session}");
    assert_eq!(session["failed_requests"], 1, "{session}");
}

fn assert_identity(session: &Value, driver: Driver, era: &str, derivation: &str, version: &str) {
    assert_eq!(session["client_name"], driver.name());
    assert_eq!(session["client_version"], "1.2.3");
    assert_eq!(session["era"], era);
    assert_eq!(session["derivation"], derivation);
    assert_eq!(session["protocol_version"], version);
}

fn assert_ended(session: &Value, reason: &str) {
    assert_eq!(session["disconnect_reason"], reason, "{session}");
    let micros = |field: &str| {
        let text = session[field]
            .as_str()
            .unwrap_or_else(|| panic!("{field}: {session}"));
        text.parse::<archonctl::model::Timestamp>()
            .expect("RFC 3339")
    };
    let (start, end) = (micros("connected_at"), micros("disconnected_at"));
    assert!(
        start <= micros("last_activity") && end <= micros("detected_at"),
        "{session}"
    );
    assert_eq!(session["total_duration"], end.whole_seconds_since(start));
}

/// Rule: session/total-duration, reason/delete
#[test]
fn legacy_clients_that_leave_politely() {
    let server = Everything::start();
    for driver in [Driver::TsLegacy, Driver::PyLegacy] {
        let (_root, data_dir) = new_data_dir();
        let daemon = started(&server.url, &data_dir);
        let events = Client::run(driver, &daemon.url, "polite", &[]);
        let sessions = sessions_until(&data_dir, "the session's end", all_closed);
        assert_eq!(sessions.len(), 1);
        assert_identity(&sessions[0], driver, "legacy", "protocol", "2025-11-25");
        assert_counts(&sessions[0]);
        // `notifications/initialized`, and what the server may have said on its stream by then.
        assert!(sessions[0]["notifications"].as_u64() >= Some(1));
        assert_ended(&sessions[0], "client_disconnect");
        assert_requests(&data_dir, &sessions[0], &events);
    }
}

/// The rows of a driver's session, newest first in the answer.
fn assert_requests(data_dir: &std::path::Path, session: &Value, events: &[Value]) {
    let id = session["session_id"].as_str().expect("an id");
    let details = json(data_dir, &["sessions", "show", id]);
    let mut rows = details["data"]["requests"]
        .as_array()
        .expect("rows")
        .clone();
    rows.reverse();
    let method = |row: &Value| row["method"].as_str().expect("a method").to_owned();
    assert_eq!(
        rows.iter()
            .map(method)
            .filter(|name| name == "tools/call")
            .count(),
        6
    );
    assert_eq!(
        rows.iter()
            .map(method)
            .filter(|name| name == "tools/list")
            .count(),
        1
    );
    let echoes: Vec<_> = rows
        .iter()
        .filter(|row| row["tool_name"] == "echo")
        .collect();
    assert_eq!(echoes.len(), 5);
    assert!(
        echoes
            .iter()
            .all(|row| row["status"] == "success" && row["error_message"].is_null())
    );
    assert!(
        echoes
            .iter()
            .all(|row| row["bytes_in"].as_i64() > Some(0) && row["bytes_out"].as_i64() > Some(0))
    );
    let failed: Vec<_> = rows.iter().filter(|row| row["status"] == "error").collect();
    assert_eq!(failed.len(), 1);
    let told = events
        .iter()
        .find(|event| event["event"] == "failed")
        .expect("the driver tells")["message"]
        .clone();
    let written = failed[0]["error_message"].as_str().expect("a message");
    assert!(
        told.as_str().expect("text").contains(written)
            || written.contains(told.as_str().expect("text")),
        "{told} / {written}"
    );
    assert_eq!(details["data"]["summary"]["total_requests"], 7);
}

#[test]
fn legacy_clients_that_just_close_or_are_killed() {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let daemon = started(&server.url, &data_dir);
    Client::run(Driver::TsLegacy, &daemon.url, "close", &[]);
    let killed = Client::start(Driver::PyLegacy, &daemon.url, "hang", &[]);
    killed.until_ready();
    let open = sessions_until(&data_dir, "both sessions", |sessions| {
        sessions.len() == 2
            && sessions
                .iter()
                .all(|session| session["total_requests"] == 7)
    });
    let of_killed = |session: &&Value| session["client_name"] == Driver::PyLegacy.name();
    assert_eq!(
        open.iter().find(of_killed).expect("tracked")["status"],
        "active",
        "a held stream is activity"
    );
    killed.kill();
    for session in sessions_until(&data_dir, "both ends", all_closed) {
        assert_counts(&session);
        assert_ended(&session, "client_disconnect");
    }
}

/// Rule: derivation/older-transport
#[test]
fn clients_of_the_older_transport_closing_and_killed() {
    let server = EverythingSse::start();
    for driver in [Driver::TsLegacy, Driver::PyLegacy] {
        let (_root, data_dir) = new_data_dir();
        let daemon = started(&server.url, &data_dir);
        let sse = &["--transport", "sse"];
        let events = Client::run(driver, &daemon.url, "close", sse);
        let sessions = sessions_until(&data_dir, "the session's end", all_closed);
        assert_eq!(sessions.len(), 1);
        let version = sessions[0]["protocol_version"].as_str().expect("settled");
        assert_identity(&sessions[0], driver, "legacy", "protocol", version);
        assert_counts(&sessions[0]);
        assert_ended(&sessions[0], "client_disconnect");
        assert_requests(&data_dir, &sessions[0], &events);

        let killed = Client::start(driver, &daemon.url, "hang", sse);
        killed.until_ready();
        let open = sessions_until(&data_dir, "the second session", |sessions| {
            sessions
                .iter()
                .any(|session| session["status"] == "active" && session["total_requests"] == 7)
        });
        assert_eq!(open.len(), 2);
        killed.kill();
        for session in sessions_until(&data_dir, "both ends", all_closed) {
            assert_counts(&session);
            assert_ended(&session, "client_disconnect");
        }
    }
}

/// The one session of a driver behind `mcp-remote`, which probes the server in one of its own first.
fn bridged(sessions: &[Value]) -> Option<&Value> {
    let made_calls: Vec<_> = sessions
        .iter()
        .filter(|session| session["total_requests"] != 0)
        .collect();
    assert!(
        made_calls.len() <= 1,
        "the bridge's own probe makes no call"
    );
    made_calls.first().copied()
}

#[test]
fn a_client_behind_the_bridge_mcp_remote_leaving_and_killed() {
    let server = Everything::start();
    for is_killed in [false, true] {
        let (_root, data_dir) = new_data_dir();
        let daemon = started(&server.url, &data_dir);
        let bridge = &["--transport", "bridge"];
        if is_killed {
            let client = Client::start(Driver::TsLegacy, &daemon.url, "hang", bridge);
            client.until_ready();
            client.kill();
        } else {
            Client::run(Driver::TsLegacy, &daemon.url, "close", bridge);
        }
        let sessions = sessions_until(&data_dir, "the bridged session's end", |sessions| {
            bridged(sessions).is_some_and(|session| {
                session["total_requests"] == 7 && session["status"] == "disconnected"
            })
        });
        let session = bridged(&sessions).expect("it made calls");
        assert_counts(session);
        let name = session["client_name"].as_str().expect("a name");
        assert!(
            name.starts_with("ts-legacy-driver (via mcp-remote "),
            "{name}"
        );
        assert_ended(session, "client_disconnect");
    }
}

#[test]
fn a_client_behind_the_bridge_mcp_remote_of_a_server_of_the_modern_era() {
    let server = ModernServer::start(&[]);
    let (_root, data_dir) = new_data_dir();
    let daemon = started(&server.url, &data_dir);
    let bridge = &["--transport", "bridge"];
    Client::run(Driver::TsLegacy, &daemon.url, "close", bridge);
    let sessions = sessions_until(&data_dir, "the calls", |sessions| {
        bridged(sessions).is_some_and(|session| session["total_requests"] == 7)
    });
    let session = bridged(&sessions).expect("it made calls");
    assert_counts(session);
    assert_eq!(session["era"], "legacy", "the bridge speaks no other");
    assert_eq!(session["derivation"], "inferred", "the server minted no id");
    daemon.stop();
    let sessions = sessions_until(&data_dir, "the end", all_closed);
    assert_ended(bridged(&sessions).expect("it is there"), "server_shutdown");
}

/// Rule: era/both-at-once
#[test]
fn fastmcp_s_client_in_both_eras_leaving_and_killed() {
    let (legacy, modern) = (Everything::start(), ModernServer::start(&[]));
    for scenario in ["polite", "close", "hang"] {
        for (url, era) in [(&legacy.url, "legacy"), (&modern.url, "modern")] {
            let (_root, data_dir) = new_data_dir();
            let daemon = started(url, &data_dir);
            let client = Client::start(Driver::FastMcp, &daemon.url, scenario, &[]);
            let events = if scenario == "hang" {
                let events = client.until_ready();
                client.kill();
                events
            } else {
                client.finish()
            };
            let (derivation, version) = match era {
                "legacy" => ("protocol", "2025-11-25"),
                _ => ("inferred", "2026-07-28"),
            };
            let sessions = sessions_until(&data_dir, "the calls", |sessions| {
                sessions
                    .iter()
                    .any(|session| session["total_requests"] == 7)
            });
            assert_eq!(sessions.len(), 1, "{scenario}, {era}");
            assert_identity(&sessions[0], Driver::FastMcp, era, derivation, version);
            assert_counts(&sessions[0]);
            assert_requests(&data_dir, &sessions[0], &events);
            // Nothing on the wire says that a modern client left.
            let reason = if era == "legacy" {
                "client_disconnect"
            } else {
                daemon.stop();
                "server_shutdown"
            };
            let ended = sessions_until(&data_dir, "the session's end", all_closed);
            assert_ended(&ended[0], reason);
        }
    }
}

#[test]
fn modern_clients_with_both_kinds_of_answers() {
    for answers in [&[][..], &["--sse"]] {
        let server = ModernServer::start(answers);
        for driver in [Driver::TsModern, Driver::PyModern] {
            let (_root, data_dir) = new_data_dir();
            let daemon = started(&server.url, &data_dir);
            let events = Client::run(driver, &daemon.url, "polite", &[]);
            let sessions = sessions_until(&data_dir, "the calls", |sessions| {
                sessions
                    .iter()
                    .any(|session| session["total_requests"] == 7)
            });
            assert_eq!(sessions.len(), 1);
            assert_identity(&sessions[0], driver, "modern", "inferred", "2026-07-28");
            assert_counts(&sessions[0]);
            assert_eq!(
                sessions[0]["status"], "active",
                "nothing on the wire says that it left"
            );
            assert_requests(&data_dir, &sessions[0], &events);
            daemon.stop();
            let ended = sessions_until(&data_dir, "the session's end", all_closed);
            assert_ended(&ended[0], "server_shutdown");
        }
    }
}

#[test]
fn a_modern_client_that_listens_and_is_killed() {
    let server = ModernServer::start(&[]);
    let (_root, data_dir) = new_data_dir();
    let daemon = started(&server.url, &data_dir);
    let client = Client::start(Driver::TsModern, &daemon.url, "hang", &["--listen"]);
    client.until_ready();
    client.kill();
    let sessions = sessions_until(&data_dir, "the session's end", all_closed);
    assert_eq!(sessions.len(), 1);
    assert_ended(&sessions[0], "client_disconnect");
}

/// Rule: session/not-by-probe
#[test]
fn a_client_that_probes_first_is_one_session() {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let daemon = started(&server.url, &data_dir);
    Client::run(Driver::TsModern, &daemon.url, "polite", &[]);
    let sessions = sessions_until(&data_dir, "the session's end", all_closed);
    assert_eq!(sessions.len(), 1, "the refused probe opened none");
    assert_identity(
        &sessions[0],
        Driver::TsModern,
        "legacy",
        "protocol",
        "2025-11-25",
    );
    assert_counts(&sessions[0]);
    assert_ended(&sessions[0], "client_disconnect");
}

/// Rule: derivation/inferred-legacy
#[test]
fn a_legacy_client_of_a_server_that_mints_no_ids() {
    let server = ModernServer::start(&[]);
    let (_root, data_dir) = new_data_dir();
    let daemon = started(&server.url, &data_dir);
    Client::run(Driver::PyLegacy, &daemon.url, "polite", &[]);
    let sessions = sessions_until(&data_dir, "the calls", |sessions| {
        sessions
            .iter()
            .any(|session| session["total_requests"] == 7)
    });
    assert_eq!(sessions.len(), 1);
    assert_identity(
        &sessions[0],
        Driver::PyLegacy,
        "legacy",
        "inferred",
        "2025-11-25",
    );
    assert_counts(&sessions[0]);
    drop(daemon);
}

/// Rule: era/both-at-once
#[test]
fn rusts_own_client_in_both_eras() {
    use rmcp::model::{CallToolRequestParams, ClientConfig, Implementation, ProtocolVersion};
    use rmcp::service::{ClientLifecycleMode, ClientServiceExt};
    use rmcp::transport::StreamableHttpClientTransport;

    archonctl::probe::install_tls_provider();
    let (legacy, modern) = (Everything::start(), ModernServer::start(&[]));
    for (upstream, era, derivation) in [
        (&legacy.url, "legacy", "protocol"),
        (&modern.url, "modern", "inferred"),
    ] {
        let (_root, data_dir) = new_data_dir();
        let daemon = started(upstream, &data_dir);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let transport = StreamableHttpClientTransport::from_uri(daemon.url.clone());
            let mut info = ClientConfig::default();
            info.client_info = Implementation::new("rmcp-driver", "3.11");
            let mode = if era == "modern" {
                ClientLifecycleMode::Discover {
                    preferred_versions: vec![ProtocolVersion::V_2026_07_28],
                }
            } else {
                ClientLifecycleMode::Initialize
            };
            let client = info
                .serve_with_lifecycle(transport, mode)
                .await
                .expect("connected");
            assert!(!client.list_all_tools().await.expect("a list").is_empty());
            for number in 1..=5 {
                let arguments = serde_json::json!({"message": format!("hello {number}")});
                let call = CallToolRequestParams::new("echo")
                    .with_arguments(arguments.as_object().expect("an object").clone());
                let result = client.call_tool(call).await.expect("an answer");
                assert_ne!(result.is_error, Some(true));
            }
            let failing = client
                .call_tool(CallToolRequestParams::new("no-such-tool"))
                .await;
            assert!(failing.is_err() || failing.is_ok_and(|result| result.is_error == Some(true)));
            client.cancel().await.expect("closed");
        });
        let sessions = sessions_until(&data_dir, "the calls", |sessions| {
            sessions
                .iter()
                .any(|session| session["total_requests"] == 7)
        });
        assert_eq!(sessions.len(), 1, "{sessions:?}");
        assert_counts(&sessions[0]);
        assert_eq!(
            (&sessions[0]["client_name"], &sessions[0]["era"]),
            (&"rmcp-driver".into(), &era.into())
        );
        assert_eq!(sessions[0]["derivation"], derivation);
        if era == "legacy" {
            let ended = sessions_until(&data_dir, "the session's end", all_closed);
            assert_ended(&ended[0], "client_disconnect");
        }
    }
}

/// Rule: era/both-at-once
#[test]
fn one_daemon_serves_clients_of_both_eras_at_the_same_time() {
    let server = ModernServer::start(&[]);
    let (_root, data_dir) = new_data_dir();
    let daemon = started(&server.url, &data_dir);
    let drivers = [
        (Driver::PyLegacy, "legacy", "2025-11-25"),
        (Driver::TsModern, "modern", "2026-07-28"),
    ];
    let clients = drivers.map(|(driver, ..)| Client::start(driver, &daemon.url, "hang", &[]));
    for client in &clients {
        client.until_ready();
    }
    let sessions = sessions_until(&data_dir, "both, open", |sessions| {
        let used = |one: &&Value| one["total_requests"] == 7 && one["status"] == "active";
        sessions.iter().filter(used).count() == 2
    });
    assert_eq!(sessions.len(), 2);
    for (driver, era, version) in drivers {
        let mut all = sessions.iter();
        let session = all.find(|one| one["client_name"] == driver.name());
        let session = session.expect("its session");
        assert_identity(session, driver, era, "inferred", version);
        assert_counts(session);
    }
    clients.into_iter().for_each(Client::kill);
}
