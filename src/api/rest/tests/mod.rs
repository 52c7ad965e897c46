//! The API over a made-up data set: every answer against one worked out from the list of what was put in, on every store.

mod document;
mod events;
mod expected;
mod made_up;
mod parameters;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::{Access, RestDeps, router};
use crate::journal::{Journal, JournalOptions};
use crate::model::{HealthView, ManualClock, Timestamp, UpstreamHealth, UuidV7Source};
use crate::store::Store;
use crate::store::testing::{INSTANCE, On, TestStore, on_every_store};
use crate::tracking::{Tracker, TrackerOptions};

use expected::Expected;
use made_up::MadeUp;

on_every_store!(every_answer_is_what_was_put_in_says);

/// Asks `api` for `path`.
pub(super) async fn ask(api: &axum::Router, path: &str) -> (StatusCode, Value) {
    let request = Request::get(path)
        .header("host", "127.0.0.1:8181")
        .body(Body::empty())
        .expect("a request");
    let response = api.clone().oneshot(request).await.expect("an answer");
    let status = response.status();
    let body = response.into_body().collect().await.expect("a body");
    let body = body.to_bytes();
    // `/metrics` is none.
    let text = || String::from_utf8_lossy(&body).into_owned().into();
    let body = serde_json::from_slice(&body).unwrap_or_else(|_| text());
    (status, body)
}

/// The status of what `api` answers to `path`; the body may have no end.
pub(super) async fn status_of(api: &axum::Router, path: &str) -> StatusCode {
    let request = Request::get(path)
        .header("host", "127.0.0.1:8181")
        .body(Body::empty())
        .expect("a request");
    let response = api.clone().oneshot(request).await.expect("an answer");
    response.status()
}

/// A tracker whose journal nobody reads.
fn tracker(now: Timestamp) -> Arc<Tracker> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let journal = Journal::create(dir.path(), INSTANCE, JournalOptions::default());
    Arc::new(Tracker::new(
        TrackerOptions::default(),
        Arc::new(ManualClock::at(now)),
        Arc::new(UuidV7Source),
        Arc::new(journal.expect("a journal")),
    ))
}

pub(super) fn deps(store: &Store, now: Timestamp) -> RestDeps {
    RestDeps {
        store: store.clone(),
        tracker: tracker(now),
        count_tokens: None,
        clock: Arc::new(ManualClock::at(now)),
        started_at: now.minus(Duration::from_secs(90)),
        session_timeout: Duration::from_hours(1),
        mcp_address: "127.0.0.1:8051".parse().expect("an address"),
        health: Arc::new(|| HealthView {
            open_sessions: 0,
            operations_recorded: 0,
            records_dropped: 0,
            bodies_unparsed: 0,
            operations_counted: 0,
            operations_estimated: 0,
            journal_backlog_bytes: 0,
            journal_full: false,
            store_error: None,
            connections: 0,
            held_streams: 0,
            rejections: crate::model::Rejections::default(),
            upstreams: vec![UpstreamHealth {
                name: "files".to_owned(),
                url: "http://127.0.0.1:1/mcp".to_owned(),
                reachable: None,
            }],
        }),
        stopping: Arc::new(|| false),
        access: Access {
            guard_loopback: true,
            ..Access::default()
        },
        write_timeout: Duration::from_mins(1),
        end_streams: tokio_util::sync::CancellationToken::new(),
    }
}

/// Whether `found` has all that `expected` has; numbers may differ by what floating point loses.
pub(super) fn assert_has(found: &Value, expected: &Value, place: &str) {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => {
            for (name, value) in expected {
                let place = format!("{place}.{name}");
                let found = found.get(name);
                assert_has(
                    found.unwrap_or_else(|| panic!("{place} is missing")),
                    value,
                    &place,
                );
            }
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{place}: how many");
            for (n, (found, expected)) in found.iter().zip(expected).enumerate() {
                assert_has(found, expected, &format!("{place}[{n}]"));
            }
        }
        (Value::Number(found), Value::Number(expected)) => {
            let (found, expected) = (found.as_f64(), expected.as_f64());
            let (found, expected) = (found.expect("a number"), expected.expect("a number"));
            let near = (found - expected).abs() <= 1e-9 * expected.abs().max(1.0);
            assert!(near, "{place}: {found} is not {expected}");
        }
        _ => assert_eq!(found, expected, "{place}"),
    }
}

async fn every_answer_is_what_was_put_in_says(on: On) {
    let made_up = MadeUp::new();
    let mut test = TestStore::on(on).await;
    made_up.put_into(&mut test).await;
    let api = router(deps(&test.store, made_up.now));
    let expected = Expected(&made_up);
    // Twice: what is remembered of the first time answers the second.
    for time in 0..2 {
        for (path, expected) in expected.answers() {
            let (status, found) = ask(&api, &path).await;
            assert_eq!(status, StatusCode::OK, "{path}: {found}");
            assert_has(&found, &expected, &format!("{time}: {path}"));
        }
    }
    // More of it, a while later, in a day and an hour that are remembered, and from another writer.
    let mut made_up = made_up;
    made_up.add_late_ones(&mut test).await;
    let expected = Expected(&made_up);
    for (path, expected) in expected.answers() {
        let (_, found) = ask(&api, &path).await;
        assert_has(&found, &expected, &format!("with late ones: {path}"));
    }
}
