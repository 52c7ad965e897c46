//! The tracking rules that are about the wire: from the request to the row.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::support::{
    Daemon, Everything, Legacy, eventually, json as query, new_data_dir, send, sessions_until,
};

use super::limits::{health, minted, operations};
use super::{Relay, answer_call, call, post};

/// The rows of the session that has `count` of them, oldest first.
fn rows(relay: &Relay, session: &Value, count: usize) -> Vec<Value> {
    let id = session["session_id"].as_str().expect("an id");
    eventually("its operations", || {
        let shown = query(&relay.data_dir, &["sessions", "show", id]);
        let mut rows = shown["data"]["requests"].as_array()?.clone();
        rows.reverse();
        (rows.len() == count).then_some(rows)
    })
}

/// Rule: stored/not-connections
#[test]
fn connections_of_one_client_are_one_session() {
    let relay = Relay::start(&[]);
    let mut clients: Vec<_> = (0..5).map(|_| relay.client()).collect();
    let mut servers = Vec::new();
    for (id, client) in (1..).zip(&mut clients) {
        client.write(post("", &call(id)));
        let mut server = relay.upstream.accept();
        server.message().expect("a request");
        servers.push((id, server));
    }
    for ((id, server), client) in servers.iter_mut().zip(&mut clients) {
        server.write(super::result(*id));
        client.message().expect("an answer");
    }
    // One that asks for nothing is none either.
    let silent = relay.client();
    let sessions = sessions_until(&relay.data_dir, "all calls", |sessions| {
        sessions.iter().any(|one| one["total_requests"] == 5)
    });
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    drop(silent);
}

/// Rule: derivation/no-id-when-modern, transparency/as-they-are, transparency/session-id-added
#[test]
fn a_modern_request_is_given_no_session_id_and_keeps_what_it_sends() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    client.write(post("", &call(1)));
    let mut server = relay.upstream.accept();
    let (head, _) = server.message().expect("a request");
    assert_eq!(head.header("mcp-session-id"), None);
    server.write(super::result(1));
    let (head, _) = client.message().expect("an answer");
    assert_eq!(head.header("mcp-session-id"), None);
    let first = head.header("x-archon-session-id").map(str::to_owned);
    client.write(post("Mcp-Session-Id: of-the-client\r\n", &call(2)));
    let (head, _) = server.message().expect("a request");
    assert_eq!(head.header("mcp-session-id"), Some("of-the-client"));
    let minting = super::result(2).replace("200 OK\r\n", "200 OK\r\nMcp-Session-Id: minted\r\n");
    server.write(minting);
    let (head, _) = client.message().expect("an answer");
    assert_eq!(head.header("mcp-session-id"), Some("minted"));
    assert_eq!(
        head.header("x-archon-session-id").map(str::to_owned),
        first,
        "nor does it say which session it is"
    );
    let sessions = sessions_until(&relay.data_dir, "both calls", |sessions| {
        sessions.iter().any(|one| one["total_requests"] == 2)
    });
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0]["derivation"], "inferred");
}

/// Rule: session/not-by-look-up
#[test]
fn look_ups_below_well_known_open_no_session() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    let mut server = None;
    for path in [
        "oauth-protected-resource",
        "oauth-protected-resource/mcp",
        "oauth-authorization-server",
        "openid-configuration/mcp",
    ] {
        for status in ["200 OK", "404 Not Found"] {
            client.write(format!(
                "GET /.well-known/{path} HTTP/1.1\r\nHost: localhost\r\nMCP-Protocol-Version: 2025-11-25\r\n\r\n"
            ));
            let server = server.get_or_insert_with(|| relay.upstream.accept());
            server.message().expect("a request");
            server.write(format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
            ));
            let (head, _) = client.message().expect("an answer");
            assert_eq!(head.header("x-archon-session-id"), None, "{path}");
        }
    }
    client.write(post("", &call(1)));
    answer_call(&mut client, server.as_mut().expect("connected"), 1);
    let sessions = sessions_until(&relay.data_dir, "the call", |sessions| !sessions.is_empty());
    assert_eq!(sessions.len(), 1);
    assert_eq!(rows(&relay, &sessions[0], 1)[0]["method"], "tools/call");
}

/// Rule: session/handshake-alone, session/with-calls
#[test]
fn sessions_without_a_call_can_be_left_out() {
    let relay = Relay::start(&[]);
    let (mut client, mut server) = minted(&relay);
    client.write(post("", &call(1)));
    answer_call(&mut client, &mut server, 1);
    let sessions = sessions_until(&relay.data_dir, "both", |sessions| {
        sessions.len() == 2 && sessions.iter().any(|one| one["total_requests"] == 1)
    });
    let silent: Vec<_> = sessions
        .iter()
        .filter(|one| one["total_requests"] == 0)
        .collect();
    assert_eq!(silent.len(), 1, "it is kept, with nothing to count");
    assert_eq!(silent[0]["derivation"], "protocol");
    let listed = query(&relay.data_dir, &["sessions", "list", "--with-calls"]);
    let listed = listed["data"].as_array().expect("an array");
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["derivation"], "inferred");
}

/// Rule: session/timeouts-set
#[test]
fn the_session_timeout_that_was_set_is_reported() {
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &["--session-timeout", "7m"]);
    let url = format!("{}/api/mcp/sessions", daemon.api);
    let body = send(&url, "GET", "", b"").and_then(|mut answer| answer.body());
    let told: Value = serde_json::from_slice(&body.expect("answered")).expect("JSON");
    assert_eq!(told["session_timeout"], 420);
}

/// Rule: session/resumed-from, session/ended-stays
#[test]
fn a_request_for_a_session_that_has_ended_opens_another_that_goes_on_from_it() {
    let relay = Relay::start(&[]);
    let named = "Baggage: session.id=run-1\r\n";
    let mut client = relay.client();
    client.write(post(named, &call(1)));
    let mut server = relay.upstream.accept();
    answer_call(&mut client, &mut server, 1);
    client.write(format!(
        "DELETE /mcp HTTP/1.1\r\nHost: localhost\r\nMCP-Protocol-Version: 2026-07-28\r\n{named}\r\n"
    ));
    server.message().expect("a request");
    server.write("HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n");
    client.message().expect("an answer");
    let ended = sessions_until(&relay.data_dir, "its end", |sessions| {
        sessions.iter().all(|one| one["status"] == "disconnected") && sessions.len() == 1
    });
    for id in [2, 3] {
        client.write(post(named, &call(id)));
        answer_call(&mut client, &mut server, id);
    }
    let sessions = sessions_until(&relay.data_dir, "the other", |sessions| {
        sessions.iter().any(|one| one["total_requests"] == 2)
    });
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    let of = |id: &Value| sessions.iter().find(|one| one["session_id"] == *id);
    let first = &ended[0];
    assert_eq!(of(&first["session_id"]), Some(first), "it stays as it was");
    let second = sessions
        .iter()
        .find(|one| one["session_id"] != first["session_id"])
        .expect("another");
    assert_eq!(second["resumed_from"], first["session_id"]);
    assert_eq!(second["status"], "active");
}

/// A session with a real server that goes away under it, `and_then` the client's last words.
fn reason_when_it_is_gone(and_then: impl FnOnce(Everything, &Legacy)) -> Value {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let arguments = ["--upstream", &server.url, "--disconnect-grace", "200ms"];
    let daemon = Daemon::start(&data_dir, &arguments);
    let session = Legacy::open(&daemon.url, "hand");
    session
        .echo("0af7651916cd43dd8448eb211c80319c")
        .expect("answered");
    and_then(server, &session);
    let sessions = sessions_until(&data_dir, "its end", |sessions| {
        sessions.iter().all(|one| one["status"] == "disconnected") && !sessions.is_empty()
    });
    assert_eq!(sessions.len(), 1);
    sessions[0].clone()
}

/// Calls and is told that nobody answers.
fn bad_gateway(session: &Legacy) {
    let (head, _) = session
        .echo("0af7651916cd43dd8448eb211c80319d")
        .expect("answered");
    assert_eq!(head.status(), 502);
}

/// Rule: reason/upstream-unreachable
#[test]
fn a_server_that_went_away_is_unreachable() {
    let ended = reason_when_it_is_gone(|server, session| {
        drop(server);
        bad_gateway(session);
    });
    assert_eq!(ended["disconnect_reason"], "error:UpstreamUnreachable");
    assert_eq!(ended["failed_requests"], 1);
}

/// Rule: reason/upstream-error
#[test]
fn a_server_that_dies_under_a_held_stream_has_failed() {
    let ended = reason_when_it_is_gone(|server, session| {
        let stream = session.send("GET", "", "").expect("a stream");
        assert_eq!(stream.status(), 200);
        drop(server);
    });
    assert_eq!(ended["disconnect_reason"], "error:UpstreamError");
}

/// Rule: reason/protocol-error
#[test]
fn a_server_that_speaks_no_http_any_more_breaks_the_protocol() {
    let ended = reason_when_it_is_gone(|server, session| {
        let port = server.url.rsplit([':', '/']).nth(1).expect("a port");
        let address = format!("127.0.0.1:{port}");
        drop(server);
        let other = eventually("the port", || TcpListener::bind(&address).ok());
        std::thread::spawn(move || {
            for stream in other.incoming() {
                let Ok(mut stream) = stream else { return };
                // A connection without a request (a try whether it is there) hears nothing.
                if stream.read(&mut [0; 1024]).is_ok_and(|count| count > 0) {
                    let _ = stream.write_all(b"SSH-2.0-OpenSSH_10.2\r\n");
                }
            }
        });
        bad_gateway(session);
    });
    assert_eq!(ended["disconnect_reason"], "error:ProtocolError");
}

/// Rule: operation/timeout
#[test]
fn a_call_that_was_not_answered_in_time_is_a_row() {
    let relay = Relay::start(&["--request-timeout", "200ms"]);
    let (mut client, mut server) = minted(&relay);
    client.write(post(
        "Mcp-Session-Id: m1\r\n",
        r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"slow","arguments":{}}}"#,
    ));
    server.message().expect("a request");
    assert_eq!(client.message().expect("an answer").0.status(), 504);
    assert_eq!(
        operations(&relay, 2)[1],
        [
            "tools/call",
            "slow",
            "timeout",
            "the server did not answer in time"
        ]
    );
}

/// Rule: operation/turned-down
#[test]
fn what_is_turned_down_is_a_row_whether_there_was_a_session_or_not() {
    let relay = Relay::start(&["--max-body", "2KiB"]);
    let mut client = relay.client();
    client.write("POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2049\r\n\r\n");
    assert_eq!(client.message().expect("an answer").0.status(), 413);
    let mut client = relay.client();
    let plain = call(1).replace("\"_meta\"", "\"other\"");
    client.write(post("Origin: https://evil.example\r\n", &plain));
    let (head, _) = client.message().expect("an answer");
    assert_eq!(head.status(), 403);
    let sessions = sessions_until(&relay.data_dir, "a session", |sessions| {
        sessions.iter().any(|one| one["failed_requests"] == 2)
    });
    assert_eq!(sessions.len(), 1, "of whoever says nothing of itself");
    assert_eq!(sessions[0]["derivation"], "inferred");
    let rows = rows(&relay, &sessions[0], 2);
    assert_eq!(
        (&rows[0]["method"], &rows[1]["method"]),
        (&"unknown".into(), &"tools/call".into())
    );
    for (row, why) in rows.iter().zip(["--max-body", "--allowed-origins"]) {
        assert_eq!(row["status"], "error");
        let message = row["error_message"].as_str().expect("a message");
        assert!(message.contains(why), "{message}");
    }
}

/// Rule: session/opened, transparency/session-id-added
#[test]
fn a_first_request_that_is_refused_by_the_server_opens_a_session() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    client.write(post("", &call(1)));
    let mut server = relay.upstream.accept();
    server.message().expect("a request");
    server.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    let (head, _) = client.message().expect("an answer");
    assert_eq!(head.status(), 401);
    let named = head.header("x-archon-session-id").map(str::to_owned);
    client.write(post("", &call(2)));
    answer_call(&mut client, &mut server, 2);
    let sessions = sessions_until(&relay.data_dir, "both requests", |sessions| {
        sessions.iter().any(|one| one["total_requests"] == 2)
    });
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0]["session_id"].as_str(), named.as_deref());
    assert_eq!(sessions[0]["failed_requests"], 1);
}

/// Rule: transparency/unparsed
#[test]
fn what_could_not_be_read_is_counted_in_health() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    let mut server = None;
    for (number, body) in (1..).zip(["this is no JSON", "{\"jsonrpc\":"]) {
        client.write(post("", body));
        let server = server.get_or_insert_with(|| relay.upstream.accept());
        assert_eq!(server.message().expect("a request").1, body.as_bytes());
        server.write(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
        );
        assert_eq!(client.message().expect("an answer").1, b"{}");
        let (_, health) = health(&relay.daemon);
        let counted = health["health"]["bodies_unparsed"].as_u64();
        assert!(counted >= Some(number), "{health}");
    }
}

/// Rule: operation/prompt-and-resource, durability/uuid-v7
#[test]
fn prompts_and_resources_have_columns_of_their_own() {
    let relay = Relay::start(&[]);
    let mut client = relay.client();
    let mut server = None;
    let ask = |id: u32, method: &str, params: Value| {
        let mut body: Value = serde_json::from_str(&call(id)).expect("JSON");
        let meta = body["params"]["_meta"].clone();
        body["method"] = method.into();
        body["params"] = params;
        body["params"]["_meta"] = meta;
        body.to_string()
    };
    for body in [
        ask(
            1,
            "prompts/get",
            json!({"name": "greet", "arguments": {"name": "Ann"}}),
        ),
        ask(2, "resources/read", json!({"uri": "file:///a/b"})),
        call(3),
    ] {
        client.write(post("", &body));
        let server = server.get_or_insert_with(|| relay.upstream.accept());
        let (_, asked) = server.message().expect("a request");
        let id = super::id_of(&asked).as_u64().expect("a number");
        server.write(super::result(u32::try_from(id).expect("small")));
        client.message().expect("an answer");
    }
    let sessions = sessions_until(&relay.data_dir, "a session", |sessions| {
        !sessions.is_empty()
    });
    let rows = rows(&relay, &sessions[0], 3);
    let columns = ["tool_name", "prompt_name", "resource_uri"];
    for (row, filled) in rows
        .iter()
        .zip(["prompt_name", "resource_uri", "tool_name"])
    {
        for column in columns {
            assert_eq!(row[column].is_null(), column != filled, "{row}");
        }
    }
    assert_eq!(rows[0]["prompt_name"], "greet");
    assert_eq!(rows[1]["resource_uri"], "file:///a/b");
    for row in &rows {
        let id = row["request_id"].as_str().expect("an id");
        let id: uuid::Uuid = id.parse().expect("a UUID");
        assert_eq!(id.get_version_num(), 7);
    }
}
