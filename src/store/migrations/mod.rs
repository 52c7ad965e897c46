//! The schema: which migrations there are, which of them a database has, and bringing it up to date.
//!
//! The files in `migrations/` are embedded and applied by refinery, whose traits are implemented here on sqlx's
//! connection, so that there is one driver for each database. The whole run is one transaction that holds the write lock:
//! several processes may start on a new data directory at once. Never edits or removes what other products recorded.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use refinery_core::error::Kind;
use refinery_core::traits::r#async::{AsyncMigrate, AsyncTransaction};
use refinery_core::{Migration, Runner};
use serde::{Serialize, Serializer};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use self::driver::{DriverError, HistoryRow, Lite};
use super::connection::{Store, Tx, WriteTx, on_pool};
use super::error::StoreError;
use crate::model::Timestamp;

mod driver;

mod embedded {
    refinery::embed_migrations!("migrations/sqlite");
}

/// Where refinery records what it applied.
const HISTORY: &str = "refinery_schema_history";

/// One migration and how it stands in a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MigrationState {
    /// Its number.
    pub version: i32,
    /// Its name, without the number.
    pub name: String,
    /// When it was applied.
    pub applied_at: Option<Timestamp>,
    /// How it stands.
    pub state: MigrationStanding,
}

/// How a migration stands in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MigrationStanding {
    /// Applied, with the text this binary carries.
    Applied,
    /// Not applied yet.
    Pending,
    /// Applied, but with another text than this binary carries.
    Changed,
    /// Applied, but unknown to this binary: a newer archonctl was here.
    Missing,
}

/// What a run of the migrations did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MigrationReport {
    /// The migrations it applied, in order; none where the database was up to date.
    pub applied: Vec<AppliedMigration>,
    /// Migrations whose tables and columns were there already, made by hand: recorded, not run.
    pub adopted: Vec<String>,
}

/// One migration that was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppliedMigration {
    /// Its number.
    pub version: i32,
    /// Its name, without the number.
    pub name: String,
    /// How long it took; in text formats milliseconds, a number with a fraction.
    #[serde(rename = "duration_ms", serialize_with = "as_milliseconds")]
    pub duration: Duration,
}

fn as_milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64() * 1e3)
}

impl MigrationState {
    /// Number and name as the file has them, such as `V013__add_session_disconnect_fields`.
    #[must_use]
    pub fn file_name(&self) -> String {
        file_name(self.version, &self.name)
    }
}

fn file_name(version: i32, name: &str) -> String {
    format!("V{version:03}__{name}")
}

/// What makes a migration recognisable in a database where nobody recorded it: a table and one of its columns, the last
/// thing of that table it makes.
const TRACES: &[(i32, &str, &str)] = &[
    (1, "archon_mcp_requests", "error_message"),
    (13, "archon_mcp_sessions", "disconnect_reason"),
    (14, "archon_mcp_sessions", "user_name"),
];

/// A migration whose line ends are `\n`, so that a checkout with other ones has the same checksums.
pub(super) fn normalised(version: i32, name: &str, sql: &str) -> Result<Migration, StoreError> {
    Migration::unapplied(&format!("V{version}__{name}"), &sql.replace("\r\n", "\n"))
        .map_err(|error| migration_error(&error))
}

/// The migrations of this binary, in order.
fn known() -> Result<&'static [Migration], StoreError> {
    static KNOWN: OnceLock<Vec<Migration>> = OnceLock::new();
    if let Some(known) = KNOWN.get() {
        return Ok(known);
    }
    let runner = embedded::migrations::runner();
    let mut list = runner
        .get_migrations()
        .iter()
        .map(|m| normalised(m.version(), m.name(), m.sql().unwrap_or_default()))
        .collect::<Result<Vec<_>, _>>()?;
    list.sort_by_key(Migration::version);
    Ok(KNOWN.get_or_init(|| list))
}

impl Store {
    /// Brings the schema up to date, in one transaction. Safe to call from several processes at once: one does the work,
    /// the others wait and find it done.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`], [`StoreError::SchemaChanged`] or [`StoreError::SchemaSkipped`] where the database and this
    /// binary do not belong together; [`StoreError::Migration`] when a migration fails. The database is then unchanged.
    pub async fn migrate_up(&self) -> Result<MigrationReport, StoreError> {
        self.migrate_to(known()?).await
    }

    pub(super) async fn migrate_to(
        &self,
        known: &[Migration],
    ) -> Result<MigrationReport, StoreError> {
        let mut tx = self.begin_write().await?;
        let result = run(&mut tx, known).await;
        match result {
            Ok(report) => tx.commit().await.map(|()| report),
            Err(error) => {
                tx.rollback().await?;
                Err(error)
            }
        }
    }

    /// Every migration that this binary carries or the database has, by number.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn migration_status(&self) -> Result<Vec<MigrationState>, StoreError> {
        let applied = self.applied_migrations().await?;
        Ok(compare(known()?, &applied))
    }

    /// Says whether the schema is the one this binary was made for.
    ///
    /// # Errors
    /// [`StoreError::SchemaNewer`], [`StoreError::SchemaChanged`], [`StoreError::SchemaSkipped`] or
    /// [`StoreError::SchemaPending`], each with what to do; [`StoreError::Query`] when the database does not answer.
    pub async fn check_schema(&self) -> Result<(), StoreError> {
        let states = self.migration_status().await?;
        refuse_foreign(&states)?;
        let pending = names(&states, MigrationStanding::Pending);
        if pending.is_empty() {
            Ok(())
        } else {
            Err(StoreError::SchemaPending { pending })
        }
    }

    async fn applied_migrations(&self) -> Result<Vec<Migration>, StoreError> {
        let rows: Result<Vec<HistoryRow>, sqlx::Error> = on_pool!(self, pool => {
            sqlx::query_as("SELECT version, name, applied_on, checksum FROM refinery_schema_history ORDER BY version")
                .fetch_all(pool)
                .await
        });
        let rows = match rows {
            Err(sqlx::Error::Database(error)) if error.message().contains(HISTORY) => {
                // No such table: nothing was ever applied.
                return Ok(Vec::new());
            }
            other => other.map_err(StoreError::during("read which migrations were applied"))?,
        };
        rows.into_iter()
            .map(|row| {
                row.into_migration()
                    .map_err(StoreError::during("read which migrations were applied"))
            })
            .collect()
    }
}

async fn run(tx: &mut WriteTx, known: &[Migration]) -> Result<MigrationReport, StoreError> {
    let Tx::Sqlite(transaction) = &mut tx.tx else {
        return Err(StoreError::Migration {
            what: "these migrations are SQLite's".to_owned(),
            source: None,
        });
    };
    let mut lite = Lite {
        conn: transaction,
        durations: Vec::new(),
    };
    let adopted = adopt_by_traces(&mut lite, known).await?;
    let applied = lite
        .get_applied_migrations(HISTORY)
        .await
        .map_err(|error| migration_error(&error))?;
    let states = compare(known, &applied);
    refuse_foreign(&states)?;
    let report = if names(&states, MigrationStanding::Pending).is_empty() {
        None
    } else {
        let run = Runner::new(known).run_async(&mut lite).await;
        Some(run.map_err(|error| migration_error(&error))?)
    };
    let applied = report
        .iter()
        .flat_map(refinery_core::Report::applied_migrations)
        .zip(lite.durations)
        .map(|(migration, duration)| AppliedMigration {
            version: migration.version(),
            name: migration.name().to_owned(),
            duration,
        })
        .collect();
    Ok(MigrationReport { applied, adopted })
}

/// Makes refinery's history if there is none, and enters those of the first migrations that somebody applied by hand.
/// Goes by the tables and columns that are there, not by `archon_migrations`: a failed file records itself as well.
async fn adopt_by_traces(
    lite: &mut Lite<'_>,
    known: &[Migration],
) -> Result<Vec<String>, StoreError> {
    let what = "look for migrations applied by hand";
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name IN ('refinery_schema_history', 'archon_mcp_sessions')",
    )
    .fetch_all(&mut *lite.conn)
    .await
    .map_err(StoreError::during(what))?;
    if tables.iter().any(|name| name == HISTORY) {
        return Ok(Vec::new());
    }
    let table = <Lite<'_> as AsyncMigrate>::assert_migrations_table_query(HISTORY);
    lite.execute([table.as_str()].into_iter())
        .await
        .map_err(|error| StoreError::Migration {
            what: "creating the history of migrations failed".to_owned(),
            source: Some(error.0),
        })?;
    let mut adopted = Vec::new();
    if tables.is_empty() {
        return Ok(adopted);
    }
    for (version, table, column) in TRACES {
        let there: i64 =
            sqlx::query_scalar("SELECT count(*) FROM pragma_table_info($1) WHERE name = $2")
                .bind(*table)
                .bind(*column)
                .fetch_one(&mut *lite.conn)
                .await
                .map_err(StoreError::during(what))?;
        let Some(migration) = known.iter().find(|m| m.version() == *version) else {
            break;
        };
        if there == 0 {
            break;
        }
        let now = OffsetDateTime::now_utc()
            .format(&Rfc3339)
            .unwrap_or_default();
        sqlx::query("INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES ($1, $2, $3, $4)")
            .bind(version)
            .bind(migration.name())
            .bind(now)
            .bind(migration.checksum().to_string())
            .execute(&mut *lite.conn)
            .await
            .map_err(StoreError::during(what))?;
        adopted.push(file_name(*version, migration.name()));
    }
    Ok(adopted)
}

fn compare(known: &[Migration], applied: &[Migration]) -> Vec<MigrationState> {
    let mut states: BTreeMap<i32, MigrationState> = BTreeMap::new();
    for migration in known {
        let found = applied.iter().find(|m| m.version() == migration.version());
        states.insert(
            migration.version(),
            MigrationState {
                version: migration.version(),
                name: migration.name().to_owned(),
                applied_at: found.and_then(applied_at),
                state: match found {
                    None => MigrationStanding::Pending,
                    Some(found) if found == migration => MigrationStanding::Applied,
                    Some(_) => MigrationStanding::Changed,
                },
            },
        );
    }
    for migration in applied {
        states
            .entry(migration.version())
            .or_insert_with(|| MigrationState {
                version: migration.version(),
                name: migration.name().to_owned(),
                applied_at: applied_at(migration),
                state: MigrationStanding::Missing,
            });
    }
    states.into_values().collect()
}

fn applied_at(migration: &Migration) -> Option<Timestamp> {
    let nanos = migration.applied_on()?.unix_timestamp_nanos();
    i64::try_from(nanos / 1_000)
        .ok()
        .map(Timestamp::from_micros)
}

fn names(states: &[MigrationState], standing: MigrationStanding) -> Vec<String> {
    let those = states.iter().filter(|state| state.state == standing);
    those.map(MigrationState::file_name).collect()
}

/// Refuses a database that no run of this binary's migrations can put right.
fn refuse_foreign(states: &[MigrationState]) -> Result<(), StoreError> {
    let unknown = names(states, MigrationStanding::Missing);
    if !unknown.is_empty() {
        return Err(StoreError::SchemaNewer { unknown });
    }
    let changed = names(states, MigrationStanding::Changed);
    if !changed.is_empty() {
        return Err(StoreError::SchemaChanged { changed });
    }
    // refinery would call these missing from the file system.
    let last = states
        .iter()
        .rposition(|state| state.state == MigrationStanding::Applied);
    let skipped = names(
        states.get(..last.unwrap_or(0)).unwrap_or_default(),
        MigrationStanding::Pending,
    );
    if !skipped.is_empty() {
        return Err(StoreError::SchemaSkipped { skipped });
    }
    Ok(())
}

/// Takes the database's own error out of refinery's, so that it can tell whether waiting helps.
fn migration_error(error: &refinery_core::Error) -> StoreError {
    match error.kind() {
        Kind::Connection(what, source) => StoreError::Migration {
            what: what.clone(),
            source: source
                .downcast_ref::<DriverError>()
                .map(|error| Arc::clone(&error.0)),
        },
        other => StoreError::Migration {
            what: other.to_string(),
            source: None,
        },
    }
}
