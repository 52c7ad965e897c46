//! What a run would do, told in SQL, without doing it.
//!
//! Goes by the same decisions as a run, on a schema that is thought on from migration to migration.

use serde::Serialize;

use super::Migrator;
use super::choice::Choice;
use super::files::{File, Road, file_name};
use super::progress::Action;
use super::records::{HISTORY, MAKE_HISTORY, Sight};
use super::run::{Step, chosen};
use super::session::quoted;
use super::state::Seen;
use super::targets::effect;
use super::tokens::literal;
use super::up::{Task, recorded_step, refuse};
use crate::store::error::StoreError;

/// A migration that a run would do something with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedMigration {
    /// Its number.
    pub version: i32,
    /// Its name, without the number.
    pub name: String,
    /// What would be done with it: `apply`, `adopt`, `repair` or `undo`.
    #[serde(serialize_with = "as_word")]
    pub action: Action,
    /// The statements, in parts.
    pub parts: Vec<PlannedPart>,
}

/// Statements that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PlannedPart {
    /// Whether they are one transaction; each is by itself otherwise.
    pub transaction: bool,
    /// Whether the one statement is repeated, each time in a transaction, until it returns 0.
    pub repeated: bool,
    /// The statements, without semicolons.
    pub statements: Vec<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference"
)]
fn as_word<S: serde::Serializer>(action: &Action, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(action.word())
}

impl PlannedMigration {
    /// Number and name as the file has them, such as `V013__add_session_disconnect_fields`.
    #[must_use]
    pub fn file_name(&self) -> String {
        file_name(self.version, &self.name)
    }
}

impl Migrator {
    /// What a run for `task` would do, up to the migration `to`.
    ///
    /// # Errors
    /// As the run itself, for what can be known without running anything.
    pub async fn plan(
        &self,
        task: Task,
        to: Option<i32>,
    ) -> Result<Vec<PlannedMigration>, StoreError> {
        let mut session = self.access.look().await?;
        let last = session.last(to)?;
        let mut seen = session.see().await?;
        refuse(task, &session, &seen)?;
        let mut planned = Vec::new();
        for (at, file) in session.set.files.iter().enumerate().take(last + 1) {
            let (step, recorded) = recorded_step(&session, &seen, at);
            if task.has(&step, recorded) {
                let alters = session.conn.is_postgres();
                planned.extend(planned_step(&seen, at, file, &step, session.set, alters));
                imagine(&mut seen, at, file, session.set);
            }
        }
        let schema = session.schema.clone();
        let seen_history = seen.records.history_sight;
        session.close().await;
        if let Some(first) = planned.first_mut() {
            let mut statements: Vec<_> = schema
                .map(|schema| format!("SET search_path TO {}, pg_temp", quoted(&schema)))
                .into_iter()
                .collect();
            if seen_history == Sight::NoTable {
                statements.push(MAKE_HISTORY.to_owned());
            }
            let part = PlannedPart {
                transaction: false,
                repeated: false,
                statements,
            };
            first
                .parts
                .splice(0..0, Some(part).filter(|part| !part.statements.is_empty()));
        }
        Ok(planned)
    }
}

fn planned_step(
    seen: &Seen,
    at: usize,
    file: &File,
    step: &Step,
    set: &super::files::Set,
    alters: bool,
) -> Option<PlannedMigration> {
    let action = match step {
        Step::Nothing => return None,
        Step::Adopt | Step::Record => Action::Adopt,
        Step::Apply => Action::Apply,
        Step::Repair(_) => Action::Repair,
    };
    let chain = seen.chain(set);
    let unrecorded = seen.records.recorded(file.version()).is_none();
    let mut choice = Choice::new(&chain, at, &seen.catalog, unrecorded, alters);
    let mut parts: Vec<_> = chosen(file, &mut choice, action)
        .into_iter()
        .map(|part| {
            let keeps = |sql: &&super::tokens::Statement<'_>| {
                action != Action::Adopt || effect(&sql.tokens).records()
            };
            PlannedPart {
                transaction: part.road == Road::Transaction,
                repeated: part.road == Road::Batched,
                statements: part
                    .statements
                    .iter()
                    .filter(keeps)
                    .map(|s| s.sql.to_owned())
                    .collect(),
            }
        })
        .collect();
    parts.retain(|part| !part.statements.is_empty());
    if *step != Step::Record {
        let record = record(file, alters);
        match parts.last_mut() {
            Some(last) if last.transaction => last.statements.push(record),
            _ => parts.push(PlannedPart {
                transaction: true,
                repeated: false,
                statements: vec![record],
            }),
        }
    }
    Some(PlannedMigration {
        version: file.version(),
        name: file.migration.name().to_owned(),
        action,
        parts,
    })
}

/// How the run is recorded; the time is the database's.
fn record(file: &File, is_postgres: bool) -> String {
    let now = if is_postgres {
        r#"to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"#
    } else {
        "strftime('%Y-%m-%dT%H:%M:%SZ', 'now')"
    };
    format!(
        "INSERT INTO {HISTORY} (version, name, applied_on, checksum) VALUES ({}, {}, {now}, {})",
        file.version(),
        literal(file.migration.name()),
        literal(&file.migration.checksum().to_string())
    )
}

/// The schema as it is once migration `at` ran.
fn imagine(seen: &mut Seen, at: usize, file: &File, set: &super::files::Set) {
    let mut catalog = seen.catalog.clone();
    let chain = seen.chain(set);
    for want in chain.wants(at) {
        if chain.is_satisfied(at, want, &seen.catalog) {
            continue;
        }
        match want.wanted.definition() {
            Some(definition) => catalog.0.insert(want.name.clone(), definition.to_owned()),
            None => catalog.0.remove(want.name),
        };
    }
    seen.catalog = catalog;
    if seen.records.recorded(file.version()).is_none() {
        seen.records.history.push(file.migration.clone());
    }
}
