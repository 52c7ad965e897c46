//! Real PostgreSQL servers for tests, and databases on them. The unit tests of the library use this module too.
//!
//! A server of each version is started when a test first asks for it, is shared by the tests of the process, and ends
//! with the process, however that ends. `scripts/test --setup-only` installs what is needed; without it tests fail.

#![allow(
    dead_code,
    reason = "two crates share this module, and neither uses all of it"
)]

mod database;
mod pooler;
pub(crate) mod schema;

#[allow(unused_imports, reason = "as above")]
pub(crate) use database::{Database, Rows};
#[allow(unused_imports, reason = "as above")]
pub(crate) use pooler::Pooler;

use std::collections::HashSet;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// How long a server may take to start; long enough for a loaded machine.
const PATIENCE: Duration = Duration::from_mins(2);

/// Every version the tests run on.
pub(crate) const VERSIONS: [Version; 4] = [Version::V13, Version::V15, Version::V17, Version::V18];

/// A major version of PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    /// The oldest.
    V13,
    /// Debian 12's; the first with `security_invoker` views.
    V15,
    /// Sorts texts by the rules of a language (ICU, English), as many deployments do; the others sort by bytes.
    V17,
    /// The newest.
    V18,
}

impl Version {
    pub(crate) const fn major(self) -> u32 {
        match self {
            Self::V13 => 13,
            Self::V15 => 15,
            Self::V17 => 17,
            Self::V18 => 18,
        }
    }

    const fn place(self) -> usize {
        match self {
            Self::V13 => 0,
            Self::V15 => 1,
            Self::V17 => 2,
            Self::V18 => 3,
        }
    }
}

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) version: Version,
    /// On 127.0.0.1.
    pub(crate) port: u16,
    /// Where its socket `.s.PGSQL.PORT` and its log file `log` are.
    pub(crate) dir: PathBuf,
    superuser: &'static str,
    /// Databases that others are copied from.
    templates: Mutex<HashSet<String>>,
    /// Its guard waits for the end of this pipe, and then ends it: also when this process is killed.
    _guard: ChildStdin,
}

/// A plain server: one superuser, `postgres`, no other roles.
pub(crate) fn plain(version: Version) -> &'static Server {
    static SERVERS: [OnceLock<Server>; VERSIONS.len()] =
        [const { OnceLock::new() }; VERSIONS.len()];
    SERVERS[version.place()].get_or_init(|| Server::start(version, "postgres"))
}

/// A server as Supabase sets it up: `postgres` is no superuser, the roles `anon`, `authenticated`, `service_role` and
/// `authenticator` exist, every database has `auth.uid()`, `auth.role()` and `auth.jwt()`, and what `postgres` makes in
/// `public` is granted to all of them.
pub(crate) fn supabase(version: Version) -> &'static Server {
    static SERVERS: [OnceLock<Server>; VERSIONS.len()] =
        [const { OnceLock::new() }; VERSIONS.len()];
    SERVERS[version.place()].get_or_init(|| {
        let server = Server::start(version, "supabase_admin");
        server.admin("postgres", include_str!("supabase_roles.sql"));
        server.admin("template1", include_str!("supabase_database.sql"));
        server
    })
}

impl Server {
    /// A new, empty database owned by `postgres`; it is dropped with the value.
    pub(crate) fn fresh_database(&'static self) -> Database {
        self.copy_of("template1")
    }

    /// A new database like the one that `make` makes out of an empty one. `make` runs once for each `name`.
    pub(crate) fn database_like(
        &'static self,
        name: &str,
        make: impl FnOnce(&Database),
    ) -> Database {
        let mut known = self
            .templates
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !known.contains(name) {
            let database = self.fresh_database();
            make(&database);
            // Renamed, it outlives the value that would drop it.
            let rename = format!(r#"ALTER DATABASE "{}" RENAME TO "{name}""#, database.name);
            self.admin("postgres", &rename);
            known.insert(name.to_owned());
        }
        drop(known);
        self.copy_of(name)
    }

    /// A new database with all our tables, made by the files of the migrations alone: nothing records them.
    pub(crate) fn database_with_tables(&'static self) -> Database {
        self.database_like("with_tables", |made| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/postgres");
            let entries = fs::read_dir(folder).expect("the migrations");
            let mut files: Vec<_> = entries.map(|entry| entry.expect("a file").path()).collect();
            files.retain(|file| file.extension().is_some_and(|extension| extension == "sql"));
            files.sort();
            for file in files {
                let sql = fs::read_to_string(file).expect("SQL");
                if sql.contains("-- archonctl: no-transaction") {
                    for statement in sql.split(";\n") {
                        made.run(statement);
                    }
                } else {
                    made.run(&sql);
                }
            }
        })
    }

    fn copy_of(&'static self, template: &str) -> Database {
        static NUMBER: AtomicU32 = AtomicU32::new(1);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let sql = format!(r#"CREATE DATABASE "{name}" OWNER postgres TEMPLATE "{template}""#);
        self.admin("postgres", &sql);
        Database { server: self, name }
    }

    /// Runs SQL as the superuser.
    pub(crate) fn admin(&self, database: &str, sql: &str) -> Rows {
        database::run(&self.options(self.superuser, database), sql)
            .unwrap_or_else(|error| panic!("{error}\n{sql}"))
    }

    /// How to reach it over TCP.
    pub(crate) fn options(&self, role: &str, database: &str) -> sqlx::postgres::PgConnectOptions {
        sqlx::postgres::PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(self.port)
            .username(role)
            .database(database)
            .ssl_mode(sqlx::postgres::PgSslMode::Disable)
    }

    fn start(version: Version, superuser: &'static str) -> Self {
        let programs = installed().join(format!(
            "node_modules/postgres-{}/native/bin",
            version.major()
        ));
        // A port that is free now may be taken by the time it is used.
        for _ in 0..10 {
            if let Some(server) = Self::try_start(version, superuser, &programs, free_port()) {
                return server;
            }
        }
        panic!("PostgreSQL {} does not start", version.major());
    }

    fn try_start(
        version: Version,
        superuser: &'static str,
        programs: &Path,
        port: u16,
    ) -> Option<Self> {
        let prefix = format!("archonctl-pg{}-", version.major());
        let dir = owned_dir(&prefix);
        let data = dir.join("data");
        let mut initdb = as_server_user(Command::new(programs.join("initdb")));
        initdb
            .args([
                "--no-sync",
                "--auth=trust",
                "--encoding=UTF8",
                "-U",
                superuser,
                "-D",
            ])
            .arg(&data);
        match version {
            Version::V17 => {
                initdb.args(["--locale=C", "--locale-provider=icu", "--icu-locale=en-US"])
            }
            _ => initdb.arg("--locale=C"),
        };
        let made = initdb.output().expect("initdb runs");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        fs::write(data.join("pg_hba.conf"), HBA).expect("pg_hba.conf");
        certificate(&data);
        let settings = [
            format!("port={port}"),
            format!("unix_socket_directories={}", dir.display()),
            "listen_addresses=127.0.0.1".into(),
            "fsync=off".into(),
            "full_page_writes=off".into(),
            "max_connections=300".into(),
            "shared_buffers=64MB".into(),
            "ssl=on".into(),
        ];
        let mut command = Command::new("sh");
        command
            .args(["-c", GUARD, "guard"])
            .arg(&dir)
            .arg(programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .args(settings.iter().flat_map(|setting| ["-c", setting]));
        let (mut child, guard) = guarded(command);
        let state = data.join("postmaster.pid");
        let until = Instant::now() + PATIENCE;
        loop {
            // The file's eighth line, as pg_ctl reads it.
            let ready = fs::read_to_string(&state).is_ok_and(|text| {
                let line = text.lines().nth(7);
                line.is_some_and(|line| line.trim() == "ready")
            });
            if ready {
                break;
            }
            let log = || fs::read_to_string(dir.join("log")).unwrap_or_default();
            if child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return None;
            }
            assert!(
                Instant::now() < until,
                "PostgreSQL does not get ready: {}",
                log()
            );
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Some(Self {
            version,
            port,
            dir,
            superuser,
            templates: Mutex::default(),
            _guard: guard,
        })
    }
}

/// Who may come in: members of `needs_password` with one, all others without.
const HBA: &str = "local all all trust\n\
    host all +needs_password 127.0.0.1/32 scram-sha-256\n\
    host all all 127.0.0.1/32 trust\n";

/// Runs the program in `$2…` with its log in the folder `$1`, and ends both when standard input ends, or the program
/// ends by itself. Every process of it is in a group of its own, so that Ctrl-C reaches the tests alone.
const GUARD: &str = r#"
dir=$1; shift
"$@" >>"$dir/log" 2>&1 </dev/null &
server=$!
exec 3<&0
(while read -r _; do :; done; kill -QUIT $server; kill -TERM $server) <&3 3<&- 2>/dev/null &
reader=$!
exec 3<&- </dev/null
wait $server
kill $reader 2>/dev/null
cd / && rm -rf "$dir"
"#;

/// Starts `command` as the servers' user; it ends at the latest when the second value is dropped, or this process ends.
fn guarded(mut command: Command) -> (Child, ChildStdin) {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = as_server_user(command)
        .process_group(0)
        .spawn()
        .expect("sh starts");
    let guard = child.stdin.take().expect("piped");
    (child, guard)
}

/// Where the servers are installed.
fn installed() -> PathBuf {
    let named = std::env::var_os("ARCHONCTL_TEST_POSTGRES").map(PathBuf::from);
    let found = named.or_else(|| {
        let program = std::env::current_exe().ok()?;
        let mut folders = program
            .ancestors()
            .map(|folder| folder.join("test-env/postgres"));
        folders.find(|folder| folder.exists())
    });
    let place = found.and_then(|place| place.canonicalize().ok());
    place.expect("PostgreSQL for tests is missing: run scripts/test --setup-only")
}

/// Servers refuse to run as root: then they run as the user that `scripts/test` made for them.
fn server_user() -> Option<(u32, u32)> {
    let root = fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0);
    root.then(|| {
        let users = fs::read_to_string("/etc/passwd").expect("the users of this machine");
        let fields = users
            .lines()
            .map(|line| line.split(':').collect::<Vec<_>>());
        let mut ids = fields.filter_map(|fields| match fields[..] {
            ["archonctl-test", _, uid, gid, ..] => Some((uid.parse().ok()?, gid.parse().ok()?)),
            _ => None,
        });
        ids.next()
            .expect("the user archonctl-test is missing: run scripts/test --setup-only")
    })
}

fn as_server_user(mut command: Command) -> Command {
    if let Some((uid, gid)) = server_user() {
        command.uid(uid).gid(gid);
    }
    command.current_dir("/");
    command
}

/// A new folder that belongs to the servers' user. Whoever gets it deletes it.
fn owned_dir(prefix: &str) -> PathBuf {
    let made = tempfile::Builder::new().prefix(prefix).tempdir();
    let dir = made.expect("a temporary directory").keep();
    if let Some((uid, gid)) = server_user() {
        chown(&dir, Some(uid), Some(gid)).expect("given to the servers' user");
    }
    dir
}

/// Makes an authority, `root.crt`, and a certificate of it for this machine, with its key.
fn certificate(dir: &Path) {
    // Without the extensions that the system's configuration adds.
    fs::write(
        dir.join("openssl.cnf"),
        "[req]\ndistinguished_name = name\n[name]\n",
    )
    .expect("written");
    let make = |name: &str, subject: &str, extensions: &[&str], authority: &[&str]| {
        let mut openssl = as_server_user(Command::new("openssl"));
        openssl
            .current_dir(dir)
            .args([
                "req",
                "-x509",
                "-config",
                "openssl.cnf",
                "-days",
                "2",
                "-subj",
                subject,
            ])
            .args([
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-nodes",
            ])
            .args([
                "-keyout",
                &format!("{name}.key"),
                "-out",
                &format!("{name}.crt"),
            ])
            .args(
                extensions
                    .iter()
                    .flat_map(|extension| ["-addext", extension]),
            )
            .args(authority);
        let made = openssl.output().expect("openssl runs");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
    };
    make(
        "root",
        "/CN=authority of a test",
        &["basicConstraints=critical,CA:TRUE"],
        &[],
    );
    make(
        "server",
        "/CN=localhost",
        &[
            "basicConstraints=critical,CA:FALSE",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
        ],
        &["-CA", "root.crt", "-CAkey", "root.key"],
    );
}

/// A port that nothing listens on at this moment.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("its address").port()
}
