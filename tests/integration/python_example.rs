//! The example in `docs/examples`: an MCP server that reports every call itself, with real clients, a daemon that is killed
//! meanwhile, and its own graceful end.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{
    Daemon, Owned, archonctl, clients_dir, eventually, json, new_data_dir, python, send_signal,
    sessions_until,
};

const TOOLS: [&str; 12] = [
    "add_note",
    "append_to_note",
    "count_notes",
    "count_words",
    "delete_note",
    "list_notes",
    "notes_tagged",
    "read_note",
    "rename_note",
    "search_notes",
    "tag_note",
    "untag_note",
];

/// A port that is free at the moment.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// A daemon whose API is at a port that another one may have had.
fn daemon_at(data_dir: &Path, api: &str) -> Daemon {
    let mut command = archonctl(&["serve", "--listen", "127.0.0.1:0", "--api-listen", api]);
    command.arg("--data-dir").arg(data_dir);
    Daemon::spawn(command)
}

/// Lets `user` call each tool once, and one more that fails.
fn call_every_tool(url: &str, user: &str, mode: &str) {
    let status = Command::new(python("modern"))
        .args(["py_notes.py", url, user, "--mode", mode])
        .current_dir(clients_dir())
        .stdout(Stdio::null())
        .status();
    assert!(status.expect("Python runs").success(), "{user}");
}

#[test]
fn every_call_of_the_example_is_tracked_once_whatever_happens_to_the_daemon() {
    let (_root, data_dir) = new_data_dir();
    let api = format!("127.0.0.1:{}", free_port());
    let daemon = daemon_at(&data_dir, &api);
    let port = free_port();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/examples");
    let mut server = Owned(
        Command::new(python("modern"))
            .arg("notes_server.py")
            .args(["--port", &port.to_string(), "--archon"])
            .arg(format!("http://{api}"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("Python runs"),
    );
    eventually("the example", || {
        TcpStream::connect(("127.0.0.1", port)).ok()
    });
    let url = format!("http://127.0.0.1:{port}/mcp");
    call_every_tool(&url, "ada", "auto");
    call_every_tool(&url, "bob", "legacy");
    let all_of = |sessions: &[Value], calls: &[(&str, i64)]| {
        let has = |(user, calls): &(&str, i64)| {
            let email = format!("{user}@example.com");
            let of = sessions
                .iter()
                .filter(|session| session["user_email"] == *email);
            of.map(|session| &session["total_requests"]).eq([calls])
        };
        sessions.len() == calls.len() && calls.iter().all(has)
    };
    sessions_until(&data_dir, "the calls of both", |sessions| {
        all_of(sessions, &[("ada", 13), ("bob", 13)])
    });
    // What is called without a daemon waits for the next one.
    daemon.kill();
    call_every_tool(&url, "ada", "auto");
    let daemon = daemon_at(&data_dir, &api);
    sessions_until(&data_dir, "the calls that waited", |sessions| {
        all_of(sessions, &[("ada", 26), ("bob", 13)])
    });
    send_signal(&server.0, "TERM");
    assert!(server.0.wait().expect("it ends").success());
    let sessions = sessions_until(&data_dir, "the ends", |sessions| {
        sessions
            .iter()
            .all(|session| session["status"] == "disconnected")
    });
    for session in &sessions {
        assert_eq!(session["disconnect_reason"], "server_shutdown", "{session}");
        assert_eq!(session["client_name"], "py-notes-driver");
        assert_eq!(session["server"], "notes");
        assert_eq!(session["derivation"], "explicit");
        let id = session["session_id"].as_str().expect("an id");
        let shown = json(&data_dir, &["sessions", "show", id, "--limit", "100"]);
        let session = &shown["data"]["session"];
        let user = session["user_name"].as_str().expect("a user");
        assert_eq!(
            session["user_email"],
            format!("{}@example.com", user.to_lowercase())
        );
        let rows = shown["data"]["requests"].as_array().expect("rows");
        let mut tools: Vec<_> = rows
            .iter()
            .filter_map(|row| row["tool_name"].as_str())
            .collect();
        tools.sort_unstable();
        tools.dedup();
        assert_eq!(tools, TOOLS);
        let failed: Vec<_> = rows.iter().filter(|row| row["status"] == "error").collect();
        assert_eq!(failed.len(), rows.len() / 13);
        assert_eq!(
            failed[0]["error_message"],
            "there is no note called nowhere"
        );
        assert!(
            rows.iter().all(|row| row["duration_ms"].is_i64()),
            "{rows:?}"
        );
    }
    daemon.stop();
}
