//! Official clients over stdio with official servers over HTTP, in both eras.

use serde_json::{Value, json};

use super::{ended_one, leave, operations};
use crate::support::{
    Daemon, Everything, Lines, ModernServer, StdioClient, StdioDriver, bridge_command,
    new_data_dir, sessions_until,
};

const DRIVERS: [StdioDriver; 5] = [
    StdioDriver::TsLegacy,
    StdioDriver::PyLegacy,
    StdioDriver::TsModern,
    StdioDriver::PyModern,
    StdioDriver::FastMcp,
];

fn works_with(url: &str, drivers: &[StdioDriver], scenario: &str, modern_server: bool) {
    for &driver in drivers {
        let (_root, data_dir) = new_data_dir();
        let command = bridge_command(&data_dir, &["--name", "far"], url);
        StdioClient::run(driver, scenario, &[], &command);
        let sessions = sessions_until(&data_dir, "the session's end", |sessions| {
            sessions
                .iter()
                .any(|session| session["total_requests"].as_u64() >= Some(7))
                && sessions
                    .iter()
                    .all(|session| session["status"] == "disconnected")
        });
        let era = if modern_server && driver.is_modern() {
            "modern"
        } else {
            "legacy"
        };
        let session = sessions
            .iter()
            .find(|session| session["total_requests"] != 0)
            .expect("one with calls");
        assert_eq!(session["client_name"], driver.name());
        assert_eq!(
            (&session["era"], &session["derivation"], &session["server"]),
            (&era.into(), &"process".into(), &"far".into())
        );
        assert_eq!(session["disconnect_reason"], "client_disconnect");
        let failed: Vec<_> = operations(&data_dir, session)
            .into_iter()
            .filter(|row| row["sent_by"] == "client" && row["status"] != "success")
            .map(|row| row["tool_name"].clone())
            .collect();
        assert_eq!(failed, ["fail"]);
    }
}

#[test]
fn every_client_works_with_a_legacy_server() {
    let server = Everything::start();
    works_with(&server.url, &DRIVERS, "polite", false);
    works_with(&server.url, &DRIVERS[..2], "close", false);
}

#[test]
fn every_client_works_with_a_server_of_both_eras_and_both_kinds_of_answers() {
    for answers in [&[][..], &["--sse"]] {
        let server = ModernServer::start(answers);
        works_with(&server.url, &DRIVERS, "polite", true);
    }
}

#[test]
fn a_client_that_is_killed_has_left() {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let command = bridge_command(&data_dir, &[], &server.url);
    let client = StdioClient::start(StdioDriver::PyLegacy, "hang", &[], &command);
    client.until_ready();
    client.kill();
    let session = ended_one(&data_dir);
    assert_eq!(session["disconnect_reason"], "client_disconnect");
    assert_eq!(session["total_requests"], 7);
}

#[test]
fn a_bridge_that_is_killed_is_settled() {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    client.initialize("hand");
    client.call(1, "echo", &json!({"message": "hi"}));
    client.signal("KILL");
    client.wait();
    let session = ended_one(&data_dir);
    assert_eq!(session["disconnect_reason"], "error:ServerCrash");
    assert_eq!(operations(&data_dir, &session).len(), 2);
}

#[test]
fn signals_end_it_well() {
    let server = Everything::start();
    for signal in ["TERM", "INT", "HUP"] {
        let (_root, data_dir) = new_data_dir();
        let mut client = Lines::bridge(&data_dir, &[], &server.url);
        client.initialize("hand");
        client.signal(signal);
        assert_eq!(client.wait().0.code(), Some(0), "{signal}");
        assert_eq!(
            ended_one(&data_dir)["disconnect_reason"],
            "client_disconnect"
        );
    }
}

#[test]
fn through_a_daemon_both_see_what_passes() {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &["--upstream", &server.url]);
    let mut client = Lines::bridge(&data_dir, &[], &daemon.url);
    client.initialize("hand");
    client.call(1, "echo", &json!({"message": "hi"}));
    leave(client);
    let sessions = sessions_until(&data_dir, "both ends", |sessions| {
        sessions.len() == 2
            && sessions
                .iter()
                .all(|session| session["status"] == "disconnected")
    });
    let mut seen: Vec<_> = sessions
        .iter()
        .map(|session| {
            let text = |field: &str| session[field].as_str().expect("text").to_owned();
            (text("derivation"), text("disconnect_reason"))
        })
        .collect();
    seen.sort();
    let left = || "client_disconnect".to_owned();
    assert_eq!(
        seen,
        [
            ("process".to_owned(), left()),
            ("protocol".to_owned(), left())
        ],
        "the bridge tells the server that its client has left"
    );
}

#[test]
fn servers_ask_back_through_it() {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    client.initialize("hand");
    // The everything server asks for the roots on its own stream, a moment after the handshake and whenever they changed;
    // what it says before that stream is there is lost. What it logs again and again tells that it is.
    client.call(1, "toggle-simulated-logging", &json!({}));
    let asked = loop {
        let message = client.message();
        if message["method"] == "roots/list" {
            break message;
        }
        let changed = json!({"jsonrpc": "2.0", "method": "notifications/roots/list_changed"});
        client.send(&changed);
    };
    client.send(&json!({"jsonrpc": "2.0", "id": asked["id"],
        "result": {"roots": [{"uri": "file:///tmp", "name": "tmp"}]}}));
    client.call(2, "echo", &json!({"message": "behind it"}));
    leave(client);
    let session = ended_one(&data_dir);
    let rows = operations(&data_dir, &session);
    let answered = |row: &Value| row["sent_by"] == "server" && row["status"] == "success";
    assert!(rows.iter().any(answered), "{rows:?}");
}
