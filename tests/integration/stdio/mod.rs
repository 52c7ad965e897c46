//! `archonctl run`: real clients and servers over stdio, and everything that can end them.

mod bytes;
mod clients;
mod endings;
mod start;
mod store;

use std::path::Path;

use serde_json::Value;

use crate::support::{json, sessions_until};

/// The sessions on `data_dir`, once all of them have ended.
fn ended(data_dir: &Path) -> Vec<Value> {
    sessions_until(data_dir, "the session's end", |sessions| {
        !sessions.is_empty()
            && sessions
                .iter()
                .all(|session| session["status"] == "disconnected")
    })
}

/// The only session on `data_dir`, once it has ended.
fn ended_one(data_dir: &Path) -> Value {
    let mut sessions = ended(data_dir);
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    sessions.remove(0)
}

/// The operations of `session`, oldest first.
fn operations(data_dir: &Path, session: &Value) -> Vec<Value> {
    let id = session["session_id"].as_str().expect("an id");
    let details = json(data_dir, &["sessions", "show", id, "--limit", "10000"]);
    let mut rows = details["data"]["requests"]
        .as_array()
        .expect("rows")
        .clone();
    rows.reverse();
    rows
}

/// The operation of `session` whose trace id the test gave it.
fn traced(operations: &[Value], id: u64) -> Vec<&Value> {
    let trace_id = format!("{id:032x}");
    operations
        .iter()
        .filter(|row| row["trace_id"] == *trace_id)
        .collect()
}
