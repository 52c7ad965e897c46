//! The road of our own: parts in and outside of transactions, batches, and what is missing of a file.

use std::sync::Arc;
use std::time::Duration;

use super::super::connection::Conn;
use super::super::error::{Failure, Holder, MigrationError, Undone};
use super::super::files::{File, Road};
use super::super::lock;
use super::super::objects::{ObjectKind, ObjectName};
use super::super::progress::{Action, Event};
use super::super::records::{self, has_code, is_forbidden};
use super::super::state::Seen;
use super::super::targets::effect;
use super::super::tokens::{Statement, identifier, literal, tokens};
use super::{After, ChosenPart, Run};

/// How long the first pause after a lock that was not to be had; each further one is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// What `CREATE INDEX CONCURRENTLY` waits for are transactions that began before it. It holds nobody up meanwhile.
const CONCURRENT_PATIENCE: &str = "SET lock_timeout TO '10min'";

impl Run<'_> {
    /// Runs the parts of `file`, or what is missing of them, and records it.
    pub(super) async fn apply_by_road(
        &mut self,
        at: usize,
        file: &File,
        seen: &Seen,
        action: Action,
    ) -> Result<(), MigrationError> {
        let parts = self.chosen(at, file, seen, action);
        self.run_parts(file, &parts, After::Enter).await
    }

    /// Runs `parts`, and sees to the record in the transaction of the last of them.
    pub(in super::super) async fn run_parts(
        &mut self,
        file: &File,
        parts: &[ChosenPart<'_>],
        after: After,
    ) -> Result<(), MigrationError> {
        let mut recorded = false;
        for (place, part) in parts.iter().enumerate() {
            if place > 0 && self.manner.stop.is_cancelled() {
                return Err(self.interrupted());
            }
            match part.road {
                Road::Transaction => {
                    recorded = place + 1 == parts.len();
                    let after = recorded.then_some(after);
                    self.with_patience(file, Piece::Whole(part, after)).await?;
                }
                Road::NoTransaction if self.manner.rehearse => {
                    self.report.remark(format!(
                        "{}: rehearsed without CONCURRENTLY, which does not work in a transaction",
                        file.name()
                    ));
                    self.with_patience(file, Piece::Whole(part, None)).await?;
                }
                Road::NoTransaction => {
                    for statement in &part.statements {
                        if self.manner.stop.is_cancelled() {
                            return Err(self.interrupted());
                        }
                        self.with_patience(file, Piece::Alone(statement)).await?;
                    }
                }
                Road::Batched => self.batches(file, part).await?,
            }
        }
        if !recorded {
            self.with_patience(file, Piece::Record(after)).await?;
        }
        Ok(())
    }

    /// Repeats the statement of a batched part until it has nothing left to do.
    async fn batches(&mut self, file: &File, part: &ChosenPart<'_>) -> Result<(), MigrationError> {
        let name = file.name();
        let mut total = None;
        if let Some(query) = part.total {
            let asked = self.session.conn.value(query).await;
            let asked = asked.map_err(MigrationError::asking("tell how much there is to do"))?;
            total = asked.and_then(|total| total.parse().ok());
        }
        for statement in &part.statements {
            let mut done = 0;
            loop {
                let piece = self.with_patience(file, Piece::Batch(statement)).await?;
                if piece == 0 {
                    break;
                }
                done += piece;
                self.progress.tell(&Event::Advanced {
                    migration: &name,
                    done,
                    total,
                });
                if self.manner.stop.is_cancelled() {
                    return Err(self.interrupted());
                }
            }
        }
        Ok(())
    }

    /// Runs a piece, again if a lock was not to be had. The number a batch returns.
    pub(super) async fn with_patience(
        &mut self,
        file: &File,
        piece: Piece<'_, '_>,
    ) -> Result<u64, MigrationError> {
        let mut waits = Waits::new();
        loop {
            let error = match self.run_piece(file, piece).await {
                Ok(number) => return Ok(number),
                Err(error) => error,
            };
            if !is_over_a_lock(&error) {
                return Err(error);
            }
            let holders = self.in_the_way().await;
            waits.on(self, file.name(), holders).await?;
        }
    }

    /// Everything that is recorded and there when migration `at` is next; looks again if somebody has locked a table.
    pub(in super::super) async fn see(&mut self, at: usize) -> Result<Seen, MigrationError> {
        let mut waits = Waits::new();
        loop {
            let holders = match self.session.see().await {
                Err(MigrationError::Unseen { holders }) => holders,
                seen => return seen,
            };
            // Which is next is a guess: what is there cannot be told.
            let recorded = records::read(&mut self.session.conn).await.ok();
            let is_due = |file: &&File| {
                let records = recorded.as_ref();
                records.is_none_or(|records| records.recorded(file.version()).is_none())
            };
            let files = self.session.set.files.iter().skip(at);
            let next = files.clone().find(is_due).or(files.last());
            waits
                .on(self, next.map(File::name).unwrap_or_default(), holders)
                .await?;
        }
    }

    /// Whoever may hold the lock that was not to be had; nobody if that cannot be told.
    pub(super) async fn in_the_way(&mut self) -> Vec<Holder> {
        let tables = &self.session.set.names.tables;
        let found = lock::in_the_way(&mut self.session.conn, tables).await;
        found.unwrap_or_default()
    }

    async fn run_piece(
        &mut self,
        file: &File,
        piece: Piece<'_, '_>,
    ) -> Result<u64, MigrationError> {
        match piece {
            Piece::Alone(statement) => return self.alone(file, statement).await.map(|()| 0),
            Piece::Refinery => return self.run_by_refinery(file).await.map(|()| 0),
            Piece::Whole(..) | Piece::Batch(_) | Piece::Record(_) => {}
        }
        let begun = self.session.conn.begin().await;
        begun.map_err(MigrationError::asking("begin a transaction"))?;
        let done = self.in_transaction(file, piece).await;
        match done {
            Ok(number) => {
                let committed = self.session.conn.commit().await;
                committed.map_err(MigrationError::asking("commit a migration"))?;
                Ok(number)
            }
            Err(error) => {
                // A broken connection cannot be told anything; the server undoes by itself.
                let _ = self.session.conn.rollback().await;
                Err(error)
            }
        }
    }

    async fn in_transaction(
        &mut self,
        file: &File,
        piece: Piece<'_, '_>,
    ) -> Result<u64, MigrationError> {
        self.hold_the_lock().await?;
        let conn = &mut self.session.conn;
        match piece {
            Piece::Batch(statement) => {
                let value = conn.value(statement.sql).await;
                let value =
                    value.map_err(|cause| failure(file, statement, Undone::Migration, cause))?;
                Ok(value
                    .and_then(|number| number.parse().ok())
                    .unwrap_or_default())
            }
            Piece::Whole(part, after) => {
                for statement in &part.statements {
                    let sql = match part.road {
                        Road::NoTransaction => not_concurrently(statement.sql),
                        _ => statement.sql.to_owned(),
                    };
                    let ran = run_statement(conn, &sql, effect(&statement.tokens).records()).await;
                    ran.map_err(|cause| failure(file, statement, Undone::Migration, cause))?;
                }
                if let Some(after) = after {
                    self.happen(after, file).await?;
                }
                Ok(0)
            }
            Piece::Record(after) => self.happen(after, file).await.map(|()| 0),
            Piece::Alone(_) | Piece::Refinery => Ok(0),
        }
    }

    /// Makes sure that the lock is held by the connection that is about to change something.
    pub(super) async fn hold_the_lock(&mut self) -> Result<(), MigrationError> {
        let Some(lock) = self.lock else {
            return Ok(());
        };
        let held = lock.is_held(&mut self.session.conn).await;
        if held.map_err(MigrationError::asking("look after its lock"))? {
            Ok(())
        } else {
            Err(MigrationError::Pooler {
                pooler: "something that changes connections between statements".to_owned(),
            })
        }
    }

    /// Runs a statement outside of transactions. An index that was begun and not finished is removed before it is made
    /// anew: `IF NOT EXISTS` would be content with it.
    async fn alone(
        &mut self,
        file: &File,
        statement: &Statement<'_>,
    ) -> Result<(), MigrationError> {
        self.hold_the_lock().await?;
        let conn = &mut self.session.conn;
        let asking = MigrationError::asking("change how long locks are waited for");
        let patience = conn
            .value("SHOW lock_timeout")
            .await
            .map_err(&asking)?
            .unwrap_or_default();
        conn.run(CONCURRENT_PATIENCE).await.map_err(&asking)?;
        let made = effect(&statement.tokens).makes;
        let index = made.iter().find(|made| made.kind == ObjectKind::Index);
        let mut ran = match index {
            Some(index) => remove_leftover(conn, index).await,
            None => Ok(()),
        };
        if ran.is_ok() {
            let records = effect(&statement.tokens).records();
            ran = run_statement(conn, statement.sql, records).await;
        }
        if let (Err(_), Some(index)) = (&ran, index) {
            // The next run would do it too.
            let _ = remove_leftover(conn, index).await;
        }
        let back = format!("SET lock_timeout TO {}", literal(&patience));
        conn.run(&back).await.map_err(asking)?;
        ran.map_err(|cause| failure(file, statement, Undone::Nothing, cause))
    }
}

/// What was tried for want of a lock.
struct Waits {
    attempts: u32,
    pause: Duration,
}

impl Waits {
    const fn new() -> Self {
        Self {
            attempts: 0,
            pause: FIRST_PAUSE,
        }
    }

    /// Waits until `migration` is to be tried again.
    ///
    /// # Errors
    /// [`MigrationError::Blocked`] after the last time; [`MigrationError::Interrupted`] when asked to stop.
    async fn on(
        &mut self,
        run: &Run<'_>,
        migration: String,
        holders: Vec<Holder>,
    ) -> Result<(), MigrationError> {
        self.attempts += 1;
        if self.attempts >= run.manner.attempts {
            return Err(MigrationError::Blocked { migration, holders });
        }
        run.progress.tell(&Event::Retrying {
            migration: &migration,
            after: self.pause,
            holders: &holders,
        });
        tokio::select! {
            () = tokio::time::sleep(self.pause) => {}
            () = run.manner.stop.cancelled() => return Err(run.interrupted()),
        }
        self.pause *= 2;
        Ok(())
    }
}

/// What is run, and tried again, as one.
#[derive(Clone, Copy)]
pub(super) enum Piece<'p, 't> {
    /// The whole file, by refinery.
    Refinery,
    /// All statements of a part in one transaction, and in the last one the record.
    Whole(&'p ChosenPart<'t>, Option<After>),
    /// The record alone.
    Record(After),
    /// One statement in a transaction; it returns a number.
    Batch(&'p Statement<'t>),
    /// One statement outside of transactions.
    Alone(&'p Statement<'t>),
}

/// Runs one statement. One that records in `archon_migrations` may be forbidden: that is told later.
pub(super) async fn run_statement(
    conn: &mut Conn,
    sql: &str,
    records: bool,
) -> Result<(), sqlx::Error> {
    if !records {
        return conn.run(sql).await.map(|_| ());
    }
    // In a transaction, one that is refused must not undo the others.
    let nested = conn.in_transaction();
    if nested {
        conn.begin().await?;
    }
    let mut ran = conn.run(sql).await;
    if nested {
        ran = conn.end(ran).await;
    }
    match ran {
        Err(error) if is_forbidden(&error) => Ok(()),
        other => other.map(|_| ()),
    }
}

/// Drops `index` if it is not valid and nobody is building it.
async fn remove_leftover(conn: &mut Conn, index: &ObjectName) -> Result<(), sqlx::Error> {
    let sql = format!(
        "SELECT 1 FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
         WHERE c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema()) AND c.relname = {} AND NOT (x.indisvalid AND x.indisready)
            AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = x.indexrelid)",
        literal(&index.name)
    );
    if conn.value(&sql).await?.is_some() {
        let name = identifier(&index.name);
        conn.run(&format!("DROP INDEX CONCURRENTLY IF EXISTS {name}"))
            .await?;
    }
    Ok(())
}

/// The statement without the word that keeps it out of transactions.
fn not_concurrently(sql: &str) -> String {
    let found = tokens(sql)
        .into_iter()
        .find(|placed| placed.token.is("CONCURRENTLY"));
    match found {
        Some(placed) => format!("{}{}", &sql[..placed.place.start], &sql[placed.place.end..]),
        None => sql.to_owned(),
    }
}

/// The error that says which statement the database refused.
pub(super) fn failure(
    file: &File,
    statement: &Statement<'_>,
    undone: Undone,
    cause: sqlx::Error,
) -> MigrationError {
    MigrationError::Failed(Box::new(Failure {
        migration: file.name(),
        line: statement.line,
        statement: statement
            .sql
            .lines()
            .next()
            .unwrap_or_default()
            .trim_end()
            .to_owned(),
        undone,
        cause: Arc::new(cause),
    }))
}

/// Whether it failed over a lock: not to be had in time, a deadlock, or two that changed the same.
pub(in super::super) fn is_over_a_lock(error: &MigrationError) -> bool {
    let codes = ["55P03", "40P01", "40001"];
    matches!(error, MigrationError::Unseen { .. })
        || error
            .cause()
            .is_some_and(|cause| codes.iter().any(|code| has_code(cause, code)))
}
