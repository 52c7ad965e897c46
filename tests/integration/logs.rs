//! The log of a daemon: lines that programs can read, one for each request only where that is asked for, and no secrets.

use serde_json::Value;

use crate::support::postgres::{Version, plain};
use crate::support::{Daemon, Everything, Legacy, eventually, new_data_dir, send};

const SECRETS: [&str; 4] = ["hunter2", "geheimnis", "tajemnica", "segredo"];

/// Runs a daemon with JSON lines at `level`, a client and what it may not tell; its lines and how many requests it recorded.
fn logged(level: &[(&str, &str)]) -> (Vec<Value>, u64) {
    let server = Everything::start();
    let database = plain(Version::V17).fresh_database();
    let url = database.url().replace("postgres@", "postgres:hunter2@");
    let (_root, data_dir) = new_data_dir();
    let arguments = [
        "--upstream",
        &server.url,
        "--log-format",
        "json",
        "--migrate",
    ];
    let variables = [level, &[("ARCHONCTL_DATABASE_URL", url.as_str())]].concat();
    let daemon = Daemon::start_with(&data_dir, &arguments, &variables);
    let session = Legacy::open(&daemon.url, "client");
    for message in ["geheimnis", "again"] {
        session.echo(message).expect("answered");
    }
    let call = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo","arguments":{"message":"x"}}}"#;
    let secret = "authorization: Bearer tajemnica\r\ncookie: segredo\r\n";
    let mut answer = session.send("POST", secret, call).expect("answered");
    answer.body().expect("a body");
    session.send("DELETE", "", "").expect("answered");
    let recorded = eventually("everything in the store", || {
        let mut answer = send(&daemon.at("/health"), "GET", "", b"").expect("answered");
        let health: Value = serde_json::from_slice(&answer.body().expect("a body")).expect("JSON");
        let figures = &health["health"];
        (figures["journal_backlog_bytes"] == 0).then(|| figures["operations_recorded"].as_u64())
    });
    let mut lines = daemon.early.clone();
    lines.extend(daemon.stop());
    let read = lines.iter().map(|line| {
        for secret in SECRETS {
            assert!(!line.contains(secret), "{line}");
        }
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        for name in ["timestamp", "level", "message"] {
            assert!(line[name].is_string(), "{name}: {line}");
        }
        line
    });
    (read.collect(), recorded.expect("a count"))
}

fn requests(lines: &[Value]) -> Vec<&Value> {
    let finished = lines
        .iter()
        .filter(|line| line["message"] == "request finished");
    finished.collect()
}

#[test]
fn lines_are_json_and_say_nothing_of_single_requests() {
    let (lines, recorded) = logged(&[]);
    assert!(lines.len() >= 3 && recorded >= 4, "{lines:?}");
    assert!(requests(&lines).is_empty());
    assert!(lines.iter().all(|line| line["level"] != "DEBUG"));
    assert!(lines.iter().any(|line| line["message"] == "stopped"));
}

#[test]
fn at_debug_there_is_one_line_for_each_request_and_no_secret() {
    let (lines, recorded) = logged(&[("ARCHONCTL_LOG", "debug")]);
    let requests = requests(&lines);
    assert_eq!(requests.len() as u64, recorded);
    let mut ids: Vec<_> = requests
        .iter()
        .map(|line| line["request_id"].to_string())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), requests.len());
    let calls = requests
        .iter()
        .filter(|line| line["method"] == "tools/call");
    let calls: Vec<_> = calls.collect();
    assert_eq!(calls.len(), 3, "{requests:?}");
    for line in calls {
        assert_eq!(line["level"], "DEBUG");
        assert_eq!(
            (&line["tool"], &line["status"]),
            (&"echo".into(), &"success".into())
        );
        assert!(
            line["session_id"].is_string() && line["duration_us"].is_u64(),
            "{line}"
        );
    }
}
