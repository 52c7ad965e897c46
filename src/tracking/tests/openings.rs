//! What opens a session: whatever answers its first request.

use http::{Method, StatusCode};

use super::*;
use crate::model::{Derivation, OperationStatus};
use crate::tracking::Failure;

const NO_METHOD: &str =
    r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32601,"message":"Method not found"}}"#;

fn unattributed(rig: &Rig) -> u64 {
    rig.tracker.counters.unattributed.load(Ordering::Relaxed)
}

/// Rule: session/opened
#[test]
fn whatever_answers_the_first_request_opens_a_session() {
    let requests = [
        modern(1, "tools/list", "a", ""),
        initialize("tester", LEGACY),
        echo(1),
    ];
    for (status, answer) in [
        (StatusCode::UNAUTHORIZED, "{}"),
        (StatusCode::INTERNAL_SERVER_ERROR, "<html>"),
        (StatusCode::BAD_REQUEST, NO_METHOD),
        (StatusCode::OK, NO_METHOD),
        (StatusCode::OK, "this is no JSON-RPC"),
        (StatusCode::FORBIDDEN, ""),
        (StatusCode::ACCEPTED, ""),
    ] {
        for request in &requests {
            let rig = Rig::new();
            let named = rig.call_as(&Client::new(), request, status, &[], answer);
            let opened = rig.opened();
            assert_eq!(opened.len(), 1, "{status} {answer} {request}");
            let told = !status.is_success() || !request.contains("initialize");
            assert_eq!(
                named.as_deref() == Some(opened[0].session_id.to_string().as_str()),
                told,
                "{status} {answer}: a handshake may turn out in the body only"
            );
            let operations = rig.operations();
            assert_eq!(operations.len(), 1);
            assert_eq!(operations[0].status, OperationStatus::Error);
            // The one that follows belongs to it.
            if !request.contains("initialize") {
                rig.call(&Client::new(), request, &echoed(1));
                assert_eq!(rig.opened().len(), 1);
            }
        }
    }
}

/// Rule: session/opened
#[test]
fn a_connection_that_fails_before_the_first_answer_opens_none() {
    let rig = Rig::new();
    for request in [
        modern(1, "tools/list", "a", ""),
        initialize("tester", LEGACY),
    ] {
        let client = Client::new().with("baggage", "session.id=run-1");
        let post = || rig.post(&client, &request);
        post().failed(Failure::Unreachable("refused".to_owned()));
        post().failed(Failure::Nonsense("no HTTP".to_owned()));
        post().failed(Failure::TimedOut);
        post().answer_broken("reset");
        drop(post());
    }
    assert_eq!(rig.records(), []);
    assert_eq!(unattributed(&rig), 10, "they are counted all the same");
}

/// Rule: session/opened, session/not-by-probe
#[test]
fn a_probe_that_is_refused_otherwise_than_probes_are_opens_one() {
    let probe = modern(1, "server/discover", "a", "");
    for (status, answer) in [
        (StatusCode::BAD_GATEWAY, "<html>"),
        (
            StatusCode::OK,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Internal error"}}"#,
        ),
    ] {
        let rig = Rig::new();
        rig.call_as(&Client::new(), &probe, status, &[], answer);
        assert_eq!(rig.opened().len(), 1, "{status}");
        assert_eq!(rig.operations().len(), 1);
    }
}

/// Rule: session/opened, reason/session-not-found
#[test]
fn a_session_that_only_its_server_forgot_is_one_that_ended() {
    let rig = Rig::new();
    let client = Client::new().with("mcp-session-id", "of-yesterday");
    rig.call_as(&client, &echo(1), StatusCode::NOT_FOUND, &[], "");
    assert_eq!(rig.opened()[0].derivation, Derivation::Protocol);
    assert_eq!(rig.operations().len(), 1);
    assert_eq!(rig.reasons(), ["error:SessionNotFound"]);
}

/// Rule: session/not-by-get, session/opened
#[test]
fn what_is_no_request_opens_none_when_it_is_refused() {
    let rig = Rig::new();
    let client = Client::new().with("mcp-session-id", "abc");
    let notification = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let response = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
    for body in [notification, response, ""] {
        rig.call_as(&client, body, StatusCode::BAD_REQUEST, &[], "{}");
    }
    for method in [Method::GET, Method::DELETE, Method::OPTIONS] {
        let exchange = rig.begin(&method, &client);
        let status = StatusCode::METHOD_NOT_ALLOWED;
        exchange.answer_head(AnswerFacts::read(status, &HeaderMap::new()));
        exchange.answer_end();
    }
    assert_eq!(rig.records(), []);
}

/// Rule: session/opened, derivation/older-transport
#[test]
fn a_refusal_of_the_older_transport_opens_the_session_of_its_stream() {
    let rig = Rig::new();
    let stream = super::rounds::sse_stream(&rig);
    let asked = super::rounds::post_on_stream(&rig, &initialize("old", "2024-11-05"));
    super::rounds::accept(&asked, StatusCode::UNAUTHORIZED);
    assert_eq!(rig.opened().len(), 1);
    assert_eq!(rig.operations().len(), 1);
    let again = super::rounds::post_on_stream(&rig, &initialize("old", "2024-11-05"));
    super::rounds::accept(&again, StatusCode::ACCEPTED);
    stream.answer_data(super::rounds::event(&initialized("2024-11-05")).as_bytes());
    assert_eq!(rig.operations().len(), 2);
    stream.answer_end();
    assert_eq!(rig.opened().len(), 1);
    assert_eq!(rig.reasons(), ["error:UpstreamError"]);
}

/// Rule: operation/turned-down
#[test]
fn what_is_turned_down_here_is_a_row_though_no_session_was_there() {
    let rig = Rig::new();
    let too_large = || Failure::Refused("the body is too large".to_owned());
    let client = Client::new().with("baggage", "session.id=run-1");
    for body in [&echo(1)[..60], "", &echo(2)] {
        let exchange = rig.begin(&Method::POST, &client);
        exchange.request_data(body.as_bytes());
        exchange.failed(too_large());
    }
    let stale = Client::new().with("mcp-session-id", "abc");
    rig.begin(&Method::POST, &stale).failed(too_large());
    let rules: Vec<_> = rig
        .opened()
        .iter()
        .map(|opened| opened.derivation)
        .collect();
    assert_eq!(rules, [Derivation::Explicit, Derivation::Protocol]);
    let rows: Vec<_> = rig
        .operations()
        .into_iter()
        .map(|operation| (operation.method, operation.status, operation.error_message))
        .collect();
    let row = |method: &str| {
        let message = Some("the body is too large".into());
        (method.into(), OperationStatus::Error, message)
    };
    assert_eq!(
        rows,
        [
            row("tools/call"),
            row("unknown"),
            row("tools/call"),
            row("unknown")
        ]
    );
    // What goes on under the same key goes on in the same session.
    rig.call(&client, &modern(3, "tools/call", "a", ""), &echoed(3));
    assert_eq!(rig.opened().len(), 2);
}

/// Rule: session/not-by-probe, operation/turned-down
#[test]
fn a_probe_and_what_is_no_request_leave_nothing_when_they_are_turned_down_here() {
    let rig = Rig::new();
    let refused = || Failure::Refused("forbidden".to_owned());
    let client = Client::new();
    rig.post(&client, &modern(1, "server/discover", "a", ""))
        .failed(refused());
    rig.post(
        &client,
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
    )
    .failed(refused());
    rig.begin(&Method::GET, &client).failed(refused());
    rig.begin(&Method::DELETE, &client).failed(refused());
    assert_eq!(rig.records(), []);
}

/// Rule: operation/turned-down
#[test]
fn strangers_who_are_turned_down_cannot_open_sessions_without_end() {
    let rig = Rig::new();
    let turned_down = |name: usize| {
        let client = Client::new().with("baggage", &format!("session.id=run-{name}"));
        let exchange = rig.post(&client, &echo(1));
        exchange.failed(Failure::Refused("no".to_owned()));
    };
    (0..1_100).for_each(turned_down);
    assert_eq!(rig.tracker.open_sessions(), 1_024);
    assert_eq!(unattributed(&rig), 76, "counted, and no rows");
    turned_down(0);
    assert_eq!(rig.operations().len(), 1_025, "of a session that is there");
    rig.call(
        &Client::new(),
        &modern(1, "tools/call", "a", ""),
        &echoed(1),
    );
    assert_eq!(rig.tracker.open_sessions(), 1_025, "others open theirs");
    rig.pass(4_000);
    rig.tracker.sweep();
    assert_eq!(rig.tracker.open_sessions(), 0);
    turned_down(2_000);
    assert_eq!(rig.tracker.open_sessions(), 1, "there is room again");
}
