//! A legacy client and a server that knows only revisions of the modern era.

use serde_json::{Value, json};

use super::{AS_EVENTS, AS_JSON, answer, ended_one, leave, message, operations};
use crate::support::{
    HttpMessage, Lines, ModernServer, Scripted, StdioClient, StdioDriver, bridge_command,
    new_data_dir,
};

#[test]
fn legacy_clients_work_with_a_server_that_knows_only_modern_revisions() {
    for answers in [&["--modern-only"][..], &["--modern-only", "--sse"]] {
        let server = ModernServer::start(answers);
        for driver in [StdioDriver::TsLegacy, StdioDriver::PyLegacy] {
            let (_root, data_dir) = new_data_dir();
            let command = bridge_command(&data_dir, &[], &server.url);
            StdioClient::run(driver, "polite", &[], &command);
            let session = ended_one(&data_dir);
            assert_eq!(session["client_name"], driver.name());
            assert_eq!(
                (&session["era"], &session["total_requests"]),
                (&"legacy".into(), &7.into())
            );
        }
    }
}

/// Asserts that a request is a modern one of `method` and says who sends it; its body.
fn modern(request: &mut HttpMessage, method: &str) -> Value {
    assert_eq!(request.header("mcp-protocol-version"), Some("2026-07-28"));
    assert_eq!(request.header("mcp-method"), Some(method));
    assert_eq!(request.header("mcp-session-id"), None);
    let body = message(request);
    let meta = &body["params"]["_meta"];
    assert_eq!(
        meta["io.modelcontextprotocol/protocolVersion"],
        "2026-07-28"
    );
    assert_eq!(meta["io.modelcontextprotocol/clientInfo"]["name"], "hand");
    assert!(meta["io.modelcontextprotocol/clientCapabilities"]["roots"].is_object());
    body
}

fn result(request: HttpMessage, id: &Value, result: &Value) {
    let body = json!({"jsonrpc": "2.0", "id": id, "result": result});
    request.answer("200 OK", AS_JSON, body.to_string().as_bytes());
}

/// A client whose handshake has been translated; the request by which the bridge listens.
fn begun(server: &Scripted, client: &mut Lines) -> HttpMessage {
    let params = json!({"protocolVersion": "2025-06-18", "capabilities": {"roots": {}},
        "clientInfo": {"name": "hand", "version": "1"}});
    client.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params}));
    let mut request = server.request();
    message(&mut request);
    let refusal = json!({"jsonrpc": "2.0", "id": 0, "error": {"code": -32022, "message": "no",
        "data": {"supported": ["2026-07-28"], "requested": "2025-06-18"}}});
    request.answer("400 Bad Request", AS_JSON, refusal.to_string().as_bytes());
    let mut request = server.request();
    let discover = modern(&mut request, "server/discover");
    let told = json!({"resultType": "complete", "supportedVersions": ["2026-07-28"],
        "capabilities": {"tools": {"listChanged": true}}, "instructions": "Be kind.",
        "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "far", "version": "2"}}});
    result(request, &discover["id"], &told);
    let answer = client.answer(&0.into());
    assert_eq!(
        answer["result"],
        json!({"protocolVersion": "2025-06-18", "capabilities": {"tools": {"listChanged": true}},
            "serverInfo": {"name": "far", "version": "2"}, "instructions": "Be kind."})
    );
    client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    server.request()
}

#[test]
fn what_lasted_for_a_session_is_kept_by_the_bridge() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    let mut listen = begun(&server, &mut client);
    let body = modern(&mut listen, "subscriptions/listen");
    assert_eq!(
        body["params"]["notifications"],
        json!({"toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
            "resourceSubscriptions": []})
    );
    listen.write(format!("HTTP/1.1 200 OK\r\n{AS_EVENTS}\r\n").as_bytes());
    let acknowledged =
        json!({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged"});
    let changed = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
    listen.write(format!("data: {acknowledged}\n\ndata: {changed}\n\n").as_bytes());
    assert_eq!(client.message(), changed, "and nothing that it cannot know");

    client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}));
    assert_eq!(client.message()["result"], json!({}));
    let level = json!({"level": "debug"});
    client.send(&json!({"jsonrpc": "2.0", "id": 2, "method": "logging/setLevel", "params": level}));
    assert_eq!(client.message()["result"], json!({}));
    client.ask(3, "echo", &json!({"message": "hi"}));
    let mut request = server.request();
    assert_eq!(request.header("mcp-name"), Some("echo"));
    let body = modern(&mut request, "tools/call");
    let meta = &body["params"]["_meta"];
    assert_eq!(meta["io.modelcontextprotocol/logLevel"], "debug");
    assert!(meta["traceparent"].is_string(), "what it said stays");
    assert_eq!(body["params"]["arguments"]["message"], "hi");
    result(
        request,
        &3.into(),
        &json!({"resultType": "complete", "content": []}),
    );
    assert_eq!(client.message()["id"], 3);

    client.send(
        &json!({"jsonrpc": "2.0", "id": 4, "method": "resources/subscribe",
        "params": {"uri": "file:///a"}}),
    );
    assert_eq!(client.message()["result"], json!({}));
    let mut again = server.request();
    let body = modern(&mut again, "subscriptions/listen");
    assert_eq!(
        body["params"]["notifications"]["resourceSubscriptions"],
        json!(["file:///a"])
    );
    again.answer("404 Not Found", "", b"");
    client.send_raw(b"[{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"ping\"},{\"jsonrpc\":\"2.0\",\"method\":\"x\"}]\n");
    assert_eq!(client.message()["error"]["code"], -32600);
    leave(client);
}

#[test]
fn a_server_that_needs_input_asks_the_client() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    begun(&server, &mut client).answer("404 Not Found", "", b"");
    client.ask(7, "book", &json!({"n": 1}));
    let mut request = server.request();
    let first = modern(&mut request, "tools/call");
    let required = json!({"resultType": "input_required", "requestState": "opaque",
        "inputRequests": {"who": {"method": "elicitation/create", "params": {"message": "Who?"}},
            "roots": {"method": "roots/list"}}});
    result(request, &first["id"], &required);
    for _ in 0..2 {
        let asked = client.message();
        let reply = match asked["method"].as_str() {
            Some("elicitation/create") => {
                assert_eq!(asked["params"], json!({"message": "Who?"}));
                json!({"action": "accept", "content": {"name": "Ada"}})
            }
            Some("roots/list") => json!({"roots": []}),
            other => panic!("{other:?}"),
        };
        client.send(&json!({"jsonrpc": "2.0", "id": asked["id"], "result": reply}));
    }
    let mut request = server.request();
    assert_eq!(request.header("mcp-name"), Some("book"));
    let retry = modern(&mut request, "tools/call");
    assert_ne!(retry["id"], first["id"]);
    assert_eq!(retry["params"]["arguments"], json!({"n": 1}));
    assert_eq!(retry["params"]["requestState"], "opaque");
    assert_eq!(
        retry["params"]["inputResponses"],
        json!({"who": {"action": "accept", "content": {"name": "Ada"}}, "roots": {"roots": []}})
    );
    result(
        request,
        &retry["id"],
        &json!({"resultType": "complete", "content": []}),
    );
    let answer = client.message();
    assert_eq!(answer["id"], 7, "{answer}");
    assert!(answer["result"]["content"].is_array());

    // A client that does not want to: its own request fails with what it said.
    client.ask(8, "book", &json!({}));
    let mut request = server.request();
    let body = message(&mut request);
    let required = json!({"resultType": "input_required",
        "inputRequests": {"s": {"method": "sampling/createMessage", "params": {}}}});
    result(request, &body["id"], &required);
    let asked = client.message();
    let error = json!({"code": -1, "message": "not I"});
    client.send(&json!({"jsonrpc": "2.0", "id": asked["id"], "error": error}));
    let answer = client.message();
    assert_eq!((&answer["id"], &answer["error"]), (&8.into(), &error));
    leave(client);
    let session = ended_one(&data_dir);
    let rows = operations(&data_dir, &session);
    let calls: Vec<_> = rows
        .iter()
        .filter(|row| row["method"] == "tools/call")
        .map(|row| row["status"].as_str().expect("a status"))
        .collect();
    assert_eq!(calls, ["success", "error"]);
    let asked = rows.iter().filter(|row| row["sent_by"] == "server").count();
    assert_eq!(asked, 3);
}

#[test]
fn a_server_that_says_nothing_of_itself_is_refused_as_it_refuses() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    client.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}));
    let refusal = json!({"jsonrpc": "2.0", "id": 0, "error": {"code": -32022, "message": "no"}});
    for _ in 0..2 {
        let mut request = server.request();
        message(&mut request);
        request.answer("400 Bad Request", AS_JSON, refusal.to_string().as_bytes());
    }
    assert_eq!(client.answer(&0.into())["error"]["code"], -32022);
    client.ask(1, "echo", &json!({}));
    answer(server.request(), "", &json!({}));
    client.answer(&1.into());
    leave(client);
}
