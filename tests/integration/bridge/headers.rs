//! What revision 2026-07-28 wants in headers, and what the user wants there.

use serde_json::json;

use super::{AS_JSON, answer, leave, message};
use crate::support::{Lines, Scripted, bridge_command, new_data_dir};

#[test]
fn modern_requests_carry_what_their_bodies_say() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    for (id, method, params, name) in [
        (1, "server/discover", json!({}), None),
        (
            2,
            "tools/call",
            json!({"name": "échelle"}),
            Some("=?base64?w6ljaGVsbGU=?="),
        ),
        (
            3,
            "resources/read",
            json!({"uri": "file:///a b"}),
            Some("file:///a b"),
        ),
        (4, "prompts/get", json!({"name": "p"}), Some("p")),
        (5, "tasks/get", json!({"taskId": "t1"}), Some("t1")),
    ] {
        client.ask_modern(id, method, params);
        let request = server.request();
        assert!(request.start.starts_with("POST /mcp "));
        assert_eq!(request.header("mcp-protocol-version"), Some("2026-07-28"));
        assert_eq!(request.header("mcp-method"), Some(method));
        assert_eq!(request.header("mcp-name"), name);
        assert_eq!(request.header("mcp-session-id"), None);
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(
            request.header("accept"),
            Some("application/json, text/event-stream")
        );
        answer(request, "mcp-session-id: ignored\r\n", &json!({}));
        client.answer(&id.into());
    }
    leave(client);
}

#[test]
fn parameters_of_tools_are_repeated_in_headers() {
    let server = Scripted::start();
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::bridge(&data_dir, &[], &server.url);
    let call = json!({"name": "sql", "arguments": {"region": "us-west1", "query": "SELECT 1"}});
    let tools = |header: &str| {
        json!({"tools": [{"name": "sql", "inputSchema": {"type": "object", "properties": {
            "region": {"type": "string", "x-mcp-header": header}, "query": {"type": "string"}}}}]})
    };
    // Nobody has listed the tools: the server misses a header, and is asked which.
    client.ask_modern(1, "tools/call", call.clone());
    let mut request = server.request();
    assert_eq!(request.header("mcp-param-region"), None);
    message(&mut request);
    let refusal =
        json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32020, "message": "mismatch"}});
    request.answer("400 Bad Request", AS_JSON, refusal.to_string().as_bytes());
    let mut request = server.request();
    assert_eq!(request.header("mcp-method"), Some("tools/list"));
    let list = message(&mut request);
    let meta = &list["params"]["_meta"];
    assert_eq!(meta["io.modelcontextprotocol/clientInfo"]["name"], "hand");
    let mut page = tools("Region");
    page["nextCursor"] = "next".into();
    let body = json!({"jsonrpc": "2.0", "id": list["id"], "result": page});
    request.answer("200 OK", AS_JSON, body.to_string().as_bytes());
    let mut request = server.request();
    let list = message(&mut request);
    assert_eq!(list["params"]["cursor"], "next");
    let body = json!({"jsonrpc": "2.0", "id": list["id"], "result": {"tools": []}});
    request.answer("200 OK", AS_JSON, body.to_string().as_bytes());
    let request = server.request();
    assert_eq!(request.header("mcp-param-region"), Some("us-west1"));
    answer(request, "", &json!({}));
    assert!(client.answer(&1.into())["result"].is_object());
    // The client lists them: what they say now counts.
    client.ask_modern(2, "tools/list", json!({}));
    answer(server.request(), "", &tools("Place"));
    client.answer(&2.into());
    client.ask_modern(3, "tools/call", call);
    let request = server.request();
    assert_eq!(request.header("mcp-param-region"), None);
    assert_eq!(request.header("mcp-param-place"), Some("us-west1"));
    answer(request, "", &json!({}));
    client.answer(&3.into());
    leave(client);
}

#[test]
fn a_users_own_headers_go_with_every_request_and_are_shown_nowhere() {
    let server = Scripted::start();
    let (root, data_dir) = new_data_dir();
    let file = root.path().join("headers");
    std::fs::write(&file, "X-Api-Key: s3cret-of-file\n").expect("written");
    let file = file.display().to_string();
    let options = [
        "--header",
        "Authorization: Bearer env:ARCHONCTL_TEST_SECRET",
        "--header",
        "X-Region: eu",
        "--header-file",
        &file,
    ];
    let mut command = bridge_command(&data_dir, &options, &server.url);
    // Its own environment is the only way in.
    let mut words = vec![
        "env".into(),
        "ARCHONCTL_TEST_SECRET=s3cret".into(),
        "ARCHONCTL_LOG=trace".into(),
    ];
    words.append(&mut command);
    let mut client = Lines::start(&words);
    client.send(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}));
    let request = server.request();
    assert_eq!(request.header("authorization"), Some("Bearer s3cret"));
    assert_eq!(request.header("x-api-key"), Some("s3cret-of-file"));
    assert_eq!(request.header("x-region"), Some("eu"));
    answer(request, "mcp-session-id: s3cret-session\r\n", &json!({}));
    client.answer(&0.into());
    client.end_input();
    let request = server.request();
    assert!(request.start.starts_with("DELETE "));
    assert_eq!(request.header("authorization"), Some("Bearer s3cret"));
    request.answer("200 OK", "", b"");
    let (_, _, errors) = client.wait();
    assert!(!errors.join("\n").contains("s3cret"), "{errors:?}");
}
