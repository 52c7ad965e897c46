//! Servers that answer badly or not at all: every request has an answer, and every one of them is a line of JSON-RPC.

use std::io::Read;

use serde_json::{Value, json};

use super::{AS_EVENTS, AS_JSON, answer, ended_one, leave, message, operations};
use crate::support::{Lines, Scripted, json as query, new_data_dir};

const CONNECTION: i64 = -32_000;

/// Asks for a call that the server answers as `how` does; the error that the client gets.
fn error_of(how: impl FnOnce(crate::support::HttpMessage)) -> Value {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &["--request-timeout", "5s"], &server.url);
    client.ask(7, "echo", &json!({"message": "hi"}));
    how(server.request());
    let answer = client.answer(&7.into());
    leave(client);
    answer["error"].clone()
}

#[test]
fn whatever_is_no_answer_is_told_in_a_sentence() {
    let cases: [(&str, &str, &[u8], i64, &str); 9] = [
        (
            "500 Internal Server Error",
            "",
            b"boom",
            CONNECTION,
            "HTTP 500 Internal Server Error: boom",
        ),
        (
            "401 Unauthorized",
            "",
            b"",
            CONNECTION,
            "--header 'Authorization: env:NAME'",
        ),
        ("404 Not Found", "", b"", CONNECTION, "MCP endpoint"),
        (
            "301 Moved",
            "location: https://other.example/mcp\r\n",
            b"",
            CONNECTION,
            "another host",
        ),
        ("202 Accepted", "", b"", -32603, "gave no answer"),
        (
            "200 OK",
            "content-type: text/html\r\n",
            b"<html>",
            -32603,
            "text/html",
        ),
        (
            "200 OK",
            AS_JSON,
            b"{\"jsonrpc\"",
            -32603,
            "no JSON-RPC message",
        ),
        (
            "200 OK",
            AS_EVENTS,
            b"data: {}\n\n",
            CONNECTION,
            "broke before its answer",
        ),
        (
            "200 OK",
            AS_JSON,
            b"{\"jsonrpc\":\"2.0\",\"method\":\"x\"}",
            -32603,
            "gave no answer",
        ),
    ];
    for (status, headers, body, code, text) in cases {
        let error = error_of(|mut request| {
            message(&mut request);
            request.answer(status, headers, body);
        });
        assert_eq!(error["code"], code, "{error}");
        let said = error["message"].as_str().expect("a message");
        assert!(said.contains(text), "{said}");
    }
}

#[test]
fn a_servers_own_error_passes_whatever_the_status() {
    let error = error_of(|mut request| {
        message(&mut request);
        let body =
            br#"{"jsonrpc":"2.0","id":null,"error":{"code":-31999,"message":"mine","data":[1]}}"#;
        request.answer("400 Bad Request", AS_JSON, body);
    });
    assert_eq!(
        error,
        json!({"code": -31999, "message": "mine", "data": [1]})
    );
}

#[test]
fn connections_that_break() {
    for part in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{",
    ] {
        let error = error_of(|mut request| {
            message(&mut request);
            request.write(part.as_bytes());
        });
        assert_eq!(error["code"], CONNECTION);
        let said = error["message"].as_str().expect("a message");
        assert!(said.contains("broke before its answer"), "{said}");
    }
}

#[test]
fn a_request_is_never_sent_twice_but_on_a_kept_connection_that_was_closed() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    client.ask(1, "echo", &json!({}));
    let mut kept = server.request();
    let id = message(&mut kept)["id"].clone();
    let body = json!({"jsonrpc": "2.0", "id": id, "result": {}}).to_string();
    let head = format!(
        "HTTP/1.1 200 OK\r\n{AS_JSON}content-length: {}\r\n\r\n",
        body.len()
    );
    kept.write(&[head.as_bytes(), body.as_bytes()].concat());
    client.answer(&1.into());
    drop(kept);
    client.ask(2, "echo", &json!({}));
    let mut request = server.request();
    assert_eq!(message(&mut request)["id"], 2, "on a new connection");
    drop(request);
    assert_eq!(client.answer(&2.into())["error"]["code"], CONNECTION);
    client.ask(3, "echo", &json!({}));
    let mut next = server.request();
    assert_eq!(message(&mut next)["id"], 3, "and 2 not again");
    next.answer(
        "200 OK",
        AS_JSON,
        br#"{"jsonrpc":"2.0","id":3,"result":{}}"#,
    );
    client.answer(&3.into());
    leave(client);
}

#[test]
fn a_server_that_takes_too_long() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &["--request-timeout", "300ms"], &server.url);
    client.ask(1, "echo", &json!({}));
    answer(server.request(), "", &json!({}));
    client.ask(2, "echo", &json!({}));
    let held = server.request();
    let answer = client.answer(&2.into());
    assert_eq!(answer["error"]["code"], -32001, "{answer}");
    drop(held);
    leave(client);
    let session = ended_one(&data_dir);
    let rows = operations(&data_dir, &session);
    assert_eq!(rows[1]["status"], "timeout", "{rows:?}");
}

#[test]
fn lines_that_are_no_messages_are_answered_and_go_nowhere() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    for (line, code) in [
        ("no json", -32700),
        ("{\"a\":", -32700),
        ("[]", -32600),
        ("{\"id\":1}", -32600),
        ("7", -32700),
    ] {
        client.send_raw(format!("{line}\n").as_bytes());
        let answer = client.message();
        assert_eq!(
            (&answer["id"], &answer["error"]["code"]),
            (&Value::Null, &code.into())
        );
    }
    client.send_raw(b"\n \r\n");
    client.ask(1, "echo", &json!({}));
    answer(server.request(), "", &json!({}));
    client.answer(&1.into());
    leave(client);
}

#[test]
fn answers_become_lines_byte_for_byte() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    let body = "{\n  \"id\": 1,\r\n  \"result\": {\"big\": 12345678901234567890.10, \"u\": \"\\u00e9é\\n\"},\n  \"jsonrpc\": \"2.0\"\n}\n";
    client.ask(1, "echo", &json!({}));
    let mut request = server.request();
    let sent = request.body().expect("a body");
    assert!(!sent.ends_with(b"\n"));
    request.answer("200 OK", AS_JSON, body.as_bytes());
    let expected = body.trim_end().replace(['\n', '\r'], " ");
    assert_eq!(client.line(), expected);
    // In pieces, and in lines of data.
    client.ask(2, "echo", &json!({}));
    let mut request = server.request();
    message(&mut request);
    request.write(
        format!("HTTP/1.1 200 OK\r\n{AS_EVENTS}transfer-encoding: chunked\r\n\r\n").as_bytes(),
    );
    let events = "id: 1\ndata:\n\n: comment\n\ndata: {\"method\":\"notifications/progress\",\ndata: \"x\":1}\r\n\r\ndata: {\"id\":2,\"result\":{}}\n\n";
    for piece in events.as_bytes().chunks(7) {
        request.write(format!("{:x}\r\n", piece.len()).as_bytes());
        request.write(&[piece, b"\r\n"].concat());
    }
    assert_eq!(
        client.line(),
        "{\"method\":\"notifications/progress\", \"x\":1}"
    );
    assert_eq!(
        client.line(),
        "{\"id\":2,\"result\":{}}",
        "before the stream has ended"
    );
    request.write(b"0\r\n\r\n");
    leave(client);
}

#[test]
fn cancelling_closes_the_connection_in_the_modern_era_and_is_told_in_the_legacy_one() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    let cancel = |id: u64| json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}});
    client.ask(9, "echo", &json!({}));
    answer(server.request(), "", &json!({}));
    client.answer(&9.into());

    client.ask_modern(1, "tools/call", json!({"name": "slow"}));
    let mut held = server.request();
    message(&mut held);
    client.send(&cancel(1));
    assert!(held.is_closed(), "nothing comes but the end");

    client.ask(2, "slow", &json!({}));
    let mut held = server.request();
    message(&mut held);
    client.send(&cancel(2));
    let mut told = server.request();
    assert_eq!(message(&mut told), cancel(2));
    told.answer("202 Accepted", "", b"");
    // The server lets it be, and the client waits no more.
    held.answer("200 OK", AS_EVENTS, b"");
    client.ask(3, "echo", &json!({}));
    answer(server.request(), "", &json!({}));
    assert_eq!(client.message()["id"], 3, "nothing for the cancelled ones");
    leave(client);
    let session = ended_one(&data_dir);
    let cancelled = operations(&data_dir, &session)
        .iter()
        .filter(|row| row["error_message"] == "cancelled by the client")
        .count();
    assert_eq!(cancelled, 2);
}

#[test]
fn a_server_that_moved_on_its_host_is_followed() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    client.ask(1, "echo", &json!({}));
    let mut request = server.request();
    message(&mut request);
    request.answer("307 Temporary Redirect", "location: /mcp/\r\n", b"");
    let request = server.request();
    assert!(
        request.start.starts_with("POST /mcp/ "),
        "{}",
        request.start
    );
    answer(request, "", &json!({}));
    client.answer(&1.into());
    leave(client);
}

#[test]
fn mistakes_are_told_before_anything_starts() {
    let (_root, data_dir) = new_data_dir();
    for (options, url, message, hint) in [
        (&[][..], "127.0.0.1:1", "http:// or https://", "http://"),
        (
            &[],
            "http://me:hunter2@host/mcp",
            "credentials in the URL",
            "take the name",
        ),
        (
            &["--header", "Authorization: Bearer hunter2"],
            "http://h/",
            "openly",
            "env:VARIABLE",
        ),
        (
            &["--header", "X-Token: env:HUNTER2_NOT_SET"],
            "http://h/",
            "not set",
            "\"env\"",
        ),
        (
            &["--header-file", "/no/such"],
            "http://h/",
            "cannot be read",
            "--header-file",
        ),
        (
            &["--retry-for", "soon"],
            "http://h/",
            "no duration",
            "--help",
        ),
        (&["--name", "a/b"], "http://h/", "no name", "short"),
    ] {
        let (status, said, errors) = Lines::bridge(&data_dir, options, url).wait();
        assert_eq!(status.code(), Some(2), "{url}");
        assert!(said.is_empty());
        let errors = errors.join("\n");
        assert!(
            errors.contains(message) && errors.contains(hint),
            "{errors}"
        );
        assert!(!errors.contains("hunter2"), "{errors}");
    }
    assert!(!data_dir.exists());
}

#[test]
fn a_request_that_meets_no_server_is_a_row_where_there_is_a_session() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &["--retry-for", "0s"], &server.url);
    client.ask(1, "echo", &json!({}));
    answer(server.request(), "", &json!({}));
    client.answer(&1.into());
    client.ask(2, "echo", &json!({}));
    let mut request = server.request();
    message(&mut request);
    drop(request);
    client.answer(&2.into());
    leave(client);
    let session = ended_one(&data_dir);
    assert_eq!(session["failed_requests"], 1);
    let rows = operations(&data_dir, &session);
    let told = rows[1]["error_message"].as_str().expect("a message");
    assert!(told.starts_with("-32000: the connection"), "{told}");
    assert_eq!(
        query(&data_dir, &["sessions", "list"])["data"][0]["total_requests"],
        2
    );
}

/// Whether the other side has closed.
trait Closed {
    fn is_closed(&mut self) -> bool;
}

impl Closed for crate::support::HttpMessage {
    fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        self.stream().read_to_end(&mut rest).is_ok() && rest.is_empty()
    }
}
