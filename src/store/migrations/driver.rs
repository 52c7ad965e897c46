//! refinery's traits on sqlx's connection. Runs what refinery says, inside the transaction it is given; decides nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use refinery_core::Migration;
use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use sqlx::{AssertSqlSafe, Connection, SqliteConnection};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A connection as refinery wants it. Each call of `execute` is a savepoint in the transaction around the run.
pub(super) struct Lite<'c> {
    pub(super) conn: &'c mut SqliteConnection,
    /// How long each migration took: refinery passes one together with the statement that records it.
    pub(super) durations: Vec<Duration>,
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

impl AsyncTransaction for Lite<'_> {
    type Error = DriverError;

    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, DriverError> {
        let started = Instant::now();
        let mut savepoint = self.conn.begin().await?;
        let mut statements = 0;
        for query in queries {
            // Safe: texts of this binary, and refinery's own bookkeeping.
            sqlx::raw_sql(AssertSqlSafe(query))
                .execute(&mut *savepoint)
                .await?;
            statements += 1;
        }
        savepoint.commit().await?;
        if statements > 1 {
            self.durations.push(started.elapsed());
        }
        Ok(statements)
    }
}

impl AsyncQuery<Vec<Migration>> for Lite<'_> {
    async fn query<'a>(&'a mut self, query: &'a str) -> Result<Vec<Migration>, DriverError> {
        let rows: Vec<HistoryRow> = sqlx::query_as(AssertSqlSafe(query))
            .fetch_all(&mut *self.conn)
            .await?;
        let migrations = rows.into_iter().map(HistoryRow::into_migration);
        Ok(migrations.collect::<Result<_, sqlx::Error>>()?)
    }
}

impl AsyncMigrate for Lite<'_> {}

/// A row of refinery's history.
#[derive(sqlx::FromRow)]
pub(super) struct HistoryRow {
    version: i32,
    name: String,
    applied_on: String,
    checksum: String,
}

impl HistoryRow {
    pub(super) fn into_migration(self) -> Result<Migration, sqlx::Error> {
        let applied_on = OffsetDateTime::parse(&self.applied_on, &Rfc3339)
            .map_err(|error| sqlx::Error::Decode(error.into()))?;
        let checksum = self
            .checksum
            .parse()
            .map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
        Ok(Migration::applied(
            self.version,
            self.name,
            applied_on,
            checksum,
        ))
    }
}
