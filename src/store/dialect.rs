//! Everything that differs between the databases: how one is opened, and how many rows travel in one statement.
//!
//! Shared statements use `$1` and stand where they are used. Statements for many rows differ (SQLite: many tuples of
//! anonymous parameters; PostgreSQL: arrays), so their texts are made here.

use std::borrow::Cow;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use sqlx::AssertSqlSafe;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

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
const READERS: u32 = 3;

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
    pool_options(READERS).connect_with(options).await
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

/// Row counts of the prepared statements for many rows, in falling order. Few sizes, so that each is parsed once for each
/// connection; the largest stays below SQLite's 32,766 parameters with the widest row (33 columns).
pub(super) const CHUNKS: [usize; 5] = [512, 128, 32, 8, 1];

/// A statement over a varying number of rows: `before (?,…),(?,…) after`.
///
/// The parameters are anonymous because SQLite's driver looks up the name of every named one by a linear search.
pub(super) struct ManyRows {
    before: Cow<'static, str>,
    columns: usize,
    after: Cow<'static, str>,
    texts: OnceLock<[Arc<str>; CHUNKS.len()]>,
}

impl ManyRows {
    /// A statement whose rows have `columns` parameters each and stand between `before` and `after`.
    pub(super) const fn new(before: &'static str, columns: usize, after: &'static str) -> Self {
        Self {
            before: Cow::Borrowed(before),
            columns,
            after: Cow::Borrowed(after),
            texts: OnceLock::new(),
        }
    }

    /// The same, of texts that are made when the program runs.
    pub(super) fn made(before: String, columns: usize, after: String) -> Self {
        Self {
            before: before.into(),
            columns,
            after: after.into(),
            texts: OnceLock::new(),
        }
    }

    /// The text for `rows` rows, which must be one of [`CHUNKS`]; the smallest one otherwise.
    pub(super) fn text(&self, rows: usize) -> AssertSqlSafe<Arc<str>> {
        let texts = self.texts.get_or_init(|| CHUNKS.map(|n| self.render(n)));
        let place = CHUNKS.iter().position(|n| *n == rows);
        let text = place
            .and_then(|i| texts.get(i))
            .unwrap_or(&texts[CHUNKS.len() - 1]);
        // Safe: made of constants of this program and question marks.
        AssertSqlSafe(Arc::clone(text))
    }

    fn render(&self, rows: usize) -> Arc<str> {
        let tuple = format!("({})", vec!["?"; self.columns].join(","));
        let tuples = vec![tuple.as_str(); rows].join(",");
        format!("{} {tuples} {}", self.before, self.after).into()
    }
}

/// `items` cut into pieces of the sizes in [`CHUNKS`], largest first.
pub(super) fn chunks<T>(mut items: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = CHUNKS.into_iter().find(|size| *size <= items.len())?;
        let (piece, rest) = items.split_at(size);
        items = rest;
        Some(piece)
    })
}

/// `items` cut into pieces of the sizes in [`CHUNKS`], the last one filled up by repeating its last item: for lists in
/// which a repetition means nothing, fewer statements.
pub(super) fn padded<T: Clone>(items: &[T]) -> impl Iterator<Item = Vec<T>> {
    items.chunks(CHUNKS[0]).map(|piece| {
        let fitting = CHUNKS.into_iter().filter(|size| *size >= piece.len());
        let size = fitting.min().unwrap_or(piece.len());
        let last = piece.iter().rev().take(1).cycle();
        piece.iter().chain(last).take(size).cloned().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_known_sizes_and_lose_nothing() {
        for len in [0, 1, 7, 8, 9, 511, 512, 513, 4096, 4095] {
            let items: Vec<usize> = (0..len).collect();
            let pieces: Vec<&[usize]> = chunks(&items).collect();
            assert!(pieces.iter().all(|piece| CHUNKS.contains(&piece.len())));
            assert_eq!(pieces.concat(), items);
            let filled: Vec<Vec<usize>> = padded(&items).collect();
            assert!(filled.iter().all(|piece| CHUNKS.contains(&piece.len())));
            let mut all = filled.concat();
            all.dedup();
            assert_eq!(all, items);
        }
    }

    #[test]
    fn the_widest_row_fits_the_largest_statement() {
        assert!(CHUNKS[0] * 33 <= 32_766);
    }
}
