//! How a database stands: what is recorded and what is there, put together to a verdict for each migration. Reads nothing
//! and changes nothing.

use refinery_core::Migration;
use serde::Serialize;

use super::files::{File, Set, file_name};
use super::objects::Catalog;
use super::probes::{Chain, Environment, Finding, Presence};
use super::records::{Records, Sight};
use super::report::Leftover;
use crate::model::Timestamp;

/// One migration and how it stands in a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MigrationState {
    /// Its number.
    pub version: i32,
    /// Its name, without the number.
    pub name: String,
    /// The verdict.
    pub state: MigrationStanding,
    /// When it was applied, where that is recorded.
    pub applied_at: Option<Timestamp>,
    /// Whether refinery's history has it.
    pub recorded: bool,
    /// Whether `archon_migrations` has it; `None` where its rows are hidden from this role.
    pub recorded_in_archon: Option<bool>,
    /// How much of it is there.
    pub probed: Presence,
    /// What is not as it should be.
    pub findings: Vec<Finding>,
}

/// How a migration stands in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum MigrationStanding {
    /// Recorded, and all there.
    Applied,
    /// Neither recorded nor there.
    Pending,
    /// There, but not recorded: made by hand.
    Unrecorded,
    /// There in part, recorded or not.
    Partial,
    /// Recorded, but not there.
    Lost,
    /// Recorded with another text than this binary carries.
    Changed,
    /// Recorded, but unknown to this binary: a newer archonctl was here.
    Unknown,
}

impl MigrationState {
    /// Number and name as the file has them, such as `V013__add_session_disconnect_fields`.
    #[must_use]
    pub fn file_name(&self) -> String {
        file_name(self.version, &self.name)
    }
}

impl MigrationStanding {
    /// The word for it, as text formats have it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Pending => "pending",
            Self::Unrecorded => "unrecorded",
            Self::Partial => "partial",
            Self::Lost => "lost",
            Self::Changed => "changed",
            Self::Unknown => "unknown",
        }
    }

    /// Whether something is there that should not be so, or the other way round. What is pending is no drift.
    #[must_use]
    pub const fn is_drift(self) -> bool {
        !matches!(self, Self::Applied | Self::Pending)
    }
}

/// What is recorded, what is there, and where.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) records: Records,
    pub(super) catalog: Catalog,
    pub(super) environment: Environment,
}

impl Seen {
    /// The migrations of `set` as they want this database.
    pub(super) fn chain<'s>(&'s self, set: &'s Set) -> Chain<'s> {
        Chain::new(set.files.iter().map(|file| &file.probe), &self.environment)
    }

    /// Every migration of `set`, and every other that is recorded, by number.
    pub(super) fn assess(&self, set: &Set) -> Vec<MigrationState> {
        let chain = self.chain(set);
        let ours = set.files.iter().enumerate().map(|(at, file)| {
            let (probed, findings) = chain.judge(at, &self.catalog);
            self.state(file, probed, findings)
        });
        let mut states: Vec<_> = ours.collect();
        let others = self
            .records
            .history
            .iter()
            .filter(|row| set.place(row.version()).is_none());
        states.extend(others.map(|row| MigrationState {
            version: row.version(),
            name: row.name().to_owned(),
            state: MigrationStanding::Unknown,
            applied_at: applied_at(row),
            recorded: true,
            recorded_in_archon: None,
            probed: Presence::Untraced,
            findings: Vec::new(),
        }));
        states.sort_by_key(|state| state.version);
        states
    }

    fn state(&self, file: &File, probed: Presence, findings: Vec<Finding>) -> MigrationState {
        let row = self.records.recorded(file.version());
        // A history that may not be read says nothing; what is there does.
        let believed = row.is_some() || self.records.history_sight == Sight::Hidden;
        let state = match (believed, probed) {
            (true, _) if row.is_some_and(|row| *row != file.migration) => {
                MigrationStanding::Changed
            }
            (true, Presence::Absent) if row.is_none() => MigrationStanding::Pending,
            (true, Presence::Absent) => MigrationStanding::Lost,
            (true, _) if findings.is_empty() => MigrationStanding::Applied,
            (false, Presence::Present) => MigrationStanding::Unrecorded,
            (false, Presence::Absent | Presence::Untraced) => MigrationStanding::Pending,
            (_, _) => MigrationStanding::Partial,
        };
        MigrationState {
            version: file.version(),
            name: file.migration.name().to_owned(),
            state,
            applied_at: row.and_then(applied_at),
            recorded: row.is_some(),
            recorded_in_archon: match self.records.archon_sight {
                Sight::Hidden => None,
                _ => Some(self.records.in_archon(file)),
            },
            probed,
            findings,
        }
    }

    /// How much of migration `at` is there, and what is not as it should have left it.
    pub(super) fn left_by(&self, set: &Set, at: usize) -> (Presence, Vec<Leftover>) {
        let (presence, findings) = self.chain(set).judge(at, &self.catalog);
        let name = set.files.get(at).map(File::name).unwrap_or_default();
        let left = findings.into_iter().map(|finding| Leftover {
            migration: name.clone(),
            finding,
        });
        (presence, left.collect())
    }

    /// Whether the record of `file` in `archon_migrations` is missing and could be made.
    pub(super) fn lacks_archon_record(&self, file: &File) -> bool {
        let records = &self.records;
        records.archon_sight == Sight::Seen && records.archon_writable && !records.in_archon(file)
    }
}

fn applied_at(migration: &Migration) -> Option<Timestamp> {
    let nanos = migration.applied_on()?.unix_timestamp_nanos();
    i64::try_from(nanos / 1_000)
        .ok()
        .map(Timestamp::from_micros)
}
