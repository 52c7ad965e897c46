//! "Life of a session" and "Disconnect reasons".

use http::{Method, StatusCode};

use super::*;

/// Rule: reason/delete
#[test]
fn delete_ends_a_session_whatever_the_server_says_of_it() {
    for (status, reason) in [
        (StatusCode::OK, "client_disconnect"),
        (StatusCode::METHOD_NOT_ALLOWED, "client_disconnect"),
        (StatusCode::NOT_FOUND, "error:SessionNotFound"),
    ] {
        let rig = Rig::new();
        let client = rig.initialize(&Client::new(), "abc");
        rig.pass(9);
        rig.delete(&client, status);
        rig.delete(&client, status);
        assert_eq!(rig.reasons(), [reason], "{status}: the first end counts");
        let (opened, closed) = (rig.opened().remove(0), rig.closed().remove(0));
        assert_eq!(
            closed
                .disconnected_at
                .whole_seconds_since(opened.connected_at),
            10
        );
    }
}

/// Rule: reason/delete
#[test]
fn delete_ends_a_modern_session_that_it_names() {
    let rig = Rig::new();
    let client = Client::new()
        .with("mcp-protocol-version", MODERN)
        .with("baggage", "session.id=run-1");
    rig.call(&client, &modern(1, "tools/call", "a", ""), &echoed(1));
    rig.delete(&client, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(rig.reasons(), ["client_disconnect"]);
}

/// Rule: session/in-flight-and-held, reason/held-stream-ended
#[test]
fn a_client_that_drops_its_stream_has_left_after_the_grace_time() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let stream = rig.stream(&Method::GET, &client);
    rig.pass(4_000);
    rig.tracker.sweep();
    assert_eq!(rig.reasons(), [""; 0], "an open stream is activity");
    drop(stream);
    let left_at = rig.tracker.now();
    rig.pass(29);
    rig.tracker.sweep();
    assert_eq!(rig.closed(), []);
    rig.pass(11);
    rig.tracker.sweep();
    let closed = rig.closed().remove(0);
    assert_eq!(closed.reason.to_string(), "client_disconnect");
    assert_eq!(closed.disconnected_at, left_at, "when the stream ended");
    assert_eq!(closed.detected_at, rig.tracker.now());
}

/// Rule: reason/held-stream-ended
#[test]
fn a_client_that_comes_back_within_the_grace_time_has_not_left() {
    for come_back in [true, false] {
        let rig = Rig::new();
        let client = rig.initialize(&Client::new(), "abc");
        drop(rig.stream(&Method::GET, &client));
        rig.pass(20);
        let held = come_back.then(|| rig.stream(&Method::GET, &client));
        if held.is_none() {
            rig.call(&client, &echo(1), &echoed(1));
        }
        rig.pass(60);
        rig.tracker.sweep();
        assert_eq!(rig.closed(), []);
    }
}

/// Rule: reason/held-stream-ended
#[test]
fn a_stream_that_the_server_ended_says_nothing_of_the_client() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    rig.stream(&Method::GET, &client).answer_end();
    rig.pass(60);
    rig.tracker.sweep();
    assert_eq!(rig.closed(), []);
}

/// Rule: reason/held-stream-ended, session/held-listen
#[test]
fn a_listening_modern_client_that_goes_has_left() {
    let rig = Rig::new();
    let client = Client::new().with("mcp-protocol-version", MODERN);
    let exchange = rig.post(&client, &modern(1, "subscriptions/listen", "a", ""));
    exchange.answer_head(AnswerFacts::read(
        StatusCode::OK,
        &headers(&[("content-type", "text/event-stream")]),
    ));
    rig.pass(4_000);
    rig.tracker.sweep();
    assert_eq!(rig.reasons(), [""; 0], "an open stream is activity");
    drop(exchange);
    rig.pass(31);
    rig.tracker.sweep();
    assert_eq!(rig.reasons(), ["client_disconnect"]);
}

/// Rule: session/active-idle-ended, session/end-of-timeout, reason/timeout
#[test]
fn silence_makes_a_session_idle_and_then_ends_it() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    rig.call(&client, &echo(1), &echoed(1));
    let last = rig.tracker.now();
    let idle = |rig: &Rig| {
        rig.records()
            .iter()
            .filter(|record| matches!(record, Record::SessionIdle { .. }))
            .count()
    };
    rig.pass(299);
    rig.tracker.sweep();
    assert_eq!(idle(&rig), 0);
    rig.pass(1);
    rig.tracker.sweep();
    rig.tracker.sweep();
    assert_eq!(idle(&rig), 1);
    rig.pass(5_000);
    rig.tracker.sweep();
    rig.tracker.sweep();
    let closed = rig.closed();
    assert_eq!(rig.reasons(), ["timeout"]);
    assert_eq!(
        closed[0].disconnected_at, last,
        "a late sweep never lengthens a session"
    );
    assert_eq!(closed[0].detected_at, rig.tracker.now());
}

/// Rule: session/active-idle-ended, session/from-last-end, session/in-flight-and-held
#[test]
fn a_request_in_flight_is_activity() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let slow = rig.post(&client, &echo(1));
    rig.pass(4_000);
    rig.tracker.sweep();
    assert_eq!(rig.closed(), []);
    slow.answer_head(AnswerFacts::read(
        StatusCode::OK,
        &headers(&[("content-type", "application/json")]),
    ));
    slow.answer_data(echoed(1).as_bytes());
    slow.answer_end();
    rig.pass(3_599);
    rig.tracker.sweep();
    assert_eq!(
        rig.closed(),
        [],
        "time runs from the end of the last operation"
    );
}

/// Rule: session/resumed-from
#[test]
fn a_request_after_the_end_opens_another_session_with_the_same_key() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    rig.pass(4_000);
    rig.tracker.sweep();
    rig.call(&client, &echo(1), &echoed(1));
    let opened = rig.opened();
    assert_eq!(opened.len(), 2);
    assert_eq!(
        opened[0].session_key, opened[1].session_key,
        "by which the store links them"
    );
    assert_eq!(rig.closed().len(), 1);
}

/// Rule: reason/session-not-found
#[test]
fn a_server_that_forgot_its_session_ends_it() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let answer =
        r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}"#;
    rig.call_as(&client, &echo(1), StatusCode::NOT_FOUND, &[], answer);
    assert_eq!(rig.reasons(), ["error:SessionNotFound"]);
    let failed = rig.operations().pop().expect("a row");
    assert_eq!(
        failed.error_message.as_deref(),
        Some("-32001: Session not found")
    );
}

#[test]
fn a_graceful_stop_ends_every_session_once() {
    let rig = Rig::new();
    rig.initialize(&Client::new(), "a");
    let client = rig.initialize(&Client::new(), "b");
    let stream = rig.stream(&Method::GET, &client);
    rig.tracker.shut_down(false);
    drop(stream);
    rig.tracker.shut_down(false);
    assert_eq!(rig.reasons(), ["server_shutdown", "server_shutdown"]);
    assert_eq!(rig.tracker.open_sessions(), 0);
}
