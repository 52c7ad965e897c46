//! The daemon as a process: how it starts and what keeps it from starting, how it stops, two at once.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::support::{
    Daemon, Everything, Legacy, Scripted, archonctl, eventually, journals, json, new_data_dir,
    send, sessions_until,
};

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

/// Rule: reason/server-shutdown
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
    // `server_shutdown` is for the last one that shares the store.
    let ended = |session: &Value| {
        (
            session["status"].clone(),
            session["disconnect_reason"].clone(),
        )
    };
    let sessions = json(&data_dir, &["sessions", "list"])["data"].clone();
    for session in sessions.as_array().expect("sessions") {
        assert_eq!(ended(session), (json!("active"), Value::Null));
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
    let sessions = json(&data_dir, &["sessions", "list"])["data"].clone();
    for session in sessions.as_array().expect("sessions") {
        assert_eq!(
            ended(session),
            (json!("disconnected"), json!("server_shutdown"))
        );
    }
}
