//! What clients may send and hold, and what they are told when it is too much.

use std::io::Write;

use crate::support::{Daemon, Peer, eventually, json as query, sessions_until};

use super::{Relay, answer_call, call, id_of, post};

const GET: &str = "GET /mcp HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
const STREAM: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

/// How often `/health` says that `kind` was turned down.
fn rejected(daemon: &Daemon, kind: &str) -> u64 {
    let (_, health) = health(daemon);
    health["health"]["rejections"][kind]
        .as_u64()
        .unwrap_or_else(|| panic!("{health}"))
}

pub(super) fn health(daemon: &Daemon) -> (u16, serde_json::Value) {
    let mut client = Peer::connect(&daemon.url);
    client.write("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let (head, body) = client.message().expect("health");
    (head.status(), serde_json::from_slice(&body).expect("JSON"))
}

/// What the client is told, and that the connection ends.
fn told(client: &mut Peer, status: u16, reason: &str) -> serde_json::Value {
    let (head, body) = client.message().expect("an answer");
    assert_eq!(
        (head.status(), head.header("x-archon-answer")),
        (status, Some(reason))
    );
    let body: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert!(body["error"]["message"].is_string(), "{body}");
    client.end();
    assert!(client.is_closed());
    body
}

/// A call that went well, in a session that the server minted an id for.
pub(super) fn minted(relay: &Relay) -> (Peer, Peer) {
    let mut client = relay.client();
    client.write(post("", INITIALIZE));
    let mut server = relay.upstream.accept();
    server.message().expect("a request");
    let body = r#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"s","version":"1"}}}"#;
    server.write(format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMcp-Session-Id: m1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    client.message().expect("an answer");
    (client, server)
}

/// A call of the legacy era.
fn plain_call(id: u32) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"echo","arguments":{{"x":""}}}}}}"#
    )
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;

/// What stands in the store of the one session's operations: method, tool, status, message.
pub(super) fn operations(relay: &Relay, count: usize) -> Vec<[String; 4]> {
    let id = sessions_until(&relay.data_dir, "a session", |sessions| {
        sessions.len() == 1
    })[0]["session_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    eventually("its operations", || {
        let shown = query(&relay.data_dir, &["sessions", "show", &id]);
        let requests = shown["data"]["requests"].as_array()?.clone();
        (requests.len() == count).then(|| {
            let mut rows: Vec<_> = requests
                .iter()
                .map(|row| {
                    ["method", "tool_name", "status", "error_message"]
                        .map(|field| row[field].as_str().unwrap_or("-").to_owned())
                })
                .collect();
            rows.sort();
            rows
        })
    })
}

/// Rule: operation/turned-down
#[test]
fn a_body_over_the_limit_gets_413_and_is_an_operation() {
    let relay = Relay::start(&["--max-body", "2KiB"]);
    let (mut client, mut server) = minted(&relay);
    // The declared length alone is enough. What was asked is known as far as it was said.
    let mut big = relay.client();
    big.write("POST /mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: m1\r\nContent-Type: application/json\r\nContent-Length: 2049\r\n\r\n");
    told(&mut big, 413, "body-too-large");
    // Chunks are counted as they pass.
    let mut big = relay.client();
    let begun = plain_call(7).replace("\"\"}}}", "\"");
    big.write(format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nMcp-Session-Id: m1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{begun}\r\n800\r\n",
        begun.len()
    ));
    // A connection to the server was kept, so it goes there.
    server.head().expect("a head");
    big.write(vec![b'x'; 0x800]);
    told(&mut big, 413, "body-too-large");
    assert_eq!(rejected(&relay.daemon, "body_too_large"), 2);
    // One that is just short enough passes.
    let body = plain_call(3) + &" ".repeat(2048 - plain_call(3).len());
    client.write(post("Mcp-Session-Id: m1\r\n", &body));
    answer_call(&mut client, &mut relay.upstream.accept(), 3);
    let longer = "the body is longer than the 2048 bytes that are allowed (--max-body)";
    assert_eq!(
        operations(&relay, 4),
        [
            ["initialize", "-", "success", "-"],
            ["tools/call", "echo", "error", longer],
            ["tools/call", "echo", "success", "-"],
            ["unknown", "-", "error", longer],
        ]
    );
}

/// Rule: operation/turned-down
#[test]
fn a_page_of_another_site_gets_403_and_is_an_operation() {
    let relay = Relay::start(&[]);
    let (mut client, mut server) = minted(&relay);
    let evil = "Mcp-Session-Id: m1\r\nOrigin: https://evil.example\r\n";
    client.write(post(evil, &plain_call(1)));
    let (head, body) = client.message().expect("an answer");
    assert_eq!(
        (head.status(), head.header("x-archon-answer")),
        (403, Some("origin-refused"))
    );
    assert_eq!(id_of(&body), 1);
    // It ends no session either, and the connection goes on.
    client.write(format!(
        "DELETE /mcp HTTP/1.1\r\nHost: localhost\r\n{evil}\r\n"
    ));
    assert_eq!(client.message().expect("an answer").0.status(), 403);
    client.write(post("Mcp-Session-Id: m1\r\n", &plain_call(2)));
    answer_call(&mut client, &mut server, 2);
    let rows = operations(&relay, 3);
    assert_eq!(rows[1][..3], ["tools/call", "echo", "error"]);
    assert!(rows[1][3].contains("--allowed-origins"), "{rows:?}");
    assert_eq!(rows[2][..3], ["tools/call", "echo", "success"]);
    assert_eq!(rejected(&relay.daemon, "forbidden"), 2);
}

#[test]
fn a_head_over_a_limit_of_its_own_gets_431() {
    let relay = Relay::start(&["--max-head", "1KiB"]);
    let mut client = relay.client();
    client.write(format!(
        "GET /mcp HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n",
        "x".repeat(1024)
    ));
    told(&mut client, 431, "head-too-large");
    assert_eq!(rejected(&relay.daemon, "head_too_large"), 1);
}

#[test]
fn a_head_or_a_body_that_does_not_arrive_gets_408() {
    let relay = Relay::start(&["--head-timeout", "200ms", "--body-timeout", "200ms"]);
    for part in ["GET /mcp HTT", "PRI * HTTP/2.0\r\n"] {
        let mut client = relay.client();
        client.write(part);
        told(&mut client, 408, "slow-head");
    }
    let mut client = relay.client();
    client.write(&post("", &call(7))[..200]);
    let mut server = relay.upstream.accept();
    server.head().expect("a head");
    told(&mut client, 408, "slow-body");
    assert!(server.rest().is_ok() || server.is_closed());
    assert_eq!(rejected(&relay.daemon, "slow_head"), 2);
    assert_eq!(rejected(&relay.daemon, "slow_body"), 1);
}

#[test]
fn a_connection_without_requests_is_closed_and_one_that_is_busy_is_not() {
    let relay = Relay::start(&["--keep-alive-timeout", "200ms"]);
    let mut busy = relay.client();
    busy.write(post("", &call(1)));
    let mut server = relay.upstream.accept();
    server.message().expect("a request");
    assert!(relay.client().is_closed());
    assert!(rejected(&relay.daemon, "idle_closed") >= 1);
    server.write(super::result(1));
    let (_, body) = busy.message().expect("an answer, however late");
    assert_eq!(id_of(&body), 1);
    assert!(busy.is_closed());
}

#[test]
fn one_connection_too_many_is_told_so_until_there_is_room() {
    let relay = Relay::start(&["--max-connections", "2"]);
    let mut first = relay.client();
    first.write(post("", &call(1)));
    let mut server = relay.upstream.accept();
    answer_call(&mut first, &mut server, 1);
    let second = relay.client();
    eventually("a refusal", || {
        let mut third = relay.client();
        let _ = third.try_write(post("", &call(2)));
        let (head, body) = third.message().ok()?;
        assert_eq!(
            (head.status(), head.header("retry-after")),
            (503, Some("10"))
        );
        assert!(body.starts_with(b"{\"error\""), "{body:?}");
        Some(())
    });
    drop(second);
    eventually("room", || {
        let mut third = relay.client();
        let _ = third.try_write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let (head, _) = third.message().ok()?;
        (head.status() == 200).then_some(())
    });
    first.write("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let (_, body) = first.message().expect("health");
    let health: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
    assert!(health["health"]["rejections"]["too_many_connections"].as_u64() >= Some(1));
}

#[test]
fn one_held_stream_too_many_is_told_so_until_there_is_room() {
    let relay = Relay::start(&["--max-streams", "1"]);
    let mut holder = relay.client();
    holder.write(GET);
    let mut server = relay.upstream.accept();
    server.head().expect("a request");
    server.write(STREAM);
    assert_eq!(holder.head().expect("a head").status(), 200);
    assert_eq!(health(&relay.daemon).1["health"]["held_streams"], 1);
    let mut other = relay.client();
    let listen = call(5).replace("tools/call", "subscriptions/listen");
    for request in [GET.to_owned(), post("", &listen)] {
        other.write(request);
        let (head, _) = other.message().expect("an answer");
        assert_eq!(
            (head.status(), head.header("retry-after")),
            (503, Some("10"))
        );
    }
    // Calls are no streams, and the connection goes on.
    other.write(post("", &call(6)));
    answer_call(&mut other, &mut relay.upstream.accept(), 6);
    holder.reset();
    eventually("room", || {
        (health(&relay.daemon).1["health"]["held_streams"] == 0).then_some(())
    });
    assert_eq!(rejected(&relay.daemon, "too_many_streams"), 2);
}

#[test]
fn a_client_that_does_not_read_is_cut_off() {
    let relay = Relay::start(&["--write-timeout", "200ms"]);
    let mut client = relay.client();
    client.write(post("", &call(1)));
    let mut server = relay.upstream.accept();
    server.message().expect("a request");
    server.write(STREAM);
    assert_eq!(client.head().expect("a head").status(), 200);
    let data = vec![b'x'; 1 << 20];
    // More than the sockets hold, until the relay lets the server go.
    while server.try_write(b"100000\r\n").is_ok()
        && server.try_write(&data).is_ok()
        && server.try_write(b"\r\n").is_ok()
    {}
    assert_eq!(rejected(&relay.daemon, "slow_reader"), 1);
}

#[test]
fn nothing_that_clients_send_makes_memory_grow_without_bound() {
    let relay = Relay::start(&["--max-connections", "300", "--max-body", "1MiB"]);
    let resident = || {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", relay.daemon.pid())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse::<usize>().ok()
    };
    let kinds = [
        "GET /mcp HTTP/1.1\r\nHost: localhost\r\nX: ".to_owned(),
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffff\r\n".to_owned(),
        "POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
    ];
    let junk = vec![b'a'; 64 << 10];
    std::thread::scope(|scope| {
        for number in 0..200 {
            let (kind, junk, client) = (&kinds[number % kinds.len()], &junk, relay.client());
            scope.spawn(move || {
                let mut writer = client.writer();
                let _ = writer.write_all(kind.as_bytes());
                for _ in 0..64 {
                    if writer.write_all(junk).is_err() {
                        break;
                    }
                }
            });
        }
    });
    if let Some(kib) = resident() {
        assert!(kib < 200 << 10, "{kib} KiB");
    }
    assert_eq!(health(&relay.daemon).0, 200);
    let log = relay.daemon.stop();
    assert!(!log.iter().any(|line| line.contains("panicked")), "{log:?}");
}

#[test]
fn hosts_and_origins_can_be_allowed() {
    let relay = Relay::start(&[
        "--allowed-hosts",
        "mcp.example.com",
        "--allowed-origins",
        "https://app.example.com",
    ]);
    let mut client = relay.client();
    client.write(
        post("Origin: https://app.example.com\r\n", &call(1))
            .replace("localhost", "mcp.example.com"),
    );
    let mut server = relay.upstream.accept();
    answer_call(&mut client, &mut server, 1);
    client.write(post("Origin: https://evil.example\r\n", &call(2)));
    let (head, body) = client.message().expect("an answer");
    assert_eq!(head.status(), 403);
    assert!(String::from_utf8_lossy(&body).contains("--allowed-origins"));
    assert_eq!(rejected(&relay.daemon, "forbidden"), 1);
}
