//! Bringing a database up to date, and the two halves of that: recording what is there, and making what is missing.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::copy;
use super::error::{MigrationError, Undone};
use super::lock::RunLock;
use super::probes::Presence;
use super::progress::Progress;
use super::records;
use super::report::MigrationReport;
use super::run::{Manner, Run, Step, step};
use super::session::Session;
use super::state::Seen;
use super::{Migrator, refuse_foreign, refuse_newer};
use crate::store::error::{StoreError, driver_is_transient};

/// How a database is brought up to date.
#[derive(Clone, Debug)]
pub struct UpOptions {
    /// The number of the last migration to apply; all of them if it is none.
    pub to: Option<i32>,
    /// Run everything, and undo it all in the end.
    pub rehearse: bool,
    /// How long to wait for the end of another run.
    pub wait: Option<Duration>,
    /// How long each statement waits for a lock on PostgreSQL, before it is undone and tried again.
    pub lock_timeout: Duration,
    /// Whether the embedded database is copied before it is changed.
    pub copy: bool,
    /// Cancelled to stop at the next safe place.
    pub stop: CancellationToken,
}

impl Default for UpOptions {
    fn default() -> Self {
        Self {
            to: None,
            rehearse: false,
            wait: None,
            lock_timeout: Duration::from_secs(3),
            copy: true,
            stop: CancellationToken::new(),
        }
    }
}

/// How often what failed over a lock is tried.
const ATTEMPTS: u32 = 5;

/// Which migrations a run is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Whatever is to be done.
    Up,
    /// Those that are there and not recorded.
    Adopt,
    /// Those that are there in part, or recorded and not there.
    Repair,
}

impl Task {
    /// Whether a step belongs to the task.
    pub(super) fn has(self, step: &Step, is_recorded: bool) -> bool {
        match (self, step) {
            (_, Step::Nothing) => false,
            (Self::Up, _)
            | (Self::Adopt, Step::Adopt | Step::Record)
            | (Self::Repair, Step::Repair(_)) => true,
            (Self::Repair, Step::Apply) => is_recorded,
            _ => false,
        }
    }
}

impl Migrator {
    /// Brings the schema up to date: applies what is pending, records what was made by hand, makes what is missing of
    /// migrations that are there in part.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`] and [`StoreError::SchemaChanged`] where the database and this binary do not belong
    /// together; [`StoreError::Migrate`] for everything else that keeps a migration from being done, with what is
    /// undone of it.
    pub async fn up(
        &self,
        options: &UpOptions,
        progress: &dyn Progress,
    ) -> Result<MigrationReport, StoreError> {
        self.work(Task::Up, options, progress).await
    }

    /// Records the migrations that are there and not recorded. Those that are there in part are left alone and listed
    /// ([`MigrationReport::left`]).
    ///
    /// # Errors
    /// As [`Self::up`].
    pub async fn adopt(
        &self,
        options: &UpOptions,
        progress: &dyn Progress,
    ) -> Result<MigrationReport, StoreError> {
        self.work(Task::Adopt, options, progress).await
    }

    /// Makes what is missing of migrations that are there in part, or are recorded and not there, and corrects records
    /// of another text than this binary's.
    ///
    /// # Errors
    /// As [`Self::up`], without [`StoreError::SchemaChanged`].
    pub async fn repair(
        &self,
        options: &UpOptions,
        progress: &dyn Progress,
    ) -> Result<MigrationReport, StoreError> {
        self.work(Task::Repair, options, progress).await
    }

    async fn work(
        &self,
        task: Task,
        options: &UpOptions,
        progress: &dyn Progress,
    ) -> Result<MigrationReport, StoreError> {
        let mut session = self.access.look().await?;
        let last = session.last(options.to)?;
        let seen = match session.see().await {
            // The run itself looks again, with the patience that it was given, and once it is told who else is at work.
            Err(MigrationError::Unseen { .. }) => None,
            seen => Some(seen?),
        };
        if let Some(seen) = seen {
            refuse(task, &session, &seen)?;
            if is_done(task, &session, &seen, last) {
                let mut report = MigrationReport::default();
                list_partial(task, &session, &seen, last, &mut report);
                session.close().await;
                return Ok(report);
            }
        }
        let due = |session: &Session, seen: &Seen| !is_done(task, session, seen, last);
        let work = async |run: &mut Run<'_>| work_on(task, run, last).await;
        self.alone(session, options, progress, due, work).await
    }

    /// Does `work` as the only run on this database, on the connection of `session`. An embedded one is copied before, if
    /// work is still `due` by then.
    pub(super) async fn alone(
        &self,
        mut session: Session,
        options: &UpOptions,
        progress: &dyn Progress,
        due: impl Fn(&Session, &Seen) -> bool,
        work: impl AsyncFnOnce(&mut Run<'_>) -> Result<(), StoreError>,
    ) -> Result<MigrationReport, StoreError> {
        session.prepare(options.lock_timeout).await?;
        self.remember(&mut session).await?;
        let worked = self
            .locked(options, progress, &mut session, due, work)
            .await;
        session.close().await;
        worked
    }

    async fn locked(
        &self,
        options: &UpOptions,
        progress: &dyn Progress,
        session: &mut Session,
        due: impl Fn(&Session, &Seen) -> bool,
        work: impl AsyncFnOnce(&mut Run<'_>) -> Result<(), StoreError>,
    ) -> Result<MigrationReport, StoreError> {
        let lock = self.lock(options, progress, session).await?;
        let mut report = MigrationReport {
            rehearsed: options.rehearse,
            ..MigrationReport::default()
        };
        if let (Some(file), true) = (self.access.file(), options.copy && !options.rehearse) {
            // Somebody else may have done everything while this one waited.
            let has_data = copy::has_data(&mut session.conn).await?;
            let seen = if has_data {
                Some(session.see().await?)
            } else {
                None
            };
            if seen.is_some_and(|seen| due(session, &seen)) {
                let (copy, removed) = copy::before_change(file, progress).await?;
                (report.copy, report.removed_copies) = (Some(copy), removed);
            }
        }
        let manner = Manner {
            rehearse: options.rehearse,
            attempts: ATTEMPTS,
            stop: options.stop.clone(),
        };
        // On SQLite the transaction that is the lock holds everything already.
        if options.rehearse && lock.is_some() {
            session
                .conn
                .begin()
                .await
                .map_err(MigrationError::asking("begin a rehearsal"))?;
        }
        let mut run = Run {
            session,
            lock,
            manner: &manner,
            progress,
            report,
        };
        let worked = work(&mut run).await;
        let report = std::mem::take(&mut run.report);
        let stopped = matches!(
            worked,
            Err(StoreError::Migrate(MigrationError::Interrupted { .. }))
        );
        if session.conn.in_transaction() {
            let keep = !options.rehearse && (worked.is_ok() || stopped);
            let ended = if keep {
                session.conn.commit().await
            } else {
                session.conn.rollback().await
            };
            if keep {
                ended.map_err(MigrationError::asking("commit the run of migrations"))?;
            }
        }
        if let Some(lock) = lock {
            // The end of the connection lets it go as well.
            let _ = lock.release(&mut session.conn).await;
        }
        let whole = options.rehearse || lock.is_none();
        worked.map_err(|error| if whole { all_undone(error) } else { error })?;
        Ok(report)
    }

    /// Makes sure that this run is the only one.
    async fn lock(
        &self,
        options: &UpOptions,
        progress: &dyn Progress,
        session: &mut Session,
    ) -> Result<Option<RunLock>, StoreError> {
        let patience = options.wait.unwrap_or_default();
        let Some(schema) = session.schema.clone() else {
            begin_alone(session, patience, &options.stop).await?;
            return Ok(None);
        };
        self.access.refuse_pooler(&mut session.conn).await?;
        let asking = MigrationError::asking("tell its name");
        let database = session
            .conn
            .value("SELECT current_database()")
            .await
            .map_err(asking)?;
        let lock = RunLock::of(&database.unwrap_or_default(), &schema);
        lock.take(&mut session.conn, patience, &options.stop, progress)
            .await?;
        Ok(Some(lock))
    }
}

impl Migrator {
    /// Remembers which process of the server works for this run.
    async fn remember(&self, session: &mut Session) -> Result<(), MigrationError> {
        if session.conn.is_postgres() {
            let asked = session.conn.value("SELECT pg_backend_pid()").await;
            let pid = asked.map_err(MigrationError::asking("tell which process works for us"))?;
            let pid = pid.and_then(|pid| pid.parse().ok()).unwrap_or_default();
            self.backend.store(pid, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Ends the statement that a run of this migrator is waiting for on the server: for whoever does not wait for the run
    /// to stop by itself. A server does not notice by itself that nobody waits for its answer any more.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn cancel(&self) -> Result<(), StoreError> {
        let pid = self.backend.load(Ordering::Relaxed);
        if pid != 0 {
            let mut conn = self.access.connect().await?;
            let cancelled = conn.run(&format!("SELECT pg_cancel_backend({pid})")).await;
            cancelled.map_err(MigrationError::asking("cancel a statement"))?;
        }
        Ok(())
    }
}

/// Starts the one transaction of a run on SQLite. SQLite itself waits a while; `patience` goes on top.
async fn begin_alone(
    session: &mut Session,
    patience: Duration,
    stop: &CancellationToken,
) -> Result<(), MigrationError> {
    let until = Instant::now() + patience;
    loop {
        let error = match session.conn.begin().await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        if !driver_is_transient(&error) {
            return Err(MigrationError::asking("begin a run of migrations")(error));
        }
        if Instant::now() >= until {
            return Err(MigrationError::Locked {
                holders: Vec::new(),
            });
        }
        if stop.is_cancelled() {
            return Err(MigrationError::Interrupted { done: Vec::new() });
        }
    }
}

async fn work_on(task: Task, run: &mut Run<'_>, last: usize) -> Result<(), StoreError> {
    if let Some(schema) = run.session.make_schema().await? {
        run.report.remark(format!("made the schema {schema}"));
    }
    let made = records::make_history(&mut run.session.conn).await;
    made.map_err(MigrationError::asking("make the history of migrations"))?;
    let mut seen = run.see(0).await?;
    refuse(task, run.session, &seen)?;
    if task == Task::Up && run.fill_by_refinery(last, &seen).await? {
        return Ok(());
    }
    for at in 0..=last {
        if run.manner.stop.is_cancelled() {
            return Err(run.interrupted().into());
        }
        let (step, recorded) = recorded_step(run.session, &seen, at);
        if task.has(&step, recorded) {
            seen = match run.take(at, &seen, step).await? {
                Some(seen) => seen,
                None => run.see(at).await?,
            };
        }
        if task == Task::Repair && run.correct_record(at, &seen).await? {
            seen = run.see(at).await?;
        }
    }
    if task == Task::Adopt {
        list_partial(task, run.session, &seen, last, &mut run.report);
    }
    Ok(())
}

pub(super) fn recorded_step(session: &Session, seen: &Seen, at: usize) -> (Step, bool) {
    let version = session.set.files.get(at).map(super::files::File::version);
    let recorded = version.is_some_and(|version| seen.records.recorded(version).is_some());
    (step(session, seen, at), recorded)
}

pub(super) fn refuse(task: Task, session: &Session, seen: &Seen) -> Result<(), StoreError> {
    let states = seen.assess(session.set);
    match task {
        Task::Repair => refuse_newer(&states),
        Task::Up | Task::Adopt => refuse_foreign(&states),
    }
}

/// Whether nothing is to be done for the task.
fn is_done(task: Task, session: &Session, seen: &Seen, last: usize) -> bool {
    (0..=last).all(|at| {
        let (step, recorded) = recorded_step(session, seen, at);
        let rewrites = task == Task::Repair && has_other_text(session, seen, at);
        !(rewrites || task.has(&step, recorded))
    })
}

/// Whether the record of migration `at` is of another text than this binary's.
pub(super) fn has_other_text(session: &Session, seen: &Seen, at: usize) -> bool {
    session.set.files.get(at).is_some_and(|file| {
        let row = seen.records.recorded(file.version());
        row.is_some_and(|row| *row != file.migration)
    })
}

/// What adopting does not adopt, for the report.
fn list_partial(
    task: Task,
    session: &Session,
    seen: &Seen,
    last: usize,
    report: &mut MigrationReport,
) {
    if task != Task::Adopt {
        return;
    }
    for at in 0..=last {
        let (presence, left) = seen.left_by(session.set, at);
        if presence == Presence::Partial {
            report.left.extend(left);
        }
    }
}

/// Says of a failure that the whole run is undone.
fn all_undone(error: StoreError) -> StoreError {
    match error {
        StoreError::Migrate(MigrationError::Failed(mut failure)) => {
            failure.undone = Undone::Run;
            StoreError::Migrate(MigrationError::Failed(failure))
        }
        other => other,
    }
}
