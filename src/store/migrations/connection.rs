//! The one connection a run of migrations works on, for either database.
//!
//! Statements go as plain text without parameters: they are files, or made here of quoted names. So they also pass through
//! poolers that know no prepared statements. Knows transactions and savepoints; knows no table.

use std::sync::Arc;

use sqlx::{AssertSqlSafe, PgConnection, Row as _, SqliteConnection};

use super::tokens::literal;

/// A connection of this run's own.
#[derive(Debug)]
pub(super) enum Conn {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

/// A row of texts.
pub(super) type Row = Vec<Option<String>>;

/// The text in column `at`; nothing for NULL and for no row.
pub(super) fn text(row: Option<&Row>, at: usize) -> &str {
    let field = row.and_then(|row| row.get(at));
    field.and_then(Option::as_deref).unwrap_or_default()
}

/// Names as a list of strings for `IN (…)`, never empty.
pub(super) fn list<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let mut quoted: Vec<_> = names.into_iter().map(|name| literal(name.as_ref())).collect();
    if quoted.is_empty() {
        quoted.push("NULL".to_owned());
    }
    quoted.join(", ")
}

impl Conn {
    /// Runs one statement, or several; the number of rows that were touched.
    pub(super) async fn run(&mut self, sql: &str) -> Result<u64, sqlx::Error> {
        // Safe: the texts are files of this binary, or made of constants and quoted names.
        let query = sqlx::raw_sql(AssertSqlSafe(sql));
        match self {
            Self::Sqlite(conn) => Ok(query.execute(conn).await?.rows_affected()),
            Self::Postgres(conn) => Ok(query.execute(conn).await?.rows_affected()),
        }
    }

    /// The rows a query gives, as texts.
    pub(super) async fn rows(&mut self, sql: &str) -> Result<Vec<Row>, sqlx::Error> {
        macro_rules! fetched {
            ($conn:expr) => {
                sqlx::raw_sql(AssertSqlSafe(sql))
                    .fetch_all($conn)
                    .await?
                    .iter()
                    .map(|row| (0..row.len()).map(|at| row.try_get_unchecked(at)).collect())
                    .collect()
            };
        }
        match self {
            Self::Sqlite(conn) => fetched!(conn),
            Self::Postgres(conn) => fetched!(conn),
        }
    }

    /// The first text a query gives.
    pub(super) async fn value(&mut self, sql: &str) -> Result<Option<String>, sqlx::Error> {
        let rows = self.rows(sql).await?;
        Ok(rows.into_iter().next().and_then(|row| row.into_iter().next().flatten()))
    }

    pub(super) const fn is_postgres(&self) -> bool {
        matches!(self, Self::Postgres(_))
    }

    /// Closes the connection in good order; what was not committed is undone.
    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        use sqlx::Connection as _;
        match self {
            Self::Sqlite(conn) => conn.close().await,
            Self::Postgres(conn) => conn.close().await,
        }
    }
}

/// The driver's error, shared, so that it can be taken out of refinery's again.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct DriverError(pub(super) Arc<sqlx::Error>);

impl From<sqlx::Error> for DriverError {
    fn from(error: sqlx::Error) -> Self {
        Self(Arc::new(error))
    }
}
