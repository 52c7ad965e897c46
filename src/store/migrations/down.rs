//! Undoing migrations, with the scripts that are written down for it.

use std::time::Instant;

use serde::Serialize;

use super::Migrator;
use super::error::MigrationError;
use super::files::{File, Road, drops_data, parts};
use super::plan::{PlannedMigration, PlannedPart};
use super::progress::{Action, Event, Progress};
use super::report::{AppliedMigration, MigrationReport};
use super::run::{After, ChosenPart, Run};
use super::session::Session;
use super::state::Seen;
use super::up::UpOptions;
use crate::store::error::StoreError;

/// How migrations are undone.
#[derive(Clone, Debug, Default)]
pub struct DownOptions {
    /// The number of the last migration that stays; 0 keeps none. Without it only the last one is undone.
    pub to: Option<i32>,
    /// Whether data may be lost.
    pub confirm: bool,
    /// How the run goes about it; how far up it goes is not asked.
    pub run: UpOptions,
}

/// What undoing would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DownPlan {
    /// The migrations that would be undone, the last one first.
    pub migrations: Vec<PlannedMigration>,
    /// Whether rows or columns would be lost.
    pub drops_data: bool,
    /// Rows there are in our tables.
    pub rows: Vec<(String, u64)>,
}

impl Migrator {
    /// What [`Migrator::down`] would do.
    ///
    /// # Errors
    /// When the database does not answer, there is no such migration, or one has no script.
    pub async fn plan_down(&self, to: Option<i32>) -> Result<DownPlan, StoreError> {
        let mut session = self.access.look().await?;
        let seen = session.see().await?;
        let files = to_undo(&session, &seen, to)?;
        let drops = files
            .iter()
            .any(|file| drops_data(file.down.as_deref().unwrap_or_default()));
        let plan = DownPlan {
            migrations: files.iter().map(|file| planned(file)).collect(),
            drops_data: drops,
            rows: rows(&mut session, &seen).await?,
        };
        session.close().await;
        Ok(plan)
    }

    /// Undoes the last migrations, the last one first, and takes them out of the records.
    ///
    /// # Errors
    /// As [`Migrator::up`]; [`MigrationError::NoWayDown`] without a script, [`MigrationError::DropsData`] where data would
    /// be lost and nobody confirmed that.
    pub async fn down(
        &self,
        options: &DownOptions,
        progress: &dyn Progress,
    ) -> Result<MigrationReport, StoreError> {
        let plan = self.plan_down(options.to).await?;
        if plan.drops_data && !options.confirm {
            return Err(MigrationError::DropsData {
                migrations: plan
                    .migrations
                    .iter()
                    .map(PlannedMigration::file_name)
                    .collect(),
                rows: plan.rows,
            }
            .into());
        }
        let session = self.access.look().await?;
        self.alone(
            session,
            &options.run,
            progress,
            |_, _| true,
            async |run: &mut Run<'_>| {
                let seen = run.see(0).await?;
                for file in to_undo(run.session, &seen, options.to)? {
                    if run.manner.stop.is_cancelled() {
                        return Err(run.interrupted().into());
                    }
                    undo(run, file).await?;
                }
                Ok(())
            },
        )
        .await
    }
}

async fn undo(run: &mut Run<'_>, file: &'static File) -> Result<(), MigrationError> {
    let name = file.name();
    let started = Instant::now();
    run.progress.tell(&Event::Started {
        migration: &name,
        action: Action::Undo,
    });
    let parts = parts(file.down.as_deref().unwrap_or_default()).into_iter();
    let parts: Vec<_> = parts
        .map(|part| ChosenPart {
            road: part.road,
            statements: part.statements,
            total: part.total,
        })
        .collect();
    run.run_parts(file, &parts, After::Remove).await?;
    let duration = started.elapsed();
    run.report.undone.push(AppliedMigration {
        version: file.version(),
        name: file.migration.name().to_owned(),
        duration,
    });
    run.progress.tell(&Event::Finished {
        migration: &name,
        action: Action::Undo,
        duration,
    });
    Ok(())
}

/// The recorded migrations after `to`, the last one first.
fn to_undo(
    session: &Session,
    seen: &Seen,
    to: Option<i32>,
) -> Result<Vec<&'static File>, MigrationError> {
    let set = session.set;
    if let Some(version) = to.filter(|version| *version != 0 && set.place(*version).is_none()) {
        session.last(Some(version))?;
    }
    let recorded = set
        .files
        .iter()
        .filter(|file| seen.records.recorded(file.version()).is_some());
    let recorded: Vec<_> = recorded.rev().collect();
    let files: Vec<_> = match to {
        Some(to) => recorded
            .into_iter()
            .take_while(|file| file.version() > to)
            .collect(),
        None => recorded.into_iter().take(1).collect(),
    };
    let lacking = files.iter().filter(|file| file.down.is_none());
    let lacking: Vec<_> = lacking.map(|file| file.name()).collect();
    if lacking.is_empty() {
        Ok(files)
    } else {
        Err(MigrationError::NoWayDown {
            migrations: lacking,
        })
    }
}

fn planned(file: &File) -> PlannedMigration {
    let parts = parts(file.down.as_deref().unwrap_or_default()).into_iter();
    PlannedMigration {
        version: file.version(),
        name: file.migration.name().to_owned(),
        action: Action::Undo,
        parts: parts
            .map(|part| PlannedPart {
                transaction: part.road == Road::Transaction,
                repeated: part.road == Road::Batched,
                statements: part.statements.iter().map(|s| s.sql.to_owned()).collect(),
            })
            .collect(),
    }
}

/// How many rows there are in each of our tables that is there.
async fn rows(session: &mut Session, seen: &Seen) -> Result<Vec<(String, u64)>, MigrationError> {
    let asking = MigrationError::asking("count its rows");
    let mut found = Vec::new();
    for table in seen.catalog.tables() {
        if table == super::targets::RECORDS {
            continue;
        }
        let sql = format!("SELECT count(*) FROM {}", super::tokens::identifier(table));
        // A role that may not count them is told nothing; whoever may drop them may.
        session.conn.begin().await.map_err(&asking)?;
        let counted = session.conn.value(&sql).await;
        if let Ok(Some(count)) = session.conn.end(counted).await {
            found.push((table.to_owned(), count.parse().unwrap_or_default()));
        }
    }
    Ok(found)
}
