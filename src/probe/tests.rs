//! The connection test against servers that answer by script, on ports of their own.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

/// What a scripted server was asked: HTTP method, JSON-RPC method, headers.
#[derive(Clone, Debug)]
struct Asked {
    http: Method,
    rpc: String,
    headers: http::HeaderMap,
}

type Answer = Response<Full<Bytes>>;

/// How a scripted server answers `server/discover`.
type Discover = fn(&Value) -> Answer;

fn plain(status: u16, text: &str) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text.to_owned())));
    *answer.status_mut() = StatusCode::from_u16(status).expect("a status");
    answer
}

fn rpc(status: u16, request: &Value, key: &str, value: &Value) -> Answer {
    let body = json!({"jsonrpc": "2.0", "id": request["id"], key: value});
    let mut answer = plain(status, &body.to_string());
    let kind = http::HeaderValue::from_static("application/json");
    answer.headers_mut().insert("content-type", kind);
    answer
}

fn result(request: &Value, value: &Value) -> Answer {
    rpc(200, request, "result", value)
}

fn with(mut answer: Answer, name: &'static str, value: &'static str) -> Answer {
    let value = http::HeaderValue::from_static(value);
    answer.headers_mut().insert(name, value);
    answer
}

fn healthy() -> Answer {
    let body = json!({"status": "healthy", "service": "archon-mcp", "success": true, "uptime_seconds": 5,
        "health": {"status": "healthy", "reasons": []}});
    plain(200, &body.to_string())
}

fn modern(request: &Value) -> Answer {
    result(
        request,
        &json!({"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}},
            "ttlMs": 0, "cacheScope": "private", "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "script", "version": "2"}}}),
    )
}

/// Tools on two pages, as both eras list them.
fn tools(request: &Value) -> Answer {
    let tool = |name: &str| json!({"name": name, "inputSchema": {"type": "object"}});
    if request["params"]["cursor"] == "next" {
        return result(
            request,
            &json!({"tools": [tool("f")], "ttlMs": 0, "cacheScope": "private"}),
        );
    }
    let first: Vec<_> = ["a", "b", "c", "d", "e"].map(tool).into();
    let page = json!({"tools": first, "nextCursor": "next", "ttlMs": 0, "cacheScope": "private"});
    result(request, &page)
}

fn answer(asked: &Asked, body: &Value, discover: Discover) -> Answer {
    match (asked.http.as_str(), asked.rpc.as_str()) {
        ("DELETE", _) if asked.headers.contains_key("mcp-session-id") => {
            with(plain(200, ""), "x-archon-session-id", "the-session")
        }
        ("DELETE" | "GET", _) => with(plain(405, ""), "x-archon-session-id", "the-session"),
        (_, "server/discover") => discover(body),
        (_, "initialize") => {
            let server = json!({"name": "script", "version": "1"});
            let agreed = json!({"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": server});
            with(result(body, &agreed), "mcp-session-id", "minted")
        }
        (_, "tools/list") => tools(body),
        _ => plain(202, ""),
    }
}

/// A server that answers `health` and, by `discover`, the rest; gives its URL and what it was asked.
async fn serve(health: fn() -> Answer, discover: Discover) -> (String, Arc<Mutex<Vec<Asked>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let log = Arc::new(Mutex::new(Vec::new()));
    let shared = Arc::clone(&log);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let shared = Arc::clone(&shared);
            let service = service_fn(move |request: Request<Incoming>| {
                let shared = Arc::clone(&shared);
                async move {
                    let (parts, body) = request.into_parts();
                    let body = body.collect().await.expect("a body").to_bytes();
                    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
                    let asked = Asked {
                        http: parts.method,
                        rpc: body["method"].as_str().unwrap_or_default().to_owned(),
                        headers: parts.headers,
                    };
                    let answer = if parts.uri.path() == "/health" {
                        health()
                    } else {
                        answer(&asked, &body, discover)
                    };
                    shared.lock().expect("a lock").push(asked);
                    Ok::<_, Infallible>(answer)
                }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(connection);
        }
    });
    (format!("http://{address}/mcp"), log)
}

async fn probe(options: &ProbeOptions) -> ProbeReport {
    let mut shown = Vec::new();
    let report = run(options, &mut |step: &Step| shown.push(step.clone())).await;
    assert_eq!(shown, report.steps, "every step is shown when it is done");
    report
}

fn names(report: &ProbeReport) -> Vec<&str> {
    report.steps.iter().map(|step| &*step.name).collect()
}

fn failed(report: &ProbeReport) -> (&str, StepError) {
    let step = report.steps.iter().find(|step| !step.ok);
    let step = step.unwrap_or_else(|| panic!("a step failed: {report:?}"));
    (&step.name, step.error.clone().expect("its error"))
}

#[tokio::test]
async fn a_modern_server_passes_every_step() {
    let (url, log) = serve(healthy, modern).await;
    let report = probe(&ProbeOptions::new(url)).await;
    assert!(report.ok, "{report:?}");
    assert_eq!(
        names(&report),
        ["health", "negotiate", "tools/list", "disconnect"]
    );
    assert_eq!(report.era, Some(Era::Modern));
    assert_eq!(report.protocol_version.as_deref(), Some("2026-07-28"));
    assert_eq!(report.server_name.as_deref(), Some("script"));
    assert_eq!(report.tools, Some(6));
    assert_eq!(report.steps[2].detail, "6 tools: a, b, c, d, e, …");
    assert_eq!(report.session_id.as_deref(), Some("the-session"));
    let log = log.lock().expect("a lock").clone();
    let last = log.last().expect("requests");
    assert_eq!(last.http, Method::DELETE);
    assert!(!last.headers.contains_key("mcp-session-id"));
    assert!(log.iter().all(|asked| asked.rpc != "initialize"));
}

#[tokio::test]
async fn every_request_names_the_run() {
    for discover in [modern as Discover, |_| plain(400, "no")] {
        let (url, log) = serve(healthy, discover).await;
        let options = ProbeOptions::new(url);
        let report = probe(&options).await;
        let baggage = format!("session.id={}", options.run_id);
        assert!(report.user_agent.contains(&options.run_id.to_string()));
        for asked in log.lock().expect("a lock").iter() {
            assert_eq!(asked.headers["user-agent"], report.user_agent, "{asked:?}");
            assert_eq!(asked.headers["baggage"], baggage, "{asked:?}");
        }
    }
}

#[tokio::test]
async fn any_refusal_of_the_modern_era_leads_to_initialize() {
    let refusals: [(&str, Discover); 10] = [
        ("400", |_| plain(400, "Bad Request: No valid session ID")),
        ("404", |_| plain(404, "")),
        ("405", |_| plain(405, "")),
        ("406", |_| plain(406, "Not Acceptable")),
        ("500", |_| plain(500, "oops")),
        ("202", |_| plain(202, "")),
        ("html", |_| {
            with(plain(200, "<html>"), "content-type", "text/html")
        }),
        ("-32601", |body| {
            rpc(
                200,
                body,
                "error",
                &json!({"code": -32601, "message": "Method not found"}),
            )
        }),
        ("-32022", |body| {
            let data = json!({"supported": ["2025-11-25"], "requested": "2026-07-28"});
            rpc(
                400,
                body,
                "error",
                &json!({"code": -32022, "message": "no", "data": data}),
            )
        }),
        ("another result", |body| result(body, &json!({"hello": 1}))),
    ];
    for (name, discover) in refusals {
        let (url, log) = serve(healthy, discover).await;
        let report = probe(&ProbeOptions::new(url)).await;
        assert!(report.ok, "{name}: {report:?}");
        assert_eq!(report.era, Some(Era::Legacy), "{name}");
        assert_eq!(report.protocol_version.as_deref(), Some("2025-06-18"));
        assert_eq!(report.tools, Some(6), "{name}");
        let log = log.lock().expect("a lock").clone();
        let deletes: Vec<_> = log
            .iter()
            .filter(|asked| asked.http == Method::DELETE)
            .collect();
        assert_eq!(deletes.len(), 1, "{name}: {log:?}");
        assert_eq!(deletes[0].headers["mcp-session-id"], "minted");
        assert_eq!(deletes[0].headers["mcp-protocol-version"], "2025-06-18");
    }
}

#[tokio::test]
async fn wanted_credentials_are_reported_at_once() {
    let refusals: [(&str, Discover); 4] = [
        ("401", |_| plain(401, "who are you")),
        ("401", |_| {
            with(plain(401, ""), "www-authenticate", "Bearer realm=\"x\"")
        }),
        ("401", |body| {
            rpc(
                401,
                body,
                "error",
                &json!({"code": -32000, "message": "no"}),
            )
        }),
        ("403", |_| {
            plain(403, "Forbidden: Host header is not allowed")
        }),
    ];
    for (status, discover) in refusals {
        let (url, log) = serve(healthy, discover).await;
        let report = probe(&ProbeOptions::new(url)).await;
        let (step, error) = failed(&report);
        assert_eq!(step, "negotiate");
        assert!(error.message.contains(status), "{error:?}");
        let log = log.lock().expect("a lock").clone();
        assert!(log.iter().all(|asked| asked.rpc != "initialize"), "{log:?}");
    }
}

#[tokio::test]
async fn nobody_there_is_said_at_once_with_the_next_command() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let report = probe(&ProbeOptions::new(format!("http://{address}/mcp"))).await;
    assert_eq!(names(&report), ["health"]);
    let (_, error) = failed(&report);
    assert!(error.message.contains("connection refused"), "{error:?}");
    assert!(error.hint.contains("archonctl serve"), "{error:?}");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_given_up_on() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let mut options = ProbeOptions::new(format!("http://{address}/mcp"));
    options.timeout = Duration::from_millis(30);
    // Accepted by the system, never read.
    let report = probe(&options).await;
    let (step, error) = failed(&report);
    assert_eq!((step, report.steps.len()), ("health", 1));
    assert!(error.message.contains("within 30ms"), "{error:?}");
    drop(listener);
}

#[tokio::test]
async fn another_server_is_told_from_archonctl() {
    let strange: [fn() -> Answer; 3] = [
        || plain(404, "Cannot GET /health"),
        || plain(200, "ok"),
        || plain(200, "{\"status\":\"ok\"}"),
    ];
    for health in strange {
        let (url, _) = serve(health, modern).await;
        let mut options = ProbeOptions::new(url);
        let report = probe(&options).await;
        assert_eq!(failed(&report).0, "health");
        assert_eq!(report.steps.len(), 4, "the rest is tried all the same");
        options.expect_archonctl = false;
        assert!(probe(&options).await.ok);
    }
}

#[tokio::test]
async fn a_degraded_daemon_passes_and_says_why() {
    let (url, _) = serve(
        || {
            let health = json!({"status": "degraded", "reasons": ["the store takes no records"]});
            let body = json!({"status": "degraded", "service": "archon-mcp", "success": true, "health": health});
            plain(200, &body.to_string())
        },
        modern,
    )
    .await;
    let report = probe(&ProbeOptions::new(url)).await;
    assert!(report.ok);
    assert!(report.steps[0].detail.contains("degraded"), "{report:?}");
    assert!(report.steps[0].detail.contains("no records"), "{report:?}");
}

#[tokio::test]
async fn a_server_that_names_neither_itself_nor_tools_is_one() {
    let (url, _) = serve(healthy, |body| {
        let found = json!({"resultType": "complete", "supportedVersions": ["2026-07-28"], "ttlMs": 0,
            "cacheScope": "private", "capabilities": {"prompts": {}}});
        result(body, &found)
    })
    .await;
    let report = probe(&ProbeOptions::new(url)).await;
    assert!(report.ok, "{report:?}");
    assert_eq!((report.era, report.server_name), (Some(Era::Modern), None));
}

#[tokio::test]
async fn what_is_no_url_is_said_and_credentials_are_not() {
    for wrong in ["127.0.0.1:8051", "ftp://example.org/", "", "http://"] {
        let report = probe(&ProbeOptions::new(wrong)).await;
        let (_, error) = failed(&report);
        assert!(error.hint.contains(DEFAULT_URL), "{wrong}: {error:?}");
    }
    let (url, _) = serve(|| plain(500, ""), |_| plain(500, "")).await;
    let url = url.replace("http://", "http://me:geheim@");
    let report = probe(&ProbeOptions::new(url)).await;
    let written = serde_json::to_string(&report).expect("JSON");
    assert!(!report.ok && !written.contains("geheim"), "{written}");
}
