//! `archonctl bridge`: clients that speak only stdio, with servers over HTTP.

mod clients;
mod failures;
mod headers;
mod restarts;
mod streams;
mod translation;

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{HttpMessage, Lines, json as query, sessions_until};

/// The only session on `data_dir`, once it has ended.
fn ended_one(data_dir: &Path) -> Value {
    let mut sessions = sessions_until(data_dir, "the session's end", |sessions| {
        !sessions.is_empty()
            && sessions
                .iter()
                .all(|session| session["status"] == "disconnected")
    });
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    sessions.remove(0)
}

/// The operations of `session`, oldest first.
fn operations(data_dir: &Path, session: &Value) -> Vec<Value> {
    let id = session["session_id"].as_str().expect("an id");
    let details = query(data_dir, &["sessions", "show", id, "--limit", "10000"]);
    let mut rows = details["data"]["requests"]
        .as_array()
        .expect("rows")
        .clone();
    rows.reverse();
    rows
}

/// Ends the client's input and waits until the bridge has ended well.
fn leave(mut client: Lines) {
    client.end_input();
    assert_eq!(client.wait().0.code(), Some(0));
}

/// The JSON-RPC message in the body of a request.
fn message(request: &mut HttpMessage) -> Value {
    serde_json::from_slice(&request.body().expect("a body")).expect("JSON")
}

const AS_JSON: &str = "content-type: application/json\r\n";
const AS_EVENTS: &str = "content-type: text/event-stream\r\n";

/// Answers a request, whose body is read, with `result`.
fn answer(mut request: HttpMessage, headers: &str, result: &Value) {
    let id = message(&mut request)["id"].clone();
    let body = json!({"jsonrpc": "2.0", "id": id, "result": result});
    request.answer(
        "200 OK",
        &format!("{AS_JSON}{headers}"),
        body.to_string().as_bytes(),
    );
}
