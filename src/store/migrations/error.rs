//! Why migrations were not done. Owns the wording that people see; decides nothing.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use super::probes::Finding;
use crate::model::Timestamp;

/// Why migrations were not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// A file of this binary is broken.
    #[error("{migration} of this archonctl is broken: {why}")]
    Unreadable {
        /// The migration's name.
        migration: String,
        /// What is wrong with it.
        why: String,
    },
    /// The database refused a statement of a migration.
    #[error("{}", failed(.0))]
    Failed(Box<Failure>),
    /// The database did not answer a question, or not as it should.
    #[error("the database could not {what}: {}", said(.cause))]
    Asking {
        /// What was asked.
        what: &'static str,
        /// What the driver said.
        cause: Arc<sqlx::Error>,
    },
    /// Somebody else migrates this database.
    #[error("another run of migrations is under way{}", by(.holders))]
    Locked {
        /// Who; empty where the database does not tell.
        holders: Vec<Holder>,
    },
    /// Somebody holds a lock that a migration needs, and did not let go of it.
    #[error("{migration} waits for a lock that somebody else holds{}; what it began is undone", by(.holders))]
    Blocked {
        /// The migration's name.
        migration: String,
        /// Who may be in the way.
        holders: Vec<Holder>,
    },
    /// Somebody has locked a table so that not even its description is to be had.
    #[error("what is there cannot be told while somebody else holds a lock{}", by(.holders))]
    Unseen {
        /// Who may be in the way.
        holders: Vec<Holder>,
    },
    /// The connection goes through a pooler that gives each transaction another connection to the server.
    #[error(
        "{pooler} is in front of this database: in transaction mode a lock on the whole run would be somebody else's with the next statement"
    )]
    Pooler {
        /// What it seems to be.
        pooler: String,
    },
    /// The server only answers questions.
    #[error("this server is a standby, or the database is read-only: nothing can be changed here")]
    ReadOnly,
    /// The connection's search path names no schema that is there.
    #[error("the search path of this connection names no schema that exists")]
    NoSchema,
    /// No migration has this number.
    #[error("there is no migration {version}; there are {}", numbers(.known))]
    NoSuchMigration {
        /// The number.
        version: i32,
        /// Those there are.
        known: Vec<i32>,
    },
    /// A migration ran and tables or columns are still missing: something of another kind is in their place.
    #[error("{migration} cannot be completed: {}; what it began is undone", missing(.findings))]
    Incomplete {
        /// The migration's name.
        migration: String,
        /// What is missing.
        findings: Vec<Finding>,
    },
    /// Undoing was asked for where nothing says how.
    #[error("{} no script that undoes {}", have(.migrations), if .migrations.len() == 1 { "it" } else { "them" })]
    NoWayDown {
        /// Their names.
        migrations: Vec<String>,
    },
    /// Undoing would lose data, and nobody confirmed that.
    #[error("undoing {} would lose data{}", .migrations.join(", "), counted(.rows))]
    DropsData {
        /// Their names.
        migrations: Vec<String>,
        /// Rows there are in our tables.
        rows: Vec<(String, u64)>,
    },
    /// The embedded database could not be copied before it was changed.
    #[error("the database was not copied to {}, so it was not changed: {why}", path.display())]
    Copy {
        /// Where the copy would have been.
        path: PathBuf,
        /// What was in the way.
        why: String,
    },
    /// It was stopped between two migrations, or two batches of one.
    #[error("stopped as asked; {}", if .done.is_empty() { "nothing was changed".to_owned() } else { format!("done until then: {}", .done.join(", ")) })]
    Interrupted {
        /// What was done before, and stays.
        done: Vec<String>,
    },
}

/// A statement that the database refused.
#[derive(Debug)]
pub struct Failure {
    /// The migration's name.
    pub migration: String,
    /// The line of its file.
    pub line: usize,
    /// The statement's first line.
    pub statement: String,
    /// How much of what was done before is undone.
    pub undone: Undone,
    /// What the driver said.
    pub cause: Arc<sqlx::Error>,
}

/// How much is undone after a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undone {
    /// Nothing: the statement was outside of transactions. It can be run again.
    Nothing,
    /// What the migration, or this part of it, began.
    Migration,
    /// Everything of this run.
    Run,
}

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// The process on the server.
    pub pid: i32,
    /// The role it is logged in with.
    pub user: Option<String>,
    /// What it calls itself.
    pub application_name: Option<String>,
    /// Where it comes from; `None` for a local socket, or where this role may not know.
    pub client_address: Option<String>,
    /// Since when it is connected, or its transaction runs.
    pub since: Option<Timestamp>,
    /// What it does: `active`, `idle in transaction`, …
    pub state: Option<String>,
    /// What it has locked; `None` for the lock on migrations.
    pub object: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.pid)?;
        if let Some(name) = self
            .application_name
            .as_deref()
            .filter(|name| !name.is_empty())
        {
            write!(f, " '{name}'")?;
        }
        if let Some(user) = &self.user {
            write!(f, " of {user}")?;
        }
        if let Some(address) = &self.client_address {
            write!(f, " from {address}")?;
        }
        if let Some(since) = self.since {
            write!(f, " since {since}")?;
        }
        if let Some(object) = &self.object {
            write!(f, ", has locked {object}")?;
        }
        if let Some(state) = &self.state {
            write!(f, " ({state})")?;
        }
        Ok(())
    }
}

impl MigrationError {
    /// For `map_err` on questions.
    pub(super) fn asking(what: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |error| Self::Asking {
            what,
            cause: Arc::new(error),
        }
    }

    /// What the driver said, where it was the driver.
    #[must_use]
    pub fn cause(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Failed(failure) => Some(&failure.cause),
            Self::Asking { cause, .. } => Some(cause),
            _ => None,
        }
    }
}

impl Failure {
    /// The server's own advice.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        postgres(&self.cause).and_then(sqlx::postgres::PgDatabaseError::hint)
    }

    /// The database's code for what went wrong.
    #[must_use]
    pub fn code(&self) -> Option<String> {
        let code = self.cause.as_database_error()?.code()?;
        Some(code.into_owned())
    }
}

fn postgres(error: &sqlx::Error) -> Option<&sqlx::postgres::PgDatabaseError> {
    error.as_database_error()?.try_downcast_ref()
}

/// What the database said, without the driver's words around it, with the details the server has.
fn said(error: &sqlx::Error) -> String {
    let Some(database) = error.as_database_error() else {
        return error.to_string();
    };
    match postgres(error).and_then(|error| error.detail()) {
        Some(detail) => format!("{} ({})", database.message(), detail.replace('\n', "; ")),
        None => database.message().to_owned(),
    }
}

fn failed(failure: &Failure) -> String {
    let Failure {
        migration,
        line,
        statement,
        ..
    } = failure;
    let undone = match failure.undone {
        Undone::Nothing => "",
        Undone::Migration => "; what it began is undone",
        Undone::Run => "; the database is unchanged",
    };
    let said = said(&failure.cause);
    format!("{migration} failed at line {line} ({statement}): {said}{undone}")
}

fn by(holders: &[Holder]) -> String {
    let told: Vec<_> = holders.iter().map(ToString::to_string).collect();
    if told.is_empty() {
        String::new()
    } else {
        format!(": {}", told.join("; "))
    }
}

fn numbers(versions: &[i32]) -> String {
    let texts: Vec<_> = versions.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

fn have(names: &[String]) -> String {
    let verb = if names.len() == 1 { "has" } else { "have" };
    format!("{} {verb}", names.join(", "))
}

fn missing(findings: &[Finding]) -> String {
    let names: Vec<_> = findings
        .iter()
        .map(|finding| finding.object.to_string())
        .collect();
    let verb = if names.len() == 1 { "is" } else { "are" };
    format!(
        "{} {verb} missing from a table that is there already",
        names.join(", ")
    )
}

fn counted(rows: &[(String, u64)]) -> String {
    let told: Vec<_> = rows
        .iter()
        .map(|(table, rows)| format!("{table} {rows}"))
        .collect();
    if told.is_empty() {
        String::new()
    } else {
        format!("; rows there are: {}", told.join(", "))
    }
}
