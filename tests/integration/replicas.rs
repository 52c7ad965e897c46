//! Three daemons on one PostgreSQL, as on three machines: each has a data directory of its own, and a balancer sends every
//! request to another one.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::postgres::{Database, Version, plain};
use crate::support::{
    Balancer, Daemon, Everything, Legacy, ModernServer, archonctl, eventually, new_data_dir, send,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

struct Replicas {
    database: Database,
    daemons: Vec<Daemon>,
    places: Vec<(TempDir, PathBuf)>,
    arguments: Vec<String>,
}

impl Replicas {
    fn start(count: usize, upstream: &str, arguments: &[&str]) -> Self {
        let database = plain(Version::V17).fresh_database();
        let mut all = vec![
            "--database-url".to_owned(),
            database.url(),
            "--migrate".to_owned(),
        ];
        all.extend(["--instance-timeout", "1s"].map(str::to_owned));
        if !upstream.is_empty() {
            all.extend(["--upstream", upstream].map(str::to_owned));
        }
        all.extend(arguments.iter().map(|word| (*word).to_owned()));
        let mut replicas = Self {
            database,
            daemons: Vec::new(),
            places: Vec::new(),
            arguments: all,
        };
        for _ in 0..count {
            replicas.add();
        }
        replicas
    }

    fn add(&mut self) {
        let (root, data_dir) = new_data_dir();
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).collect();
        self.daemons.push(Daemon::start(&data_dir, &arguments));
        self.places.push((root, data_dir));
    }

    fn balancer(&self) -> Balancer {
        let urls: Vec<&str> = self
            .daemons
            .iter()
            .map(|daemon| daemon.url.as_str())
            .collect();
        Balancer::in_front_of(&urls)
    }

    /// What a query on a machine without a daemon answers.
    fn sessions(&self) -> Vec<Value> {
        let (_root, nowhere) = new_data_dir();
        let output = archonctl(&["sessions", "list", "-o", "json", "--database-url"])
            .arg(self.database.url())
            .arg("--data-dir")
            .arg(nowhere)
            .output()
            .expect("archonctl runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        document["data"].as_array().expect("a list").clone()
    }

    fn until(&self, what: &str, look: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        eventually(what, || {
            let sessions = self.sessions();
            look(&sessions).then_some(sessions)
        })
    }

    fn owner(&self, session: &str) -> String {
        let sql =
            format!("SELECT instance_id FROM archon_mcp_sessions WHERE session_id = '{session}'");
        self.database.value(&sql).expect("an owner")
    }
}

fn is_over(session: &Value) -> bool {
    session["status"] == "disconnected"
}

fn calls(sessions: &[Value]) -> u64 {
    let counts = sessions
        .iter()
        .filter_map(|session| session["total_requests"].as_u64());
    counts.sum()
}

fn echo(session: &Legacy) -> Option<String> {
    let (answer, document) = session.echo(TRACE).expect("answered");
    assert_eq!(answer.status(), 200, "{document}");
    answer.header("x-archon-session-id").map(str::to_owned)
}

/// A call of the modern era by the client `name`; the session it was counted to.
fn modern_call(url: &str, name: &str, id: u32) -> Option<String> {
    modern_call_in(url, name, id, None)
}

/// The same, naming a session.
fn modern_call_in(url: &str, name: &str, id: u32, session: Option<&str>) -> Option<String> {
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": name, "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {}});
    let params = json!({"name": "echo", "arguments": {"text": "x", "message": "x"}, "_meta": meta});
    let body =
        json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}).to_string();
    let headers = "content-type: application/json\r\naccept: application/json, text/event-stream\r\n\
                   mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: echo\r\n";
    let named = session.map(|session| format!("x-archon-session-id: {session}\r\n"));
    let headers = &format!("{headers}{}", named.unwrap_or_default());
    let mut answer = send(url, "POST", headers, body.as_bytes()).expect("answered");
    assert_eq!(answer.status(), 200);
    let session = answer.header("x-archon-session-id").map(str::to_owned);
    answer.body().expect("a body");
    session
}

/// Tracking rules, "Which session a request belongs to": a legacy session is one, whichever replicas its requests meet; and
/// "Life of a session": a DELETE through any of them closes it once.
/// Rule: derivation/protocol
#[test]
fn a_legacy_session_whose_requests_hit_all_replicas_is_one_session() {
    let server = Everything::start();
    let replicas = Replicas::start(3, &server.url, &[]);
    let balancer = replicas.balancer();
    let session = Legacy::open(&balancer.url, "claude-code");
    for _ in 0..9 {
        echo(&session);
    }
    let sessions = replicas.until("every call in one session", |sessions| {
        sessions.len() == 1 && calls(sessions) == 9
    });
    let id = sessions[0]["session_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert_eq!(sessions[0]["client_name"], "claude-code");
    assert_eq!(sessions[0]["client_type"], "Claude");
    assert_eq!(sessions[0]["failed_requests"], 0);
    // Each of them calls it the same once they have heard of each other.
    eventually("one name of the session", || {
        let names: Vec<_> = (0..3).filter_map(|_| echo(&session)).collect();
        (names.len() == 3 && names.iter().all(|name| *name == id)).then_some(())
    });
    let rows = "SELECT max(timestamp + duration_ms * interval '1 millisecond') <= max(s.last_activity) + interval '1 s' \
                AND count(*) = count(DISTINCT request_id) FROM archon_mcp_requests JOIN archon_mcp_sessions AS s USING (session_id)";
    assert_eq!(replicas.database.value(rows).as_deref(), Some("t"));

    let answer = session.send("DELETE", "", "").expect("answered");
    assert_eq!(answer.status(), 200);
    let ended = replicas.until("its end", |sessions| sessions.iter().all(is_over));
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!(ended[0]["disconnect_reason"], "client_disconnect");
    assert_eq!(ended[0]["session_id"], id.as_str());
}

/// The same for a DELETE that reaches a replica which has seen nothing else of the session.
#[test]
fn a_delete_through_a_replica_that_never_saw_the_session_closes_it() {
    let server = Everything::start();
    let replicas = Replicas::start(2, &server.url, &[]);
    let session = Legacy::open(&replicas.daemons[0].url, "client");
    echo(&session);
    let elsewhere = session.moved(&replicas.daemons[1].url);
    let answer = elsewhere.send("DELETE", "", "").expect("answered");
    assert_eq!(answer.status(), 200);
    let ended = replicas.until("its end", |sessions| {
        sessions.iter().all(is_over) && calls(sessions) == 1
    });
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!(ended[0]["disconnect_reason"], "client_disconnect");
    assert_eq!(ended[0]["client_name"], "client");
}

/// Rule `inferred`: one session for one client, whichever replicas it meets.
/// Rule: derivation/inferred
#[test]
fn a_modern_session_whose_requests_hit_all_replicas_is_one_session() {
    let server = ModernServer::start(&[]);
    let replicas = Replicas::start(3, &server.url, &[]);
    let balancer = replicas.balancer();
    for id in 1..=9 {
        modern_call(&balancer.url, "cursor", id);
    }
    modern_call(&balancer.url, "another", 1);
    let sessions = replicas.until("two sessions with every call", |sessions| {
        sessions.len() == 2 && calls(sessions) == 10
    });
    let of = |name: &str| {
        let mut all = sessions.iter();
        all.find(|session| session["client_name"] == name)
            .expect("its session")
    };
    assert_eq!(of("cursor")["total_requests"], 9);
    assert_eq!(of("cursor")["derivation"], "inferred");
    assert_eq!(of("another")["total_requests"], 1);
    eventually("one name of the session", || {
        let names: Vec<_> = (0..3)
            .filter_map(|id| modern_call(&balancer.url, "cursor", 10 + id))
            .collect();
        let id = of("cursor")["session_id"].as_str();
        (names.len() == 3 && names.iter().all(|name| Some(&**name) == id)).then_some(())
    });
}

/// Rule `explicit`: a session that one replica has opened can be named to another.
/// Rule: derivation/explicit-name
#[test]
fn a_session_is_found_by_its_name_on_every_replica() {
    let server = ModernServer::start(&[]);
    let replicas = Replicas::start(2, &server.url, &[]);
    let id = modern_call(&replicas.daemons[0].url, "cursor", 1).expect("a session");
    replicas.until("it in the store", |sessions| calls(sessions) == 1);
    // The first time the other replica does not know it yet.
    eventually("the session on the other replica", || {
        let session = modern_call_in(&replicas.daemons[1].url, "helper", 2, Some(&id));
        (session.as_deref() == Some(&*id)).then_some(())
    });
}

/// "Time runs from the end of the last operation", whichever replica saw it.
/// Rule: session/timeouts-set, session/from-last-end
#[test]
fn the_timeout_runs_from_the_last_activity_over_all_replicas() {
    let server = Everything::start();
    let timeout = ["--session-timeout", "2s", "--idle-after", "1500ms"];
    let replicas = Replicas::start(3, &server.url, &timeout);
    let balancer = replicas.balancer();
    let session = Legacy::open(&balancer.url, "client");
    for _ in 0..3 {
        echo(&session);
    }
    // From now on it meets one replica only; the others hear nothing of it for far longer than the timeout.
    let at_one = session.moved(&replicas.daemons[0].url);
    let begun = Instant::now();
    let mut made = 3;
    while begun.elapsed() < Duration::from_secs(7) {
        echo(&at_one);
        made += 1;
        let sessions = replicas.sessions();
        assert!(sessions.len() <= 1, "{sessions:?}");
        assert!(!sessions.iter().any(is_over), "{sessions:?}");
    }
    let ended = replicas.until("its end", |sessions| sessions.iter().all(is_over));
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!(ended[0]["disconnect_reason"], "timeout");
    assert_eq!(ended[0]["total_requests"], made);
    assert_eq!(ended[0]["disconnected_at"], ended[0]["last_activity"]);
}

/// "After a crash another replica settles every session the dead instance owned: one that can go on stays open, the rest get a
/// reason."
/// Rule: reason/after-a-crash
#[test]
fn the_sessions_of_a_killed_replica_go_on_or_are_settled_by_another() {
    let server = Everything::start();
    let mut replicas = Replicas::start(3, &server.url, &[]);
    let first = replicas.daemons[0].url.clone();
    let sessions: Vec<Legacy> = (1..=3)
        .map(|n| Legacy::open(&first, &format!("client-{n}")))
        .collect();
    for session in &sessions {
        echo(session);
    }
    let before = replicas.until("three sessions", |sessions| {
        sessions.len() == 3 && calls(sessions) == 3
    });
    let id = before[0]["session_id"].as_str().expect("an id").to_owned();
    let dead = replicas.owner(&id);
    replicas.daemons.remove(0).kill();
    let balancer = replicas.balancer();
    // They go on at once.
    for session in &sessions {
        echo(&session.moved(&balancer.url));
    }
    let after = replicas.until("every call", |sessions| calls(sessions) == 6);
    assert_eq!(after.len(), 3, "{after:?}");
    eventually("another owner", || {
        (replicas.owner(&id) != dead).then_some(())
    });
    let forgotten = format!("SELECT count(*) FROM archon_instances WHERE instance_id = '{dead}'");
    eventually("the dead one to be forgotten", || {
        (replicas.database.value(&forgotten).as_deref() == Some("0")).then_some(())
    });
    // What was not heard of again ends as everywhere: here, by its client.
    for session in &sessions {
        let answer = session.moved(&balancer.url).send("DELETE", "", "");
        assert_eq!(answer.expect("answered").status(), 200);
    }
    let ended = replicas.until("their ends", |sessions| sessions.iter().all(is_over));
    assert_eq!(ended.len(), 3, "{ended:?}");
    assert!(
        ended
            .iter()
            .all(|session| session["disconnect_reason"] == "client_disconnect"),
        "{ended:?}"
    );
}

/// The same for sessions that lived in the killed replica.
/// Rule: reason/server-crash
#[test]
fn what_lived_in_a_killed_replica_ends_as_a_crash() {
    let mut replicas = Replicas::start(2, "", &[]);
    Legacy::open(&replicas.daemons[0].url, "gone");
    Legacy::open(&replicas.daemons[1].url, "there");
    replicas.until("both", |sessions| sessions.len() == 2);
    replicas.daemons.remove(0).kill();
    let sql = "SELECT string_agg(client_name || ' ' || coalesce(disconnect_reason, status), ', ' ORDER BY client_name) \
               FROM archon_mcp_sessions";
    // Asked of the database: no query settles it, the other replica does.
    eventually("its end", || {
        let said = replicas.database.value(sql);
        (said.as_deref() == Some("gone error:ServerCrash, there active")).then_some(())
    });
}

/// "Closing is idempotent; the first reason wins, also when two replicas close at once."
/// Rule: session/first-reason
#[test]
fn all_replicas_closing_one_session_at_once_leave_one_reason() {
    let server = Everything::start();
    let replicas = Replicas::start(3, &server.url, &[]);
    let balancer = replicas.balancer();
    for round in 0..3 {
        let session = Legacy::open(&balancer.url, &format!("client-{round}"));
        for _ in 0..3 {
            echo(&session);
        }
        std::thread::scope(|scope| {
            for daemon in &replicas.daemons {
                let there = session.moved(&daemon.url);
                scope.spawn(move || {
                    // The server knows it once; whoever comes later is told so.
                    let answer = there.send("DELETE", "", "").expect("answered");
                    assert!([200, 400, 404].contains(&answer.status()));
                });
            }
        });
    }
    let ended = replicas.until("three ends", |sessions| {
        sessions.len() >= 3 && calls(sessions) == 9 && sessions.iter().all(is_over)
    });
    assert_eq!(ended.len(), 3, "{ended:?}");
    for session in &ended {
        let reason = session["disconnect_reason"].as_str().expect("a reason");
        assert!(
            ["client_disconnect", "error:SessionNotFound"].contains(&reason),
            "{reason}"
        );
    }
    let again = replicas.sessions();
    assert_eq!(again, ended, "and it stays");
}

/// `server_shutdown`: "this daemon stopped gracefully and no other replica shares the store".
/// Rule: reason/server-shutdown
#[test]
fn only_the_last_replica_to_stop_shuts_sessions_down() {
    let server = Everything::start();
    let mut replicas = Replicas::start(2, &server.url, &[]);
    let session = Legacy::open(&replicas.daemons[0].url, "client");
    echo(&session);
    replicas.until("the call", |sessions| calls(sessions) == 1);
    assert!(replicas.daemons.remove(0).stop_with("TERM").success());
    let open = replicas.sessions();
    assert_eq!(open.len(), 1);
    assert!(!is_over(&open[0]), "{open:?}");
    let session = session.moved(&replicas.daemons[0].url);
    echo(&session);
    replicas.until("the second call", |sessions| {
        sessions.len() == 1 && calls(sessions) == 2
    });
    assert!(replicas.daemons.remove(0).stop_with("TERM").success());
    let ended = replicas.sessions();
    assert_eq!(
        ended[0]["disconnect_reason"], "server_shutdown",
        "{ended:?}"
    );
    let left = replicas
        .database
        .value("SELECT count(*) FROM archon_instances");
    assert_eq!(left.as_deref(), Some("0"));
}
