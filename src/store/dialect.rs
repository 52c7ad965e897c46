//! Everything that differs between the databases: how one is opened, and how many rows travel in one statement.
//!
//! Shared statements use `$1` and stand where they are used. Statements for many rows differ (SQLite: many tuples of
//! anonymous parameters; PostgreSQL: arrays), so their texts are made here.

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

/// Pages each connection may keep, in KiB: the ends of the two trees that every batch writes to fit in well.
const CACHE_KIB: &str = "-16384";

/// Connections of one process: one writer and a few readers.
const CONNECTIONS: u32 = 4;

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
        .pragma("cache_size", CACHE_KIB)
}

/// The pool over those options; connects once.
pub(super) async fn embedded_pool(
    options: SqliteConnectOptions,
) -> Result<SqlitePool, sqlx::Error> {
    SqlitePoolOptions::new()
        .min_connections(1)
        .max_connections(CONNECTIONS)
        // A file does not hang up: no ping before each use, no retirement of connections.
        .test_before_acquire(false)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_secs(10))
        .connect_with(options)
        .await
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
    before: &'static str,
    columns: usize,
    after: &'static str,
    texts: OnceLock<[Arc<str>; CHUNKS.len()]>,
}

impl ManyRows {
    /// A statement whose rows have `columns` parameters each and stand between `before` and `after`.
    pub(super) const fn new(before: &'static str, columns: usize, after: &'static str) -> Self {
        Self {
            before,
            columns,
            after,
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
