//! pgbouncer in front of a server, in transaction mode: the hardest pooler there is, where it is Debian's 1.18, which
//! knows no prepared statements.

use std::fs;
use std::net::TcpStream;
use std::process::{ChildStdin, Command};
use std::time::{Duration, Instant};

use super::{Database, GUARD, PATIENCE, Server, free_port, guarded, owned_dir};

/// A running pgbouncer; it ends with this value.
#[derive(Debug)]
pub(crate) struct Pooler {
    /// On 127.0.0.1.
    pub(crate) port: u16,
    _guard: ChildStdin,
}

impl Pooler {
    /// Starts one in front of `server`, with its defaults but for two connections for each database and role: sessions
    /// of clients have to share them, and meet what others left there.
    pub(crate) fn start(server: &Server) -> Self {
        for _ in 0..10 {
            if let Some(pooler) = Self::try_start(server, free_port()) {
                return pooler;
            }
        }
        panic!("pgbouncer does not start");
    }

    fn try_start(server: &Server, port: u16) -> Option<Self> {
        let dir = owned_dir("archonctl-pgbouncer-");
        let users = [
            "postgres",
            "authenticator",
            "anon",
            "authenticated",
            "service_role",
        ];
        let users = users.map(|user| format!("\"{user}\" \"\"")).join("\n");
        fs::write(dir.join("users"), users).expect("written");
        let settings = format!(
            "[databases]\n* = host=127.0.0.1 port={}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\n\
             unix_socket_dir =\nauth_type = trust\nauth_file = {}\npool_mode = transaction\ndefault_pool_size = 2\n",
            server.port,
            dir.join("users").display()
        );
        let file = dir.join("pgbouncer.ini");
        fs::write(&file, settings).expect("written");
        let mut command = Command::new("sh");
        command.args(["-c", GUARD, "guard"]).arg(&dir);
        // Debian has it where only root looks.
        command
            .args([
                "env",
                "PATH=/usr/sbin:/usr/bin:/bin:/usr/local/bin",
                "pgbouncer",
                "-q",
            ])
            .arg(&file);
        let (mut child, guard) = guarded(command);
        let until = Instant::now() + PATIENCE;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if child.try_wait().is_ok_and(|ended| ended.is_some()) {
                return None;
            }
            assert!(Instant::now() < until, "pgbouncer does not get ready");
            std::thread::park_timeout(Duration::from_millis(20));
        }
        Some(Self {
            port,
            _guard: guard,
        })
    }

    /// The way to `database` through it, as `postgres`.
    pub(crate) fn url(&self, database: &Database) -> String {
        format!(
            "postgres://postgres@127.0.0.1:{}/{}",
            self.port, database.name
        )
    }
}
