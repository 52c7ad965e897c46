//! The lock that one run of migrations on PostgreSQL holds, and who holds it or another one.
//!
//! An advisory lock of the session, asked for again and again instead of waited for: `CREATE INDEX CONCURRENTLY` waits for
//! every transaction that began before it, and one that waits for this lock would never end. It is only worth something on a
//! connection of one's own: what gives each transaction another connection is found out first.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::connection::{Conn, Row, list, text};
use super::error::{Holder, MigrationError};
use super::progress::{Event, Progress};
use crate::model::Timestamp;

/// How long between two attempts.
const POLL: Duration = Duration::from_millis(200);

/// The lock on migrations of one schema; advisory locks are of one database anyway.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunLock {
    key: i64,
}

impl RunLock {
    /// The lock for `schema` of `database`.
    pub(super) fn of(database: &str, schema: &str) -> Self {
        let digest = Sha256::digest(format!("archonctl migrations\0{database}\0{schema}"));
        let first: [u8; 8] = std::array::from_fn(|at| digest[at]);
        Self {
            key: i64::from_be_bytes(first),
        }
    }

    /// Takes the lock, within `patience` if somebody else holds it.
    pub(super) async fn take(
        self,
        conn: &mut Conn,
        patience: Duration,
        stop: &CancellationToken,
        progress: &dyn Progress,
    ) -> Result<(), MigrationError> {
        let asking = MigrationError::asking("lock the migrations");
        let until = Instant::now() + patience;
        let sql = format!("SELECT pg_try_advisory_lock({})", self.key);
        let mut told = false;
        loop {
            if conn.value(&sql).await.map_err(&asking)?.as_deref() == Some("t") {
                return Ok(());
            }
            let holders = self.holders(conn).await?;
            if Instant::now() >= until {
                return Err(MigrationError::Locked { holders });
            }
            if !told {
                progress.tell(&Event::Waiting { holders: &holders });
                told = true;
            }
            tokio::select! {
                () = tokio::time::sleep(POLL) => {}
                () = stop.cancelled() => return Err(MigrationError::Interrupted { done: Vec::new() }),
            }
        }
    }

    /// Lets the lock go; the end of the connection does so as well.
    pub(super) async fn release(self, conn: &mut Conn) -> Result<(), sqlx::Error> {
        conn.run(&format!("SELECT pg_advisory_unlock({})", self.key))
            .await
            .map(|_| ())
    }

    /// Whether this very connection to the server holds the lock. If not, something between gave us another one.
    pub(super) async fn is_held(self, conn: &mut Conn) -> Result<bool, sqlx::Error> {
        let sql = format!("SELECT 1 {} AND l.pid = pg_backend_pid()", self.locks());
        Ok(conn.value(&sql).await?.is_some())
    }

    async fn holders(self, conn: &mut Conn) -> Result<Vec<Holder>, MigrationError> {
        let sql = format!("SELECT {HOLDER}, NULL, {CONNECTED} {}", self.locks());
        let rows = conn.rows(&sql).await;
        let rows = rows.map_err(MigrationError::asking(
            "tell who holds the lock on migrations",
        ))?;
        Ok(rows.iter().map(holder).collect())
    }

    /// Where the lock is listed: the two halves of its key stand in two columns.
    fn locks(self) -> String {
        let bytes = self.key.to_be_bytes();
        let half = |at: usize| u32::from_be_bytes(std::array::from_fn(|i| bytes[at + i]));
        format!(
            "FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
             WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND l.classid = {} AND l.objid = {}
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            half(0),
            half(4)
        )
    }
}

/// What is told of a session, in the order [`holder`] reads.
const HOLDER: &str = "l.pid, a.usename::text, a.application_name, host(a.client_addr), a.state";
const CONNECTED: &str =
    "to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";
const BEGAN: &str = "to_char(coalesce(a.xact_start, a.backend_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')";

fn holder(row: &Row) -> Holder {
    let field = |at: usize| {
        let text = text(Some(row), at);
        (!text.is_empty()).then(|| text.to_owned())
    };
    Holder {
        pid: field(0)
            .and_then(|pid| pid.parse().ok())
            .unwrap_or_default(),
        user: field(1),
        application_name: field(2),
        client_address: field(3),
        state: field(4),
        object: field(5),
        since: field(6).and_then(|at| at.parse::<Timestamp>().ok()),
    }
}

/// Others that hold locks on `tables` of the current schema, or have transactions open that are older than ours: whoever may
/// be in the way.
pub(super) async fn in_the_way(
    conn: &mut Conn,
    tables: &BTreeSet<String>,
) -> Result<Vec<Holder>, sqlx::Error> {
    let sql = format!(
        "SELECT DISTINCT ON (l.pid) {HOLDER}, c.relname::text || ' (' || l.mode || ')', {BEGAN}
         FROM pg_locks l JOIN pg_class c ON c.oid = l.relation LEFT JOIN pg_stat_activity a ON a.pid = l.pid
         WHERE l.granted AND l.pid <> pg_backend_pid() AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
            AND (c.relname IN ({names}) OR c.oid IN (SELECT i.indexrelid FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
                 WHERE t.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND t.relname IN ({names})))
         ORDER BY l.pid, c.relkind = 'i', c.relname",
        names = list(tables)
    );
    let rows = conn.rows(&sql).await?;
    Ok(rows.iter().map(holder).collect())
}
