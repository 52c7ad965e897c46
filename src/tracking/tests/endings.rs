//! Every path that ends a session, from what happened to the row.

use std::time::Duration;

use http::{Method, StatusCode};

use super::*;
use crate::model::DisconnectReason;
use crate::reports::{Page, session_details};
use crate::store::testing::TestStore;
use crate::tracking::{Failure, Found, NewSession, ProcessEnd, journal_root, settle_dead};

/// A path: why the session ends, and what happens.
type Path = (&'static str, fn(&Rig));

fn http(rig: &Rig) -> Client {
    rig.initialize(&Client::new(), "abc")
}

fn gives_up(rig: &Rig) {
    rig.pass(40);
    rig.tracker.sweep();
}

fn process(rig: &Rig) -> crate::tracking::Process {
    let server = Server {
        name: "files".into(),
        survives_instance: false,
    };
    let process = rig
        .tracker
        .begin_process(Arc::new(server), Duration::from_mins(5));
    process.from_client(format!("{}\n", echo(1)).as_bytes());
    rig.pass(1);
    process.from_child(format!("{}\n", echoed(1)).as_bytes());
    process
}

const PATHS: [Path; 18] = [
    ("client_disconnect", |rig| {
        rig.delete(&http(rig), StatusCode::OK);
    }),
    ("client_disconnect", |rig| {
        drop(rig.stream(&Method::GET, &http(rig)));
        gives_up(rig);
    }),
    ("client_disconnect", |rig| {
        let client = Client::new().with("mcp-protocol-version", MODERN);
        let listening = rig.post(&client, &modern(1, "subscriptions/listen", "a", ""));
        let events = headers(&[("content-type", "text/event-stream")]);
        listening.answer_head(AnswerFacts::read(StatusCode::OK, &events));
        drop(listening);
        gives_up(rig);
    }),
    ("client_disconnect", |rig| {
        drop(answered_on_stream(rig));
        gives_up(rig);
    }),
    ("client_disconnect", |rig| process(rig).client_left()),
    ("client_disconnect", |rig| process(rig).client_gone()),
    ("client_disconnect", |rig| {
        process(rig).end(&ProcessEnd::ClientLeft);
    }),
    ("timeout", |rig| {
        http(rig);
        rig.pass(3_600);
        rig.tracker.sweep();
    }),
    ("server_shutdown", |rig| {
        http(rig);
        rig.tracker.shut_down(false);
    }),
    ("error:UpstreamUnreachable", |rig| {
        let failure = Failure::Unreachable("refused".to_owned());
        rig.post(&http(rig), &echo(1)).failed(failure);
        gives_up(rig);
    }),
    ("error:UpstreamError", |rig| {
        rig.stream(&Method::GET, &http(rig)).answer_broken("reset");
        gives_up(rig);
    }),
    ("error:UpstreamError", |rig| {
        answered_on_stream(rig).answer_end();
    }),
    ("error:SessionNotFound", |rig| {
        rig.call_as(&http(rig), &echo(1), StatusCode::NOT_FOUND, &[], "");
    }),
    ("error:SessionNotFound", |rig| {
        rig.delete(&http(rig), StatusCode::NOT_FOUND);
    }),
    ("error:ChildExit", |rig| {
        process(rig).end(&ProcessEnd::ChildExited("exit code 1".to_owned()));
    }),
    ("error:ProtocolError", |rig| {
        let failure = Failure::Nonsense("no HTTP".to_owned());
        rig.post(&http(rig), &echo(1)).failed(failure);
        gives_up(rig);
    }),
    ("error:AuthExpired", |rig| {
        rig.call_as(&http(rig), &echo(1), StatusCode::UNAUTHORIZED, &[], "{}");
        gives_up(rig);
    }),
    // Left open by an instance that is gone.
    ("error:ServerCrash", |rig| drop(process(rig))),
];

/// A session of the older transport, and the stream that it is.
fn answered_on_stream(rig: &Rig) -> Exchange {
    let stream = super::rounds::sse_stream(rig);
    let asked = super::rounds::post_on_stream(rig, &echo(1));
    super::rounds::accept(&asked, StatusCode::ACCEPTED);
    stream.answer_data(super::rounds::event(&echoed(1)).as_bytes());
    stream
}

/// Rule: reason/on-every-path, session/total-duration
#[tokio::test]
async fn every_path_that_ends_a_session_leaves_a_reason_and_a_duration() {
    for (number, (reason, path)) in PATHS.iter().enumerate() {
        let (rig, mut test) = (Rig::new(), TestStore::new().await);
        path(&rig);
        check(&rig, &mut test, reason, number).await;
    }
    let covered: Vec<_> = PATHS.iter().map(|(reason, _)| *reason).collect();
    for reason in DisconnectReason::all().map(|reason| reason.to_string()) {
        // Quotas, which would give it, are not there.
        let given = reason != "error:QuotaExceeded";
        assert_eq!(covered.contains(&reason.as_str()), given, "{reason}");
    }
}

/// Rule: reason/on-every-path, reason/close-call, session/total-duration
#[tokio::test]
async fn the_close_call_leaves_what_it_is_given() {
    for reason in DisconnectReason::all() {
        let (rig, mut test) = (Rig::new(), TestStore::new().await);
        let id = rig.tracker.open_reported(NewSession::default());
        let id = id.expect("opened");
        rig.pass(7);
        let found = rig.tracker.find_reported(&test.store, id).await;
        let Ok(Found::Open(session)) = found else {
            panic!("it is open: {found:?}");
        };
        rig.tracker
            .close_reported(&session, reason)
            .expect("closed");
        check(&rig, &mut test, &reason.to_string(), 0).await;
    }
}

/// Takes what a rig has written into a store, settles what it left, and looks at the one session's row.
async fn check(rig: &Rig, test: &mut TestStore, reason: &str, path: usize) {
    test.fold(&rig.records()).await;
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::create_dir_all(journal_root(dir.path())).expect("a directory");
    let now = rig.tracker.now();
    let settled = settle_dead(dir.path(), &test.store, Duration::from_hours(1), now).await;
    let settled = settled.expect("settled").closed;
    assert_eq!(
        settled > 0,
        reason == "error:ServerCrash" && path > 0,
        "{path}"
    );
    let opened = rig.opened();
    assert_eq!(opened.len(), 1, "{path} {reason}");
    let details = session_details(&test.store, opened[0].session_id, Page::default());
    let row = details.await.expect("an answer").expect("a row").session;
    assert_eq!(row.disconnect_reason.as_deref(), Some(reason), "{path}");
    let ended = row.disconnected_at.expect("an end");
    assert!(row.detected_at >= Some(ended), "{path} {reason}");
    assert_eq!(
        row.total_duration,
        Some(ended.whole_seconds_since(row.connected_at)),
        "{path} {reason}"
    );
}
