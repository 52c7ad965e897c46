//! What is kept when the store, the disk or the daemon is gone: tracking rules, "Durability".

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::support::postgres::{Database, Version, plain};
use crate::support::{
    Daemon, Everything, Fault, Faulty, Legacy, archonctl, eventually, journals, json, new_data_dir,
    send,
};

/// A database, and a daemon that reaches it by a way which can be broken.
struct Setup {
    database: Database,
    way: Faulty,
    server: Everything,
    data_dir: PathBuf,
    _root: tempfile::TempDir,
}

impl Setup {
    fn new() -> Self {
        let database = plain(Version::V17).fresh_database();
        let migrated = archonctl(&["migrate", "up", "--database-url"])
            .arg(database.url())
            .output();
        assert!(migrated.expect("it runs").status.success());
        let (root, data_dir) = new_data_dir();
        Self {
            way: Faulty::in_front_of(database.server.port),
            database,
            server: Everything::start(),
            data_dir,
            _root: root,
        }
    }

    fn url(&self) -> String {
        format!(
            "postgres://postgres@127.0.0.1:{}/{}?sslmode=disable&connect_timeout=1&write_timeout=1",
            self.way.port, self.database.name
        )
    }

    fn daemon(&self, arguments: &[&str]) -> Daemon {
        let url = self.url();
        let own = ["--database-url", &url, "--upstream", &self.server.url];
        Daemon::start(&self.data_dir, &[&own, arguments].concat())
    }

    /// Lets the daemon's records gather in its journal.
    fn away(&self) {
        self.way.set(Fault::Refuse);
        self.way.cut();
    }

    /// How often each trace id is stored.
    fn stored(&self) -> HashMap<String, u64> {
        let rows = self.database.run(
            "SELECT trace_id, count(*) FROM archon_mcp_requests WHERE trace_id IS NOT NULL GROUP BY trace_id",
        );
        let pair = |row: Vec<Option<String>>| {
            let [trace, count] = row.try_into().expect("two columns");
            let count = count.expect("a count").parse().expect("a number");
            (trace.expect("an id"), count)
        };
        rows.into_iter().map(pair).collect()
    }

    /// Every acknowledged call is stored, and none twice.
    fn has_all_once(&self, acknowledged: &[String]) {
        let stored = self.stored();
        assert!(stored.values().all(|count| *count == 1), "{stored:?}");
        for trace in acknowledged {
            assert!(
                stored.contains_key(trace),
                "{trace} was acknowledged and is lost"
            );
        }
    }

    fn doctor(&self, daemon: &Daemon) -> Output {
        let listen = daemon.at("").trim_start_matches("http://").to_owned();
        doctor(&self.data_dir)
            .env("ARCHONCTL_LISTEN", listen)
            .env("ARCHONCTL_DATABASE_URL", self.url())
            .env("ARCHONCTL_UPSTREAM", &self.server.url)
            .output()
            .expect("it runs")
    }
}

fn doctor(data_dir: &Path) -> Command {
    let mut command = archonctl(&["doctor", "-o", "json", "--data-dir"]);
    command.arg(data_dir);
    command
}

/// The checks of an area in what `doctor` said.
fn checks(output: &Output, area: &str) -> Vec<Value> {
    let document: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let all = document["data"].as_array().expect("a list").clone();
    all.into_iter()
        .filter(|check| check["area"] == area)
        .collect()
}

fn health(daemon: &Daemon) -> Value {
    let mut answer = send(&daemon.at("/health"), "GET", "", b"").expect("answered");
    let body = answer.body().expect("a body");
    serde_json::from_slice::<Value>(&body).expect("JSON")["health"].clone()
}

fn trace(n: u64) -> String {
    format!("{:032x}", u128::from(n) + 1)
}

/// Calls `count` times; all must be answered. The trace ids.
fn call(session: &Legacy, from: u64, count: u64) -> Vec<String> {
    let ids: Vec<String> = (from..from + count).map(trace).collect();
    for id in &ids {
        let (answer, document) = session.echo(id).expect("answered");
        assert_eq!(answer.status(), 200, "{document}");
    }
    ids
}

/// Calls on several connections until `enough` says so or the daemon is gone; the acknowledged ones.
fn load(url: &str, enough: &AtomicBool, made: &AtomicU64) -> Vec<String> {
    let acknowledged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for client in 0..3 {
            let acknowledged = &acknowledged;
            let session = Legacy::open(url, &format!("client-{client}"));
            scope.spawn(move || {
                while !enough.load(Ordering::SeqCst) {
                    let id = trace(made.fetch_add(1, Ordering::SeqCst));
                    match session.echo(&id) {
                        Ok((answer, document)) if answer.status() == 200 && !document.is_null() => {
                            acknowledged.lock().expect("a lock").push(id);
                        }
                        _ => return,
                    }
                }
            });
        }
    });
    acknowledged.into_inner().expect("a lock")
}

/// Memory of the process, in KiB.
fn memory(daemon: &Daemon) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid()));
    let status = status.expect("a process");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number.expect("a size").parse().expect("a number")
}

/// "When the store is down the record waits in the journal": traffic flows, nothing is lost, memory does not grow with the
/// backlog, which `/health` and `doctor` show, and which drains.
/// Rule: durability/store-away, durability/until-committed, durability/bounded
#[test]
fn postgresql_away_under_load_loses_nothing_and_is_shown() {
    let setup = Setup::new();
    let daemon = setup.daemon(&[]);
    let (enough, made) = (AtomicBool::new(false), AtomicU64::new(0));
    let acknowledged = std::thread::scope(|scope| {
        let loading = scope.spawn(|| load(&daemon.url, &enough, &made));
        let calls = |more: u64| {
            let until = made.load(Ordering::SeqCst) + more;
            eventually("calls", || {
                (made.load(Ordering::SeqCst) >= until).then_some(())
            });
        };
        calls(100);
        setup.away();
        let view = eventually("trouble", || {
            let view = health(&daemon);
            (!view["store_error"].is_null()).then_some(view)
        });
        assert_eq!(view["status"], "degraded");
        let before = memory(&daemon);
        let backlog = |view: &Value| view["journal_backlog_bytes"].as_u64().expect("a size");
        let first = backlog(&health(&daemon));
        calls(600);
        let view = health(&daemon);
        assert!(backlog(&view) > first + 600 * 50, "{view}");
        assert_eq!(view["records_dropped"], 0);
        let after = memory(&daemon);
        assert!(after < before + 8_192, "{before} KiB became {after}");

        let said = setup.doctor(&daemon);
        assert_eq!(said.status.code(), Some(1));
        assert_eq!(checks(&said, "store")[0]["verdict"], "failed");
        let own = &checks(&said, "daemon")[0];
        assert_eq!(own["verdict"], "failed");
        assert!(own["figures"]["journal_backlog_bytes"].as_u64() > Some(first));
        let journal = &checks(&said, "journal")[0]["figures"];
        assert!(journal["backlog_records"].as_u64() > Some(600), "{journal}");

        setup.way.set(Fault::None);
        calls(50);
        enough.store(true, Ordering::SeqCst);
        loading.join().expect("no panic")
    });
    eventually("the backlog to drain", || {
        let view = health(&daemon);
        (view["journal_backlog_bytes"] == 0 && view["store_error"].is_null()).then_some(())
    });
    setup.has_all_once(&acknowledged);
    assert!(acknowledged.len() > 700);
    let said = setup.doctor(&daemon);
    assert_eq!(
        said.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&said.stdout)
    );
    let own = &checks(&said, "instance")[0];
    assert_eq!(
        (&own["verdict"], &own["figures"]["alive"]),
        (&"ok".into(), &true.into())
    );
}

/// "kill -9 at that moment loses nothing", with PostgreSQL as the store, there or away.
/// Rule: durability/kill
#[test]
fn a_kill_under_load_loses_no_acknowledged_call() {
    let setup = Setup::new();
    let mut all = Vec::new();
    let made = AtomicU64::new(0);
    for away in [false, true] {
        let daemon = setup.daemon(&[]);
        let enough = AtomicBool::new(false);
        let url = daemon.url.clone();
        std::thread::scope(|scope| {
            let loading = scope.spawn(|| load(&url, &enough, &made));
            let from = made.load(Ordering::SeqCst);
            let calls = |count: u64| {
                eventually("calls", || {
                    (made.load(Ordering::SeqCst) >= from + count).then_some(())
                });
            };
            calls(60);
            if away {
                setup.away();
                calls(200);
            }
            daemon.kill();
            all.extend(loading.join().expect("no panic"));
        });
        setup.way.set(Fault::None);
    }
    let next = setup.daemon(&[]);
    setup.has_all_once(&all);
    let open = "SELECT count(*) FROM archon_mcp_sessions WHERE status <> 'disconnected'";
    assert_eq!(
        setup.database.value(open).as_deref(),
        Some("6"),
        "their server knows them"
    );
    let owners = "SELECT count(DISTINCT instance_id) FROM archon_mcp_sessions";
    assert_eq!(
        setup.database.value(owners).as_deref(),
        Some("1"),
        "the next one's"
    );
    assert!(next.stop_with("TERM").success());
    let reasons = "SELECT string_agg(DISTINCT disconnect_reason, ',') FROM archon_mcp_sessions";
    assert_eq!(
        setup.database.value(reasons).as_deref(),
        Some("server_shutdown")
    );
    assert_eq!(journals(&setup.data_dir), 0);
}

/// "the journal grows up to a settable bound"; what goes beyond is counted, and traffic flows.
/// Rule: durability/bounded
#[test]
fn a_journal_at_its_bound_drops_and_counts() {
    let setup = Setup::new();
    let daemon = setup.daemon(&["--journal-bound", "16KiB"]);
    let session = Legacy::open(&daemon.url, "client");
    setup.away();
    eventually("a full journal", || {
        call(&session, 0, 10);
        (health(&daemon)["records_dropped"].as_u64() > Some(0)).then_some(())
    });
    let view = health(&daemon);
    assert_eq!(view["status"], "degraded");
    assert!(view["journal_backlog_bytes"].as_u64() <= Some(16 << 10));
    let reasons = view["reasons"].to_string();
    assert!(reasons.contains("the journal is full"), "{reasons}");
    assert!(reasons.contains("the store takes no records"), "{reasons}");
    // It goes on, and nothing should be sent here meanwhile.
    let asked = |path: &str| {
        let mut answer = send(&format!("{}{path}", daemon.api), "GET", "", b"").expect("answered");
        let body = answer.body().expect("a body");
        let body: Value = serde_json::from_slice(&body).expect("JSON");
        (answer.status(), body)
    };
    assert_eq!(asked("/health/live").0, 200);
    let (status, ready) = asked("/health/ready");
    assert_eq!(
        (status, &ready["status"]),
        (503, &json!("unavailable")),
        "{ready}"
    );
    assert!(
        ready["reasons"].to_string().contains("the journal is full"),
        "{ready}"
    );
    let (status, said) = asked("/api/mcp/status");
    assert_eq!(
        (status, &said["status"]),
        (200, &json!("unhealthy")),
        "{said}"
    );
    assert_eq!(
        asked("/api/mcp/health").1,
        json!({"status": "healthy", "service": "mcp"})
    );
    let said = setup.doctor(&daemon);
    let own = &checks(&said, "daemon")[0];
    assert!(
        own["figures"]["records_dropped"].as_u64() > Some(0),
        "{own}"
    );
    // Once the store takes records again, so does the journal.
    setup.way.set(Fault::None);
    eventually("room", || {
        (health(&daemon)["journal_backlog_bytes"] == 0).then_some(())
    });
    let late = call(&session, 100_000, 5);
    eventually("the late calls", || {
        let stored = setup.stored();
        late.iter().all(|id| stored.contains_key(id)).then_some(())
    });
}

/// A file system of one megabyte, where this user may mount one.
struct SmallDisk {
    dir: tempfile::TempDir,
    mounted: bool,
}

impl SmallDisk {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "archonctl-test"])
            .arg(dir.path())
            .output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        Self { dir, mounted }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        if self.mounted {
            // Lazily: what is open in it goes with its process.
            let _ = Command::new("umount")
                .arg("-l")
                .arg(self.dir.path())
                .output();
        }
    }
}

/// "When the disk is full records are dropped, counted, and `/health` says so"; traffic flows.
/// Rule: durability/full-disk
#[test]
fn a_full_disk_drops_records_and_fails_no_request() {
    let setup = Setup::new();
    let disk = SmallDisk::new();
    let data_dir = disk.dir.path().join("data");
    let url = setup.url();
    // Where nothing may be mounted, files may not grow beyond 64 KiB: the same to whoever writes.
    let script = if disk.mounted {
        "exec \"$@\""
    } else {
        "trap '' XFSZ; ulimit -f 128; exec \"$@\""
    };
    let serve = archonctl(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--upstream",
        &setup.server.url,
        "--database-url",
        &url,
    ]);
    let mut command = Command::new("sh");
    command.args(["-c", script, "sh"]).arg(serve.get_program());
    command
        .args(serve.get_args())
        .arg("--data-dir")
        .arg(&data_dir);
    command
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("PATH", "/usr/bin:/bin");
    let daemon = Daemon::spawn(command);
    let session = Legacy::open(&daemon.url, "client");
    let early = call(&session, 0, 10);
    let ballast = data_dir.join("ballast");
    if disk.mounted {
        // Fills what is left, to the last block.
        let _ = std::fs::write(&ballast, vec![1; 2 << 20]);
    }
    let mut made = 1_000;
    let view = eventually("records that are dropped", || {
        call(&session, made, 20);
        made += 20;
        let view = health(&daemon);
        (view["records_dropped"].as_u64() > Some(0)).then_some(view)
    });
    assert_eq!(view["status"], "degraded", "{view}");
    let reasons = view["reasons"].to_string();
    assert!(
        reasons.contains("could not be written to the journal"),
        "{reasons}"
    );
    eventually("what was written before", || {
        let stored = setup.stored();
        early.iter().all(|id| stored.contains_key(id)).then_some(())
    });
    if disk.mounted {
        std::fs::remove_file(&ballast).expect("room again");
        let late = call(&session, 500_000, 5);
        eventually("the calls behind it", || {
            let stored = setup.stored();
            late.iter().all(|id| stored.contains_key(id)).then_some(())
        });
        assert!(setup.stored().values().all(|count| *count == 1));
    }
}

/// "A torn or damaged journal tail is cut at the last whole record and reported; everything before it counts."
#[test]
fn the_journal_of_a_killed_daemon_counts_up_to_where_it_is_damaged() {
    for damage in ["torn", "flipped", "garbage"] {
        let setup = Setup::new();
        let daemon = setup.daemon(&[]);
        setup.away();
        let session = Legacy::open(&daemon.url, "client");
        let calls = call(&session, 0, 20);
        let said = setup.doctor(&daemon);
        let dir = setup.data_dir.join("journal");
        daemon.kill();
        let mut dirs = std::fs::read_dir(dir).expect("journals");
        let segment = dirs.next().expect("one").expect("one").path();
        let segment = segment.join("0000000000000001.journal");
        let mut bytes = std::fs::read(&segment).expect("a segment");
        let length = bytes.len();
        let lost = match damage {
            "torn" => {
                bytes.truncate(length - 3);
                1
            }
            "flipped" => {
                bytes[length - 5] ^= 0x10;
                1
            }
            _ => {
                bytes.extend_from_slice(&[0xA5; 100]);
                0
            }
        };
        std::fs::write(&segment, &bytes).expect("damaged");
        assert!(
            checks(&said, "journal")[0]["figures"]["damaged"] == 0,
            "not while it runs"
        );
        let said = doctor(&setup.data_dir).output().expect("it runs");
        let journal = &checks(&said, "journal")[0];
        assert_eq!(journal["verdict"], "warning", "{damage}: {journal}");
        assert_eq!(journal["figures"]["damaged"], 1);
        assert_eq!(journal["figures"]["alive"], false);
        assert!(segment.exists(), "it only looks");

        setup.way.set(Fault::None);
        let next = setup.daemon(&[]);
        let stored = setup.stored();
        assert_eq!(stored.len(), calls.len() - lost, "{damage}");
        assert!(
            calls[..calls.len() - lost]
                .iter()
                .all(|id| stored.contains_key(id))
        );
        let told = "damaged bytes in the journal were left out";
        let told = next.early.iter().find(|line| line.contains(told));
        let told = told.expect("it is reported");
        assert!(told.contains(&*segment.display().to_string()), "{told}");
        next.stop();
        assert_eq!(journals(&setup.data_dir), 0);
    }
}

/// Two daemons that start at one moment do not both take what a dead one has left.
/// Rule: durability/one-owner
#[test]
fn daemons_that_start_at_once_share_what_a_dead_one_left() {
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start(&data_dir, &["--upstream", &server.url]);
    let sessions: Vec<Legacy> = (0..8)
        .map(|n| Legacy::open(&daemon.url, &format!("client-{n}")))
        .collect();
    for (n, session) in (0..).zip(&sessions) {
        call(session, n, 1);
    }
    daemon.kill();
    let started: Vec<Daemon> = std::thread::scope(|scope| {
        let start = || Daemon::start(&data_dir, &["--upstream", &server.url]);
        let starting: Vec<_> = (0..3).map(|_| scope.spawn(start)).collect();
        starting
            .into_iter()
            .map(|one| one.join().expect("it starts"))
            .collect()
    });
    // One owner each, all of them among those that run.
    let said = doctor(&data_dir).output().expect("it runs");
    let instances = checks(&said, "instance");
    assert_eq!(instances.len(), 3, "{instances:?}");
    let owned = instances
        .iter()
        .map(|one| one["figures"]["open_sessions"].as_u64());
    assert_eq!(owned.map(Option::unwrap_or_default).sum::<u64>(), 8);
    assert_eq!(checks(&said, "sessions")[0]["verdict"], "ok");
    // Whichever is called, they go on.
    for (n, session) in (100..).zip(&sessions) {
        let place = usize::try_from(n).expect("small") % started.len();
        call(&session.moved(&started[place].url), n, 1);
    }
    eventually("every call in its session", || {
        let listed = json(&data_dir, &["sessions", "list"])["data"].clone();
        let listed = listed.as_array().expect("a list");
        let right = listed.len() == 8 && listed.iter().all(|one| one["total_requests"] == 2);
        right.then_some(())
    });
    for daemon in started {
        assert!(daemon.stop_with("TERM").success());
    }
    let ended = json(&data_dir, &["sessions", "list"])["data"].clone();
    let ended = ended.as_array().expect("a list");
    assert!(
        ended
            .iter()
            .all(|one| one["disconnect_reason"] == "server_shutdown"),
        "{ended:?}"
    );
}

/// `--journal-fsync`: the same records, whoever is killed.
#[test]
fn a_journal_that_is_synced_has_every_record() {
    let setup = Setup::new();
    let daemon = setup.daemon(&["--journal-fsync"]);
    setup.away();
    let session = Legacy::open(&daemon.url, "client");
    let calls = call(&session, 0, 30);
    daemon.kill();
    setup.way.set(Fault::None);
    let next = setup.daemon(&["--journal-fsync"]);
    setup.has_all_once(&calls);
    assert!(next.stop_with("TERM").success());
}

/// What `doctor` says where nothing runs, where something is odd, and where something is wrong.
#[test]
fn doctor_explains_what_it_finds_and_changes_nothing() {
    let (_root, data_dir) = new_data_dir();
    let nothing = doctor(&data_dir).output().expect("it runs");
    assert_eq!(
        nothing.status.code(),
        Some(0),
        "nothing is wrong with a new place"
    );
    assert_eq!(checks(&nothing, "data_dir")[0]["verdict"], "warning");
    assert!(!data_dir.exists());

    let daemon = Daemon::start(&data_dir, &[]);
    let session = Legacy::open(&daemon.url, "client");
    call(&session, 0, 3);
    eventually("the calls in the store", || {
        let listed = json(&data_dir, &["sessions", "list"]);
        (listed["data"][0]["total_requests"] == 3).then_some(())
    });
    daemon.kill();
    let left = doctor(&data_dir).output().expect("it runs");
    let journal = &checks(&left, "journal")[0];
    assert_eq!(
        (&journal["verdict"], &journal["figures"]["alive"]),
        (&"warning".into(), &false.into())
    );
    assert_eq!(checks(&left, "sessions")[0]["verdict"], "warning");
    assert_eq!(checks(&left, "instance")[0]["figures"]["alive"], false);
    assert_eq!(journals(&data_dir), 1, "it is left where it is");
    json(&data_dir, &["sessions", "list"]);
    let settled = doctor(&data_dir).output().expect("it runs");
    assert!(checks(&settled, "journal").is_empty());
    assert_eq!(checks(&settled, "sessions")[0]["verdict"], "ok");

    let odd = doctor(&data_dir)
        .env("ARCHONCTL_IDLE_AFTER", "2h")
        .output()
        .expect("it runs");
    let config = &checks(&odd, "config")[0];
    assert_eq!(
        (&config["subject"], &config["verdict"]),
        (&"idle_after".into(), &"warning".into())
    );
    let wrong = doctor(&data_dir)
        .env("ARCHONCTL_UPSTREAM", "http://127.0.0.1:1/mcp")
        .env("ARCHONCTL_LISTEN", "127.0.0.1:1")
        .output()
        .expect("it runs");
    assert_eq!(wrong.status.code(), Some(1));
    let upstream = &checks(&wrong, "upstream")[0];
    assert_eq!(upstream["verdict"], "failed");
    assert!(upstream["hint"].is_string(), "{upstream}");

    let table = archonctl(&["doctor", "--data-dir"]).arg(&data_dir).output();
    let table = table.expect("it runs");
    let text = String::from_utf8(table.stdout).expect("UTF-8");
    assert!(
        text.contains("AREA") && text.contains("hint: daemon"),
        "{text}"
    );
}
