//! What is refused, and how.

use axum::http::StatusCode;

use super::{ask, deps};
use crate::api::rest::router;
use crate::store::testing::{TestStore, at, open};

#[tokio::test]
async fn bad_parameters_are_refused_with_what_is_allowed() {
    let mut test = TestStore::new().await;
    test.fold(&[open(1, 0)]).await;
    let api = router(deps(&test.store, at(10)));
    let id = "00000000-0000-0000-0000-000000000001";
    for (path, part) in [
        (
            "/api/mcp/clients?status_filter=gone",
            "active, idle, disconnected, all",
        ),
        ("/api/mcp/clients?status=idle", "status_filter"),
        ("/api/mcp/sessions?days=1", "there are none here"),
        ("/api/mcp/sessions/disconnected?days=0", "from 1 to 30"),
        ("/api/mcp/sessions/disconnected?days=31", "from 1 to 30"),
        ("/api/mcp/sessions/disconnected?limit=201", "from 1 to 200"),
        ("/api/mcp/sessions/disconnected?offset=-1", "from 0"),
        ("/api/mcp/sessions/disconnected?days=7&days=8", "twice"),
        ("/api/mcp/sessions/disconnected?days=", "from 1 to 30"),
        ("/api/mcp/sessions/disconnected?days=1.5", "from 1 to 30"),
        ("/api/mcp/sessions/nobody", "no UUID"),
        ("/api/mcp/usage/summary?days=366", "from 1 to 365"),
        ("/api/mcp/usage/summary?start_date=yesterday", "RFC 3339"),
        (
            "/api/mcp/usage/summary?start_date=2026-02-02&end_date=2026-02-01",
            "after end_date",
        ),
        (
            "/api/mcp/usage/summary?start_date=2026-02-01&end_date=2026-02-04&days=2",
            "3 days apart",
        ),
        ("/api/mcp/errors?severity=warning", "all, error, timeout"),
        ("/api/mcp/errors?limit=0", "from 1 to 200"),
        ("/api/mcp/errors?session_id=", "no UUID"),
        ("/api/mcp/analytics?days=91", "from 1 to 90"),
        ("/api/mcp/analytics?compare=maybe", "true, false"),
        ("/api/mcp/logs?level=debug", "all, info, warning, error"),
        ("/api/mcp/logs?limit=1001", "from 1 to 1000"),
        ("/api/mcp/logs?search=a%00b", "NUL"),
        ("/api/mcp/pricing?vendor=x", "provider, model"),
    ] {
        let (status, body) = ask(&api, path).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{path}: {body}");
        let detail = body["detail"].as_str().expect("a text");
        assert!(detail.contains(part), "{path}: {detail}");
    }
    let with_limit = format!("/api/mcp/sessions/{id}?limit=1001");
    assert_eq!(
        ask(&api, &with_limit).await.0,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    for (path, expected) in [
        (format!("/api/mcp/sessions/{id}?_=17"), StatusCode::OK),
        (
            "/api/mcp/sessions/00000000-0000-0000-0000-000000000002".to_owned(),
            StatusCode::NOT_FOUND,
        ),
        ("/api/mcp/nothing".to_owned(), StatusCode::NOT_FOUND),
    ] {
        let (status, body) = ask(&api, &path).await;
        assert_eq!(status, expected, "{path}: {body}");
        assert_eq!(body["detail"].is_string(), expected != StatusCode::OK);
    }
}

#[tokio::test]
async fn prices_are_found_by_parts_of_their_names() {
    let test = TestStore::new().await;
    let api = router(deps(&test.store, at(10)));
    let (_, all) = ask(&api, "/api/mcp/pricing").await;
    assert_eq!(all["total"], 57);
    let (_, some) = ask(&api, "/api/mcp/pricing?provider=openai&model=4O").await;
    let names: Vec<_> = some["pricing"]
        .as_array()
        .expect("an array")
        .iter()
        .map(|price| price["model_name"].as_str().expect("a name"))
        .collect();
    assert_eq!(names, ["gpt-4o", "gpt-4o-mini"]);
    let mini = &some["pricing"][1];
    assert_eq!(mini["input_price_per_1k"], 0.00015);
    assert_eq!(mini["effective_date"], "2024-07-18");
    assert!(mini["id"].is_i64() && some["note"].is_string());
}

#[tokio::test]
async fn a_store_that_is_gone_is_told_without_its_words() {
    let test = TestStore::new().await;
    let api = router(deps(&test.store, at(10)));
    assert_eq!(ask(&api, "/health/ready").await.0, StatusCode::OK);
    test.store.close().await;
    let (status, body) = ask(&api, "/api/mcp/sessions").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let detail = body["detail"].as_str().expect("a text");
    assert!(
        detail.contains("store") && !detail.contains("pool"),
        "{detail}"
    );
    let (status, body) = ask(&api, "/health/ready").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
    assert_eq!(ask(&api, "/health/live").await.0, StatusCode::OK);
    assert_eq!(ask(&api, "/api/mcp/health").await.0, StatusCode::OK);
}
