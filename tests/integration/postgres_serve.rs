//! `serve` and the queries with PostgreSQL behind them, end to end: the same answers as on the embedded store, through a
//! pooler and in another schema too.

use std::path::Path;

use archonctl::model::{
    Derivation, DisconnectReason, Era, InstanceId, OpenedSession, Operation, OperationStatus,
    Record, RequestId, SessionClosed, SessionId, Target, Timestamp, UserContext,
};
use archonctl::store::{JournalPosition, Location, Store};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::postgres::{Database, Pooler, Server, Version, plain, supabase};
use crate::support::{
    Client, Daemon, Driver, Everything, archonctl, eventually, journals, json as query,
    new_data_dir,
};

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(work)
}

/// Makes the tables at `url`.
pub(crate) fn migrate(url: &str, schema: Option<&str>) {
    let location = Location::new(Path::new("/nowhere"), Some(url), schema).expect("a URL");
    block_on(async {
        let store = Store::open(&location).await.expect("a store");
        store.migrate_up().await.expect("migrated");
        store.close().await;
    });
}

const WRITER: InstanceId = InstanceId(Uuid::from_u128(9));

fn at(seconds: i64) -> Timestamp {
    // 2026-07-01T00:00:00Z
    Timestamp::from_micros((1_782_864_000 + seconds) * 1_000_000)
}

/// Far ahead of any clock, so that no query ends an open session for want of activity.
const AHEAD: i64 = 2_000_000_000;

/// Sessions of two users over three days; every third has ended.
fn records() -> Vec<Record> {
    let mut records = Vec::new();
    for n in 1..=20_i64 {
        let id = SessionId(Uuid::from_u128(u128::try_from(n).expect("small")));
        let began = n * 11_000 + if n % 3 == 0 { 0 } else { AHEAD };
        let names = ["claude-code", "cursor-vscode", "Zed", "éditeur"];
        let name = names[usize::try_from(n).expect("small") % names.len()];
        records.push(Record::SessionOpened(Box::new(OpenedSession {
            session_id: id,
            instance_id: WRITER,
            server: if n % 2 == 0 { "files" } else { "git" }.into(),
            era: Era::Modern,
            derivation: Derivation::Inferred,
            session_key: format!("key {n}").into(),
            principal: "127.0.0.1".into(),
            client_name: Some(name.into()),
            client_version: Some("1.0".into()),
            client_capabilities: Some(r#"{"roots":{"listChanged":true},"a":1}"#.into()),
            protocol_version: Some("2026-07-28".into()),
            user_agent: None,
            user: UserContext {
                user_id: (n % 3 != 0)
                    .then(|| Uuid::from_u128(u128::try_from(n % 3).expect("small"))),
                user_email: Some(format!("user-{}@example.org", n % 3).into()),
                user_name: None,
            },
            connected_at: at(began),
            resumed_from: None,
            survives_instance: true,
        })));
        for call in 0..n % 5 {
            records.push(Record::OperationFinished(Box::new(Operation {
                request_id: RequestId(Uuid::from_u128(
                    u128::try_from(n * 100 + call).expect("small"),
                )),
                session_id: id,
                method: "tools/call".into(),
                target: Some(Target::Tool(format!("tool-{call}").into())),
                from_server: false,
                started_at: at(began + call),
                duration_us: 250_000,
                status: if call == 3 {
                    OperationStatus::Error
                } else {
                    OperationStatus::Success
                },
                error_message: (call == 3).then(|| "it's \"broken\"".into()),
                bytes_in: 10,
                bytes_out: 20,
                protocol_version: None,
                trace_id: None,
                prompt_tokens: Some(5),
                completion_tokens: None,
                estimated_cost: None,
                model: None,
            })));
        }
        if n % 3 == 0 {
            records.push(Record::SessionClosed(SessionClosed {
                session_id: id,
                reason: if n % 2 == 0 {
                    DisconnectReason::Timeout
                } else {
                    DisconnectReason::ClientDisconnect
                },
                disconnected_at: at(began + 90),
                detected_at: at(began + 100),
            }));
        }
    }
    records
}

pub(crate) fn fill(location: &Location) {
    block_on(async {
        let store = Store::open(location).await.expect("a store");
        let position = JournalPosition {
            segment: 0,
            offset: 1,
        };
        store
            .fold(WRITER, &records(), position)
            .await
            .expect("a fold");
        store.close().await;
    });
}

/// What is asked of each.
pub(crate) fn questions() -> Vec<Vec<String>> {
    let period = ["--since", "2026-07-01", "--until", "2026-07-04"];
    let with = |words: &[&str], more: &[&str]| -> Vec<String> {
        [words, more]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    };
    let id = |n: u128| Uuid::from_u128(n).to_string();
    vec![
        with(&["sessions", "list"], &[]),
        with(&["sessions", "list", "--limit", "3", "--offset", "4"], &[]),
        with(&["sessions", "list", "--status", "disconnected"], &[]),
        with(
            &[
                "sessions",
                "list",
                "--status",
                "idle,active",
                "--client",
                "cursor",
            ],
            &[],
        ),
        with(
            &["sessions", "list", "--server", "git", "--with-calls"],
            &period,
        ),
        with(&["sessions", "disconnected"], &period),
        with(
            &["sessions", "disconnected", "--limit", "2", "--offset", "1"],
            &period,
        ),
        with(&["sessions", "stats"], &[]),
        with(&["sessions", "stats"], &period),
        with(&["sessions", "show", &id(4)], &[]),
        with(&["sessions", "show", &id(9), "--limit", "2"], &[]),
    ]
}

fn answers(data_dir: &Path, at: &[&str]) -> Vec<Value> {
    let ask = |words: &Vec<String>| {
        let words: Vec<&str> = words
            .iter()
            .map(String::as_str)
            .chain(at.iter().copied())
            .collect();
        query(data_dir, &words)
    };
    questions().iter().map(ask).collect()
}

#[test]
fn every_query_answers_the_same_wherever_the_store_is() {
    let (_root, data_dir) = new_data_dir();
    std::fs::create_dir_all(&data_dir).expect("made");
    let embedded = Location::new(&data_dir, None, None).expect("a place");
    block_on(async {
        let store = Store::open(&embedded).await.expect("a store");
        store.migrate_up().await.expect("migrated");
        store.close().await;
    });
    fill(&embedded);
    let expected = answers(&data_dir, &[]);
    assert_eq!(expected[0]["meta"]["total"], 20);
    assert_eq!(expected[5]["meta"]["total"], 6, "{}", expected[5]);

    let databases: Vec<Database> = [
        plain(Version::V13),
        plain(Version::V17),
        plain(Version::V18),
        supabase(Version::V15),
    ]
    .into_iter()
    .map(Server::fresh_database)
    .collect();
    let pooler = Pooler::start(databases[0].server);
    databases[1].run("CREATE SCHEMA \"a schema\"");
    let places = [
        (databases[0].url(), None),
        (pooler.url(&databases[0]), None),
        (databases[1].url(), Some("a schema")),
        (databases[2].socket_url(), None),
        (databases[3].url(), None),
    ];
    for (place, (url, schema)) in places.iter().enumerate() {
        // The second one is the first, seen through the pooler.
        if place != 1 {
            migrate(url, *schema);
            fill(&Location::new(&data_dir, Some(url), *schema).expect("a URL"));
        }
        let mut words = vec!["--database-url", url.as_str()];
        words.extend(
            schema
                .iter()
                .flat_map(|schema| ["--database-schema", schema]),
        );
        // Twice through the pooler: what the first commands left there is met by the second.
        for _ in 0..=usize::from(place == 1) {
            let found = answers(&data_dir, &words);
            for ((question, expected), found) in questions().iter().zip(&expected).zip(found) {
                assert_eq!(&found, expected, "{question:?} on {url}");
            }
        }
    }
    assert_eq!(
        databases[1].value("SELECT to_regclass('public.archon_mcp_sessions')"),
        None
    );
}

#[test]
fn serve_waits_for_people_to_migrate_a_shared_database() {
    let database = plain(Version::V18).fresh_database();
    let (_root, data_dir) = new_data_dir();
    let serve = |words: &[&str]| {
        let mut command = archonctl(&[
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--api-listen",
            "off",
            "--data-dir",
        ]);
        command
            .arg(&data_dir)
            .env("DATABASE_URL", database.url())
            .args(words);
        command.output().expect("it runs")
    };
    let output = serve(&[]);
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("hint: `archonctl migrate up` applies them"),
        "{said}"
    );
    assert_eq!(
        database.value("SELECT to_regclass('archon_mcp_sessions')"),
        None,
        "nothing was made"
    );

    let url = database.url();
    let daemon = Daemon::start(&data_dir, &["--database-url", &url, "--migrate"]);
    assert!(daemon.stop_with("TERM").success());
    let daemon = Daemon::start(&data_dir, &["--database-url", &url]);
    assert!(daemon.stop_with("TERM").success());
}

/// The sessions in the store at `url`, once they are as `look` wants them.
fn sessions_until(
    data_dir: &Path,
    url: &str,
    what: &str,
    look: impl Fn(&[Value]) -> bool,
) -> Vec<Value> {
    eventually(what, || {
        let document = query(data_dir, &["sessions", "list", "--database-url", url]);
        let sessions = document["data"].as_array().expect("an array").clone();
        look(&sessions).then_some(sessions)
    })
}

#[test]
fn a_daemon_tracks_a_real_client_into_postgresql_through_a_pooler() {
    let database = plain(Version::V15).fresh_database();
    migrate(&database.url(), None);
    let pooler = Pooler::start(database.server);
    let url = pooler.url(&database);
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let serve = [
        "--database-url",
        &url,
        "--upstream",
        &server.url,
        "--disconnect-grace",
        "300ms",
    ];
    let daemon = Daemon::start(&data_dir, &serve);
    Client::run(Driver::TsLegacy, &daemon.url, "polite", &[]);
    let over = |sessions: &[Value]| sessions.len() == 1 && sessions[0]["status"] == "disconnected";
    let sessions = sessions_until(&data_dir, &url, "the session's end", over);
    assert_eq!(sessions[0]["client_name"], "ts-legacy-driver");
    assert_eq!(
        (
            &sessions[0]["total_requests"],
            &sessions[0]["failed_requests"]
        ),
        (&json!(7), &json!(1))
    );
    assert_eq!(sessions[0]["disconnect_reason"], "client_disconnect");

    // One that is there when the daemon is killed: the query settles its journal, the next start goes on with it.
    let hanging = Client::start(Driver::TsLegacy, &daemon.url, "hang", &[]);
    hanging.until_ready();
    daemon.kill();
    hanging.kill();
    let sessions = sessions_until(&data_dir, &url, "both sessions", |sessions| {
        sessions.len() == 2
    });
    let open = |session: &&Value| session["status"] != "disconnected";
    assert_eq!(
        sessions.iter().find(open).expect("one")["total_requests"],
        7,
        "{sessions:?}"
    );
    assert_eq!(journals(&data_dir), 0, "settled by the query");
    let next = Daemon::start(&data_dir, &serve);
    assert_eq!(journals(&data_dir), 1, "the next one's own");
    next.stop();
    let ended = sessions_until(&data_dir, &url, "both ends", |sessions| {
        sessions
            .iter()
            .all(|session| session["status"] == "disconnected")
    });
    assert_eq!(ended.len(), 2);
    assert_eq!(journals(&data_dir), 0);
    let left = database.value("SELECT count(*) FROM archon_journal_positions");
    assert_eq!(left, Some("0".into()));
}

#[test]
fn the_built_in_server_answers_from_postgresql_through_a_pooler() {
    let database = plain(Version::V13).fresh_database();
    migrate(&database.url(), None);
    let pooler = Pooler::start(database.server);
    let url = pooler.url(&database);
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &["--database-url", &url]);
    let tools = [
        "health_check",
        "session_info",
        "list_sessions",
        "session_stats",
        "user_stats",
        "usage_summary",
        "disconnected_sessions",
    ];
    // Several at once, so that they meet each other on the pooler's connections.
    std::thread::scope(|scope| {
        for driver in [Driver::TsLegacy, Driver::TsModern, Driver::TsLegacy] {
            let (url, tools) = (daemon.url.as_str(), &tools);
            scope.spawn(move || {
                for _ in 0..2 {
                    let events = Client::call(driver, url, tools);
                    let failed = events.iter().any(|event| event["event"] == "unexpected");
                    assert!(!failed, "{events:?}");
                }
            });
        }
    });
    let calls = |sessions: &[Value]| -> u64 {
        sessions
            .iter()
            .filter_map(|session| session["total_requests"].as_u64())
            .sum()
    };
    sessions_until(&data_dir, &url, "every call", |sessions| {
        calls(sessions) == 6 * 8
    });
    let events = Client::call(Driver::TsLegacy, &daemon.url, &["usage_summary"]);
    let usage = events
        .iter()
        .find(|event| event["tool"] == "usage_summary")
        .expect("called");
    let by_tool = usage["structuredContent"]["by_tool"]
        .as_array()
        .expect("a list")
        .clone();
    let listed = by_tool.iter().find(|tool| tool["name"] == "list_sessions");
    assert_eq!(listed.expect("one of them")["count"], 6, "{by_tool:?}");
    daemon.stop();
}
