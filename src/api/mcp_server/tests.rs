//! The built-in server called in process, as the proxy calls it: raw requests in, raw answers out.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use super::*;
use crate::model::{ManualClock, Record};
use crate::store::testing::{TestStore, at, call as called, close, open, operation, session_id};

const MODERN: &str = "2026-07-28";
const LEGACY: &str = "2025-11-25";

type Answer = Response<BoxBody<Bytes, Infallible>>;

/// The server over `store`, 42.9 s after it started: at second 1,042 of the store's test time.
fn server(store: &TestStore) -> McpService {
    let clock = Arc::new(ManualClock::at(at(1_000)));
    clock.advance(Duration::from_millis(42_900));
    service(McpServerDeps {
        store: store.store.clone(),
        clock,
        started_at: at(1_000),
        session_timeout: Duration::from_hours(1),
        health: Arc::new(|| HealthView {
            open_sessions: 3,
            operations_recorded: 9,
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
            upstreams: Vec::new(),
        }),
    })
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

fn post(version: &str, headers: &[(&str, &str)], body: &Value) -> Request<Full<Bytes>> {
    let mut request = Request::builder()
        .method(Method::POST)
        .uri("/mcp")
        .header("host", "tools.example.org")
        .header("origin", "https://elsewhere.example")
        .header("content-type", "application/json")
        .header("accept", "application/json, text/event-stream")
        .header("mcp-protocol-version", version);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request
        .body(Full::new(Bytes::from(body.to_string())))
        .expect("a request")
}

fn modern(method: &str, mut params: Value) -> Request<Full<Bytes>> {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let name = params["name"].as_str().unwrap_or_default().to_owned();
    let mut headers = vec![("mcp-method", method)];
    if !name.is_empty() {
        headers.push(("mcp-name", &name));
    }
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    post(MODERN, &headers, &body)
}

async fn text(answer: Answer) -> String {
    let body = answer.into_body().collect().await.expect("infallible");
    String::from_utf8(body.to_bytes().to_vec()).expect("UTF-8")
}

/// The answer to a modern request on a store where nothing was tracked yet.
async fn ask(method: &str, params: Value) -> Value {
    ask_on(&TestStore::new().await, method, params).await
}

/// The answer to a modern request, which has to be plain JSON.
async fn ask_on(store: &TestStore, method: &str, params: Value) -> Value {
    let answer = server(store).handle(modern(method, params)).await;
    assert_eq!(answer.headers()["content-type"], "application/json");
    assert!(!answer.headers().contains_key("mcp-session-id"));
    serde_json::from_str(&text(answer).await).expect("JSON")
}

async fn call(tool: &str, arguments: Value) -> Value {
    call_on(&TestStore::new().await, tool, arguments).await
}

async fn call_on(store: &TestStore, tool: &str, arguments: Value) -> Value {
    let params = json!({"name": tool, "arguments": arguments});
    ask_on(store, "tools/call", params).await
}

/// What a tool answers, which has to be no error.
async fn told(store: &TestStore, tool: &str, arguments: Value) -> Value {
    let answer = call_on(store, tool, arguments).await;
    assert_eq!(answer["result"]["isError"], false, "{tool}: {answer}");
    answer["result"]["structuredContent"].clone()
}

/// Three sessions: 1 with a handshake, a call and a failed one, 2 with the handshake only, 3 that ended as `timeout`.
async fn tracked() -> TestStore {
    let mut store = TestStore::new().await;
    let handshake = |id, session| {
        let mut handshake = operation(id, session, 1);
        handshake.method = "initialize".into();
        handshake.target = None;
        Record::OperationFinished(Box::new(handshake))
    };
    let mut failed = operation(3, 1, 30);
    failed.status = crate::model::OperationStatus::Error;
    failed.error_message = Some("no such file".into());
    store
        .fold(&[
            open(1, 0),
            handshake(1, 1),
            called(2, 1, 20),
            Record::OperationFinished(Box::new(failed)),
            open(2, 5),
            handshake(4, 2),
            open(3, 6),
            called(5, 3, 10),
            close(3, 60, "timeout"),
        ])
        .await;
    store
}

/// Rule: operation/tokens-and-cost
#[tokio::test]
async fn a_modern_client_learns_who_answers() {
    let answer = ask("server/discover", json!({})).await;
    let result = &answer["result"];
    let versions = result["supportedVersions"].as_array().expect("a list");
    assert!(versions.contains(&MODERN.into()) && versions.contains(&LEGACY.into()));
    let instructions = result["instructions"].as_str().expect("a text");
    assert!(instructions.contains("token counts and cost are estimates"));
    assert!(answer.to_string().contains("\"archonctl\""), "{answer}");
}

#[tokio::test]
async fn all_tools_are_listed() {
    let answer = ask("tools/list", json!({})).await;
    let tools = answer["result"]["tools"].as_array().expect("a list");
    let names: Vec<_> = tools
        .iter()
        .filter_map(|tool| tool["name"].as_str())
        .collect();
    assert_eq!(
        names,
        [
            "health_check",
            "session_info",
            "list_sessions",
            "session_details",
            "disconnected_sessions",
            "session_stats",
            "user_stats",
            "usage_summary"
        ]
    );
    for tool in tools {
        assert_eq!(tool["annotations"]["readOnlyHint"], true);
        assert_eq!(tool["inputSchema"]["type"], "object");
    }
}

#[tokio::test]
async fn a_result_is_structured_and_the_text_of_the_same_json() {
    let answer = call("health_check", json!({})).await;
    let result = &answer["result"];
    assert_eq!(result["isError"], false);
    assert_eq!(result["structuredContent"]["uptime_seconds"], 42);
    assert_eq!(result["structuredContent"]["health"]["open_sessions"], 3);
    let text = result["content"][0]["text"].as_str().expect("text");
    let same: Value = serde_json::from_str(text).expect("JSON");
    assert_eq!(same, result["structuredContent"]);
}

#[tokio::test]
async fn lists_hold_what_was_tracked() {
    let store = tracked().await;
    let open = told(&store, "list_sessions", json!({})).await;
    assert_eq!(open["total"], 2);
    assert_eq!(
        open["sessions"][0]["session_id"],
        session_id(1).to_string(),
        "newest activity first"
    );
    assert_eq!(open["sessions"][0]["total_requests"], 2);
    assert_eq!(open["sessions"][0]["failed_requests"], 1);
    let busy = json!({"status": "all", "with_calls": true, "limit": 1});
    let busy = told(&store, "list_sessions", busy).await;
    assert_eq!(busy["total"], 2, "session 2 did nothing but connect");
    assert_eq!(busy["sessions"].as_array().map(Vec::len), Some(1));
    let of_nobody = json!({"client_type": "Cursor"});
    assert_eq!(told(&store, "list_sessions", of_nobody).await["total"], 0);
}

#[tokio::test]
async fn one_session_comes_with_its_requests_and_an_unknown_one_is_a_tool_error() {
    let store = tracked().await;
    let id = session_id(1).to_string();
    let details = told(&store, "session_details", json!({"session_id": id})).await;
    assert_eq!(details["session"]["client_type"], "Claude");
    assert_eq!(details["requests"][0]["error_message"], "no such file");
    assert_eq!(details["pagination"]["total"], 3, "the handshake is shown");
    assert_eq!(details["summary"]["total_requests"], 2, "and not counted");
    let unknown = json!({"session_id": session_id(9).to_string()});
    let answer = call_on(&store, "session_details", unknown).await;
    assert_eq!(answer["result"]["isError"], true);
    assert!(answer.to_string().contains("no session has the id"));
}

#[tokio::test]
async fn ends_counts_and_usage_are_those_of_the_reports() {
    let store = tracked().await;
    let info = told(&store, "session_info", json!({})).await;
    assert_eq!(
        info,
        json!({"active_sessions": 2, "idle_sessions": 0, "session_timeout": 3600, "server_uptime_seconds": 42})
    );
    let left = told(&store, "disconnected_sessions", json!({"days": 1})).await;
    assert_eq!(
        left["statistics"]["disconnect_reasons"],
        json!({"timeout": 1})
    );
    assert_eq!(left["sessions"][0]["total_duration"], 54);
    let stats = told(&store, "session_stats", json!({})).await;
    assert_eq!(stats["total"]["total_sessions"], 3);
    assert_eq!(stats["total"]["timeout_disconnects"], 1);
    let users = told(&store, "user_stats", json!({"days": 2})).await;
    assert_eq!(users["users"][0]["total_requests"], 3);
    assert_eq!(users["period"]["days"], 2);
    let usage = told(&store, "usage_summary", json!({})).await;
    assert_eq!(usage["summary"]["total_requests"], 2);
    assert_eq!(usage["by_tool"].as_array().map(Vec::len), Some(1));
    assert_eq!(usage["by_tool"][0]["name"], "search");
    assert_eq!(usage["by_tool"][0]["count"], 2);
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_a_tool_error_without_internals() {
    let store = tracked().await;
    store.execute("DROP TABLE archon_mcp_requests").await;
    let answer = call_on(&store, "usage_summary", json!({})).await;
    assert_eq!(answer["result"]["isError"], true);
    let text = answer["result"]["content"][0]["text"].as_str();
    assert!(text.is_some_and(|text| text.starts_with("the store cannot answer")));
    assert!(!answer.to_string().contains("archon_mcp"), "{answer}");
}

#[tokio::test]
async fn bad_arguments_are_tool_errors_that_say_what_is_allowed() {
    for (tool, arguments, allowed) in [
        ("disconnected_sessions", json!({"days": 31}), "from 1 to 30"),
        ("usage_summary", json!({"days": 0}), "from 1 to 365"),
        ("session_details", json!({"session_id": "x"}), "a UUID"),
        ("health_check", json!({"deep": true}), "takes none"),
        ("list_sessions", json!({"status": "gone"}), "open, active"),
    ] {
        let answer = call(tool, arguments).await;
        assert_eq!(answer["result"]["isError"], true, "{answer}");
        let text = answer["result"]["content"][0]["text"].as_str();
        assert!(text.is_some_and(|text| text.contains(allowed)), "{answer}");
    }
}

#[tokio::test]
async fn an_unknown_tool_is_a_protocol_error() {
    let answer = call("drop_database", json!({})).await;
    assert_eq!(answer["error"]["code"], -32602);
    assert_eq!(answer["error"]["message"], "Unknown tool: drop_database");
}

#[test]
fn a_session_made_on_one_runtime_is_used_from_another() {
    let store = runtime().block_on(TestStore::new());
    let service = server(&store);
    let initialize = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}});
    let list = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/list"});
    let initialized = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
    let (id_tx, id_rx) = std::sync::mpsc::channel::<String>();
    let (done_tx, done_rx) = tokio::sync::oneshot::channel::<()>();
    let first = service.clone();
    // The runtime that made the session goes on running, as each thread of the daemon does.
    let maker = std::thread::spawn(move || {
        runtime().block_on(async move {
            let answer = first.handle(post(LEGACY, &[], &initialize)).await;
            let id = answer.headers()["mcp-session-id"].to_str().expect("an id");
            id_tx.send(id.to_owned()).expect("a listener");
            assert!(text(answer).await.contains("\"serverInfo\""));
            let _ = done_rx.await;
        });
    });
    let id = id_rx.recv().expect("a session");
    let second = std::thread::spawn(move || {
        runtime().block_on(async move {
            let session = [("mcp-session-id", id.as_str())];
            let accepted = service.handle(post(LEGACY, &session, &initialized)).await;
            assert_eq!(accepted.status(), StatusCode::ACCEPTED);
            let listed = service.handle(post(LEGACY, &session, &list)).await;
            assert_eq!(listed.status(), StatusCode::OK);
            assert!(text(listed).await.contains("usage_summary"));
            let delete = Request::builder()
                .method(Method::DELETE)
                .uri("/mcp")
                .header("host", "tools.example.org")
                .header("mcp-session-id", &id)
                .body(Full::<Bytes>::default())
                .expect("a request");
            let deleted = service.handle(delete).await;
            let status = deleted.status();
            assert!(status.is_success(), "{status} {}", text(deleted).await);
            let gone = service.handle(post(LEGACY, &session, &list)).await;
            assert_eq!(gone.status(), StatusCode::NOT_FOUND);
        });
    });
    second.join().expect("the second thread");
    drop(done_tx);
    maker.join().expect("the first thread");
}
