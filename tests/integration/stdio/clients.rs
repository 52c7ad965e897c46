//! Official clients with official servers, in both eras.

use serde_json::Value;

use super::{ended, ended_one, operations};
use crate::support::{
    Family, Server, StdioClient, StdioDriver, json, new_data_dir, run_command, sessions_until,
};

const DRIVERS: [StdioDriver; 5] = [
    StdioDriver::TsLegacy,
    StdioDriver::PyLegacy,
    StdioDriver::TsModern,
    StdioDriver::PyModern,
    StdioDriver::FastMcp,
];

/// What every driver does: one list, five calls that work, one that fails.
fn assert_calls(data_dir: &std::path::Path, session: &Value) {
    let rows = operations(data_dir, session);
    // What servers ask for (`roots/list`) depends on how long the client stays.
    let by_client: Vec<_> = rows
        .iter()
        .filter(|row| row["sent_by"] == "client")
        .collect();
    let of = |method: &str| {
        by_client
            .iter()
            .filter(|row| row["method"] == method)
            .count()
    };
    assert_eq!((of("tools/list"), of("tools/call")), (1, 6), "{rows:?}");
    let failed: Vec<_> = by_client
        .iter()
        .filter(|row| row["status"] == "error")
        .collect();
    assert_eq!(failed.len(), 1, "{failed:?}");
    assert_eq!(failed[0]["tool_name"], "fail");
    assert!(
        by_client
            .iter()
            .all(|row| row["bytes_in"].as_i64() > Some(0) && row["bytes_out"].as_i64() > Some(0))
    );
}

fn assert_session(session: &Value, driver: StdioDriver, modern: bool) {
    assert_eq!(session["client_name"], driver.name());
    assert_eq!(session["client_version"], "1.2.3");
    assert_eq!(session["derivation"], "process");
    let (era, version) = if modern {
        ("modern", "2026-07-28")
    } else {
        ("legacy", "2025-11-25")
    };
    assert_eq!(
        (&session["era"], &session["protocol_version"]),
        (&era.into(), &version.into())
    );
    assert_eq!(session["disconnect_reason"], "client_disconnect");
}

fn leaves_politely(server: Server, drivers: &[StdioDriver], modern_server: bool) {
    for &driver in drivers {
        let (_root, data_dir) = new_data_dir();
        let command = run_command(&data_dir, &["--name", "tools"], &server.command());
        StdioClient::run(driver, "polite", &[], &command);
        let sessions = ended(&data_dir);
        let modern = modern_server && driver.is_modern();
        for session in &sessions {
            assert_session(session, driver, modern);
            assert_eq!(session["server"], "tools");
        }
        let (working, probes): (Vec<_>, Vec<_>) = sessions
            .iter()
            .partition(|session| session["total_requests"] != 0);
        assert_eq!(working.len(), 1, "{sessions:?}");
        assert_calls(&data_dir, working[0]);
        // The TypeScript client starts a server of its own to probe it; where that is answered, there is a session.
        let one_more = modern && driver == StdioDriver::TsModern;
        assert_eq!(probes.len(), usize::from(one_more), "{sessions:?}");
    }
}

#[test]
fn every_client_leaves_a_legacy_server_politely() {
    leaves_politely(Server::Everything, &DRIVERS, false);
}

#[test]
fn every_client_leaves_a_modern_server_politely() {
    leaves_politely(Server::Modern, &DRIVERS, true);
}

#[test]
fn clients_of_both_eras_leave_python_servers_politely() {
    let two = [StdioDriver::TsLegacy, StdioDriver::TsModern];
    leaves_politely(Server::PyLegacy, &two, false);
    leaves_politely(Server::PyModern, &two, true);
}

#[test]
fn clients_that_go_without_closing() {
    for driver in DRIVERS {
        let (_root, data_dir) = new_data_dir();
        let command = run_command(&data_dir, &[], &Server::Everything.command());
        StdioClient::run(driver, "close", &[], &command);
        let session = ended_one(&data_dir);
        assert_session(&session, driver, false);
        assert_calls(&data_dir, &session);
    }
}

#[test]
fn clients_that_are_killed() {
    for driver in DRIVERS {
        for server in [Server::Everything, Server::Modern] {
            let (_root, data_dir) = new_data_dir();
            let command = run_command(&data_dir, &[], &server.command());
            let client = StdioClient::start(driver, "hang", &[], &command);
            client.until_ready();
            let family = Family::of(client.pid());
            assert!(family.len() >= 3, "run, its guard and the server");
            client.kill();
            // A client that starts a server to try it out has an ended session long before its own ends.
            family.until_gone("the server's end");
            let sessions = ended(&data_dir);
            let modern = server == Server::Modern && driver.is_modern();
            for session in &sessions {
                assert_session(session, driver, modern);
            }
            let working = sessions
                .iter()
                .find(|session| session["total_requests"] != 0);
            assert_calls(&data_dir, working.expect("the calls"));
        }
    }
}

#[test]
fn a_client_that_listens_is_active_and_leaves() {
    let (_root, data_dir) = new_data_dir();
    let options = ["--idle-after", "100ms"];
    let command = run_command(&data_dir, &options, &Server::Modern.command());
    let client = StdioClient::start(StdioDriver::PyModern, "hang", &["--listen"], &command);
    client.until_ready();
    let listening = |data_dir: &std::path::Path| {
        let document = json(data_dir, &["sessions", "list"]);
        document["data"][0]["status"].clone()
    };
    sessions_until(&data_dir, "the calls", |sessions| {
        sessions.len() == 1 && sessions[0]["total_requests"] == 7
    });
    assert_eq!(listening(&data_dir), "active");
    client.kill();
    let session = ended_one(&data_dir);
    let rows = operations(&data_dir, &session);
    let listened = rows
        .iter()
        .find(|row| row["method"] == "subscriptions/listen");
    assert_eq!(listened.expect("a row")["status"], "success");
}
