//! `archonctl test-connection` against every kind of server, and against none.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::support::{Daemon, Everything, ModernServer, archonctl, json as query, new_data_dir};

fn tested(url: &str, data_dir: &Path, words: &[&str]) -> Output {
    archonctl(&["test-connection", url])
        .args(words)
        .env("ARCHONCTL_DATA_DIR", data_dir)
        .output()
        .expect("it runs")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn report(output: &Output, code: i32) -> Value {
    assert_eq!(output.status.code(), Some(code), "{}", out(output));
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["schema_version"], 1);
    document["data"].clone()
}

fn steps(report: &Value) -> Vec<(&str, bool)> {
    let steps = report["steps"].as_array().expect("steps").iter();
    steps
        .map(|step| (step["name"].as_str().expect("a name"), step["ok"] == true))
        .collect()
}

const ALL: [(&str, bool); 5] = [
    ("health", true),
    ("negotiate", true),
    ("tools/list", true),
    ("disconnect", true),
    ("tracked", true),
];

/// Tests the daemon at `url` twice: as JSON, and as a table.
fn passes(url: &str, data_dir: &Path, era: &str) {
    let report = report(&tested(url, data_dir, &["-o", "json"]), 0);
    assert_eq!(steps(&report), ALL, "{report}");
    assert_eq!((&report["ok"], &report["era"]), (&json!(true), &json!(era)));
    let id = report["session_id"].as_str().expect("an id");
    let session = query(data_dir, &["sessions", "show", id])["data"]["session"].clone();
    assert_eq!(session["user_agent"], report["user_agent"]);
    assert_eq!(
        (&session["disconnect_reason"], &session["era"]),
        (&json!("client_disconnect"), &json!(era))
    );

    let table = tested(url, data_dir, &[]);
    assert_eq!(table.status.code(), Some(0), "{}", out(&table));
    let text = out(&table);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{text}");
    for (line, (name, _)) in lines.iter().zip(ALL) {
        let words: Vec<&str> = line.split_whitespace().collect();
        assert_eq!((words[0], words[1]), ("ok", name), "{line}");
        assert!(
            words[2].parse::<u64>().is_ok() && words[3] == "ms",
            "{line}"
        );
    }
    assert!(
        lines[4].contains(&format!("{era} era, 1 request, ")),
        "{text}"
    );
}

#[test]
fn the_built_in_server_passes() {
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &[]);
    passes(&daemon.url, &data_dir, "modern");
}

#[test]
fn a_legacy_server_that_mints_ids_passes() {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &["--upstream", &server.url]);
    passes(&daemon.url, &data_dir, "legacy");
}

#[test]
fn a_modern_server_passes() {
    let server = ModernServer::start(&[]);
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &["--upstream", &server.url]);
    passes(&daemon.url, &data_dir, "modern");
}

#[test]
fn a_server_without_archonctl_fails_unless_any_will_do() {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let any = report(
        &tested(&server.url, &data_dir, &["--any-server", "-o", "json"]),
        0,
    );
    assert_eq!(steps(&any), ALL[..4], "nothing is looked for in the store");
    let strict = tested(&server.url, &data_dir, &[]);
    assert_eq!(strict.status.code(), Some(1));
    assert!(
        out(&strict).contains("FAIL  health") && out(&strict).contains("--any-server"),
        "{}",
        out(&strict)
    );
}

#[test]
fn nobody_there_is_a_failure_with_a_hint() {
    let socket =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&any.into()).expect("bound, and not listening");
    let address = socket
        .local_addr()
        .ok()
        .and_then(|address| address.as_socket())
        .expect("an address");
    let (_root, data_dir) = new_data_dir();
    let url = format!("http://{address}/mcp");
    let table = tested(&url, &data_dir, &[]);
    assert_eq!(table.status.code(), Some(1));
    let text = out(&table);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines[0].starts_with("FAIL  health") && lines[0].contains("connection refused"),
        "{text}"
    );
    assert!(
        lines[1]
            .trim_start()
            .starts_with("hint: is `archonctl serve` running?"),
        "{text}"
    );
    let report = report(&tested(&url, &data_dir, &["-o", "json"]), 1);
    assert_eq!(
        (steps(&report), &report["ok"]),
        (vec![("health", false)], &json!(false))
    );
    assert!(report["steps"][0]["error"]["hint"].is_string());
}

#[test]
fn a_session_that_is_tracked_elsewhere_is_told() {
    let (_root, data_dir) = new_data_dir();
    let (_elsewhere, other) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &[]);
    let missing = report(&tested(&daemon.url, &other, &["-o", "json"]), 1);
    assert_eq!(steps(&missing).last(), Some(&("tracked", false)));
    assert!(!other.exists(), "looking makes nothing");
    let empty = Daemon::start(&other, &[]);
    let elsewhere = tested(&daemon.url, &other, &["--timeout", "300ms"]);
    assert_eq!(elsewhere.status.code(), Some(1));
    let text = out(&elsewhere);
    assert!(
        text.contains("FAIL  tracked") && text.contains("no session of this run is in"),
        "{text}"
    );
    assert!(text.contains("another data directory"), "{text}");
    let without = report(
        &tested(&daemon.url, &other, &["--no-store-check", "--json"]),
        0,
    );
    assert_eq!(steps(&without), ALL[..4]);
    assert!(empty.stop_with("TERM").success());
}
