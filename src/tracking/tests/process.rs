//! Rule `process`: what passes between a client and one child process.

use std::sync::Arc;
use std::time::Duration;

use super::{MODERN, Rig, echo, echoed, initialize, initialized, modern};
use crate::model::{Derivation, Era, OperationStatus, Record, Target};
use crate::tracking::{Process, ProcessEnd, Server};

const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

fn begin(rig: &Rig) -> Process {
    let server = Server {
        name: "files".into(),
        survives_instance: false,
    };
    rig.tracker
        .begin_process(Arc::new(server), Duration::from_mins(5))
}

/// Lines are one line each here too.
fn line(text: &str) -> Vec<u8> {
    let mut line = text.replace('\n', " ").into_bytes();
    line.push(b'\n');
    line
}

fn ask(process: &Process, text: &str) {
    process.from_client(&line(text));
}

fn answer(process: &Process, text: &str) {
    process.from_child(&line(text));
}

#[test]
fn calls_over_stdio_have_their_tokens_counted() {
    let rig = Rig::new();
    let process = opened(&rig);
    ask(&process, &echo(1));
    answer(&process, &echoed(1));
    let mut records = rig.records();
    rig.tracker.texts().count();
    rig.tracker.texts().fill(&mut records);
    let Some(Record::OperationFinished(call)) = records.pop() else {
        panic!("the last record is the call");
    };
    // {} and hi
    let counted = (call.prompt_tokens, call.completion_tokens);
    assert_eq!(counted, (Some(1), Some(1)));
}

/// A legacy handshake.
fn opened(rig: &Rig) -> Process {
    let process = begin(rig);
    ask(&process, &initialize("tester", "2025-11-25"));
    rig.pass(1);
    answer(&process, &initialized("2025-06-18"));
    ask(&process, INITIALIZED);
    process
}

/// Rule: stored/not-connections, derivation/process, reason/end-of-input, operation/what-is-written
#[test]
fn one_process_is_one_session_in_the_legacy_era() {
    let rig = Rig::new();
    let process = opened(&rig);
    for id in 1..=3 {
        ask(&process, &echo(id));
        rig.pass(1);
        answer(&process, &echoed(id));
    }
    let sessions = rig.opened();
    assert_eq!(sessions.len(), 1);
    let session = &sessions[0];
    assert_eq!(session.derivation, Derivation::Process);
    assert_eq!((session.era, &*session.server), (Era::Legacy, "files"));
    assert_eq!(session.client_name.as_deref(), Some("tester"));
    assert_eq!(session.client_version.as_deref(), Some("1.2.3"));
    assert_eq!(
        session.client_capabilities.as_deref(),
        Some(r#"{"roots":{}}"#)
    );
    assert_eq!(
        session.protocol_version.as_deref(),
        Some("2025-06-18"),
        "what the server settled on"
    );
    assert!(!session.survives_instance);
    let operations = rig.operations();
    assert_eq!(operations.len(), 4);
    let call = &operations[1];
    assert_eq!(&*call.method, "tools/call");
    assert_eq!(call.target, Some(Target::Tool("echo".into())));
    assert_eq!(call.duration_us, 1_000_000);
    assert_eq!(call.bytes_in, line(&echo(1)).len() as u64);
    assert_eq!(call.bytes_out, line(&echoed(1)).len() as u64);
    assert_eq!(call.protocol_version.as_deref(), Some("2025-06-18"));
    assert_eq!(call.status, OperationStatus::Success);
    process.client_left();
    assert_eq!(rig.reasons(), ["client_disconnect"]);
}

/// Rule: derivation/first-that-applies, derivation/process
#[test]
fn modern_requests_say_who_sends_them() {
    let rig = Rig::new();
    let process = begin(&rig);
    let trace = r#","traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01","sessionID":"x""#;
    ask(&process, &modern(1, "tools/call", "agent", trace));
    answer(&process, &echoed(1));
    let session = &rig.opened()[0];
    assert_eq!(
        (session.era, session.derivation),
        (Era::Modern, Derivation::Process),
        "in front of a vendor's key"
    );
    assert_eq!(session.client_name.as_deref(), Some("agent"));
    assert_eq!(session.protocol_version.as_deref(), Some(MODERN));
    let operation = rig.operations()[0].clone();
    assert_eq!(
        operation.trace_id(),
        Some("4bf92f3577b34da6a3ce929d0e0e4736")
    );
}

/// Rule: session/not-by-probe
#[test]
fn a_refused_probe_opens_no_session_and_initialize_behind_it_does() {
    let rig = Rig::new();
    let process = begin(&rig);
    ask(&process, &modern(0, "server/discover", "agent", ""));
    answer(
        &process,
        r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32601,"message":"Method not found"}}"#,
    );
    process.tick();
    assert!(rig.records().is_empty());
    ask(&process, &initialize("agent", "2025-11-25"));
    answer(&process, &initialized("2025-11-25"));
    assert_eq!(rig.opened().len(), 1);
    assert_eq!(rig.opened()[0].era, Era::Legacy);

    let rig = Rig::new();
    let process = begin(&rig);
    ask(&process, &modern(0, "server/discover", "agent", ""));
    process.end(&ProcessEnd::ClientLeft);
    assert!(rig.records().is_empty(), "a probe that nobody answered");
}

/// Rule: operation/one-for-each
#[test]
fn requests_of_the_server_are_operations_too() {
    let rig = Rig::new();
    let process = opened(&rig);
    answer(
        &process,
        r#"{"jsonrpc":"2.0","id":"s1","method":"roots/list"}"#,
    );
    answer(
        &process,
        r#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage"}"#,
    );
    // The same id in the other direction is another request.
    ask(&process, &echo(1));
    rig.pass(2);
    ask(
        &process,
        r#"{"jsonrpc":"2.0","id":"s1","result":{"roots":[]}}"#,
    );
    ask(
        &process,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"declined"}}"#,
    );
    answer(&process, &echoed(1));
    let operations = rig.operations();
    let told: Vec<_> = operations[1..]
        .iter()
        .map(|operation| {
            let message = operation.error_message.as_deref();
            (&*operation.method, operation.from_server, message)
        })
        .collect();
    assert_eq!(
        told,
        [
            ("roots/list", true, None),
            ("sampling/createMessage", true, Some("-1: declined")),
            ("tools/call", false, None),
        ]
    );
    assert!(operations[1].bytes_in > 0 && operations[1].bytes_out > 0);
    assert_eq!(operations[1].duration_us, 2_000_000);
}

/// Rule: operation/no-notifications
#[test]
fn notifications_are_counted_in_both_directions() {
    let rig = Rig::new();
    let process = opened(&rig);
    answer(
        &process,
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#,
    );
    process.tick();
    let counted: u32 = rig
        .records()
        .iter()
        .map(|record| match record {
            Record::SessionTouched(touched) => touched.notifications,
            _ => 0,
        })
        .sum();
    assert_eq!(counted, 2);
}

/// Rule: operation/outcome
#[test]
fn a_cancelled_request_ends_when_it_is_cancelled() {
    let rig = Rig::new();
    let process = opened(&rig);
    ask(&process, &echo(1));
    let cancel = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    ask(&process, cancel);
    let operations = rig.operations();
    assert_eq!(operations[1].status, OperationStatus::Error);
    assert_eq!(
        operations[1].error_message.as_deref(),
        Some("cancelled by the client")
    );
    answer(&process, &echoed(1));
    ask(&process, cancel);
    assert_eq!(rig.operations().len(), 2, "and changes nothing afterwards");
}

#[test]
fn listening_ends_well_however_it_ends() {
    let rig = Rig::new();
    for (id, by) in [
        (1, "client"),
        (2, "server"),
        (3, "answer"),
        (4, "client left"),
    ] {
        let process = begin(&rig);
        ask(&process, &modern(9, "tools/list", "agent", ""));
        answer(&process, r#"{"jsonrpc":"2.0","id":9,"result":{}}"#);
        ask(&process, &modern(id, "subscriptions/listen", "agent", ""));
        let cancel = format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/cancelled","params":{{"requestId":{id}}}}}"#
        );
        match by {
            "client" => ask(&process, &cancel),
            "server" => answer(&process, &cancel),
            "answer" => answer(&process, &format!(r#"{{"id":{id},"result":{{}}}}"#)),
            _ => process.client_left(),
        }
        process.end(&ProcessEnd::ClientLeft);
    }
    let listened: Vec<_> = rig
        .operations()
        .into_iter()
        .filter(|operation| &*operation.method == "subscriptions/listen")
        .collect();
    assert_eq!(listened.len(), 4);
    assert!(
        listened
            .iter()
            .all(|operation| operation.status == OperationStatus::Success)
    );
}

/// Rule: session/opened, session/held-listen
#[test]
fn a_client_that_only_listens_has_a_session() {
    let rig = Rig::new();
    let process = begin(&rig);
    ask(&process, &modern(1, "subscriptions/listen", "agent", ""));
    assert!(rig.opened().is_empty());
    answer(
        &process,
        r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{}}"#,
    );
    process.tick();
    assert_eq!(rig.opened().len(), 1);
    rig.pass(7_200);
    rig.tracker.sweep();
    assert!(rig.reasons().is_empty(), "listening is activity");
    process.client_left();
    assert_eq!(rig.reasons(), ["client_disconnect"]);
}

/// Rule: operation/input-required
#[test]
fn a_request_for_input_and_its_retry_are_one_operation() {
    let rig = Rig::new();
    let process = begin(&rig);
    ask(&process, &modern(1, "tools/call", "agent", ""));
    rig.pass(1);
    let asks = r#"{"jsonrpc":"2.0","id":1,"result":{"resultType":"input_required","inputRequests":{},"requestState":"abc"}}"#;
    answer(&process, asks);
    assert_eq!(rig.operations().len(), 0, "not over yet");
    rig.pass(5);
    let retry = modern(2, "tools/call", "agent", "").replace(
        r#""name":"echo","#,
        r#""name":"echo","requestState":"abc","inputResponses":{},"#,
    );
    ask(&process, &retry);
    rig.pass(1);
    answer(&process, &echoed(2));
    let operations = rig.operations();
    assert_eq!(operations.len(), 1);
    assert_eq!(operations[0].duration_us, 7_000_000);
    let both = line(asks).len() + line(&echoed(2)).len();
    assert_eq!(operations[0].bytes_out, both as u64);

    ask(&process, &modern(3, "tools/call", "agent", ""));
    answer(&process, &asks.replace(r#""id":1"#, r#""id":3"#));
    process.client_left();
    let last = rig.operations().pop().expect("written");
    assert_eq!(
        last.error_message.as_deref(),
        Some("the client never gave the input that was asked for")
    );
    assert_eq!(rig.reasons(), ["client_disconnect"]);
}

/// Rule: operation/one-for-each
#[test]
fn every_member_of_a_batch_is_an_operation() {
    let rig = Rig::new();
    let process = opened(&rig);
    ask(
        &process,
        &format!("[{},{},{INITIALIZED}]", echo(1), echo(2)),
    );
    answer(&process, &format!("[{},{}]", echoed(2), echoed(1)));
    assert_eq!(rig.operations().len(), 3);
}

/// Rule: reason/child-exit
#[test]
fn a_child_that_exits_under_its_client() {
    let rig = Rig::new();
    let process = opened(&rig);
    ask(&process, &echo(1));
    process.end(&ProcessEnd::ChildExited("exit code 3".to_owned()));
    assert_eq!(rig.reasons(), ["error:ChildExit"]);
    assert_eq!(
        rig.operations()[1].error_message.as_deref(),
        Some("the server ended (exit code 3) before the answer")
    );
    process.client_left();
    process.end(&ProcessEnd::ClientLeft);
    assert_eq!(rig.reasons().len(), 1, "the first reason wins");
}

#[test]
fn a_client_that_leaves_gets_the_answers_it_waits_for() {
    let rig = Rig::new();
    let process = opened(&rig);
    ask(&process, &echo(1));
    answer(&process, r#"{"id":5,"method":"roots/list"}"#);
    process.client_left();
    assert!(rig.reasons().is_empty(), "an answer is still to come");
    assert!(process.owes_answers());
    rig.pass(3);
    answer(&process, &echoed(1));
    assert!(!process.owes_answers());
    assert_eq!(rig.reasons(), ["client_disconnect"]);
    let closed = &rig.closed()[0];
    assert_eq!(closed.disconnected_at, rig.tracker.now());
    // The child ends because its client left, whatever it says in doing so.
    process.end(&ProcessEnd::ChildExited("exit code 1".to_owned()));
    assert_eq!(rig.reasons(), ["client_disconnect"]);
    let operations = rig.operations();
    assert_eq!(operations[1].status, OperationStatus::Error, "roots/list");
    assert_eq!(operations[2].status, OperationStatus::Success);
}

#[test]
fn a_client_that_is_gone_waits_for_nothing() {
    let rig = Rig::new();
    let process = opened(&rig);
    ask(&process, &echo(1));
    ask(&process, &echo(2));
    process.client_gone();
    assert_eq!(rig.reasons(), ["client_disconnect"]);
    answer(&process, &echoed(1));
    process.end(&ProcessEnd::ClientLeft);
    let operations = rig.operations();
    assert_eq!(operations[1].status, OperationStatus::Success);
    assert_eq!(
        operations[2].error_message.as_deref(),
        Some("the client went away before the answer")
    );
    assert_eq!(rig.opened().len(), 1);
}

/// Rule: session/active-idle-ended
#[test]
fn a_session_that_timed_out_goes_on_as_another() {
    let rig = Rig::new();
    let process = opened(&rig);
    rig.pass(3_600);
    rig.tracker.sweep();
    assert_eq!(rig.reasons(), ["timeout"]);
    ask(&process, &echo(1));
    answer(&process, &echoed(1));
    let sessions = rig.opened();
    assert_eq!(sessions.len(), 2);
    assert_eq!(
        sessions[0].session_key, sessions[1].session_key,
        "by which the store links them"
    );
    assert_eq!(sessions[1].client_name.as_deref(), Some("tester"));
    process.client_left();
    assert_eq!(rig.reasons(), ["timeout", "client_disconnect"]);
}

/// Rule: operation/timeout
#[test]
fn a_request_under_way_is_activity_until_it_is_late() {
    let rig = Rig::new();
    let process = opened(&rig);
    ask(&process, &echo(1));
    ask(&process, &echo(2));
    for _ in 0..10 {
        rig.pass(240);
        answer(
            &process,
            r#"{"method":"notifications/progress","params":{"progressToken":1}}"#,
        );
        process.tick();
        rig.tracker.sweep();
    }
    assert_eq!(rig.operations().len(), 1, "it gets on");
    answer(&process, &echoed(2));
    rig.pass(300);
    process.tick();
    let operations = rig.operations();
    assert_eq!(operations[2].status, OperationStatus::Timeout);
    answer(&process, &echoed(1));
    assert_eq!(rig.operations().len(), 3, "too late");
    assert!(rig.reasons().is_empty());
}

#[test]
fn an_id_used_twice_and_ids_without_end() {
    let rig = Rig::new();
    let process = opened(&rig);
    ask(&process, &echo(1));
    ask(&process, &echo(1));
    assert_eq!(
        rig.operations()[1].error_message.as_deref(),
        Some("its id was used again before the answer")
    );
    for id in 2..3_000 {
        ask(&process, &echo(id));
    }
    assert_eq!(
        rig.operations().len(),
        2 + 3_000 - 1 - 1_024,
        "only so many are followed at once"
    );
}

#[test]
fn what_is_no_message_is_counted() {
    let rig = Rig::new();
    let process = opened(&rig);
    answer(&process, "Server listening on stdio");
    ask(&process, "{");
    answer(&process, "");
    answer(&process, "{\"jsonrpc\":\"2.0\"}");
    assert_eq!(process.unreadable_lines(), 2);
    assert_eq!(rig.unparsed(), 1);
}
