//! What is recorded: refinery's history, and `archon_migrations`, which other products write to as well.
//!
//! Rows of others are never touched, and only a whole name says that a row is one of ours: several products count from 013.
//! A record says what somebody believed; whether it is true is for the probes.

use std::collections::BTreeSet;

use refinery_core::Migration;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::connection::{Conn, Row, text};
use super::error::MigrationError;
use super::files::File;
use super::targets::{RECORDS, effect};
use super::tokens::literal;

/// Where refinery records what it applied.
pub(super) const HISTORY: &str = "refinery_schema_history";

/// refinery's history table, as refinery makes it.
pub(super) const MAKE_HISTORY: &str = "CREATE TABLE IF NOT EXISTS refinery_schema_history
    (version INT4 PRIMARY KEY, name VARCHAR(255), applied_on VARCHAR(255), checksum VARCHAR(255))";

/// What can be seen of a table of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Sight {
    /// The table is not there.
    #[default]
    NoTable,
    /// All of it.
    Seen,
    /// Nothing: this role may not read it, or row security hides its rows from it.
    Hidden,
}

/// Everything that is recorded.
#[derive(Clone, Debug, Default)]
pub(super) struct Records {
    pub(super) history: Vec<Migration>,
    pub(super) history_sight: Sight,
    /// Names in `archon_migrations`, those of others too.
    names: BTreeSet<String>,
    pub(super) archon_sight: Sight,
    /// Whether this role may add to `archon_migrations`.
    pub(super) archon_writable: bool,
}

impl Records {
    /// The row of refinery's history with this number.
    pub(super) fn recorded(&self, version: i32) -> Option<&Migration> {
        self.history.iter().find(|row| row.version() == version)
    }

    /// Whether `archon_migrations` has this migration.
    pub(super) fn in_archon(&self, file: &File) -> bool {
        self.names.contains(&file.record())
    }

    /// The highest number recorded.
    pub(super) fn last(&self) -> Option<i32> {
        self.history.iter().map(Migration::version).max()
    }
}

const READ: &str = "read which migrations are recorded";

/// Reads both tables, as far as they are there and may be read.
pub(super) async fn read(conn: &mut Conn) -> Result<Records, MigrationError> {
    let asking = MigrationError::asking(READ);
    let rights = if conn.is_postgres() {
        POSTGRES_RIGHTS
    } else {
        SQLITE_RIGHTS
    };
    let rights = conn.rows(rights).await.map_err(&asking)?;
    let sight = |row: Option<&Row>| match (text(row, 0), text(row, 1)) {
        ("", _) => Sight::NoTable,
        (_, "t") => Sight::Seen,
        _ => Sight::Hidden,
    };
    let mut records = Records {
        history_sight: sight(rights.first()),
        archon_sight: sight(rights.get(1)),
        archon_writable: text(rights.get(1), 2) == "t",
        ..Records::default()
    };
    if records.history_sight == Sight::Seen {
        let sql = "SELECT version, name, applied_on, checksum FROM refinery_schema_history ORDER BY version";
        let rows = conn.rows(sql).await.map_err(&asking)?;
        records.history = rows
            .iter()
            .map(history_row)
            .collect::<Result<_, _>>()
            .map_err(asking)?;
    }
    if records.archon_sight == Sight::Seen {
        let sql = format!("SELECT DISTINCT migration_name FROM {RECORDS}");
        let rows = conn
            .rows(&sql)
            .await
            .map_err(MigrationError::asking(READ))?;
        records.names = rows
            .into_iter()
            .filter_map(|row| row.into_iter().next()?)
            .collect();
    }
    if text(rights.get(1), 3) == "t" && records.names.is_empty() {
        // Row security is on for this role, and it sees nothing.
        records.archon_sight = Sight::Hidden;
    }
    Ok(records)
}

/// For each table: its name if it is there, whether it may be read, whether it may be added to, whether row security counts.
const POSTGRES_RIGHTS: &str = "
    SELECT c.oid::regclass::text, has_table_privilege(c.oid, 'SELECT'), has_table_privilege(c.oid, 'INSERT'),
        row_security_active(c.oid)
    FROM (VALUES (1, 'refinery_schema_history'), (2, 'archon_migrations')) AS t (place, name)
    LEFT JOIN pg_class c ON c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND c.relname = t.name
    ORDER BY place";

const SQLITE_RIGHTS: &str = "
    SELECT m.name, 't', 't', 'f'
    FROM (SELECT 1 AS place, 'refinery_schema_history' AS name UNION ALL SELECT 2, 'archon_migrations') AS t
    LEFT JOIN sqlite_master m ON m.type = 'table' AND m.name = t.name
    ORDER BY place";

fn history_row(row: &Row) -> Result<Migration, sqlx::Error> {
    let [version, name, applied_on, checksum] = [0, 1, 2, 3].map(|at| text(Some(row), at));
    let decode =
        |what: &str| sqlx::Error::Decode(format!("{HISTORY} has a row with {what}").into());
    let version = version.parse().map_err(|_| decode("no number"))?;
    let applied_on = OffsetDateTime::parse(applied_on, &Rfc3339).map_err(|_| decode("no time"))?;
    let checksum = checksum.parse().map_err(|_| decode("no checksum"))?;
    Ok(Migration::applied(
        version,
        name.to_owned(),
        applied_on,
        checksum,
    ))
}

/// Makes refinery's history if there is none. What it holds is nobody's secret, but not everybody's business either.
pub(super) async fn make_history(conn: &mut Conn) -> Result<(), sqlx::Error> {
    conn.run(MAKE_HISTORY).await?;
    if conn.is_postgres() {
        conn.run(
            "DO $do$
            DECLARE role_name text;
            BEGIN
                FOR role_name IN SELECT rolname FROM pg_roles WHERE rolname IN ('anon', 'authenticated') LOOP
                    EXECUTE format('REVOKE ALL ON refinery_schema_history FROM %I', role_name);
                END LOOP;
            END $do$",
        )
        .await?;
    }
    Ok(())
}

/// Records `file` in refinery's history, as refinery does.
pub(super) async fn enter(conn: &mut Conn, file: &File) -> Result<(), sqlx::Error> {
    let now = OffsetDateTime::now_utc().format(&Rfc3339);
    let now = now.map_err(|error| sqlx::Error::Encode(error.into()))?;
    let sql = format!(
        "INSERT INTO {HISTORY} (version, name, applied_on, checksum) VALUES ({}, {}, {}, {})
         ON CONFLICT (version) DO UPDATE SET name = excluded.name, checksum = excluded.checksum",
        file.version(),
        literal(file.migration.name()),
        literal(&now),
        literal(&file.migration.checksum().to_string()),
    );
    conn.run(&sql).await.map(|_| ())
}

/// Records `file` in `archon_migrations` with the statement that its own text ends with. A role that may not is no failure.
pub(super) async fn enter_archon(conn: &mut Conn, file: &File) -> Result<bool, sqlx::Error> {
    let parts = file.parts();
    let mut statements = parts.iter().flat_map(|part| &part.statements).rev();
    let Some(statement) = statements.find(|statement| effect(&statement.tokens).records()) else {
        return Ok(false);
    };
    conn.begin().await?;
    let entered = conn.run(statement.sql).await;
    match conn.end(entered).await {
        Ok(_) => Ok(true),
        Err(error) if is_forbidden(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Takes `file` out of both tables.
pub(super) async fn remove(conn: &mut Conn, file: &File) -> Result<(), sqlx::Error> {
    conn.run(&format!(
        "DELETE FROM {HISTORY} WHERE version = {}",
        file.version()
    ))
    .await?;
    let sql = format!(
        "DELETE FROM {RECORDS} WHERE migration_name = {}",
        literal(&file.record())
    );
    conn.begin().await?;
    let removed = conn.run(&sql).await;
    match conn.end(removed).await {
        Err(error) if is_forbidden(&error) || is_missing(&error) => Ok(()),
        other => other.map(|_| ()),
    }
}

/// The role may not do this (SQLSTATE 42501).
pub(super) fn is_forbidden(error: &sqlx::Error) -> bool {
    has_code(error, "42501")
}

/// The table is not there.
fn is_missing(error: &sqlx::Error) -> bool {
    has_code(error, "42P01")
        || error
            .as_database_error()
            .is_some_and(|error| error.message().starts_with("no such table"))
}

/// Whether it is an error with this SQLSTATE.
pub(super) fn has_code(error: &sqlx::Error, code: &str) -> bool {
    let database = error.as_database_error();
    database
        .and_then(sqlx::error::DatabaseError::code)
        .is_some_and(|found| found == code)
}
