//! Why the store did not do what was asked. Owns the wording that people see; decides nothing.

use std::path::PathBuf;

use super::migrations::MigrationError;

/// Why the store did not do what was asked.
///
/// [`StoreError::is_transient`] says whether waiting can help. Whatever the error, nothing of the failed call is stored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The data directory itself is missing.
    #[error("the data directory {} does not exist; create it, or name another one", path.display())]
    NoDataDir {
        /// The directory.
        path: PathBuf,
    },
    /// A question was asked where nothing was ever recorded.
    #[error("there is no database at {}; `archonctl migrate up` creates it, and so does `archonctl serve`", path.display())]
    NoDatabase {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The database is there but does not open.
    #[error("the database at {} does not open", path.display())]
    Open {
        /// The database file.
        path: PathBuf,
        /// What the driver said.
        source: sqlx::Error,
    },
    /// The database is older than this binary.
    #[error("the database lacks migrations that this archonctl needs ({}); run `archonctl migrate up`", pending.join(", "))]
    SchemaPending {
        /// Names of the missing migrations, such as `V100__session_identity_and_counts`.
        pending: Vec<String>,
    },
    /// The database is newer than this binary.
    #[error("the database was migrated by a newer archonctl ({} unknown here); upgrade this archonctl", unknown.join(", "))]
    SchemaNewer {
        /// Names of the migrations this binary does not know.
        unknown: Vec<String>,
    },
    /// A migration was applied with another text than the one this binary carries.
    #[error("migrations were applied with another text than this archonctl carries ({}); `archonctl migrate status` shows them, and only a backup or the archonctl that applied them can help", changed.join(", "))]
    SchemaChanged {
        /// Names of the migrations that differ.
        changed: Vec<String>,
    },
    /// Migrations were not done.
    #[error(transparent)]
    Migrate(#[from] MigrationError),
    /// The database refused a statement or went away.
    #[error("the store could not {what}")]
    Query {
        /// What was being done.
        what: &'static str,
        /// What the database said.
        source: sqlx::Error,
    },
}

/// SQLite's primary result codes for "somebody else holds the lock" (<https://sqlite.org/rescode.html>).
const SQLITE_BUSY: u32 = 5;
const SQLITE_LOCKED: u32 = 6;
/// A race on the lock protocol of the write-ahead log; SQLite's manual says to try again.
const SQLITE_PROTOCOL: u32 = 15;

impl StoreError {
    /// Whether the same call can succeed later without anybody changing anything: locks held by others, a pool with
    /// no free connection, a connection that broke. A full disk is not transient: somebody has to make room.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Open { source, .. } | Self::Query { source, .. } => driver_is_transient(source),
            Self::Migrate(error) => error.cause().is_some_and(driver_is_transient),
            _ => false,
        }
    }

    /// Names what was being done when the driver failed; for `map_err`.
    pub(super) fn during(what: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Query { what, source }
    }
}

pub(super) fn driver_is_transient(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) => true,
        sqlx::Error::Database(database) => database
            .code()
            .and_then(|code| code.parse::<u32>().ok())
            // The low byte of an extended code is the primary one.
            .is_some_and(|code| {
                matches!(code & 0xff, SQLITE_BUSY | SQLITE_LOCKED | SQLITE_PROTOCOL)
            }),
        _ => false,
    }
}
