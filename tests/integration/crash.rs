//! What a kill leaves behind: nothing lost, nothing twice, and who goes on with it.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use serde_json::Value;

use crate::support::{
    Daemon, Everything, Legacy, eventually, journals, json, new_data_dir, sessions_until,
};

/// Calls in a loop until the daemon is gone; the trace ids of the calls that were answered in full.
fn call_until_cut(session: &Legacy, number: usize, acknowledged: &Mutex<Vec<String>>) {
    for call in 1_u64.. {
        let trace_id = format!("{number:016x}{call:016x}");
        match session.echo(&trace_id) {
            Ok((answer, document)) if answer.status() == 200 => {
                let text = document["result"]["content"][0]["text"].as_str();
                assert_eq!(text, Some(&*format!("Echo: {trace_id}")));
                acknowledged.lock().expect("a lock").push(trace_id);
            }
            _ => return,
        }
    }
}

/// How often each trace id stands in the rows of a session.
fn stored_calls(data_dir: &Path, session: &Value) -> HashMap<String, usize> {
    let id = session["session_id"].as_str().expect("an id");
    let details = json(data_dir, &["sessions", "show", id, "--limit", "10000"]);
    let mut counts = HashMap::new();
    for row in details["data"]["requests"].as_array().expect("rows") {
        if let Some(trace_id) = row["trace_id"].as_str() {
            *counts.entry(trace_id.to_owned()).or_default() += 1;
        }
    }
    counts
}

/// Rule: transparency/session-id-added, durability/kill
#[test]
fn a_kill_under_calls_loses_none_and_the_next_start_goes_on() {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &["--upstream", &server.url]);
    let clients: Vec<_> = (1..=3)
        .map(|number| {
            (
                number,
                Legacy::open(&daemon.url, &format!("client-{number}")),
                Mutex::default(),
            )
        })
        .collect();
    std::thread::scope(|scope| {
        for (number, session, acknowledged) in &clients {
            scope.spawn(move || call_until_cut(session, *number, acknowledged));
        }
        eventually("calls of every client", || {
            let enough =
                |acknowledged: &Mutex<Vec<_>>| acknowledged.lock().expect("a lock").len() >= 40;
            clients
                .iter()
                .all(|(_, _, acknowledged)| enough(acknowledged))
                .then_some(())
        });
        daemon.kill();
    });
    assert_eq!(journals(&data_dir), 1, "left behind by the killed one");

    let sessions = json(&data_dir, &["sessions", "list"])["data"].clone();
    assert_eq!(journals(&data_dir), 0, "settled by the query");
    assert_eq!(sessions.as_array().map(Vec::len), Some(3), "{sessions}");
    let of = |sessions: &Value, number: usize| {
        let name = format!("client-{number}");
        let mut all = sessions.as_array().expect("sessions").iter();
        all.find(|session| session["client_name"] == *name)
            .expect("its session")
            .clone()
    };
    for (number, client, acknowledged) in &clients {
        let session = of(&sessions, *number);
        assert_eq!(session["session_id"].as_str(), client.archon_id.as_deref());
        assert_eq!(session["status"], "active", "its server still knows it");
        let stored = stored_calls(&data_dir, &session);
        assert!(stored.values().all(|count| *count == 1), "{stored:?}");
        let acknowledged = acknowledged.lock().expect("a lock");
        for trace_id in &*acknowledged {
            assert!(
                stored.contains_key(trace_id),
                "call {trace_id} was acknowledged and is lost"
            );
        }
        let unanswered = stored.len() - acknowledged.len();
        assert!(unanswered <= 1, "at most the one that the kill met");
        assert_eq!(session["total_requests"], stored.len());
    }

    let next = Daemon::start(&data_dir, &["--upstream", &server.url]);
    for (number, client, _) in &clients {
        let before = of(&sessions, *number)["total_requests"]
            .as_u64()
            .expect("a number");
        let (answer, document) = client
            .moved(&next.url)
            .echo("4bf92f3577b34da6a3ce929d0e0e4736")
            .expect("answered");
        assert_eq!(answer.status(), 200, "{document}");
        assert_eq!(
            answer.header("x-archon-session-id"),
            client.archon_id.as_deref()
        );
        sessions_until(&data_dir, "the call behind the kill", |sessions| {
            of(&sessions.into(), *number)["total_requests"] == before + 1
        });
    }
    assert!(next.stop_with("TERM").success());
    let ended = json(&data_dir, &["sessions", "list"])["data"].clone();
    assert_eq!(
        ended.as_array().map(Vec::len),
        Some(3),
        "no session was opened twice"
    );
    for (number, _, _) in &clients {
        assert_eq!(of(&ended, *number)["disconnect_reason"], "server_shutdown");
    }
}

/// Rule: reason/server-crash
#[test]
fn a_kill_ends_the_sessions_of_the_built_in_server() {
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &[]);
    let session = Legacy::open(&daemon.url, "client");
    daemon.kill();
    let sessions = json(&data_dir, &["sessions", "list"])["data"].clone();
    assert_eq!(
        sessions[0]["disconnect_reason"], "error:ServerCrash",
        "{sessions}"
    );
    let next = Daemon::start(&data_dir, &[]);
    let (answer, _) = session
        .moved(&next.url)
        .echo("4bf92f3577b34da6a3ce929d0e0e4736")
        .expect("answered");
    assert_eq!(answer.status(), 404, "it lived in the process");
}
