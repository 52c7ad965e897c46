//! What servers report of their own sessions: what is answered, what is in the journal by then, what the store makes of it.

mod refused;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{ask, assert_has, deps};
use crate::api::rest::router;
use crate::journal::{Journal, JournalOptions, Position, read_batch};
use crate::model::{ManualClock, UuidV7Source};
use crate::store::JournalPosition;
use crate::store::testing::{INSTANCE, On, TestStore, at, on_every_store};
use crate::tracking::{Tracker, TrackerOptions};

on_every_store!(
    a_session_is_stored_as_its_server_says,
    an_end_is_told_now_and_later,
    a_request_that_is_reported_again_counts_once,
    sessions_idle_end_and_go_on_as_all_others_do,
);

/// The API in front of a journal and a store, in a time that the test moves.
struct Rig {
    api: axum::Router,
    tracker: Arc<Tracker>,
    journal: Arc<Journal>,
    clock: Arc<ManualClock>,
    test: TestStore,
    carried: Position,
    _dir: tempfile::TempDir,
}

impl Rig {
    async fn on(on: On) -> Self {
        Self::with(on, JournalOptions::default()).await
    }

    async fn with(on: On, options: JournalOptions) -> Self {
        let test = TestStore::on(on).await;
        let dir = tempfile::tempdir().expect("a temporary directory");
        let journal = Journal::create(dir.path(), INSTANCE, options);
        let journal = Arc::new(journal.expect("a journal"));
        let clock = Arc::new(ManualClock::at(at(0)));
        let tracker = Arc::new(Tracker::new(
            TrackerOptions::default(),
            clock.clone(),
            Arc::new(UuidV7Source),
            journal.clone(),
        ));
        let mut deps = deps(&test.store, at(0));
        deps.tracker = tracker.clone();
        deps.clock = clock.clone();
        Self {
            api: router(deps),
            tracker,
            journal,
            clock,
            test,
            carried: Position::default(),
            _dir: dir,
        }
    }

    /// Sends `body` as JSON.
    async fn post(&self, path: &str, body: &str) -> (StatusCode, Value) {
        let request = Request::post(path)
            .header("host", "127.0.0.1:8181")
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .expect("a request");
        let response = self.api.clone().oneshot(request).await.expect("an answer");
        let status = response.status();
        let body = response.into_body().collect().await.expect("a body");
        let body = body.to_bytes();
        let body = (!body.is_empty()).then(|| serde_json::from_slice(&body).expect("JSON"));
        (status, body.unwrap_or_default())
    }

    /// Opens a session; the path below which it is written to.
    async fn open(&self, body: &Value) -> String {
        let (status, answer) = self.post("/api/mcp/sessions", &body.to_string()).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        path_of(&answer)
    }

    /// Reports `requests` of the session at `path`.
    async fn report(&self, path: &str, requests: &Value) -> Value {
        let path = format!("{path}/requests");
        let (status, answer) = self.post(&path, &requests.to_string()).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
        answer
    }

    /// Carries what is in the journal into the store.
    async fn carry(&mut self) {
        loop {
            let batch = read_batch(self.journal.dir(), self.carried, None, 1 << 20);
            let batch = batch.expect("a batch");
            if batch.records.is_empty() {
                return;
            }
            let position = JournalPosition {
                segment: batch.next.segment,
                offset: batch.next.offset,
            };
            let store = &self.test.store;
            let folded = store.fold(INSTANCE, &batch.records, position).await;
            self.tracker.learn(&folded.expect("a fold"));
            self.carried = batch.next;
        }
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.tracker.sweep();
    }

    async fn get(&self, path: &str) -> Value {
        let (status, answer) = ask(&self.api, path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {answer}");
        answer
    }
}

fn path_of(answer: &Value) -> String {
    let id = answer["session_id"].as_str().expect("an id");
    format!("/api/mcp/sessions/{id}")
}

async fn a_session_is_stored_as_its_server_says(on: On) {
    let mut rig = Rig::on(on).await;
    let user = "01983f5e-8c00-7000-8000-0000000000aa";
    let path = rig
        .open(&json!({
            "client_info": {"name": "claude-code", "version": "2.1.0", "capabilities": {"roots": {}, "näme": ["ü"]}},
            "user_context": {"user_id": user, "user_email": "ada@example.com", "user_name": "Ada Łovelace"},
            "server": "notes",
            "protocol_version": "2026-07-28",
        }))
        .await;
    rig.pass(60);
    // What only looks like a NUL is none.
    let escaped = json!({"client_info": {"capabilities": {"a": "\\u0000"}}});
    rig.open(&escaped).await;
    let answer = rig
        .report(
            &path,
            &json!([
                {"method": "tools/call", "tool_name": "añadir", "duration_ms": 1500.4, "prompt_tokens": 10,
                 "completion_tokens": 20.0, "model": "gpt-4o"},
                {"method": "tools/call", "tool_name": "find", "duration_ms": 10, "status": "error",
                 "error_message": "no such note\nnowhere"},
                {"method": "tools/call", "tool_name": "find", "status": "timeout", "timestamp": at(30).to_string()},
                {"method": "resources/list", "tool_name": null, "status": "success", "duration_ms": 0},
            ]),
        )
        .await;
    assert_eq!(path_of(&answer), path);
    assert_eq!(answer["request_ids"].as_array().map(Vec::len), Some(4));
    // One alone, and not in an array.
    let one = rig
        .report(&path, &json!({"method": "ping", "duration_ms": 5}))
        .await;
    assert_eq!(one["request_ids"].as_array().map(Vec::len), Some(1));
    rig.carry().await;
    let found = rig.get(&path).await;
    let session = json!({
        "client_type": "Claude", "client_name": "claude-code", "client_version": "2.1.0", "status": "active",
        "client_capabilities": {"roots": {}, "näme": ["ü"]}, "server": "notes", "era": "modern",
        "derivation": "explicit", "protocol_version": "2026-07-28", "user_id": user,
        "user_email": "ada@example.com", "user_name": "Ada Łovelace", "connected_at": at(0).to_string(),
        "last_activity": at(60).to_string(), "total_requests": 5, "failed_requests": 2, "metadata": {},
    });
    assert_has(&found["session"], &session, "session");
    let summary =
        json!({"total_requests": 5, "total_prompt_tokens": 10, "total_completion_tokens": 20});
    assert_has(&found["summary"], &summary, "summary");
    let by_tool = |name: &str, status: &str| {
        let rows = found["requests"].as_array().expect("rows");
        let found = rows
            .iter()
            .find(|row| row["tool_name"] == name && row["status"] == status);
        found.expect(name).clone()
    };
    let expected = json!({"method": "tools/call", "duration_ms": 1500, "total_tokens": 30, "status": "success"});
    assert_has(&by_tool("añadir", "success"), &expected, "the first");
    let expected = json!({"error_message": "no such note\nnowhere", "duration_ms": 10});
    assert_has(&by_tool("find", "error"), &expected, "the second");
    let expected =
        json!({"duration_ms": null, "timestamp": at(30).to_string(), "prompt_tokens": null});
    assert_has(&by_tool("find", "timeout"), &expected, "the third");
    // A request of unknown length counts, and is in no mean.
    let analytics = rig.get("/api/mcp/analytics?days=1").await;
    assert_eq!(analytics["ratios"]["timeout"], 1, "{analytics}");
    let times = analytics["response_times"]["by_tool"]
        .as_array()
        .expect("an array");
    let find = times
        .iter()
        .find(|times| times["tool"] == "find")
        .expect("find");
    assert_has(
        find,
        &json!({"count": 1, "avg_ms": 10.0, "min_ms": 10}),
        "find",
    );
}

/// Rule: session/total-duration
async fn an_end_is_told_now_and_later(on: On) {
    let mut rig = Rig::on(on).await;
    let user = "01983f5e-8c00-7000-8000-0000000000aa";
    let path = rig
        .open(&json!({
            "client_info": {"name": "claude-code", "capabilities": {"roots": {}}},
            "user_context": {"user_id": user},
        }))
        .await;
    rig.pass(99);
    let close = format!("{path}/close");
    let (status, closed) = rig.post(&close, r#"{"reason": "error:ChildExit"}"#).await;
    assert_eq!(status, StatusCode::OK, "{closed}");
    let end = json!({
        "status": "disconnected", "disconnect_reason": "error:ChildExit", "total_duration": 99, "client_type": "Claude",
        "disconnected_at": at(99).to_string(), "user_id": user, "client_capabilities": {"roots": {}}, "metadata": {},
    });
    assert_has(&closed, &end, "closed");
    rig.pass(10);
    // Known from memory, and later from the store.
    for _ in 0..2 {
        assert_eq!(rig.post(&close, "").await, (StatusCode::OK, closed.clone()));
        let (status, refused) = rig.post(&format!("{path}/heartbeat"), "").await;
        assert_eq!(status, StatusCode::CONFLICT, "{refused}");
        let detail = refused["detail"].as_str().expect("a text");
        assert!(detail.contains("error:ChildExit"), "{detail}");
        rig.carry().await;
        rig.tracker = Arc::new(Tracker::new(
            TrackerOptions::default(),
            rig.clock.clone(),
            Arc::new(UuidV7Source),
            rig.journal.clone(),
        ));
        let mut anew = deps(&rig.test.store, at(109));
        anew.tracker = rig.tracker.clone();
        rig.api = router(anew);
    }
    assert_has(&rig.get(&path).await["session"], &end, "stored");
}

async fn a_request_that_is_reported_again_counts_once(on: On) {
    let mut rig = Rig::on(on).await;
    let path = rig.open(&json!({})).await;
    let ids: Vec<_> = (1..=1_000_u128).map(uuid::Uuid::from_u128).collect();
    let request = |id: &uuid::Uuid| json!({"request_id": id, "method": "tools/call", "tool_name": "t", "duration_ms": 1});
    let all: Value = ids.iter().map(request).collect();
    let answer = rig.report(&path, &all).await;
    assert_eq!(answer["request_ids"], json!(ids));
    rig.carry().await;
    rig.report(&path, &all).await;
    rig.report(&path, &request(&ids[7])).await;
    rig.carry().await;
    // The first answer never came, and both are carried over together.
    let late: Value = (2_001..=2_010_u128)
        .map(|n| request(&uuid::Uuid::from_u128(n)))
        .collect();
    rig.report(&path, &late).await;
    rig.report(&path, &late).await;
    rig.carry().await;
    let found = rig.get(&path).await;
    assert_eq!(found["session"]["total_requests"], 1_010);
    assert_eq!(found["pagination"]["total"], 1_010);
    let usage = rig.get("/api/mcp/usage/summary?days=1").await;
    assert_eq!(usage["summary"]["total_requests"], 1_010, "{usage}");
}

/// Rule: session/wakes-up, reason/close-call
async fn sessions_idle_end_and_go_on_as_all_others_do(on: On) {
    let mut rig = Rig::on(on).await;
    let path = rig
        .open(&json!({"client_info": {"name": "cursor"}, "user_context": {"user_email": "b@example.com"}}))
        .await;
    let status = async |rig: &mut Rig, path: &str| {
        rig.carry().await;
        rig.get(path).await["session"]["status"]
            .as_str()
            .expect("a status")
            .to_owned()
    };
    rig.pass(301);
    assert_eq!(status(&mut rig, &path).await, "idle");
    let heartbeat = format!("{path}/heartbeat");
    assert_eq!(rig.post(&heartbeat, "").await.0, StatusCode::NO_CONTENT);
    assert_eq!(status(&mut rig, &path).await, "active");
    rig.pass(3_599);
    assert_eq!(status(&mut rig, &path).await, "idle");
    rig.pass(2);
    let (conflict, _) = rig.post(&heartbeat, "{}").await;
    assert_eq!(
        conflict,
        StatusCode::CONFLICT,
        "known before the store knows"
    );
    // Of two requests one had begun when the session was still open, and one begins now.
    let answer = rig
        .report(
            &path,
            &json!([
                {"method": "tools/call", "tool_name": "early", "timestamp": at(200).to_string(), "duration_ms": 1},
                {"method": "tools/call", "tool_name": "late", "duration_ms": 1},
            ]),
        )
        .await;
    let next = path_of(&answer);
    assert_ne!(next, path);
    // Under the old id the new one is found, until it ends as well.
    let again = rig
        .report(&path, &json!({"method": "ping", "duration_ms": 1}))
        .await;
    assert_eq!(path_of(&again), next);
    assert_eq!(status(&mut rig, &path).await, "disconnected");
    let ended = rig.get(&path).await;
    let expected = json!({"disconnect_reason": "timeout", "total_duration": 301, "disconnected_at": at(301).to_string(),
        "total_requests": 1});
    assert_has(&ended["session"], &expected, "the first");
    let id = |path: &str| path.rsplit('/').next().expect("an id").to_owned();
    let found = rig.get(&next).await;
    let expected = json!({"status": "active", "resumed_from": id(&path), "total_requests": 2, "client_type": "Cursor",
        "user_email": "b@example.com", "derivation": "explicit"});
    assert_has(&found["session"], &expected, "the second");
    let (_, closed) = rig.post(&format!("{next}/close"), "").await;
    assert_eq!(closed["disconnect_reason"], "client_disconnect");
    rig.carry().await;
    rig.pass(1);
    let third = path_of(
        &rig.report(&path, &json!({"method": "ping", "duration_ms": 1}))
            .await,
    );
    rig.carry().await;
    let expected = json!({"resumed_from": id(&next), "status": "active"});
    assert_has(&rig.get(&third).await["session"], &expected, "the third");
    // A graceful stop of the daemon ends it.
    rig.tracker.shut_down(false);
    rig.carry().await;
    assert_eq!(
        rig.get(&third).await["session"]["disconnect_reason"],
        "server_shutdown"
    );
}
