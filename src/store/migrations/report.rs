//! What a run of migrations did, as commands tell it.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Serialize, Serializer};

use super::files::file_name;
use super::probes::Finding;

/// What a run of the migrations did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MigrationReport {
    /// The migrations it applied, in order; none where the database was up to date.
    pub applied: Vec<AppliedMigration>,
    /// Migrations that were there already, made by hand: recorded, not run.
    pub adopted: Vec<String>,
    /// Migrations that were there in part, and what was missing of them.
    pub repaired: Vec<RepairedMigration>,
    /// Migrations that were undone.
    pub undone: Vec<AppliedMigration>,
    /// Whether all of it was undone in the end.
    pub rehearsed: bool,
    /// Where the embedded database was copied to before it was changed.
    pub copy: Option<PathBuf>,
    /// Older copies that were removed.
    pub removed_copies: Vec<PathBuf>,
    /// What is not as it should be although its migration ran.
    pub left: Vec<Leftover>,
    /// What people should know besides.
    pub remarks: Vec<String>,
}

/// One migration that was applied, or undone.
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

/// One migration that was there in part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepairedMigration {
    /// Its number.
    pub version: i32,
    /// Its name, without the number.
    pub name: String,
    /// How long it took; in text formats milliseconds, a number with a fraction.
    #[serde(rename = "duration_ms", serialize_with = "as_milliseconds")]
    pub duration: Duration,
    /// What was not as it should be before.
    pub findings: Vec<Finding>,
}

/// What is not as a migration should have left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// The migration's name, such as `V013__add_session_disconnect_fields`.
    pub migration: String,
    /// What is wrong.
    #[serde(flatten)]
    pub finding: Finding,
}

fn as_milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64() * 1e3)
}

impl MigrationReport {
    /// Whether nothing was done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.applied.is_empty()
            && self.adopted.is_empty()
            && self.repaired.is_empty()
            && self.undone.is_empty()
    }

    /// The names of all migrations something was done with, in the order of their numbers.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let applied = self
            .applied
            .iter()
            .chain(&self.undone)
            .map(|m| file_name(m.version, &m.name));
        let repaired = self.repaired.iter().map(|m| file_name(m.version, &m.name));
        let mut names: Vec<_> = applied
            .chain(repaired)
            .chain(self.adopted.iter().cloned())
            .collect();
        names.sort();
        names
    }

    /// Adds a remark, once.
    pub(super) fn remark(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.remarks.contains(&text) {
            self.remarks.push(text);
        }
    }
}
