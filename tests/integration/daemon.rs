//! The daemon as a process: how it starts and what keeps it from starting, how it stops, what a kill leaves behind.

use std::collections::HashMap;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::support::{
    Daemon, Everything, Legacy, Scripted, archonctl, eventually, json, new_data_dir, send,
    sessions_until,
};

fn journals(data_dir: &Path) -> usize {
    std::fs::read_dir(data_dir.join("journal"))
        .expect("the journals' folder")
        .count()
}

fn health(daemon: &Daemon) -> Value {
    let mut answer = send(&daemon.at("/health"), "GET", "", b"").expect("answered");
    assert_eq!(answer.status(), 200);
    serde_json::from_slice(&answer.body().expect("a body")).expect("JSON")
}

/// Starts `serve`, which must refuse; the two lines it says.
fn refused(arguments: &[&str]) -> (String, String) {
    let output = archonctl(&["serve"])
        .args(arguments)
        .output()
        .expect("it runs");
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(output.stdout.is_empty());
    let (error, hint) = said.trim_end().split_once('\n').expect("two lines");
    assert!(!hint.contains('\n'), "one error and one hint: {said}");
    (error.to_owned(), hint.to_owned())
}

#[test]
fn it_is_ready_on_a_machine_with_nothing_set_up() {
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &[]);
    let mode = std::fs::metadata(&data_dir)
        .expect("made")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700, "what was tracked is the owner's alone");
    let health = health(&daemon);
    assert_eq!(
        (&health["status"], &health["success"]),
        (&json!("healthy"), &json!(true))
    );
    assert_eq!(json(&data_dir, &["sessions", "list"])["data"], json!([]));
    assert!(daemon.stop_with("TERM").success());
}

#[test]
fn a_port_that_is_taken_is_told_with_the_way_out() {
    let (_root, data_dir) = new_data_dir();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let data_dir = data_dir.to_str().expect("UTF-8");
    let (error, hint) = refused(&["--listen", &address, "--data-dir", data_dir]);
    assert_eq!(
        error,
        format!(
            "error: {address} is taken by another program: Address already in use (os error 98)"
        )
    );
    assert!(
        hint.starts_with("hint: ") && hint.contains("--listen"),
        "{hint}"
    );
}

#[test]
fn a_data_directory_that_cannot_be_written_is_told_with_the_way_out() {
    let (root, _) = new_data_dir();
    let file = root.path().join("file");
    std::fs::write(&file, b"in the way").expect("written");
    let below = file.join("data");
    let below = below.to_str().expect("UTF-8");
    let (error, hint) = refused(&["--listen", "127.0.0.1:0", "--data-dir", below]);
    assert_eq!(
        error,
        format!("error: the data directory {below} cannot be made: Not a directory (os error 20)")
    );
    assert!(
        hint.contains("--data-dir") && hint.contains("ARCHONCTL_DATA_DIR"),
        "{hint}"
    );
}

#[test]
fn a_server_that_is_away_gets_requests_502_until_it_comes() {
    // A socket that is bound and does not listen: its port refuses connections, and is nobody else's.
    let socket =
        socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).expect("a socket");
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    socket.bind(&any.into()).expect("bound");
    let port = socket
        .local_addr()
        .ok()
        .and_then(|address| address.as_socket())
        .expect("an address")
        .port();
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(
        &data_dir,
        &["--upstream", &format!("http://127.0.0.1:{port}/mcp")],
    );
    daemon.logged("cannot be reached");
    let call = br#"{"jsonrpc":"2.0","id":"seven","method":"tools/list"}"#;
    let json_body = "content-type: application/json\r\n";
    let mut answer = send(&daemon.url, "POST", json_body, call).expect("answered");
    assert_eq!(answer.status(), 502);
    assert_eq!(
        answer.header("x-archon-answer"),
        Some("upstream-unreachable")
    );
    let body: Value = serde_json::from_slice(&answer.body().expect("a body")).expect("JSON-RPC");
    assert_eq!(
        (&body["jsonrpc"], &body["id"]),
        (&json!("2.0"), &json!("seven"))
    );
    assert!(
        body["error"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("cannot be reached"))
    );
    let seen = health(&daemon);
    assert_eq!(seen["health"]["upstreams"][0]["reachable"], false);
    assert_eq!(
        seen["status"], "healthy",
        "that server's trouble is not the daemon's"
    );

    socket.listen(16).expect("listening");
    let server = Scripted::on(socket.into());
    let client = std::thread::spawn({
        let url = daemon.url.clone();
        move || {
            send(&url, "POST", json_body, call)
                .expect("answered")
                .status()
        }
    });
    server.request().answer(
        "200 OK",
        json_body,
        br#"{"jsonrpc":"2.0","id":"seven","result":{}}"#,
    );
    assert_eq!(client.join().expect("it ends"), 200);
    assert_eq!(health(&daemon)["health"]["upstreams"][0]["reachable"], true);
}

/// Answers the `initialize` of a [`Legacy`] client.
fn shake_hands(server: &Scripted, id: &str) {
    let result = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "serverInfo": {"name": "s", "version": "1"}});
    let body = json!({"jsonrpc": "2.0", "id": 0, "result": result}).to_string();
    let headers = format!("content-type: application/json\r\nmcp-session-id: {id}\r\n");
    server.request().answer("200 OK", &headers, body.as_bytes());
}

#[test]
fn both_signals_let_a_call_in_flight_finish_and_close_every_session() {
    for signal in ["TERM", "INT"] {
        let server = Scripted::start();
        let (_root, data_dir) = new_data_dir();
        let daemon = Daemon::start(
            &data_dir,
            &["--upstream", &server.url, "--drain-timeout", "1m"],
        );
        let url = daemon.url.clone();
        let opening = std::thread::spawn(move || Legacy::open(&url, "client"));
        shake_hands(&server, "minted");
        let session = opening.join().expect("opened");
        let session = Arc::new(session);
        let call = std::thread::spawn({
            let session = session.clone();
            move || {
                session
                    .echo("4bf92f3577b34da6a3ce929d0e0e4736")
                    .expect("answered in full")
            }
        });
        let in_flight = server.request();
        // A stream that the client holds has no end to wait for.
        let held = std::thread::spawn({
            let session = session.clone();
            move || {
                let mut answer = session.send("GET", "", "").expect("answered");
                assert_eq!(answer.status(), 200);
                while let Ok(Some(_)) = answer.chunk() {}
            }
        });
        let mut stream = server.request();
        stream.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
        stream.write(b"a\r\ndata: {}\n\n\r\n");

        daemon.signal(signal);
        daemon.logged(&format!("SIG{signal}: finishing what is under way"));
        eventually("the end of new connections", || {
            send(&daemon.at("/health"), "GET", "", b"")
                .is_err()
                .then_some(())
        });
        let body =
            br#"{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"done"}]}}"#;
        in_flight.answer("200 OK", "content-type: application/json\r\n", body);
        let (answer, document) = call.join().expect("the call");
        assert_eq!(
            (answer.status(), &document["result"]["content"][0]["text"]),
            (200, &json!("done"))
        );
        let log = daemon.wait();
        let given_up = log.iter().any(|line| line.contains("drain timeout"));
        assert!(!given_up, "SIG{signal}: {log:?}");
        held.join().expect("the stream ended");

        let sessions = json(&data_dir, &["sessions", "list"])["data"].clone();
        assert_eq!(sessions.as_array().map(Vec::len), Some(1), "{sessions}");
        assert_eq!(sessions[0]["disconnect_reason"], "server_shutdown");
        assert_eq!(
            (
                &sessions[0]["total_requests"],
                &sessions[0]["failed_requests"]
            ),
            (&json!(1), &json!(0))
        );
        assert_eq!(journals(&data_dir), 0, "everything is in the store");
    }
}

#[test]
fn what_is_not_done_when_the_drain_timeout_is_over_is_cut_off() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(
        &data_dir,
        &["--upstream", &server.url, "--drain-timeout", "0s"],
    );
    let url = daemon.url.clone();
    let opening = std::thread::spawn(move || Legacy::open(&url, "client"));
    shake_hands(&server, "minted");
    let session = opening.join().expect("opened");
    let call =
        std::thread::spawn(move || session.echo("4bf92f3577b34da6a3ce929d0e0e4736").is_err());
    let _never_answered = server.request();
    assert!(daemon.stop_with("TERM").success());
    assert!(call.join().expect("it ends"), "its connection was cut");
    let sessions = json(&data_dir, &["sessions", "list"])["data"].clone();
    assert_eq!(sessions[0]["disconnect_reason"], "server_shutdown");
}

/// Calls in a loop until the daemon is gone; the trace ids of the calls that were answered in full.
fn call_until_cut(session: &Legacy, number: usize, acknowledged: &Mutex<Vec<String>>) {
    for call in 1_u64.. {
        let trace_id = format!("{number:016x}{call:016x}");
        match session.echo(&trace_id) {
            Ok((answer, document)) if answer.status() == 200 => {
                let text = document["result"]["content"][0]["text"].as_str();
                assert_eq!(text, Some(&*format!("Echo: {trace_id}")));
                acknowledged.lock().expect("a lock").push(trace_id);
            }
            _ => return,
        }
    }
}

/// How often each trace id stands in the rows of a session.
fn stored_calls(data_dir: &Path, session: &Value) -> HashMap<String, usize> {
    let id = session["session_id"].as_str().expect("an id");
    let details = json(data_dir, &["sessions", "show", id, "--limit", "10000"]);
    let mut counts = HashMap::new();
    for row in details["data"]["requests"].as_array().expect("rows") {
        if let Some(trace_id) = row["trace_id"].as_str() {
            *counts.entry(trace_id.to_owned()).or_default() += 1;
        }
    }
    counts
}

#[test]
fn a_kill_under_calls_loses_none_and_the_next_start_goes_on() {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &["--upstream", &server.url]);
    let clients: Vec<_> = (1..=3)
        .map(|number| {
            (
                number,
                Legacy::open(&daemon.url, &format!("client-{number}")),
                Mutex::default(),
            )
        })
        .collect();
    std::thread::scope(|scope| {
        for (number, session, acknowledged) in &clients {
            scope.spawn(move || call_until_cut(session, *number, acknowledged));
        }
        eventually("calls of every client", || {
            let enough =
                |acknowledged: &Mutex<Vec<_>>| acknowledged.lock().expect("a lock").len() >= 40;
            clients
                .iter()
                .all(|(_, _, acknowledged)| enough(acknowledged))
                .then_some(())
        });
        daemon.kill();
    });
    assert_eq!(journals(&data_dir), 1, "left behind by the killed one");

    let sessions = json(&data_dir, &["sessions", "list"])["data"].clone();
    assert_eq!(journals(&data_dir), 0, "settled by the query");
    assert_eq!(sessions.as_array().map(Vec::len), Some(3), "{sessions}");
    let of = |sessions: &Value, number: usize| {
        let name = format!("client-{number}");
        let mut all = sessions.as_array().expect("sessions").iter();
        all.find(|session| session["client_name"] == *name)
            .expect("its session")
            .clone()
    };
    for (number, client, acknowledged) in &clients {
        let session = of(&sessions, *number);
        assert_eq!(session["session_id"].as_str(), client.archon_id.as_deref());
        assert_eq!(session["status"], "active", "its server still knows it");
        let stored = stored_calls(&data_dir, &session);
        assert!(stored.values().all(|count| *count == 1), "{stored:?}");
        let acknowledged = acknowledged.lock().expect("a lock");
        for trace_id in &*acknowledged {
            assert!(
                stored.contains_key(trace_id),
                "call {trace_id} was acknowledged and is lost"
            );
        }
        let unanswered = stored.len() - acknowledged.len();
        assert!(unanswered <= 1, "at most the one that the kill met");
        assert_eq!(session["total_requests"], stored.len());
    }

    let next = Daemon::start(&data_dir, &["--upstream", &server.url]);
    for (number, client, _) in &clients {
        let before = of(&sessions, *number)["total_requests"]
            .as_u64()
            .expect("a number");
        let (answer, document) = client
            .moved(&next.url)
            .echo("4bf92f3577b34da6a3ce929d0e0e4736")
            .expect("answered");
        assert_eq!(answer.status(), 200, "{document}");
        assert_eq!(
            answer.header("x-archon-session-id"),
            client.archon_id.as_deref()
        );
        sessions_until(&data_dir, "the call behind the kill", |sessions| {
            of(&sessions.into(), *number)["total_requests"] == before + 1
        });
    }
    assert!(next.stop_with("TERM").success());
    let ended = json(&data_dir, &["sessions", "list"])["data"].clone();
    assert_eq!(
        ended.as_array().map(Vec::len),
        Some(3),
        "no session was opened twice"
    );
    for (number, _, _) in &clients {
        assert_eq!(of(&ended, *number)["disconnect_reason"], "server_shutdown");
    }
}

#[test]
fn a_kill_ends_the_sessions_of_the_built_in_server() {
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &[]);
    let session = Legacy::open(&daemon.url, "client");
    daemon.kill();
    let sessions = json(&data_dir, &["sessions", "list"])["data"].clone();
    assert_eq!(
        sessions[0]["disconnect_reason"], "error:ServerCrash",
        "{sessions}"
    );
    let next = Daemon::start(&data_dir, &[]);
    let (answer, _) = session
        .moved(&next.url)
        .echo("4bf92f3577b34da6a3ce929d0e0e4736")
        .expect("answered");
    assert_eq!(answer.status(), 404, "it lived in the process");
}

#[test]
fn two_daemons_share_a_data_directory() {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let start = |name| {
        Daemon::start(
            &data_dir,
            &["--upstream", &server.url, "--upstream-name", name],
        )
    };
    let first = start("one");
    let one = Legacy::open(&first.url, "client-1");
    sessions_until(&data_dir, "the first session", |sessions| {
        sessions.len() == 1
    });
    let second = start("two");
    let two = Legacy::open(&second.url, "client-2");
    for session in [&one, &two] {
        session
            .echo("4bf92f3577b34da6a3ce929d0e0e4736")
            .expect("answered");
    }
    let called = |sessions: &[Value]| {
        sessions.len() == 2
            && sessions
                .iter()
                .all(|session| session["total_requests"] == 1)
    };
    let sessions = sessions_until(&data_dir, "both calls", called);
    assert!(
        sessions.iter().all(|session| session["status"] == "active"),
        "{sessions:?}"
    );
    assert_eq!(journals(&data_dir), 2);
    assert!(first.stop_with("TERM").success());
    let sessions = json(&data_dir, &["sessions", "list"])["data"].clone();
    for session in sessions.as_array().expect("sessions") {
        let (status, reason) = (&session["status"], &session["disconnect_reason"]);
        if session["server"] == "one" {
            assert_eq!(
                (status, reason),
                (&json!("disconnected"), &json!("server_shutdown"))
            );
        } else {
            assert_eq!((status, reason), (&json!("active"), &Value::Null));
        }
    }
    assert_eq!(journals(&data_dir), 1);
    let (answer, _) = two
        .echo("4bf92f3577b34da6a3ce929d0e0e4736")
        .expect("answered");
    assert_eq!(
        answer.header("x-archon-session-id"),
        two.archon_id.as_deref()
    );
    assert!(second.stop_with("INT").success());
    assert_eq!(journals(&data_dir), 0);
}
