//! Why the store did not do what was asked. Owns the wording that people see; decides nothing.

use std::path::PathBuf;

use super::location::LocationError;
use super::migrations::MigrationError;
pub use super::trouble::{ConnectProblem, DriverError, Trouble};

/// Why the store did not do what was asked.
///
/// [`StoreError::is_transient`] says whether waiting can help. Whatever the error, nothing of the failed call is stored;
/// but when a connection broke while a transaction ended, everything of it may be. To fold the same records again is
/// right in both cases.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The URL or the schema of the database is not understood.
    #[error(transparent)]
    Location(#[from] LocationError),
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
        source: DriverError,
    },
    /// A database server cannot be reached, or does not let us in.
    #[error("no connection to {location}: {problem}")]
    Connect {
        /// Where it was looked for, without password.
        location: String,
        /// What is in the way.
        problem: ConnectProblem,
        /// What the driver said.
        source: DriverError,
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
        source: DriverError,
    },
}

impl StoreError {
    /// What kind of trouble the database or the way to it is in; `None` where neither is.
    #[must_use]
    pub fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Open { source, .. }
            | Self::Query { source, .. }
            | Self::Connect { source, .. } => Some(Trouble::of(&source.0)),
            Self::Migrate(error) => error.cause().map(Trouble::of),
            _ => None,
        }
    }

    /// Whether the same call can succeed later without anybody changing anything: locks held by others, deadlocks, no
    /// free connection, a connection that broke, a server that restarts. A full disk is not transient: somebody has to
    /// make room.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.trouble().is_some_and(Trouble::is_transient)
    }

    /// Whether a value did not fit its column (PostgreSQL's manual, appendix A: string data right truncation, numeric value
    /// out of range).
    pub(super) fn says_too_long(&self) -> bool {
        self.has_code(&["22001", "22003"])
    }

    /// Whether a row with this key is there already (unique violation).
    pub(super) fn says_there_already(&self) -> bool {
        self.has_code(&["23505"])
    }

    fn has_code(&self, codes: &[&str]) -> bool {
        let Self::Query { source, .. } = self else {
            return false;
        };
        let code = source
            .0
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code);
        code.is_some_and(|code| codes.contains(&&*code))
    }

    /// Names what was being done when the driver failed; for `map_err`.
    pub(super) fn during(what: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |error| Self::Query {
            what,
            source: error.into(),
        }
    }
}

/// [`StoreError::is_transient`] for what the driver says.
pub(super) fn driver_is_transient(error: &sqlx::Error) -> bool {
    Trouble::of(error).is_transient()
}
