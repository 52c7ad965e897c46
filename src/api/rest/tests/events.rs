//! The stream of events over a store: what can be asked for, from where on, and what is refused.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;

use super::deps;
use crate::api::rest::router;
use crate::model::Record;
use crate::store::testing::{
    On, TestStore, at, call, close, idle, on_every_store, open, opened, session_id,
};

on_every_store!(
    events_are_told_to_whom_asks_for_them,
    a_gap_is_told_and_nonsense_is_refused,
);

/// The answer to `query`: its status and body to the end; `last` goes into the header.
async fn ask(api: &axum::Router, query: &str, last: Option<&str>) -> (StatusCode, String) {
    let mut request =
        Request::get(format!("/api/mcp/events?{query}")).header("host", "127.0.0.1:8181");
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let request = request.body(Body::empty()).expect("a request");
    let response = api.clone().oneshot(request).await.expect("an answer");
    let status = response.status();
    let kind = response.headers()["content-type"].clone();
    assert_eq!(status == StatusCode::OK, kind == "text/event-stream");
    let body = response.into_body().collect().await.expect("a body");
    let text = String::from_utf8(body.to_bytes().to_vec()).expect("UTF-8");
    (status, text)
}

/// Asks until the answer is as `enough` wants it: on a busy server what was just committed is told a moment later.
async fn eventually<F: Future<Output = String>>(
    ask: impl Fn() -> F,
    enough: impl Fn(&str) -> bool,
) -> String {
    let until = std::time::Instant::now() + Duration::from_mins(1);
    loop {
        let text = ask().await;
        if enough(&text) {
            return text;
        }
        assert!(std::time::Instant::now() < until, "{text}");
        tokio::task::yield_now().await;
    }
}

/// The events of a body, each with its id and name.
fn events(text: &str) -> Vec<(String, String, Value)> {
    assert!(text.is_empty() || text.ends_with("\n\n"), "{text}");
    let mut events = Vec::new();
    for block in text.split("\n\n") {
        let field = |name: &str| {
            let mut lines = block.lines();
            lines.find_map(|line| {
                line.strip_prefix(name)?
                    .strip_prefix(": ")
                    .map(str::to_owned)
            })
        };
        if let Some(data) = field("data") {
            let data: Value = serde_json::from_str(&data).expect("JSON");
            let name = field("event").expect("a name");
            assert_eq!(data["type"], name.as_str());
            events.push((field("id").expect("an id"), name, data));
        }
    }
    events
}

fn names(text: &str) -> Vec<String> {
    let names = events(text).into_iter().map(|(_, name, data)| {
        let n = data["session"]["session_id"]
            .as_str()
            .map_or("-", |id| &id[35..]);
        format!("{name} {n}")
    });
    names.collect()
}

async fn events_are_told_to_whom_asks_for_them(on: On) {
    let mut stored = TestStore::on(on).await;
    let mut other = opened(2, 1);
    other.server = "notes".into();
    other.user.user_id = Some(uuid::Uuid::from_u128(0xADA));
    other.user.user_email = Some("ada@example.com".into());
    stored
        .fold(&[
            open(1, 0),
            Record::SessionOpened(Box::new(other)),
            call(11, 1, 2),
            call(12, 2, 3),
            idle(1),
            close(2, 10, "client_disconnect"),
        ])
        .await;
    let api = router(deps(&stored.store, at(20)));
    let everything = eventually(
        || async { ask(&api, "last_event_id=0-0-0&seconds=0", None).await.1 },
        |text: &str| names(text).len() == 6,
    )
    .await;
    let all = [
        "session_opened 1",
        "session_opened 2",
        "operation_finished 1",
        "operation_finished 2",
        "session_idle 1",
        "session_closed 2",
    ];
    assert_eq!(names(&everything), all);
    let (one, two, user) = (session_id(1), session_id(2), uuid::Uuid::from_u128(0xADA));
    for (query, wanted) in [
        ("types=session_idle", &all[4..5]),
        (
            "types=operation_finished,session_idle",
            &[all[2], all[3], all[4]][..],
        ),
        (&format!("session_id={two}"), &[all[1], all[3], all[5]]),
        (&format!("session_id={one}&types=session_closed"), &[]),
        ("server=notes&types=session_opened", &all[1..2]),
        (&format!("user_id={user}"), &[all[1], all[3], all[5]]),
        (&format!("user_id={one}"), &[]),
    ] {
        let (status, text) = ask(
            &api,
            &format!("last_event_id=0-0-0&seconds=0&{query}"),
            None,
        )
        .await;
        assert_eq!(status, StatusCode::OK, "{text}");
        assert_eq!(names(&text), wanted, "{query}");
    }
    let told = events(&everything);
    let closed = &told[5].2;
    assert_eq!(closed["disconnect_reason"], "client_disconnect");
    assert_eq!(closed["session"]["user_email"], "ada@example.com");
    assert_eq!(told[2].2["request"]["tool_name"], "search");
    // The header of a browser that connects again goes before the address; an empty one says nothing.
    let (last, ..) = &told[3];
    let (_, text) = ask(&api, "last_event_id=0-0-0&seconds=0", Some(last)).await;
    assert_eq!(names(&text), all[4..]);
    let (_, text) = ask(&api, &format!("last_event_id={last}&seconds=0"), Some("")).await;
    assert_eq!(names(&text), all[4..]);
    // Without either the stream begins now, with an id all the same.
    let (_, text) = ask(&api, "seconds=0", None).await;
    assert_eq!(names(&text), [""; 0]);
    let id = text.lines().find_map(|line| line.strip_prefix("id: "));
    let id = id.expect("an id").to_owned();
    stored.fold(&[call(13, 1, 30)]).await;
    let text = eventually(
        || async { ask(&api, "seconds=0", Some(&id)).await.1 },
        |text: &str| !names(text).is_empty(),
    )
    .await;
    assert_eq!(names(&text), ["operation_finished 1"]);
}

async fn a_gap_is_told_and_nonsense_is_refused(on: On) {
    let mut stored = TestStore::on(on).await;
    stored.fold(&[open(1, 0), call(11, 1, 2)]).await;
    let api = router(deps(&stored.store, at(20)));
    eventually(
        || async { ask(&api, "last_event_id=0-0-0&seconds=0", None).await.1 },
        |text: &str| names(text).len() == 2,
    )
    .await;
    stored
        .store
        .prune_events(Duration::ZERO, 0)
        .await
        .expect("pruned");
    stored.fold(&[call(12, 1, 3)]).await;
    let text = eventually(
        || async {
            ask(
                &api,
                "last_event_id=0-0-0&seconds=0&types=operation_finished",
                None,
            )
            .await
            .1
        },
        |text: &str| names(text).len() == 2,
    )
    .await;
    let told = events(&text);
    assert_eq!(told[0].1, "gap");
    assert_eq!(told[0].2["after"], "0-0-0");
    assert!(told[0].2["kept_since"].is_string(), "{text}");
    assert_eq!(told[1].1, "operation_finished");
    // From the gap's own id there is none.
    let (_, text) = ask(&api, "seconds=0", Some(&told[0].0)).await;
    assert_eq!(names(&text), ["operation_finished 1"]);
    for (query, last, said) in [
        ("", Some("yesterday"), "'yesterday' is no id of an event"),
        ("last_event_id=1-2", None, "'1-2' is no id of an event"),
        (
            "",
            Some("999999999999999-1-1"),
            "was not given out by this store",
        ),
        (
            "types=alarm",
            None,
            "'alarm' is none of: session_opened, session_idle",
        ),
        ("seconds=86401", None, "no whole number from 0 to 86400"),
        ("session_id=1", None, "is no UUID"),
        ("colour=red", None, "unknown parameter"),
    ] {
        let (status, text) = ask(&api, query, last).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{query}: {text}");
        assert!(text.contains(said), "{query}: {text}");
    }
}
