//! Everything that differs between the databases: how one is opened, how a transaction starts, how many rows travel in
//! one statement, and what a text may hold.
//!
//! Shared statements use `$1` and stand where they are used.

mod events;
mod rows;
mod sums;
mod text;
mod time;

pub(super) use events::{
    EVENT_BYTES, FOREIGN_EVENTS, PIECE_BYTES, events_behind, forget_events, is_one_of,
    newest_event_to_go, oldest_event,
};
pub(super) use rows::{CHUNKS, Cell, Kind, ManyRows};
pub(super) use sums::{CLIENTS, ENDED, USERS, usage_by_hour};
pub(super) use text::{clean, contains, cut, small};
pub(super) use time::{day_of, hour_of};

use std::path::Path;
use std::time::Duration;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::postgres::Access;

/// Name of the database file in the data directory.
pub(super) const EMBEDDED_FILE: &str = "archonctl.db";

/// How long SQLite itself waits for a lock.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Pages the writer may keep, in KiB. Batches append, so more would only hold pages that nobody asks for again, in memory
/// that is not in the processor's caches.
const WRITER_CACHE_KIB: &str = "-4096";
/// Pages each reader may keep: what it does not keep, the operating system does.
const READER_CACHE_KIB: &str = "-2048";

/// Readers of one process.
pub(super) const READERS: u32 = 3;

/// How the embedded database is opened.
pub(super) fn embedded_options(file: &Path, create: bool) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(create)
        .journal_mode(SqliteJournalMode::Wal)
        // In WAL mode NORMAL keeps the database sound on power loss; the last commits can be lost, but the journal
        // still holds their records until the store has told its position.
        .synchronous(SqliteSynchronous::Normal)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
}

/// At most `connections`, kept open.
fn pool_options(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        // A file does not hang up: no ping before each use, no retirement of connections.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_secs(10))
}

/// The readers; connects once.
pub(super) async fn embedded_pool(file: &Path, create: bool) -> Result<SqlitePool, sqlx::Error> {
    let options = embedded_options(file, create).pragma("cache_size", READER_CACHE_KIB);
    let pool = pool_options(READERS).connect_with(options).await?;
    // Takes hold of the write-ahead log: whoever closes a log that nobody holds brings it into the file and removes it, and
    // the next one makes it anew.
    sqlx::raw_sql("PRAGMA schema_version")
        .execute(&pool)
        .await?;
    Ok(pool)
}

/// The writer; connects when it is first used, which questions from the command line never do.
pub(super) fn embedded_writer(file: &Path) -> SqlitePool {
    let options = embedded_options(file, false)
        .pragma("cache_size", WRITER_CACHE_KIB)
        // A statement's rows cross a thread in one go, not by waking each other every 50.
        .row_buffer_size(CHUNKS[0]);
    pool_options(1).connect_lazy_with(options)
}

/// How the transaction of a writer starts. SQLite must take the write lock at once: a transaction that reads first and
/// writes later fails when another writer came in between.
pub(super) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";

/// The present, by the clock of the database.
pub(super) const fn now(embedded: bool) -> &'static str {
    if embedded {
        // Whole milliseconds: the product would not be exact beyond.
        "CAST(round(unixepoch('subsec') * 1000) AS INTEGER) * 1000"
    } else {
        "statement_timestamp()"
    }
}

/// How long a writer waits for somebody else's lock on PostgreSQL.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// How a transaction on PostgreSQL starts. All that it needs is set in it and ends with it: behind a pooler, the next one
/// may run on another connection.
pub(super) fn begin(access: Access, schema: Option<&str>, write_timeout: Duration) -> String {
    let mut sql = match access {
        // Compiling statements costs more than questions of this size ever win back.
        Access::Read => "BEGIN READ ONLY; SET LOCAL jit = off".to_owned(),
        // Triggers leave to the fold what the fold does itself. The timeouts end what nobody waits for any more: a peer
        // that vanished keeps its locks until the server gives up on it.
        Access::Write => {
            let longest = write_timeout.as_millis();
            let lock = write_timeout.min(LOCK_TIMEOUT).as_millis();
            format!(
                "BEGIN; SET LOCAL archonctl.writer = 'fold'; SET LOCAL lock_timeout = {lock}; \
                 SET LOCAL statement_timeout = {longest}; SET LOCAL idle_in_transaction_session_timeout = {longest}"
            )
        }
    };
    if let Some(schema) = schema {
        sql.push_str("; SET LOCAL search_path TO ");
        sql.push_str(&quoted(schema));
    }
    sql
}

/// `name` as an identifier of PostgreSQL.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
