//! Runs migrations on one connection, one after the other.
//!
//! A file of which nothing is there is run by refinery, where that is possible; everything else on a road of our own, which
//! records the same in the same tables: parts outside of transactions, batches, what is missing of a half-applied file.
//! Stops between migrations, parts and batches when asked to.

mod refinery;
mod road;

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use super::choice::Choice;
use super::error::MigrationError;
use super::files::{File, Road};
use super::lock::RunLock;
use super::objects::ObjectKind;
use super::probes::{Finding, Presence, Problem};
use super::progress::{Action, Event, Progress};
use super::records::{self, Sight};
use super::report::{AppliedMigration, MigrationReport, RepairedMigration};
use super::session::Session;
use super::state::Seen;
use super::targets::effect;
use super::tokens::Statement;
use super::up::has_other_text;
use road::Piece;
pub(super) use road::is_over_a_lock;

/// How a run goes about its work.
#[derive(Clone, Debug)]
pub(super) struct Manner {
    /// Everything in one transaction that is undone in the end.
    pub(super) rehearse: bool,
    /// How often what failed over a lock is tried again.
    pub(super) attempts: u32,
    pub(super) stop: CancellationToken,
}

/// A run under way.
pub(super) struct Run<'r> {
    pub(super) session: &'r mut Session,
    /// The lock it holds; none on SQLite, where the transaction is the lock.
    pub(super) lock: Option<RunLock>,
    pub(super) manner: &'r Manner,
    pub(super) progress: &'r dyn Progress,
    pub(super) report: MigrationReport,
}

/// What is to be done with a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    /// All there, not recorded.
    Adopt,
    /// All there and in refinery's history, but not in `archon_migrations`.
    Record,
    /// Nothing there.
    Apply,
    /// Some of it there.
    Repair(Vec<Finding>),
}

/// What to do with migration `at`, as the database stands.
pub(super) fn step(session: &Session, seen: &Seen, at: usize) -> Step {
    let Some(file) = session.set.files.get(at) else {
        return Step::Nothing;
    };
    let chain = seen.chain(session.set);
    let (presence, findings) = chain.judge(at, &seen.catalog);
    let recorded = seen.records.recorded(file.version()).is_some();
    let has_batches = || file.parts().iter().any(|part| part.road == Road::Batched);
    match (recorded, presence) {
        (true, Presence::Absent) | (false, Presence::Absent | Presence::Untraced) => Step::Apply,
        (true, _) if !findings.is_empty() => Step::Repair(findings),
        (true, _) if seen.lacks_archon_record(file) => Step::Record,
        (true, _) => Step::Nothing,
        // That the tables are there does not mean that the rows have been gone through.
        (false, Presence::Present) if !has_batches() => Step::Adopt,
        (false, Presence::Present | Presence::Partial) => Step::Repair(findings),
    }
}

impl Run<'_> {
    /// What was done until now, as the error that says so.
    pub(super) fn interrupted(&self) -> MigrationError {
        MigrationError::Interrupted {
            done: self.report.names(),
        }
    }

    /// Takes one step; what is there afterwards, where that was looked at.
    pub(super) async fn take(
        &mut self,
        at: usize,
        seen: &Seen,
        step: Step,
    ) -> Result<Option<Seen>, MigrationError> {
        let set = self.session.set;
        let Some(file) = set.files.get(at) else {
            return Ok(None);
        };
        let action = match &step {
            Step::Nothing => return Ok(None),
            Step::Record => {
                let entered = records::enter_archon(&mut self.session.conn, file).await;
                entered.map_err(MigrationError::asking("record a migration"))?;
                return Ok(None);
            }
            Step::Adopt => Action::Adopt,
            Step::Apply => Action::Apply,
            Step::Repair(_) => Action::Repair,
        };
        let started = self.begin(file, action);
        match &step {
            Step::Adopt => self.adopt(file).await?,
            Step::Apply if self.refinery_can(file, seen) => {
                self.with_patience(file, Piece::Refinery).await?;
            }
            _ => self.apply_by_road(at, file, seen, action).await?,
        }
        let duration = started.elapsed();
        let seen = self.conclude(at, file, step, duration).await?;
        self.progress.tell(&Event::Finished {
            migration: &file.name(),
            action,
            duration,
        });
        Ok(Some(seen))
    }

    /// Tells that something is done with `file` from now on.
    fn begin(&self, file: &File, action: Action) -> Instant {
        self.progress.tell(&Event::Started {
            migration: &file.name(),
            action,
        });
        Instant::now()
    }

    /// Tells that `file` was applied, and enters it in the report.
    fn has_applied(&mut self, file: &File, started: Instant) {
        let applied = applied(file, started.elapsed());
        self.progress.tell(&Event::Finished {
            migration: &file.name(),
            action: Action::Apply,
            duration: applied.duration,
        });
        self.report.applied.push(applied);
    }

    /// Enters in the report what is not as migration `at` should have left it.
    pub(super) fn note_left(&mut self, at: usize, seen: &Seen) {
        let (_, left) = seen.left_by(self.session.set, at);
        self.report.left.extend(left);
    }

    /// Looks whether everything is there now, and enters the migration in the report.
    async fn conclude(
        &mut self,
        at: usize,
        file: &File,
        step: Step,
        duration: Duration,
    ) -> Result<Seen, MigrationError> {
        let seen = self.see(at).await?;
        if seen.records.archon_sight != Sight::Seen && seen.records.archon_sight != Sight::NoTable {
            self.report.remark(
                "archon_migrations hides its rows from this role (row security, or no right to read): \
                 whether runs are recorded there is not known; what is there was judged by the catalog",
            );
        } else if !seen.records.in_archon(file) {
            self.report.remark(format!(
                "{} is not recorded in archon_migrations: this role may not write there",
                file.record()
            ));
        }
        match step {
            Step::Adopt => self.report.adopted.push(file.name()),
            Step::Repair(missing) => self.report.repaired.push(RepairedMigration {
                version: file.version(),
                name: file.migration.name().to_owned(),
                duration,
                findings: missing,
            }),
            _ => self.report.applied.push(applied(file, duration)),
        }
        self.note_left(at, &seen);
        Ok(seen)
    }

    /// Corrects the record of migration `at` if it is of another text and everything is there; says whether it did.
    pub(super) async fn correct_record(
        &mut self,
        at: usize,
        seen: &Seen,
    ) -> Result<bool, MigrationError> {
        let Some(file) = self
            .session
            .set
            .files
            .get(at)
            .filter(|_| has_other_text(self.session, seen, at))
        else {
            return Ok(false);
        };
        let (_, findings) = seen.chain(self.session.set).judge(at, &seen.catalog);
        if !findings.is_empty() {
            return Ok(false);
        }
        let entered = records::enter(&mut self.session.conn, file).await;
        entered.map_err(MigrationError::asking("correct the record of a migration"))?;
        self.report.remark(format!(
            "{}: everything is there; its record is corrected",
            file.name()
        ));
        Ok(true)
    }

    /// Records what is there.
    async fn adopt(&mut self, file: &File) -> Result<(), MigrationError> {
        let conn = &mut self.session.conn;
        let asking = MigrationError::asking("record a migration");
        conn.begin().await.map_err(&asking)?;
        let entered = async {
            records::enter(conn, file).await?;
            records::enter_archon(conn, file).await
        };
        let entered = entered.await;
        conn.end(entered).await.map_err(asking)?;
        Ok(())
    }

    /// The statements of each part that are to be run, in order.
    fn chosen<'f>(
        &self,
        at: usize,
        file: &'f File,
        seen: &Seen,
        action: Action,
    ) -> Vec<ChosenPart<'f>> {
        let chain = seen.chain(self.session.set);
        let unrecorded = seen.records.recorded(file.version()).is_none();
        let alters = self.session.conn.is_postgres();
        let mut choice = Choice::new(&chain, at, &seen.catalog, unrecorded, alters);
        chosen(file, &mut choice, action)
    }
}

fn applied(file: &File, duration: Duration) -> AppliedMigration {
    AppliedMigration {
        version: file.version(),
        name: file.migration.name().to_owned(),
        duration,
    }
}

/// What is done with the record of a file once its parts ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It is entered.
    Enter,
    /// It is removed.
    Remove,
}

impl Run<'_> {
    /// Does what is to be done with the record of `file`. Before it is entered, the tables and columns have to be there.
    async fn happen(&mut self, after: After, file: &File) -> Result<(), MigrationError> {
        let recording = MigrationError::asking("record a migration");
        if after == After::Remove {
            return records::remove(&mut self.session.conn, file)
                .await
                .map_err(recording);
        }
        let seen = self.session.see().await?;
        let at = self.session.set.place(file.version()).unwrap_or_default();
        let (_, mut findings) = seen.chain(self.session.set).judge(at, &seen.catalog);
        findings.retain(|finding| {
            let carries = matches!(finding.object.kind, ObjectKind::Table | ObjectKind::Column);
            carries && finding.problem == Problem::Missing
        });
        if !findings.is_empty() {
            return Err(MigrationError::Incomplete {
                migration: file.name(),
                findings,
            });
        }
        records::enter(&mut self.session.conn, file)
            .await
            .map_err(recording)
    }
}

/// A part, and what of it is to be run.
pub(super) struct ChosenPart<'f> {
    pub(super) road: Road,
    pub(super) statements: Vec<Statement<'f>>,
    pub(super) total: Option<&'f str>,
}

/// The parts of `file` with the statements that are to be run.
pub(super) fn chosen<'f>(
    file: &'f File,
    choice: &mut Choice<'_>,
    action: Action,
) -> Vec<ChosenPart<'f>> {
    let parts = file.parts();
    // A file that goes through rows in batches begins with finding out what there is left to do: it runs whole.
    let whole = action != Action::Repair || parts.iter().any(|part| part.road == Road::Batched);
    let parts = parts.into_iter();
    parts
        .map(|part| ChosenPart {
            road: part.road,
            total: part.total,
            statements: if whole {
                part.statements
            } else {
                let statements = part.statements.into_iter();
                statements
                    .filter(|s| choice.takes(&effect(&s.tokens)))
                    .collect()
            },
        })
        .collect()
}
