//! What of reports is refused, and how: nothing of it is recorded.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use super::super::{assert_has, deps};
use super::Rig;
use crate::api::rest::router;
use crate::journal::JournalOptions;
use crate::store::testing::{On, at, open};

/// A path (`PATH` stands for a session's), a body, and what is said of it.
const BAD: &[(&str, &str, &str)] = &[
    ("/api/mcp/sessions", "[]", "an object"),
    ("/api/mcp/sessions", "{", "no JSON"),
    ("/api/mcp/sessions", "{} {}", "no JSON"),
    ("/api/mcp/sessions", "\"\\ud800\"", "no JSON"),
    (
        "/api/mcp/sessions",
        r#"{"client": {}}"#,
        "unknown field `client`, expected one of `client_info`",
    ),
    (
        "/api/mcp/sessions",
        r#"{"client_info": {"name": 5}}"#,
        "client_info.name: invalid type: integer `5`",
    ),
    (
        "/api/mcp/sessions",
        r#"{"client_info": {"name": ""}}"#,
        "client_info.name: is empty",
    ),
    (
        "/api/mcp/sessions",
        r#"{"client_info": {"name": "a\u0000"}}"#,
        "NUL",
    ),
    (
        "/api/mcp/sessions",
        r#"{"client_info": {"capabilities": []}}"#,
        "client_info.capabilities: ",
    ),
    (
        "/api/mcp/sessions",
        r#"{"client_info": {"capabilities": {"a": "\u0000"}}}"#,
        "NUL",
    ),
    (
        "/api/mcp/sessions",
        r#"{"user_context": {"user_id": "ada"}}"#,
        "user_context.user_id: UUID parsing failed",
    ),
    (
        "/api/mcp/sessions",
        r#"{"server": "LONG"}"#,
        "server: has 256 characters; 1 to 255",
    ),
    ("/api/mcp/sessions?a=1", "{}", "unknown parameter"),
    ("PATH/requests", "", "no JSON"),
    ("PATH/requests", "{}", "missing field `method`"),
    ("PATH/requests", "[]", "1 to 1000 are allowed"),
    ("PATH/requests", r#"{"method": ""}"#, "method: is empty"),
    (
        "PATH/requests",
        r#"{"method": "m", "prompt_tokens": -1}"#,
        "prompt_tokens: -1 is no whole number from 0",
    ),
    (
        "PATH/requests",
        r#"{"method": "m", "prompt_tokens": 1.5}"#,
        "prompt_tokens: 1.5 is no whole number",
    ),
    (
        "PATH/requests",
        r#"{"method": "m", "completion_tokens": 1073741824}"#,
        "from 0 to 1073741823",
    ),
    (
        "PATH/requests",
        r#"{"method": "m", "duration_ms": -0.1}"#,
        "duration_ms: -0.1 is no number",
    ),
    (
        "PATH/requests",
        r#"{"method": "m", "duration_ms": 1e300}"#,
        "from 0 to 2147483647",
    ),
    (
        "PATH/requests",
        r#"{"method": "m", "status": "ok"}"#,
        "status: unknown variant `ok`",
    ),
    (
        "PATH/requests",
        r#"{"method": "m", "error_message": "e"}"#,
        "goes with status 'error' or 'timeout'",
    ),
    (
        "PATH/requests",
        r#"{"method": "m", "prompt_text": "t"}"#,
        "prompt_text: this version does not count",
    ),
    (
        "PATH/requests",
        r#"{"method": "m", "prompt_text": "t", "prompt_tokens": 1}"#,
        "leave one of them out",
    ),
    (
        "PATH/requests",
        r#"{"method": "m", "timestamp": "yesterday"}"#,
        "timestamp: ",
    ),
    (
        "PATH/requests",
        r#"{"method": "m", "timestamp": "2020-01-01T00:00:00Z"}"#,
        "more than 30 days ago",
    ),
    (
        "PATH/requests",
        r#"{"method": "m", "timestamp": "2100-01-01T00:00:00Z"}"#,
        "is not over yet",
    ),
    (
        "PATH/requests",
        r#"{"method": "m", "request_id": 7}"#,
        "request_id: ",
    ),
    (
        "PATH/close",
        r#"{"reason": "error:Bored"}"#,
        "is none of: client_disconnect, timeout",
    ),
    ("PATH/heartbeat", r#"{"a": 1}"#, "unknown field `a`"),
    ("/api/mcp/sessions/nobody/heartbeat", "", "no UUID"),
];

#[tokio::test]
async fn what_is_refused_is_named_and_nothing_is_recorded() {
    let mut rig = Rig::on(On::Sqlite).await;
    rig.test.fold(&[open(1, 0)]).await;
    let session = rig.open(&json!({})).await;
    let requests = format!("{session}/requests");
    let before = rig.journal.progress();
    for (path, body, part) in BAD {
        let path = path.replace("PATH", &session);
        let body = body.replace("LONG", &"x".repeat(256));
        let (status, answer) = rig.post(&path, &body).await;
        assert_eq!(
            status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{path} {body}: {answer}"
        );
        let detail = answer["detail"].as_str().expect("a text");
        assert!(detail.contains(part), "{path} {body}: {detail}");
    }
    // Each by its place.
    let id = "01983f5e-8c00-7000-8000-0000000000aa";
    let array = json!([
        {"method": "m", "request_id": id}, {"tool_name": "t"}, {"method": "m", "status": 3},
        {"method": "m", "request_id": id}, "text", {"method": "m"},
    ]);
    let (status, answer) = rig.post(&requests, &array.to_string()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let errors = answer["errors"].as_array().expect("an array");
    let places: Vec<_> = errors.iter().map(|error| error["index"].as_i64()).collect();
    assert_eq!(places, [1, 2, 3, 4].map(Some), "{answer}");
    assert!(
        errors[1]["detail"]
            .as_str()
            .is_some_and(|text| text.starts_with("status: invalid type: integer `3`")),
        "{answer}"
    );
    assert!(
        errors[2]["detail"]
            .as_str()
            .is_some_and(|text| text.contains("request 0 too")),
        "{answer}"
    );
    let many: Value = (0..1_001).map(|_| json!({"method": "m"})).collect();
    assert_eq!(
        rig.post(&requests, &many.to_string()).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    // Sessions that are not theirs to write to.
    let one = r#"{"method": "m"}"#;
    let other = "/api/mcp/sessions/00000000-0000-0000-0000-00000000000";
    for (n, expected) in [(1, StatusCode::CONFLICT), (2, StatusCode::NOT_FOUND)] {
        for (way, body) in [("requests", one), ("heartbeat", ""), ("close", "")] {
            let (status, answer) = rig.post(&format!("{other}{n}/{way}"), body).await;
            assert_eq!(status, expected, "{way}: {answer}");
        }
    }
    assert_eq!(rig.journal.progress(), before);
}

#[tokio::test]
async fn only_json_of_bounded_length_is_read() {
    let rig = Rig::on(On::Sqlite).await;
    let send = async |kind: Option<&str>, body: Vec<u8>| {
        let request = Request::post("/api/mcp/sessions").header("host", "localhost");
        let request = match kind {
            Some(kind) => request.header("content-type", kind),
            None => request,
        };
        let request = request.body(Body::from(body)).expect("a request");
        let response = rig.api.clone().oneshot(request).await.expect("an answer");
        response.status()
    };
    let object = b"{}".to_vec();
    assert_eq!(send(None, Vec::new()).await, StatusCode::CREATED);
    assert_eq!(
        send(Some("application/json; charset=utf-8"), object.clone()).await,
        StatusCode::CREATED
    );
    // What a form of another site's page can send without asking.
    for kind in [
        None,
        Some("text/plain"),
        Some("application/x-www-form-urlencoded"),
    ] {
        assert_eq!(
            send(kind, object.clone()).await,
            StatusCode::UNSUPPORTED_MEDIA_TYPE
        );
    }
    assert_eq!(
        send(Some("text/plain"), Vec::new()).await,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    let long = vec![b' '; (16 << 20) + 1];
    assert_eq!(
        send(Some("application/json"), long).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test]
async fn a_journal_that_is_full_is_told_and_takes_nothing() {
    let bound = JournalOptions {
        max_backlog_bytes: 4_096,
        ..JournalOptions::default()
    };
    let rig = Rig::with(On::Sqlite, bound).await;
    let path = rig.open(&json!({})).await;
    let many: Value = (0..500).map(|_| json!({"method": "m"})).collect();
    let requests = format!("{path}/requests");
    let (status, answer) = rig.post(&requests, &many.to_string()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{answer}");
    assert!(
        answer["detail"]
            .as_str()
            .is_some_and(|text| text.contains("nothing was recorded"))
    );
    // What is small enough still has room.
    rig.report(&path, &json!({"method": "m"})).await;
    let open = rig.tracker.open_sessions();
    let mut refused = 0;
    for _ in 0..100 {
        let (status, _) = rig.post("/api/mcp/sessions", "{}").await;
        refused += usize::from(status == StatusCode::SERVICE_UNAVAILABLE);
    }
    assert!(refused > 0);
    assert_eq!(rig.tracker.open_sessions(), open + 100 - refused);
    // A heartbeat is the smallest record of all: without room for one there is none for an end.
    let heartbeat = format!("{path}/heartbeat");
    while rig.post(&heartbeat, "").await.0 == StatusCode::NO_CONTENT {}
    let (status, _) = rig.post(&format!("{path}/close"), "").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "it is still open");
    assert_eq!(rig.tracker.open_sessions(), open + 100 - refused);
}

#[tokio::test]
async fn while_the_store_is_away_what_this_daemon_knows_goes_on() {
    let rig = Rig::on(On::Sqlite).await;
    let path = rig.open(&json!({})).await;
    rig.test.store.close().await;
    rig.report(&path, &json!({"method": "m"})).await;
    assert_eq!(
        rig.post(&format!("{path}/heartbeat"), "").await.0,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        rig.post(&format!("{path}/close"), "").await.0,
        StatusCode::OK
    );
    rig.open(&json!({})).await;
    let unknown = "/api/mcp/sessions/00000000-0000-0000-0000-000000000001/heartbeat";
    assert_eq!(
        rig.post(unknown, "").await.0,
        StatusCode::SERVICE_UNAVAILABLE
    );
}

#[tokio::test]
async fn texts_are_counted_by_whoever_counts() {
    let mut rig = Rig::on(On::Sqlite).await;
    let mut counting = deps(&rig.test.store, at(0));
    counting.tracker = rig.tracker.clone();
    counting.count_tokens = Some(Arc::new(|text, model| {
        let words = u32::try_from(text.split(' ').count()).unwrap_or(u32::MAX);
        Some(words + u32::from(model == Some("wordy")))
    }));
    rig.api = router(counting);
    let path = rig.open(&json!({})).await;
    rig.report(
        &path,
        &json!({"method": "m", "prompt_text": "one two", "completion_text": "three", "model": "wordy"}),
    )
    .await;
    rig.carry().await;
    let found = rig.get(&path).await;
    assert_has(
        &found["requests"][0],
        &json!({"prompt_tokens": 3, "completion_tokens": 2}),
        "counted",
    );
}
