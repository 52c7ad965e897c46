//! Without a daemon and beside one: everything is in the same store.

use std::collections::HashSet;

use serde_json::json;

use super::{ended, operations};
use crate::support::{
    Client, Daemon, Driver, Everything, Lines, Server, journals, json as query, new_data_dir,
    sessions_until,
};

/// Rule: reason/end-of-input, durability/one-owner
#[test]
fn several_at_once_beside_a_daemon() {
    let http = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &["--upstream", &http.url]);
    let mut clients: Vec<_> = (0..4)
        .map(|number| {
            let name = format!("server-{number}");
            let server = Server::Scripted(&[]).command();
            Lines::run(&data_dir, &["--name", &name], &server)
        })
        .collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.initialize(&format!("client-{number}"));
    }
    for id in 1..=25 {
        for client in &mut clients {
            client.ask(id, "echo", &json!({"message": "all at once"}));
        }
    }
    for client in &clients {
        let answered: HashSet<_> = (1..=25).map(|_| client.message()["id"].as_u64()).collect();
        assert_eq!(answered.len(), 25);
    }
    Client::run(Driver::TsLegacy, &daemon.url, "polite", &[]);
    sessions_until(&data_dir, "all five, open ones too", |sessions| {
        let calls = |session: &serde_json::Value| session["total_requests"].as_u64() >= Some(7);
        sessions.len() == 5 && sessions.iter().all(calls)
    });
    assert_eq!(journals(&data_dir), 5, "one for each process");
    for client in &mut clients {
        client.end_input();
    }
    for client in clients {
        assert!(client.wait().0.success());
    }
    let sessions = ended(&data_dir);
    for number in 0..4 {
        let name = format!("client-{number}");
        let session = sessions
            .iter()
            .find(|session| session["client_name"] == *name)
            .expect("its session");
        assert_eq!(session["server"], format!("server-{number}"));
        assert_eq!(session["total_requests"], 25);
        assert_eq!(session["disconnect_reason"], "client_disconnect");
        assert_eq!(operations(&data_dir, session).len(), 26);
    }
    daemon.stop();
    assert_eq!(journals(&data_dir), 0);
}

/// Rule: reason/server-crash
#[test]
fn the_next_start_settles_what_a_killed_one_left() {
    let (_root, data_dir) = new_data_dir();
    let mut killed = Lines::run(&data_dir, &[], &Server::Scripted(&[]).command());
    killed.initialize("killed");
    killed.call(1, "echo", &json!({"message": "hi"}));
    killed.signal("KILL");
    killed.wait();
    assert_eq!(journals(&data_dir), 1);
    let mut next = Lines::run(&data_dir, &[], &Server::Scripted(&[]).command());
    next.initialize("next");
    next.call(1, "echo", &json!({"message": "hi"}));
    next.end_input();
    next.wait();
    assert_eq!(journals(&data_dir), 0, "its own, and the one it found");
    let sessions = ended(&data_dir);
    let reason_of = |name: &str| {
        let mut all = sessions.iter();
        all.find(|session| session["client_name"] == name)
            .expect("its session")["disconnect_reason"]
            .clone()
    };
    assert_eq!(reason_of("killed"), "error:ServerCrash");
    assert_eq!(reason_of("next"), "client_disconnect");
}

/// Rule: stored/not-connections
#[test]
fn a_server_that_nobody_speaks_to_leaves_nothing() {
    let (_root, data_dir) = new_data_dir();
    let mut client = Lines::run(&data_dir, &[], &Server::Scripted(&[]).command());
    client.send(
        &json!({"jsonrpc": "2.0", "id": 0, "method": "server/discover", "params": {"_meta": {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28"}}}),
    );
    assert_eq!(client.answer(&0.into())["error"]["code"], -32601);
    client.end_input();
    client.wait();
    assert_eq!(journals(&data_dir), 0);
    assert!(
        !data_dir.join("archonctl.db").exists(),
        "a refused probe never opens the store"
    );
}

/// Rule: session/timeouts-set, session/resumed-from
#[test]
fn a_session_of_a_quiet_client_ends_and_goes_on_as_another() {
    let (_root, data_dir) = new_data_dir();
    let options = ["--session-timeout", "600ms", "--idle-after", "200ms"];
    let mut client = Lines::run(&data_dir, &options, &Server::Scripted(&[]).command());
    client.initialize("quiet");
    let first = ended(&data_dir);
    assert_eq!(first[0]["disconnect_reason"], "timeout");
    client.call(1, "echo", &json!({"message": "back"}));
    client.end_input();
    client.wait();
    let sessions = query(&data_dir, &["sessions", "list"])["data"].clone();
    let second = sessions
        .as_array()
        .expect("sessions")
        .iter()
        .find(|session| session["session_id"] != first[0]["session_id"])
        .expect("another");
    assert_eq!(second["resumed_from"], first[0]["session_id"]);
    assert_eq!(second["client_name"], "quiet");
    assert_eq!(second["disconnect_reason"], "client_disconnect");
}

/// Three of `archonctl run` and two of `archonctl bridge` on one store, all killed with calls under way.
/// Rule: durability/kill, reason/after-a-crash, reason/server-crash, durability/one-owner
#[test]
fn several_killed_at_once_lose_no_answered_call() {
    const CALLS: u64 = 60;
    let http = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let start = |number: usize| match number {
        0..3 => Lines::run(&data_dir, &[], &Server::Scripted(&[]).command()),
        _ => Lines::bridge(&data_dir, &[], &http.url),
    };
    let mut clients: Vec<_> = (0..5).map(start).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.initialize(&format!("client-{number}"));
    }
    for id in 1..=CALLS {
        for client in &mut clients {
            client.ask(id, "echo", &json!({"message": "all at once"}));
        }
    }
    let mut answered: Vec<HashSet<u64>> = vec![HashSet::new(); clients.len()];
    for (client, answered) in clients.iter().zip(&mut answered) {
        while answered.len() < 10 {
            let message = client.message();
            if message.get("result").is_some() {
                answered.extend(message["id"].as_u64());
            }
        }
    }
    for client in &clients {
        client.signal("KILL");
    }
    for (client, answered) in clients.into_iter().zip(&mut answered) {
        let (_, said, _) = client.wait();
        answered.extend(said.iter().filter_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            message.get("result").and(message["id"].as_u64())
        }));
    }
    assert_eq!(journals(&data_dir), 5, "left behind");
    let sessions = ended(&data_dir);
    assert_eq!(journals(&data_dir), 0, "settled by the query");
    assert_eq!(sessions.len(), 5);
    for (number, answered) in answered.iter().enumerate() {
        let name = format!("client-{number}");
        let mut all = sessions.iter();
        let session = all.find(|one| one["client_name"] == *name);
        let session = session.expect("its session");
        assert_eq!(session["disconnect_reason"], "error:ServerCrash");
        let rows = operations(&data_dir, session);
        for id in answered.iter().filter(|id| **id > 0) {
            let times = super::traced(&rows, *id).len();
            assert_eq!(times, 1, "call {id} of {name}");
        }
        for id in 1..=CALLS {
            assert!(super::traced(&rows, id).len() < 2, "call {id} of {name}");
        }
    }
}
