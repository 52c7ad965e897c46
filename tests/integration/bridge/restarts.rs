//! Servers that go away and come back, with and without what they knew.

use serde_json::json;

use super::{AS_EVENTS, AS_JSON, answer, ended_one, leave, message, operations};
use crate::support::{Everything, Lines, ModernServer, Scripted, new_data_dir};

#[test]
fn a_legacy_session_goes_on_when_the_server_was_restarted() {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &["--retry-for", "1m"], &server.url);
    client.initialize("hand");
    client.call(1, "echo", &json!({"message": "before"}));
    // Asked while nobody is there: it waits.
    let _server = server.restart(|| client.ask(2, "echo", &json!({"message": "meanwhile"})));
    let answer = client.answer(&2.into());
    assert_eq!(
        answer["result"]["content"][0]["text"], "Echo: meanwhile",
        "{answer}"
    );
    let answer = client.call(3, "echo", &json!({"message": "after"}));
    assert_eq!(answer["result"]["content"][0]["text"], "Echo: after");
    // The new session has a stream of its own: what the server says there again and again arrives.
    client.call(4, "toggle-simulated-logging", &json!({}));
    while client.message()["method"] != "notifications/message" {}
    leave(client);
    let session = ended_one(&data_dir);
    let rows = operations(&data_dir, &session);
    let calls: Vec<_> = rows
        .iter()
        .filter(|row| row["method"] == "tools/call")
        .collect();
    assert_eq!(calls.len(), 4);
    assert!(
        calls.iter().all(|row| row["status"] == "success"),
        "{rows:?}"
    );
    let handshakes = rows.iter().filter(|row| row["method"] == "initialize");
    assert_eq!(handshakes.count(), 1, "the second is nobody's business");
}

#[test]
fn a_server_that_is_not_there_is_told_and_found_when_it_comes() {
    let (_root, data_dir) = new_data_dir();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("an address"));
    drop(listener);
    let mut client = Lines::bridge(&data_dir, &["--retry-for", "300ms"], &url);
    for id in 1..=3 {
        client.ask(id, "echo", &json!({"message": "anybody?"}));
    }
    for _ in 1..=3 {
        let answer = client.message();
        assert_eq!(answer["error"]["code"], -32000, "{answer}");
        let why = answer["error"]["message"].as_str().expect("a message");
        assert!(
            why.contains("cannot be reached") && why.contains(&url),
            "{why}"
        );
    }
    let address = url.trim_start_matches("http://").trim_end_matches("/mcp");
    let listener =
        crate::support::eventually("the port", || std::net::TcpListener::bind(address).ok());
    let server = Scripted::on(listener);
    client.ask(9, "echo", &json!({"message": "now?"}));
    answer(server.request(), "", &json!({}));
    assert!(client.answer(&9.into())["result"].is_object());
    leave(client);
}

#[test]
fn a_session_is_begun_anew_with_what_belonged_to_it() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    let params = json!({"protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": {"name": "hand", "version": "1"}});
    let initialize = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
    client.send(&initialize);
    let agreed = json!({"protocolVersion": "2025-06-18", "capabilities": {}});
    let request = server.request();
    assert_eq!(request.header("mcp-session-id"), None);
    assert_eq!(request.header("mcp-protocol-version"), None);
    answer(request, "mcp-session-id: one\r\n", &agreed);
    client.answer(&0.into());
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    client.send(&initialized);
    let mut request = server.request();
    assert_eq!(message(&mut request), initialized);
    assert_eq!(request.header("mcp-session-id"), Some("one"));
    assert_eq!(request.header("mcp-protocol-version"), Some("2025-06-18"));
    request.answer("202 Accepted", "", b"");
    let stream = server.request();
    assert!(stream.start.starts_with("GET "), "{}", stream.start);
    assert_eq!(stream.header("mcp-session-id"), Some("one"));
    stream.answer("405 Method Not Allowed", "", b"");

    let level = json!({"jsonrpc": "2.0", "id": 1, "method": "logging/setLevel", "params": {"level": "info"}});
    client.send(&level);
    answer(server.request(), "", &json!({}));
    client.answer(&1.into());

    // Forgotten.
    client.ask(2, "echo", &json!({"message": "hi"}));
    let request = server.request();
    request.answer("404 Not Found", "", b"");
    let mut request = server.request();
    assert_eq!(request.header("mcp-session-id"), None);
    assert_eq!(message(&mut request), initialize);
    let body = json!({"jsonrpc": "2.0", "id": 0, "result": agreed}).to_string();
    let event = format!("data: {body}\n\n");
    let headers = format!("{AS_EVENTS}mcp-session-id: two\r\n");
    request.answer("200 OK", &headers, event.as_bytes());
    for expected in [&initialized, &level] {
        let mut request = server.request();
        assert_eq!(request.header("mcp-session-id"), Some("two"));
        assert_eq!(message(&mut request), *expected);
        request.answer(
            "200 OK",
            AS_JSON,
            br#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        );
    }
    // In either order: the stream of the new session, and the call that met the old one.
    for _ in 0..2 {
        let request = server.request();
        assert_eq!(request.header("mcp-session-id"), Some("two"));
        if request.start.starts_with("GET ") {
            request.answer("405 Method Not Allowed", "", b"");
        } else {
            answer(request, "", &json!({"content": []}));
        }
    }
    let said = client.message();
    assert_eq!((&said["id"], said["result"].is_object()), (&2.into(), true));

    client.end_input();
    let request = server.request();
    assert!(request.start.starts_with("DELETE "), "{}", request.start);
    assert_eq!(request.header("mcp-session-id"), Some("two"));
    request.answer("200 OK", "", b"");
    let (status, said, _) = client.wait();
    assert_eq!((status.code(), said.len()), (Some(0), 0));
}

#[test]
fn a_session_that_cannot_begin_anew_is_told_of() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    client.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}));
    answer(server.request(), "mcp-session-id: one\r\n", &json!({}));
    client.answer(&0.into());
    client.ask(1, "echo", &json!({}));
    server.request().answer("404 Not Found", "", b"");
    server.request().answer("503 Service Unavailable", "", b"");
    let answer = client.answer(&1.into());
    let why = answer["error"]["message"].as_str().expect("a message");
    assert!(
        why.contains("forgotten") && why.contains("HTTP 503"),
        "{why}"
    );
    drop(server);
    client.signal("TERM");
    client.wait();
}

#[test]
fn a_held_subscription_goes_on_when_the_server_was_restarted() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    client.ask_modern(
        7,
        "subscriptions/listen",
        json!({"notifications": {"toolsListChanged": true}}),
    );
    let events = |messages: &[serde_json::Value]| {
        let events = messages
            .iter()
            .map(|message| format!("data: {message}\n\n"));
        events.collect::<String>()
    };
    let acknowledged =
        json!({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged"});
    let changed = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
    for round in 0..3 {
        let mut request = server.request();
        assert_eq!(request.header("mcp-method"), Some("subscriptions/listen"));
        assert_eq!(message(&mut request)["id"], 7);
        let body = events(&[acknowledged.clone(), changed.clone()]);
        request.answer("200 OK", AS_EVENTS, body.as_bytes());
        if round == 0 {
            assert_eq!(client.message(), acknowledged, "once");
        }
        assert_eq!(client.message(), changed);
    }
    client.end_input();
    client.wait();
    let session = ended_one(&data_dir);
    assert_eq!(operations(&data_dir, &session).len(), 1);
    assert_eq!(operations(&data_dir, &session)[0]["status"], "success");
}

#[test]
fn a_modern_server_that_was_restarted_is_just_asked_again() {
    let server = ModernServer::start(&[]);
    let port = server
        .url
        .trim_end_matches("/mcp")
        .rsplit(':')
        .next()
        .expect("a port")
        .to_owned();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &["--retry-for", "1m"], &server.url);
    let echo = |text: &str| json!({"name": "echo", "arguments": {"message": text}});
    client.ask_modern(1, "tools/call", echo("before"));
    client.answer(&1.into());
    drop(server);
    client.ask_modern(2, "tools/call", echo("meanwhile"));
    let _server = ModernServer::start(&["--port", &port]);
    let answer = client.answer(&2.into());
    assert_eq!(answer["result"]["content"][0]["text"], "Echo: meanwhile");
    leave(client);
}
