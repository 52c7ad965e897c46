//! Why sessions end when something broke, and that nothing but silence afterwards ends them.

use http::{Method, StatusCode};

use super::*;
use crate::model::OperationStatus;
use crate::tracking::Failure;

/// A session in which `happens`, `after` which the client is not heard of.
fn ends_as(happens: impl Fn(&Rig, &Client), reason: &str) {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    happens(&rig, &client);
    let broke_at = rig.tracker.now();
    rig.pass(29);
    rig.tracker.sweep();
    assert_eq!(rig.closed(), [], "{reason}: the grace time is not over");
    rig.pass(5);
    rig.tracker.sweep();
    rig.tracker.sweep();
    assert_eq!(rig.reasons(), [reason]);
    let closed = rig.closed().remove(0);
    assert_eq!(
        (closed.disconnected_at, closed.detected_at),
        (broke_at, rig.tracker.now())
    );

    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    happens(&rig, &client);
    rig.pass(20);
    rig.call(&client, &echo(9), &echoed(9));
    rig.pass(60);
    rig.tracker.sweep();
    assert_eq!(rig.closed(), [], "{reason}: whoever goes on has not ended");
}

/// Rule: reason/upstream-unreachable
#[test]
fn an_unreachable_server_ends_the_session_of_a_client_that_gives_up() {
    ends_as(
        |rig, client| {
            let failure = Failure::Unreachable("connection refused".to_owned());
            rig.post(client, &echo(1)).failed(failure);
        },
        "error:UpstreamUnreachable",
    );
}

/// Rule: reason/protocol-error
#[test]
fn a_server_that_speaks_no_http_is_a_protocol_error() {
    ends_as(
        |rig, client| {
            let failure = Failure::Nonsense("no HTTP".to_owned());
            rig.post(client, &echo(1)).failed(failure);
        },
        "error:ProtocolError",
    );
}

/// Rule: reason/upstream-error
#[test]
fn a_held_stream_that_the_server_broke_is_an_error_of_the_server() {
    ends_as(
        |rig, client| rig.stream(&Method::GET, client).answer_broken("reset"),
        "error:UpstreamError",
    );
}

/// Rule: reason/auth-expired
#[test]
fn a_client_whose_token_is_refused_and_that_gets_no_other_has_an_expired_one() {
    ends_as(
        |rig, client| {
            rig.call_as(client, &echo(1), StatusCode::UNAUTHORIZED, &[], "{}");
        },
        "error:AuthExpired",
    );
}

/// Rule: session/first-reason
#[test]
fn closing_again_changes_nothing_and_the_first_reason_stays() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let pending = rig.post(&client, &echo(1));
    rig.delete(&client, StatusCode::OK);
    rig.pass(1);
    pending.failed(Failure::Unreachable("gone".to_owned()));
    rig.tracker.shut_down(false);
    rig.pass(9_000);
    rig.tracker.sweep();
    assert_eq!(rig.reasons(), ["client_disconnect"]);
}

/// Rule: operation/turned-down
#[test]
fn what_is_turned_down_here_is_a_row_of_its_session() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let exchange = rig.begin(&Method::POST, &client);
    exchange.request_data(&echo(1).as_bytes()[..60]);
    exchange.failed(Failure::Refused("the body is too large".to_owned()));
    let operation = rig.operations().pop().expect("a row");
    assert_eq!(&*operation.method, "tools/call");
    assert_eq!(operation.status, OperationStatus::Error);
    assert_eq!(
        operation.error_message.as_deref(),
        Some("the body is too large")
    );
}

/// Rule: operation/no-notifications
#[test]
fn notifications_on_a_held_stream_are_counted_while_it_is_open() {
    let rig = Rig::new();
    let client = rig.initialize(&Client::new(), "abc");
    let stream = rig.stream(&Method::GET, &client);
    for _ in 0..3 {
        stream.answer_data(
            b"data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{}}\n\n",
        );
    }
    let counted = || {
        let count = |record: &Record| match record {
            Record::SessionTouched(touched) => touched.notifications,
            _ => 0,
        };
        rig.records().iter().map(count).sum::<u32>()
    };
    rig.tracker.sweep();
    assert_eq!(counted(), 3);
    drop(stream);
    rig.delete(&client, StatusCode::OK);
    assert_eq!(counted(), 3, "none is counted twice");
}

/// Rule: derivation/scope-of-server
#[test]
fn an_archon_session_id_names_a_session_of_the_same_server_only() {
    let rig = Rig::new();
    let client = Client::new().with("mcp-protocol-version", MODERN);
    let session = rig.call(&client, &modern(1, "tools/call", "a", ""), &echoed(1));
    let named = client.with("x-archon-session-id", &session.clone().expect("a session"));
    let elsewhere = std::sync::Arc::new(Server {
        name: "files".into(),
        survives_instance: true,
    });
    let mut facts = RequestFacts::new(elsewhere, named.principal.into(), "POST", rig.tracker.now());
    for (name, value) in &named.headers {
        facts.header(name, value.as_bytes());
    }
    facts.header("content-type", b"application/json");
    let exchange = rig.tracker.begin(facts);
    exchange.request_data(modern(2, "tools/call", "a", "").as_bytes());
    exchange.request_end();
    let json = headers(&[("content-type", "application/json")]);
    let other = exchange.answer_head(AnswerFacts::read(StatusCode::OK, &json));
    let other = other.map(|header| String::from_utf8_lossy(header.as_bytes()).into_owned());
    assert!(other.is_some() && other != session);
}
