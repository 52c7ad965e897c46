//! Streams of legacy servers: held open, broken off, taken up again.

use serde_json::{Value, json};

use super::{AS_EVENTS, AS_JSON, answer, message};
use crate::support::{HttpMessage, Lines, Scripted, new_data_dir};

fn event(id: Option<&str>, message: &Value) -> String {
    let id = id.map_or(String::new(), |id| format!("id: {id}\n"));
    format!("{id}data: {message}\n\n")
}

/// A legacy session; the request for its stream.
fn begun(server: &Scripted, client: &mut Lines) -> HttpMessage {
    client.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}));
    let agreed = json!({"protocolVersion": "2025-11-25"});
    answer(server.request(), "mcp-session-id: one\r\n", &agreed);
    client.answer(&0.into());
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    let mut request = server.request();
    message(&mut request);
    request.answer("202 Accepted", "", b"");
    let stream = server.request();
    assert!(stream.start.starts_with("GET "), "{}", stream.start);
    assert_eq!(stream.header("accept"), Some("text/event-stream"));
    stream
}

#[test]
fn the_servers_own_stream_is_taken_up_where_it_ended() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    let stream = begun(&server, &mut client);
    let note = |text: &str| json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": text}});
    let body = format!("retry: 10\n\n{}", event(Some("e1"), &note("first")));
    stream.answer("200 OK", AS_EVENTS, body.as_bytes());
    assert_eq!(client.message(), note("first"));
    let stream = server.request();
    assert_eq!(stream.header("last-event-id"), Some("e1"));
    let ask = json!({"jsonrpc": "2.0", "id": "s1", "method": "roots/list"});
    stream.answer("200 OK", AS_EVENTS, event(None, &ask).as_bytes());
    assert_eq!(client.message(), ask);
    let reply = json!({"jsonrpc": "2.0", "id": "s1", "result": {"roots": []}});
    client.send(&reply);
    let mut replied = false;
    while !replied {
        let mut request = server.request();
        if request.start.starts_with("GET ") {
            assert_eq!(request.header("last-event-id"), Some("e1"));
            request.answer("405 Method Not Allowed", "", b"");
        } else {
            assert_eq!(message(&mut request), reply);
            request.answer("202 Accepted", "", b"");
            replied = true;
        }
    }
    client.signal("TERM");
    client.wait();
}

#[test]
fn an_answer_that_broke_off_is_taken_up() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    begun(&server, &mut client).answer("405 Method Not Allowed", "", b"");
    client.ask(1, "slow", &json!({}));
    let mut request = server.request();
    message(&mut request);
    request.answer("200 OK", AS_EVENTS, b"id: p1\nretry: 10\ndata:\n\n");
    for (last, next) in [("p1", "p2"), ("p2", "p3")] {
        let request = server.request();
        assert!(request.start.starts_with("GET "));
        assert_eq!(request.header("last-event-id"), Some(last));
        assert_eq!(request.header("mcp-session-id"), Some("one"));
        let body = format!("id: {next}\nretry: 10\ndata:\n\n");
        request.answer("200 OK", AS_EVENTS, body.as_bytes());
    }
    let request = server.request();
    assert_eq!(request.header("last-event-id"), Some("p3"));
    let result = json!({"jsonrpc": "2.0", "id": 1, "result": {"content": []}});
    request.answer("200 OK", AS_EVENTS, event(Some("p4"), &result).as_bytes());
    assert_eq!(client.answer(&1.into()), result);

    client.ask(2, "slow", &json!({}));
    let mut request = server.request();
    message(&mut request);
    request.answer("200 OK", AS_EVENTS, b"id: q1\nretry: 10\ndata:\n\n");
    server.request().answer("400 Bad Request", AS_JSON, b"{}");
    let error = client.answer(&2.into())["error"].clone();
    assert_eq!(error["code"], -32603, "{error}");
    client.signal("TERM");
    client.wait();
}

#[test]
fn a_server_without_a_stream_is_not_asked_again() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    begun(&server, &mut client).answer("405 Method Not Allowed", "", b"");
    client.ask(1, "echo", &json!({}));
    let request = server.request();
    assert!(request.start.starts_with("POST "));
    answer(request, "", &json!({}));
    client.answer(&1.into());
    client.end_input();
    let request = server.request();
    assert!(request.start.starts_with("DELETE "), "{}", request.start);
    request.answer("405 Method Not Allowed", "", b"");
    assert_eq!(client.wait().0.code(), Some(0));
}
