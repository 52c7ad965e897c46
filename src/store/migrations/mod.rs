//! The schema: which migrations there are, which of them a database has, and bringing it to the right form.
//!
//! The files in `migrations/` are embedded. What a database has is told by its catalog, held against the probes; records are
//! compared with that and never believed alone. A run has one connection of its own and is alone: on PostgreSQL by an advisory
//! lock, on SQLite by holding the right to write from beginning to end. Never edits or removes what other products recorded.

mod access;
mod catalog;
mod choice;
mod connection;
mod copy;
mod down;
mod dump;
mod error;
mod files;
mod lock;
mod objects;
mod plan;
mod pooler;
mod probes;
mod progress;
mod records;
mod report;
mod run;
mod session;
mod state;
mod targets;
mod tokens;
mod up;

pub use down::{DownOptions, DownPlan};
pub use dump::DumpedObject;
pub use error::{Failure, Holder, MigrationError, Undone};
pub use objects::{ObjectKind, ObjectName};
pub use plan::{PlannedMigration, PlannedPart};
pub use probes::{Finding, Presence, Problem};
pub use progress::{Action, Event, Progress, Silent};
pub use report::{AppliedMigration, Leftover, MigrationReport, RepairedMigration};
pub use state::{MigrationStanding, MigrationState};
pub use up::{Task, UpOptions};

use std::sync::atomic::AtomicI32;
use std::time::Duration;

use self::access::Access;
use self::files::Set;
use self::records::Sight;
use self::session::Session;
use self::state::Seen;
use super::connection::{Store, on_pool};
use super::error::StoreError;

/// Looks after the schema of one database.
#[derive(Debug)]
pub struct Migrator {
    access: Access,
    /// The server's process that works for a run; 0 where there is none.
    backend: AtomicI32,
}

/// How a database stands.
#[derive(Clone, Debug, Default)]
pub struct MigrationStatus {
    /// Every migration that this binary carries or the database has, by number.
    pub states: Vec<MigrationState>,
    /// The schema that was looked at; nothing on SQLite.
    pub schema: Option<String>,
    /// What people should know besides.
    pub remarks: Vec<String>,
}

/// Reads the embedded files for SQLite, which takes a moment; who needs them later finds them read.
pub(super) fn read_ahead() {
    if let Err(error) = Set::sqlite() {
        // Whoever needs them gets the same error.
        tracing::debug!(%error, "the migrations cannot be read");
    }
}

/// How long a start waits for the migrations of another one.
const PATIENCE: Duration = Duration::from_mins(5);

impl Store {
    /// What looks after the schema of this database, on connections of its own.
    #[must_use]
    pub fn migrator(&self) -> Migrator {
        Migrator {
            access: Access::of(self),
            backend: AtomicI32::new(0),
        }
    }

    /// Brings the schema up to date. Safe to call from several processes at once: one does the work, the others wait
    /// and find it done.
    ///
    /// # Errors
    /// As [`Migrator::up`].
    pub async fn migrate_up(&self) -> Result<MigrationReport, StoreError> {
        let options = UpOptions {
            wait: Some(PATIENCE),
            ..UpOptions::default()
        };
        self.migrator().up(&options, &Silent).await
    }

    /// Every migration that this binary carries or the database has, by number.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn migration_status(&self) -> Result<Vec<MigrationState>, StoreError> {
        Ok(self.migrator().status().await?.states)
    }

    /// Says whether the schema is the one this binary was made for.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`], [`StoreError::SchemaChanged`] or [`StoreError::SchemaPending`], each with what to do;
    /// [`StoreError::Query`] when the database does not answer.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        let states = self.migration_status().await?;
        refuse_foreign(&states)?;
        let missing = states
            .iter()
            .filter(|state| state.state != MigrationStanding::Applied);
        let pending: Vec<_> = missing.map(MigrationState::file_name).collect();
        if pending.is_empty() {
            Ok(())
        } else {
            Err(StoreError::SchemaPending { pending })
        }
    }
}

impl Store {
    /// [`Store::check_schema`] for whoever only asks: goes by the history alone, in one statement, as long as that says that
    /// all is as it should be.
    ///
    /// # Errors
    /// As [`Store::check_schema`].
    pub async fn check_history(&self) -> Result<(), StoreError> {
        let set = if self.is_embedded() {
            Set::sqlite()?
        } else {
            Set::postgres()?
        };
        let rows: Result<Vec<(i32, String)>, sqlx::Error> = on_pool!(self, pool => {
            sqlx::query_as("SELECT version, checksum FROM refinery_schema_history ORDER BY version")
                .fetch_all(pool)
                .await
        });
        let known = set.migrations();
        let known = known
            .iter()
            .map(|migration| (migration.version(), migration.checksum().to_string()));
        // Where something is different, or the history is not to be seen, what is there tells.
        if rows.is_ok_and(|rows| known.eq(rows)) {
            return Ok(());
        }
        self.check_schema().await
    }
}

impl Migrator {
    /// How every migration stands, by what is recorded and by what is there.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn status(&self) -> Result<MigrationStatus, StoreError> {
        let mut session = self.access.look().await?;
        let seen = session.see().await?;
        let status = MigrationStatus {
            states: seen.assess(session.set),
            schema: session.schema.clone(),
            remarks: remarks(&session, &seen),
        };
        session.close().await;
        Ok(status)
    }

    /// What is there of the things migrations know, each with its definition as probes have it.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn objects(&self) -> Result<Vec<(ObjectName, String)>, StoreError> {
        let mut session = self.access.look().await?;
        let seen = session.see().await?;
        session.close().await;
        Ok(seen.catalog.0.into_iter().collect())
    }

    /// What should be there once migrations up to `to` (all if it is none) ran, each with its definition as probes have it;
    /// without one what may be there in any form.
    ///
    /// # Errors
    /// When the database does not answer, or there is no such migration.
    pub async fn expected(
        &self,
        to: Option<i32>,
    ) -> Result<Vec<(ObjectName, Option<String>)>, StoreError> {
        let mut session = self.access.look().await?;
        let last = session.last(to)?;
        let seen = session.see().await?;
        let schema = seen.chain(session.set).schema(last + 1);
        session.close().await;
        Ok(schema.into_iter().collect())
    }
}

/// What should be known of records that cannot be seen.
fn remarks(session: &Session, seen: &Seen) -> Vec<String> {
    let mut remarks = Vec::new();
    if seen.records.history_sight == Sight::Hidden {
        remarks.push(format!(
            "{} may not be read by this role: what is there was judged by the catalog alone",
            records::HISTORY
        ));
    }
    if seen.records.archon_sight == Sight::Hidden {
        remarks.push(
            "archon_migrations hides its rows from this role (row security, or no right to read): what is there was judged \
             by the catalog"
                .to_owned(),
        );
    }
    if let (Some(schema), true) = (&session.schema, session.schema_is_missing) {
        remarks.push(format!(
            "there is no schema {schema} yet; `archonctl migrate up` makes it"
        ));
    }
    remarks
}

fn names(states: &[MigrationState], standing: MigrationStanding) -> Vec<String> {
    let those = states.iter().filter(|state| state.state == standing);
    those.map(MigrationState::file_name).collect()
}

/// Refuses a database that belongs to a newer binary.
fn refuse_newer(states: &[MigrationState]) -> Result<(), StoreError> {
    let unknown = names(states, MigrationStanding::Unknown);
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(StoreError::SchemaNewer { unknown })
    }
}

/// Refuses a database that no run of this binary's migrations can put right.
fn refuse_foreign(states: &[MigrationState]) -> Result<(), StoreError> {
    refuse_newer(states)?;
    let changed = names(states, MigrationStanding::Changed);
    if changed.is_empty() {
        Ok(())
    } else {
        Err(StoreError::SchemaChanged { changed })
    }
}
