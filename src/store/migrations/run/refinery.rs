//! refinery's traits on our connection: it decides that a file is run and recorded, in one transaction, and how the record
//! looks.

use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use refinery_core::{Migration, Runner, Target};

use super::super::connection::Conn;
use super::super::error::{MigrationError, Undone};
use super::super::files::File;
use super::super::records;
use super::super::state::Seen;
use super::super::targets::effect;
use super::super::tokens::statements;
use super::Run;
use super::road::{failure, run_statement};

/// Our connection as refinery wants it: what it executes at once is a transaction, or a savepoint in one.
struct Driver<'c> {
    conn: &'c mut Conn,
    file: &'c File,
    /// Why refinery gets an error: it cannot carry ours.
    failed: Option<MigrationError>,
}

/// What refinery is told of an error that the driver keeps.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the database refused")]
struct Refused;

impl Driver<'_> {
    async fn run_all<'a>(
        &mut self,
        queries: impl Iterator<Item = &'a str> + Send,
    ) -> Result<usize, MigrationError> {
        let asking = MigrationError::asking("begin or end a migration");
        let queries: Vec<_> = queries.collect();
        self.conn.begin().await.map_err(&asking)?;
        if self.run_at_once(&queries).await {
            self.conn.commit().await.map_err(asking)?;
            return Ok(queries.len());
        }
        match self.run_each(queries.into_iter()).await {
            Ok(count) => {
                self.conn.commit().await.map_err(asking)?;
                Ok(count)
            }
            Err(error) => {
                // A broken connection cannot be told anything; the server undoes by itself.
                let _ = self.conn.rollback().await;
                Err(error)
            }
        }
    }

    /// Has SQLite run everything in one go, which takes a fraction of the time that the way there and back takes for each
    /// statement. Where that fails nothing is done, and running them one by one tells which statement it was.
    async fn run_at_once(&mut self, queries: &[&str]) -> bool {
        if self.conn.is_postgres() {
            return false;
        }
        if self.conn.begin().await.is_err() {
            return false;
        }
        let ran = self.conn.run(&queries.join(";\n")).await;
        self.conn.end(ran).await.is_ok()
    }

    async fn run_each<'a>(
        &mut self,
        queries: impl Iterator<Item = &'a str> + Send,
    ) -> Result<usize, MigrationError> {
        let mut count = 0;
        for query in queries {
            for statement in statements(query) {
                let records = effect(&statement.tokens).records();
                let ran = run_statement(self.conn, statement.sql, records).await;
                ran.map_err(|cause| failure(self.file, &statement, Undone::Migration, cause))?;
            }
            count += 1;
        }
        Ok(count)
    }

    /// Keeps the error, and says so.
    fn keep<T>(&mut self, result: Result<T, MigrationError>) -> Result<T, Refused> {
        result.map_err(|error| {
            self.failed = Some(error);
            Refused
        })
    }
}

impl AsyncTransaction for Driver<'_> {
    type Error = Refused;

    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, Refused> {
        let ran = self.run_all(queries).await;
        self.keep(ran)
    }
}

impl AsyncQuery<Vec<Migration>> for Driver<'_> {
    /// refinery asks for its history only, in a text of its own; the rows are read the way we read them.
    async fn query<'a>(&'a mut self, _: &'a str) -> Result<Vec<Migration>, Refused> {
        let records = records::read(self.conn).await;
        self.keep(records.map(|records| records.history))
    }
}

impl AsyncMigrate for Driver<'_> {}

impl Run<'_> {
    /// Whether refinery can run `file`: one transaction, next in its own order.
    pub(super) fn refinery_can(&self, file: &File, seen: &Seen) -> bool {
        let version = file.version();
        let files = self.session.set.files.iter().map(File::version);
        let mut earlier = files.take_while(|earlier| *earlier < version);
        file.is_one_transaction()
            && seen.records.last().is_none_or(|last| last < version)
            && earlier.all(|earlier| seen.records.recorded(earlier).is_some())
    }

    /// Has refinery run `file`.
    pub(super) async fn run_by_refinery(&mut self, file: &File) -> Result<(), MigrationError> {
        self.hold_the_lock().await?;
        let migrations = self.session.set.migrations();
        let mut driver = Driver {
            conn: &mut self.session.conn,
            file,
            failed: None,
        };
        let runner = Runner::new(&migrations).set_target(Target::Version(file.version()));
        let ran = runner.run_async(&mut driver).await;
        ran.map(|_| ()).map_err(|error| {
            let unreadable = || MigrationError::Unreadable {
                migration: file.name(),
                why: error.to_string(),
            };
            driver.failed.take().unwrap_or_else(unreadable)
        })
    }
}
