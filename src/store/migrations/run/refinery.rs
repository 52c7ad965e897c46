//! refinery's traits on our connection: it decides that a file is run and recorded, in one transaction, and how the record
//! looks.

use refinery_core::traits::r#async::{AsyncMigrate, AsyncQuery, AsyncTransaction};
use refinery_core::{Migration, Runner, Target};

use super::super::connection::Conn;
use super::super::error::{MigrationError, Undone};
use super::super::files::File;
use super::super::progress::Action;
use super::super::records;
use super::super::state::Seen;
use super::super::targets::effect;
use super::super::tokens::statements;
use super::Run;
use super::road::{failure, run_statement};

/// Our connection as refinery wants it: what it executes at once is a transaction, or a savepoint in one.
struct Driver<'d, 'r> {
    run: &'d mut Run<'r>,
    /// What refinery has yet to execute, in its order.
    files: std::slice::Iter<'d, File>,
    /// Whether several files are run: each is told of and entered in the report here then.
    tells: bool,
    /// Why refinery gets an error: it cannot carry ours.
    failed: Option<MigrationError>,
}

/// What refinery is told of an error that the driver keeps.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the database refused")]
struct Refused;

impl Driver<'_, '_> {
    /// Runs what refinery wants executed: its history's table, or a file and the record of it.
    async fn run_next(&mut self, queries: &[&str]) -> Result<usize, MigrationError> {
        let file = match (self.files.as_slice().first(), queries) {
            (Some(file), [_history]) => return self.run_all(file, queries).await,
            (Some(file), _) => file,
            (None, _) => return Ok(0),
        };
        self.files.next();
        if !self.tells {
            return self.run_all(file, queries).await;
        }
        if self.run.manner.stop.is_cancelled() {
            return Err(self.run.interrupted());
        }
        let started = self.run.begin(file, Action::Apply);
        let count = self.run_all(file, queries).await?;
        self.run.has_applied(file, started);
        Ok(count)
    }

    async fn run_all(&mut self, file: &File, queries: &[&str]) -> Result<usize, MigrationError> {
        let asking = MigrationError::asking("begin or end a migration");
        let conn = &mut self.run.session.conn;
        if run_at_once(conn, queries).await {
            return Ok(queries.len());
        }
        conn.begin().await.map_err(&asking)?;
        match run_each(conn, file, queries).await {
            Ok(()) => {
                conn.commit().await.map_err(asking)?;
                Ok(queries.len())
            }
            Err(error) => {
                // A broken connection cannot be told anything; the server undoes by itself.
                let _ = conn.rollback().await;
                Err(error)
            }
        }
    }

    /// Keeps the error, and says so.
    fn keep<T>(&mut self, result: Result<T, MigrationError>) -> Result<T, Refused> {
        result.map_err(|error| {
            self.failed = Some(error);
            Refused
        })
    }
}

/// Has SQLite run everything in one go, which takes a fraction of the time that the way there and back takes for each
/// statement. Where that fails nothing is done, and running them one by one tells which statement it was.
async fn run_at_once(conn: &mut Conn, queries: &[&str]) -> bool {
    if conn.is_postgres() || !conn.in_transaction() {
        return false;
    }
    let all = queries.join(";\n");
    let done = conn
        .run(&format!("SAVEPOINT at_once;\n{all};\nRELEASE at_once"))
        .await;
    if done.is_err() {
        // Fails as well where it was the first statement that did.
        let _ = conn.run("ROLLBACK TO at_once; RELEASE at_once").await;
    }
    done.is_ok()
}

async fn run_each(conn: &mut Conn, file: &File, queries: &[&str]) -> Result<(), MigrationError> {
    for statement in queries.iter().flat_map(|query| statements(query)) {
        let records = effect(&statement.tokens).records();
        let ran = run_statement(conn, statement.sql, records).await;
        ran.map_err(|cause| failure(file, &statement, Undone::Migration, cause))?;
    }
    Ok(())
}

impl AsyncTransaction for Driver<'_, '_> {
    type Error = Refused;

    async fn execute<'a, T: Iterator<Item = &'a str> + Send + 'a>(
        &'a mut self,
        queries: T,
    ) -> Result<usize, Refused> {
        let queries: Vec<_> = queries.collect();
        let ran = self.run_next(&queries).await;
        self.keep(ran)
    }
}

impl AsyncQuery<Vec<Migration>> for Driver<'_, '_> {
    /// refinery asks for its history only, in a text of its own; the rows are read the way we read them.
    async fn query<'a>(&'a mut self, _: &'a str) -> Result<Vec<Migration>, Refused> {
        let records = records::read(&mut self.run.session.conn).await;
        self.keep(records.map(|records| records.history))
    }
}

impl AsyncMigrate for Driver<'_, '_> {}

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
        self.drive(std::slice::from_ref(file), false).await
    }

    /// Has refinery run all files up to `last`, one after the other, on an embedded database that is empty and that nobody
    /// else can change: it is looked at once, in the end. Says whether it could.
    pub(in super::super) async fn fill_by_refinery(
        &mut self,
        last: usize,
        seen: &Seen,
    ) -> Result<bool, MigrationError> {
        let set = self.session.set;
        let files = set.files.get(..=last).unwrap_or_default();
        let is_empty = seen.catalog.0.is_empty() && seen.records.history.is_empty();
        if self.session.conn.is_postgres()
            || !is_empty
            || !files.iter().all(File::is_one_transaction)
        {
            return Ok(false);
        }
        self.drive(files, true).await?;
        let seen = self.see(last).await?;
        for at in 0..files.len() {
            self.note_left(at, &seen);
        }
        Ok(true)
    }

    /// Has refinery run `files`, which are next in its own order.
    async fn drive(&mut self, files: &[File], tells: bool) -> Result<(), MigrationError> {
        let Some(last) = files.last() else {
            return Ok(());
        };
        let migrations = self.session.set.migrations();
        let runner = Runner::new(&migrations).set_target(Target::Version(last.version()));
        let mut driver = Driver {
            run: self,
            files: files.iter(),
            tells,
            failed: None,
        };
        let ran = runner.run_async(&mut driver).await;
        ran.map(|_| ()).map_err(|error| {
            let unreadable = || MigrationError::Unreadable {
                migration: last.name(),
                why: error.to_string(),
            };
            driver.failed.take().unwrap_or_else(unreadable)
        })
    }
}
