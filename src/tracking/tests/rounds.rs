//! Operations that take more than one request, or are answered on another stream.

use std::io::Write;

use http::{Method, StatusCode};

use super::*;
use crate::model::{Derivation, Era, OperationStatus, Target};

fn modern_client() -> Client {
    Client::new().with("mcp-protocol-version", MODERN)
}

/// A call that repeats `state`, raw JSON.
fn retry(id: u32, state: &str) -> String {
    modern(id, "tools/call", "a", "").replacen(
        r#""name":"echo","#,
        &format!(r#""name":"echo","inputResponses":{{}},"requestState":{state},"#),
        1,
    )
}

fn input_required(id: u32, state: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"resultType":"input_required","inputRequests":{{}},"requestState":{state}}}}}"#
    )
}

/// Rule: operation/input-required
#[test]
fn an_input_required_result_and_its_retry_are_one_operation() {
    let rig = Rig::new();
    let (client, first) = (modern_client(), modern(1, "tools/call", "a", ""));
    let started_at = rig.tracker.now();
    let session = rig.call(&client, &first, &input_required(1, r#""s/1""#));
    assert_eq!(rig.operations(), []);
    rig.pass(10);
    // A text may be escaped otherwise than it was sent.
    let second = retry(2, r#""s\/1""#);
    rig.call(&client, &second, &input_required(2, r#""s/2""#));
    let third = retry(3, r#""s/2""#);
    assert_eq!(rig.call(&client, &third, &echoed(3)), session);
    let [operation] = &rig.operations()[..] else {
        panic!("one operation: {:?}", rig.operations())
    };
    assert_eq!(operation.status, OperationStatus::Success);
    assert_eq!(operation.target, Some(Target::Tool("echo".into())));
    assert_eq!(
        (operation.started_at, operation.duration_us),
        (started_at, 13_000_000),
        "from the first request to the last answer"
    );
    assert_eq!(
        operation.bytes_in,
        (first.len() + second.len() + third.len()) as u64
    );
    assert_eq!(rig.opened().len(), 1);
}

#[test]
fn a_retry_that_fails_makes_the_operation_an_error() {
    let rig = Rig::new();
    let client = modern_client();
    let first = modern(1, "tools/call", "a", "");
    rig.call(&client, &first, &input_required(1, r#""s""#));
    let error = r#"{"jsonrpc":"2.0","id":2,"error":{"code":-32602,"message":"no"}}"#;
    rig.call(&client, &retry(2, r#""s""#), error);
    assert_eq!(rig.operations().len(), 1);
    assert_eq!(rig.operations()[0].status, OperationStatus::Error);
    // The state is used up: whoever repeats it once more makes a request of its own.
    rig.call(&client, &retry(3, r#""s""#), &echoed(3));
    assert_eq!(rig.operations().len(), 2);
}

/// Rule: operation/input-required
#[test]
fn a_state_of_another_principal_links_nothing() {
    let rig = Rig::new();
    let client = modern_client();
    let first = modern(1, "tools/call", "a", "");
    rig.call(&client, &first, &input_required(1, r#""s""#));
    rig.call(
        &client.clone().from("10.0.0.9"),
        &retry(2, r#""s""#),
        &echoed(2),
    );
    assert_eq!(rig.operations()[0].duration_us, 1_000_000);
    rig.call(&client, &retry(3, r#""s""#), &echoed(3));
    assert_eq!(rig.operations()[1].duration_us, 3_000_000);
}

#[test]
fn input_that_is_never_given_is_an_error_when_its_session_ends() {
    let rig = Rig::new();
    let client = modern_client();
    let first = modern(1, "tools/call", "a", "");
    rig.call(&client, &first, &input_required(1, r#""s""#));
    rig.pass(4_000);
    rig.tracker.sweep();
    let [operation] = &rig.operations()[..] else {
        panic!("one operation")
    };
    assert_eq!(
        operation.error_message.as_deref(),
        Some("the client never gave the input that the server asked for")
    );
    assert_eq!(operation.duration_us, 1_000_000, "until the server asked");
    assert_eq!(rig.reasons(), ["timeout"]);
}

#[test]
fn only_so_many_operations_wait_for_input() {
    let rig = Rig::new();
    let client = modern_client();
    for id in 0..70 {
        let asked = modern(id, "tools/call", "a", "");
        rig.call(&client, &asked, &input_required(id, &id.to_string()));
    }
    assert_eq!(rig.operations().len(), 6, "the oldest are given up");
}

#[test]
fn tasks_are_ordinary_operations() {
    let rig = Rig::new();
    let client = modern_client();
    let task = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"task","taskId":"t","status":"working"}}"#;
    rig.call(&client, &modern(1, "tools/call", "a", ""), task);
    let asks = r#"{"jsonrpc":"2.0","id":2,"result":{"resultType":"complete","taskId":"t","status":"input_required","inputRequests":{}}}"#;
    rig.call(&client, &modern(2, "tasks/get", "a", ""), asks);
    rig.call(&client, &modern(3, "tasks/update", "a", ""), &echoed(3));
    rig.call(&client, &modern(4, "tasks/cancel", "a", ""), &echoed(4));
    let legacy = rig.initialize(&Client::new(), "abc");
    let result = r#"{"jsonrpc":"2.0","id":5,"method":"tasks/result","params":{"taskId":"t"}}"#;
    rig.call(&legacy, result, &echoed(5));
    let operations = rig.operations();
    let methods: Vec<_> = operations
        .iter()
        .filter(|operation| !operation.is_handshake())
        .map(|operation| (&*operation.method, operation.status))
        .collect();
    let success = OperationStatus::Success;
    assert_eq!(
        methods,
        [
            ("tools/call", success),
            ("tasks/get", success),
            ("tasks/update", success),
            ("tasks/cancel", success),
            ("tasks/result", success)
        ]
    );
}

#[test]
fn a_body_that_cannot_be_read_is_told_by_its_mirrored_headers() {
    let rig = Rig::new();
    let client = modern_client();
    rig.call(&client, &modern(1, "tools/list", "a", ""), &echoed(1));
    let session = rig.opened().remove(0).session_id.to_string();
    let hidden = client
        .with("content-encoding", "compress")
        .with("x-archon-session-id", &session)
        .with("mcp-method", "tools/call")
        .with("mcp-name", "=?base64?w6ljaG8=?=")
        .with("mcp-param-region", "=?base64?w6k=?=");
    rig.call(&hidden, "\u{1f}\u{9d}", &echoed(2));
    let operation = rig.operations().pop().expect("a row");
    assert_eq!(&*operation.method, "tools/call");
    assert_eq!(operation.target, Some(Target::Tool("écho".into())));
    assert_eq!(operation.status, OperationStatus::Success);
    rig.call(
        &hidden.with("mcp-method", "notifications/progress"),
        "\u{1f}",
        "",
    );
    assert_eq!(rig.operations().len(), 2, "a notification is no row");
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).expect("taken");
    encoder.finish().expect("ended")
}

#[test]
fn compressed_bodies_are_read_in_both_directions() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let exchange = rig.begin(&Method::POST, &client.with("content-encoding", "gzip"));
    let (asked, answered) = (gzip(&echo(1)), gzip(&echoed(1)));
    exchange.request_data(&asked);
    exchange.request_end();
    let head = headers(&[
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ]);
    exchange.answer_head(AnswerFacts::read(StatusCode::OK, &head));
    let before = rig.operations().len();
    // Behind the text itself gzip has 8 bytes of checks; the record is there before any of what completes it goes on.
    let (text, checks) = answered.split_at(answered.len() - 8);
    exchange.answer_data(text);
    assert_eq!(rig.operations().len(), before + 1);
    exchange.answer_data(checks);
    exchange.answer_end();
    let operation = rig.operations().pop().expect("a row");
    assert_eq!(operation.target, Some(Target::Tool("echo".into())));
    assert_eq!(
        (operation.bytes_in, operation.bytes_out, rig.unparsed()),
        (asked.len() as u64, text.len() as u64, 0),
        "bytes as they passed"
    );
}

/// Rule: transparency/unparsed
#[test]
fn a_compressed_body_that_is_none_passes_and_is_counted() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let brotli: &[(&str, &str)] = &[("content-encoding", "gzip")];
    rig.call_as(
        &client,
        &echo(1),
        StatusCode::OK,
        brotli,
        "this is no gzip at all",
    );
    assert!(rig.unparsed() > 0);
    let operation = rig.operations().pop().expect("a row");
    assert_eq!(operation.status, OperationStatus::Success, "as HTTP says");
}

/// A stream of the HTTP+SSE transport, with its endpoint told.
pub(super) fn sse_stream(rig: &Rig) -> Exchange {
    let stream = rig.stream(&Method::GET, &Client::new());
    stream.answer_data(b"event: endpoint\r\ndata: /messages/?session_id=s1\r\n\r\n");
    stream
}

pub(super) fn post_on_stream(rig: &Rig, body: &str) -> Exchange {
    let channel = rig
        .tracker
        .channel("127.0.0.1", "/messages/", "?session_id=s1");
    let mut facts = RequestFacts::new(
        rig.server.clone(),
        "127.0.0.1".into(),
        "POST",
        rig.tracker.now(),
    );
    facts.header("content-type", b"application/json");
    facts.answered_on(channel.expect("the stream is open"));
    let exchange = rig.tracker.begin(facts);
    exchange.request_data(body.as_bytes());
    exchange.request_end();
    exchange
}

pub(super) fn accept(exchange: &Exchange, status: StatusCode) {
    exchange.answer_head(AnswerFacts::read(status, &HeaderMap::new()));
    exchange.answer_data(b"Accepted");
    exchange.answer_end();
}

pub(super) fn event(data: &str) -> String {
    format!("event: message\r\ndata: {data}\r\n\r\n")
}

/// Rule: derivation/older-transport, operation/duration
#[test]
fn the_older_transport_is_one_session_whose_answers_come_on_its_stream() {
    let rig = Rig::new();
    let stream = sse_stream(&rig);
    let asked = post_on_stream(&rig, &initialize("old", "2024-11-05"));
    // The answer may overtake the 202.
    rig.pass(1);
    stream.answer_data(event(&initialized("2024-11-05")).as_bytes());
    accept(&asked, StatusCode::ACCEPTED);
    let started_at = rig.tracker.now();
    accept(&post_on_stream(&rig, &echo(1)), StatusCode::ACCEPTED);
    rig.pass(3);
    let answer = event(&echoed(1));
    let before = rig.operations().len();
    let (most, end) = answer.as_bytes().split_at(answer.len() - 2);
    stream.answer_data(most);
    assert_eq!(rig.operations().len(), before);
    stream.answer_data(end);
    let [opened] = &rig.opened()[..] else {
        panic!("one session: {:?}", rig.opened())
    };
    assert_eq!(
        (opened.derivation, opened.era, opened.client_name.as_deref()),
        (Derivation::Protocol, Era::Legacy, Some("old"))
    );
    let operations = rig.operations();
    let [handshake, call] = &operations[..] else {
        panic!("two operations: {operations:?}")
    };
    assert!(handshake.is_handshake());
    assert_eq!(call.target, Some(Target::Tool("echo".into())));
    assert_eq!(
        (call.started_at, call.duration_us, call.bytes_in),
        (started_at, 3_000_000, echo(1).len() as u64)
    );
    assert_eq!(rig.unparsed(), 0, "the endpoint is no message");
    rig.pass(4_000);
    rig.tracker.sweep();
    assert_eq!(rig.reasons(), [""; 0], "the stream is held");
    let left_at = rig.tracker.now();
    drop(stream);
    rig.pass(31);
    rig.tracker.sweep();
    assert_eq!(rig.reasons(), ["client_disconnect"]);
    assert_eq!(rig.closed()[0].disconnected_at, left_at);
    assert!(
        rig.tracker
            .channel("127.0.0.1", "/messages/", "?session_id=s1")
            .is_none()
    );
}

/// Rule: reason/upstream-error
#[test]
fn a_server_that_ends_the_older_transports_stream_ends_the_session() {
    let rig = Rig::new();
    let stream = sse_stream(&rig);
    let asked = post_on_stream(&rig, &initialize("old", "2024-11-05"));
    accept(&asked, StatusCode::ACCEPTED);
    stream.answer_data(event(&initialized("2024-11-05")).as_bytes());
    accept(&post_on_stream(&rig, &echo(1)), StatusCode::ACCEPTED);
    stream.answer_broken("reset");
    assert_eq!(rig.reasons(), ["error:UpstreamError"]);
    let operation = rig.operations().pop().expect("a row");
    assert_eq!(
        operation.error_message.as_deref(),
        Some("the answer broke off: reset")
    );
}

#[test]
fn a_post_of_the_older_transport_that_is_refused_ends_with_its_refusal() {
    let rig = Rig::new();
    let stream = sse_stream(&rig);
    let asked = post_on_stream(&rig, &initialize("old", "2024-11-05"));
    accept(&asked, StatusCode::ACCEPTED);
    stream.answer_data(event(&initialized("2024-11-05")).as_bytes());
    accept(&post_on_stream(&rig, &echo(1)), StatusCode::BAD_REQUEST);
    let operation = rig.operations().pop().expect("a row");
    assert_eq!(
        operation.error_message.as_deref(),
        Some("HTTP 400 Bad Request")
    );
    stream.answer_data(event(&echoed(1)).as_bytes());
    assert_eq!(rig.operations().len(), 2, "it was not answered twice");
}
