//! "What is written for each operation."

use http::{Method, StatusCode};

use super::*;
use crate::model::{OperationStatus, Target};

fn last(rig: &Rig) -> Operation {
    rig.operations().pop().expect("an operation")
}

/// Rule: operation/what-is-written
#[test]
fn a_call_is_written_with_its_tool_its_time_and_its_bytes() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let traced = client.with(
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    );
    let started_at = rig.tracker.now();
    rig.call(&traced, &echo(1), &echoed(1));
    let operation = last(&rig);
    assert_eq!(&*operation.method, "tools/call");
    assert_eq!(operation.target, Some(Target::Tool("echo".into())));
    assert_eq!(
        (operation.started_at, operation.duration_us),
        (started_at, 1_000_000)
    );
    assert_eq!(operation.status, OperationStatus::Success);
    assert_eq!(
        (operation.bytes_in, operation.bytes_out),
        (echo(1).len() as u64, echoed(1).len() as u64)
    );
    assert_eq!(operation.protocol_version.as_deref(), Some(LEGACY));
    assert_eq!(
        operation.trace_id(),
        Some("4bf92f3577b34da6a3ce929d0e0e4736")
    );
}

/// Rule: durability/before-the-end, durability/end-is-the-frame
#[test]
fn the_record_is_in_the_journal_before_the_last_frame_goes_on() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let exchange = rig.post(&client, &echo(1));
    exchange.answer_head(AnswerFacts::read(
        StatusCode::OK,
        &headers(&[("content-type", "text/event-stream")]),
    ));
    let event = format!("event: message\ndata: {}\n\n", echoed(1));
    let (most, end) = event.split_at(event.len() - 1);
    let before = rig.operations().len();
    exchange.answer_data(most.as_bytes());
    assert_eq!(rig.operations().len(), before);
    exchange.answer_data(end.as_bytes());
    assert_eq!(
        rig.operations().len(),
        before + 1,
        "though the stream is still open"
    );
    rig.pass(100);
    exchange.answer_end();
    assert_eq!(rig.operations().len(), before + 1);
}

/// Rule: operation/outcome
#[test]
fn every_way_to_fail_is_an_error_and_says_which() {
    let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"Unknown tool"}}"#;
    let failed = r#"{"jsonrpc":"2.0","id":1,"result":{"isError":true,"content":[{"type":"text","text":"no such file"}]}}"#;
    for (status, answer, message) in [
        (StatusCode::OK, error, "-32602: Unknown tool"),
        (StatusCode::OK, failed, "no such file"),
        (StatusCode::BAD_GATEWAY, "<html>", "HTTP 502 Bad Gateway"),
        (
            StatusCode::OK,
            "{\"jsonrpc\"",
            "the answer ended without a response",
        ),
    ] {
        let rig = Rig::new();
        let client = rig.initialize(&Client::new(), "abc");
        rig.call_as(&client, &echo(1), status, &[], answer);
        let operation = last(&rig);
        assert_eq!(
            (operation.status, operation.error_message.as_deref()),
            (OperationStatus::Error, Some(message))
        );
    }
}

/// Rule: operation/outcome, operation/timeout
#[test]
fn broken_answers_and_impatient_clients_are_errors() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let json = headers(&[("content-type", "application/json")]);
    let broken = rig.post(&client, &echo(1));
    broken.answer_head(AnswerFacts::read(StatusCode::OK, &json));
    broken.answer_broken("connection reset");
    assert_eq!(
        last(&rig).error_message.as_deref(),
        Some("the answer broke off: connection reset")
    );
    drop(rig.post(&client, &echo(2)));
    assert_eq!(
        last(&rig).error_message.as_deref(),
        Some("the client went away before the answer")
    );
    let cancelled = rig.post(&client, &echo(3));
    cancelled.answer_head(AnswerFacts::read(
        StatusCode::OK,
        &headers(&[("content-type", "text/event-stream")]),
    ));
    rig.call_as(
        &client,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}"#,
        StatusCode::ACCEPTED,
        &[],
        "",
    );
    cancelled.answer_end();
    assert_eq!(
        last(&rig).error_message.as_deref(),
        Some("cancelled by the client")
    );
    rig.post(&client, &echo(4))
        .failed(crate::tracking::Failure::TimedOut);
    assert_eq!(last(&rig).status, OperationStatus::Timeout);
    assert_eq!(rig.closed(), [], "none of it ends the session");
}

/// Rule: operation/one-for-each, operation/no-notifications
#[test]
fn each_member_of_a_batch_is_a_row_and_notifications_are_counted() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let batch = format!(
        r#"[{},{},{{"jsonrpc":"2.0","method":"notifications/initialized"}}]"#,
        echo(1),
        echo(2)
    );
    rig.call(&client, &batch, &format!("[{},{}]", echoed(2), echoed(1)));
    assert_eq!(
        rig.operations()
            .iter()
            .filter(|operation| !operation.is_handshake())
            .count(),
        2
    );
    let notifications: u32 = rig
        .records()
        .iter()
        .map(|record| {
            if let Record::SessionTouched(touched) = record {
                touched.notifications
            } else {
                0
            }
        })
        .sum();
    assert_eq!(notifications, 1);
}

/// Rule: operation/one-for-each
#[test]
fn requests_of_the_server_are_rows_too() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let stream = rig.stream(&Method::GET, &client);
    stream.answer_data(b"data: {\"jsonrpc\":\"2.0\",\"id\":\"r1\",\"method\":\"roots/list\"}\n\n");
    rig.pass(2);
    rig.call_as(
        &client,
        r#"{"jsonrpc":"2.0","id":"r1","result":{"roots":[]}}"#,
        StatusCode::ACCEPTED,
        &[],
        "",
    );
    let operation = last(&rig);
    assert!(operation.from_server);
    assert_eq!(
        (&*operation.method, operation.duration_us, operation.status),
        ("roots/list", 3_000_000, OperationStatus::Success)
    );
}

/// Rule: transparency/unparsed
#[test]
fn what_cannot_be_read_passes_and_is_counted() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    rig.call(&client, "this is no JSON", &echoed(1));
    assert_eq!(rig.unparsed(), 1);
    rig.call(
        &client.with("content-encoding", "gzip"),
        "\u{1f}\u{8b}",
        &echoed(1),
    );
    assert_eq!(rig.unparsed(), 2);
}

#[test]
fn what_is_in_progress_is_what_a_graceful_stop_waits_for() {
    let rig = Rig::new();
    let in_progress = || rig.tracker.counters.in_progress.sum();
    let client = rig.initialize(&Client::new(), "s1");
    assert_eq!(in_progress(), 0);
    let call = rig.post(&client, &echo(1));
    assert_eq!(in_progress(), 1);
    call.answer_end();
    assert_eq!(in_progress(), 1, "the last bytes are still being written");
    drop(call);
    assert_eq!(in_progress(), 0);
    let held = rig.stream(&Method::GET, &client);
    assert_eq!(in_progress(), 0, "a held stream has no end to wait for");
    drop(held);
    drop(rig.post(&client, &echo(2)));
    assert_eq!(in_progress(), 0);
}

#[test]
fn an_exchange_that_follows_another_request_counts_nothing_twice() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let mut exchange = rig.post(&client, &echo(1));
    let events = headers(&[("content-type", "text/event-stream")]);
    exchange.answer_head(AnswerFacts::read(StatusCode::OK, &events));
    exchange.answer_data(b"data: this is no JSON\n\n");
    exchange.answer_end();
    assert_eq!(rig.unparsed(), 1);
    exchange.begin_again("POST", |facts| facts.header("mcp-session-id", b"abc"));
    drop(exchange);
    assert_eq!(rig.unparsed(), 1);
}

/// Rule: operation/prompt-and-resource
#[test]
fn prompts_and_resources_are_told_from_the_wire() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    for (method, params, target) in [
        (
            "prompts/get",
            r#"{"arguments":{"name":"not this one"},"name":"greet"}"#,
            Target::Prompt("greet".into()),
        ),
        (
            "resources/read",
            r#"{"uri":"file:///a/b"}"#,
            Target::Resource("file:///a/b".into()),
        ),
        (
            "tools/call",
            r#"{"name":"echo","arguments":{"uri":"file:///not/this"}}"#,
            Target::Tool("echo".into()),
        ),
    ] {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        rig.call(&client, &body, &echoed(1));
        let operation = last(&rig);
        assert_eq!(
            (&*operation.method, operation.target),
            (method, Some(target))
        );
    }
}

/// Rule: operation/duration, durability/end-is-the-frame, session/from-last-end
#[test]
fn the_duration_ends_with_the_event_that_answers_though_the_stream_stays_open() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let exchange = rig.post(&client, &echo(1));
    rig.pass(1);
    exchange.answer_head(AnswerFacts::read(
        StatusCode::OK,
        &headers(&[("content-type", "text/event-stream")]),
    ));
    rig.pass(1);
    exchange.answer_data(
        b"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}\n\n",
    );
    rig.pass(1);
    exchange.answer_data(format!("data: {}\n\n", echoed(1)).as_bytes());
    rig.pass(100);
    exchange.answer_data(b": keep-alive\n\n");
    exchange.answer_end();
    let operation = last(&rig);
    assert_eq!(operation.duration_us, 3_000_000);
    assert_eq!(operation.status, OperationStatus::Success);
    rig.pass(3_499);
    rig.tracker.sweep();
    assert_eq!(
        rig.closed(),
        [],
        "it is the end of the operation from which time runs"
    );
    rig.pass(1);
    rig.tracker.sweep();
    assert_eq!(rig.reasons(), ["timeout"]);
}

/// Rule: durability/uuid-v7
#[test]
fn every_operation_has_an_id_of_its_own_that_tells_its_time() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    rig.call(&client, &format!("[{},{}]", echo(1), echo(2)), &echoed(1));
    rig.call(&client, &echo(3), &echoed(3));
    let ids: Vec<_> = rig
        .operations()
        .iter()
        .map(|operation| operation.request_id.0)
        .collect();
    assert_eq!(ids.len(), 4);
    assert!(ids.iter().all(|id| id.get_version_num() == 7), "{ids:?}");
    assert!(ids.is_sorted() && ids[0] != ids[3], "{ids:?}");
}
