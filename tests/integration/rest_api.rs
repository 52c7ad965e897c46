//! The REST API of a running daemon: the same figures as the command line, after real traffic, and what keeps others out.

use serde_json::Value;

use crate::support::{Client, Daemon, Driver, archonctl, eventually, json, new_data_dir, send};

fn get(url: &str, headers: &str) -> (u16, Value) {
    let mut answer = send(url, "GET", headers, b"").expect("answered");
    let body = answer.body().expect("a body");
    (
        answer.status(),
        serde_json::from_slice(&body).expect("JSON"),
    )
}

#[test]
fn what_a_client_did_is_told_by_the_api_as_by_the_command_line() {
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &[]);
    let at = |path: &str| format!("{}{path}", daemon.api);
    assert_eq!(get(&at("/api/mcp/status"), "").1["status"], "running");
    Client::call(
        Driver::PyModern,
        &daemon.url,
        &["health_check", "session_info"],
    );
    let sessions = eventually("the session and its calls", || {
        let (status, clients) = get(&at("/api/mcp/clients?status_filter=all"), "");
        assert_eq!(status, 200, "{clients}");
        let used = clients["clients"][0]["total_requests"].as_i64();
        used.is_some_and(|n| n > 0).then_some(clients)
    });
    let listed = json(&data_dir, &["sessions", "list"]);
    assert_eq!(
        sessions["total"],
        listed["data"].as_array().expect("an array").len()
    );
    let id = listed["data"][0]["session_id"].as_str().expect("an id");
    let shown = json(&data_dir, &["sessions", "show", id, "--limit", "100"]);
    let (_, details) = get(&at(&format!("/api/mcp/sessions/{id}")), "");
    assert_eq!(details["requests"], shown["data"]["requests"]);
    assert_eq!(details["summary"], shown["data"]["summary"]);
    let (_, logs) = get(&at(&format!("/api/mcp/logs?session_id={id}")), "");
    assert_eq!(logs["pagination"]["total"], details["pagination"]["total"]);
    assert_eq!(get(&at("/health"), "").1["service"], "archon-mcp");
    assert_eq!(get(&at("/health/ready"), "").0, 200);
    let port = daemon.url.rsplit(':').next().expect("a port");
    let port = port.split('/').next().expect("a port");
    assert_eq!(get(&at("/api/mcp/config"), "").1["port"].to_string(), port);
    daemon.stop();
}

#[test]
fn pages_of_other_sites_and_other_machines_are_kept_out() {
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &[]);
    let url = format!("{}/api/mcp/clients", daemon.api);
    let (status, body) = get(&url, "origin: https://evil.example\r\n");
    assert_eq!(status, 403);
    assert!(body["detail"].is_string(), "{body}");
    assert_eq!(get(&url, "origin: http://localhost:3737\r\n").0, 200);
    daemon.stop();

    let output = archonctl(&["serve", "--listen", "127.0.0.1:0"])
        .args(["--api-listen", "0.0.0.0:0"])
        .arg("--data-dir")
        .arg(&data_dir)
        .output()
        .expect("it runs");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("can be reached from other machines") && said.contains("hint:"),
        "{said}"
    );
}
