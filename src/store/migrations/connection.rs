//! The one connection a run of migrations works on, for either database.
//!
//! Statements go as plain text without parameters: they are files, or made here of quoted names. So they also pass through
//! poolers that know no prepared statements. Knows transactions and savepoints; knows no table.

use sqlx::{AssertSqlSafe, PgConnection, Row as _, SqliteConnection};

use super::tokens::literal;

/// A connection of this run's own.
#[derive(Debug)]
pub(super) struct Conn {
    link: Link,
    /// Transactions that are open: one, and savepoints in it.
    depth: u32,
}

#[derive(Debug)]
enum Link {
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
    let names = names.into_iter();
    let mut quoted: Vec<_> = names.map(|name| literal(name.as_ref())).collect();
    if quoted.is_empty() {
        quoted.push("NULL".to_owned());
    }
    quoted.join(", ")
}

impl Conn {
    pub(super) const fn sqlite(conn: SqliteConnection) -> Self {
        Self {
            link: Link::Sqlite(conn),
            depth: 0,
        }
    }

    pub(super) const fn postgres(conn: PgConnection) -> Self {
        Self {
            link: Link::Postgres(conn),
            depth: 0,
        }
    }

    pub(super) const fn is_postgres(&self) -> bool {
        matches!(self.link, Link::Postgres(_))
    }

    pub(super) const fn in_transaction(&self) -> bool {
        self.depth > 0
    }

    /// Runs one statement, or several; the number of rows that were touched.
    pub(super) async fn run(&mut self, sql: &str) -> Result<u64, sqlx::Error> {
        // Safe: the texts are files of this binary, or made of constants and quoted names.
        let query = sqlx::raw_sql(AssertSqlSafe(sql));
        match &mut self.link {
            Link::Sqlite(conn) => Ok(query.execute(conn).await?.rows_affected()),
            Link::Postgres(conn) => Ok(query.execute(conn).await?.rows_affected()),
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
        match &mut self.link {
            Link::Sqlite(conn) => fetched!(conn),
            Link::Postgres(conn) => fetched!(conn),
        }
    }

    /// The first text a query gives.
    pub(super) async fn value(&mut self, sql: &str) -> Result<Option<String>, sqlx::Error> {
        let rows = self.rows(sql).await?;
        Ok(rows
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next().flatten()))
    }

    /// Starts a transaction, or a savepoint in one. SQLite takes the right to write at once.
    pub(super) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        let begin = match (self.depth, self.is_postgres()) {
            (0, true) => "BEGIN".to_owned(),
            (0, false) => "BEGIN IMMEDIATE".to_owned(),
            (depth, _) => format!("SAVEPOINT archonctl_{depth}"),
        };
        self.begin_with(&begin).await
    }

    /// Starts a transaction with a statement of the caller's.
    pub(super) async fn begin_with(&mut self, begin: &str) -> Result<(), sqlx::Error> {
        self.run(begin).await?;
        self.depth += 1;
        Ok(())
    }

    /// Makes what was done since [`Self::begin`] last, as far as what is around it lasts.
    pub(super) async fn commit(&mut self) -> Result<(), sqlx::Error> {
        let end = match self.depth {
            0 => return Ok(()),
            1 => "COMMIT".to_owned(),
            depth => format!("RELEASE SAVEPOINT archonctl_{}", depth - 1),
        };
        self.run(&end).await?;
        self.depth -= 1;
        Ok(())
    }

    /// Undoes what was done since [`Self::begin`].
    pub(super) async fn rollback(&mut self) -> Result<(), sqlx::Error> {
        let end = match self.depth {
            0 => return Ok(()),
            1 => "ROLLBACK".to_owned(),
            depth => {
                let name = format!("archonctl_{}", depth - 1);
                format!("ROLLBACK TO SAVEPOINT {name}; RELEASE SAVEPOINT {name}")
            }
        };
        self.depth -= 1;
        self.run(&end).await?;
        Ok(())
    }

    /// Commits what came out well, undoes what did not.
    pub(super) async fn end<T, E: From<sqlx::Error>>(
        &mut self,
        result: Result<T, E>,
    ) -> Result<T, E> {
        match result {
            Ok(value) => {
                self.commit().await?;
                Ok(value)
            }
            Err(error) => {
                // A broken connection cannot be told anything; the server undoes by itself.
                let _ = self.rollback().await;
                Err(error)
            }
        }
    }

    /// Closes the connection in good order; what was not committed is undone.
    pub(super) async fn close(self) -> Result<(), sqlx::Error> {
        use sqlx::Connection as _;
        match self.link {
            Link::Sqlite(conn) => conn.close().await,
            Link::Postgres(conn) => conn.close().await,
        }
    }
}
