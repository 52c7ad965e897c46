//! `archonctl migrate verify`: proves that what is recorded is there, thing by thing.

use serde::Serialize;

use super::report::word;
use super::status::{advice, count, read};
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::{OutputArgs, StoreArgs};
use crate::cli::render::{Answer, Column, Field, Fit, Grid, List, Tone};
use crate::store::{MigrationStanding, MigrationState, MigrationStatus};

const EXAMPLES: &str = "\
Examples:
  archonctl migrate verify                # 5: something is not as it should be, each thing by name
  archonctl migrate verify --exit-code    # 8 as well, if migrations are pending
  archonctl migrate verify -o json";

/// Prove that the schema is what the migrations make; exit code 5 and every difference by name if not
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(super) struct Args {
    /// Exit with 8 if migrations are pending
    #[arg(long)]
    exit_code: bool,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// A difference between what is and what should be.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Difference {
    /// The migration it is about.
    migration: String,
    /// The thing; nothing where it is the record that is wrong.
    object: Option<String>,
    problem: &'static str,
    expected: Option<String>,
    found: Option<String>,
}

const DIFFERENCES: &[Column<Difference>] = &[
    Column {
        name: "migration",
        header: "MIGRATION",
        fit: Fit::Shrink(16),
        value: |d| Field::text(Some(&d.migration)),
    },
    Column {
        name: "object",
        header: "OBJECT",
        fit: Fit::Keep,
        value: |d| Field::text(d.object.as_deref()),
    },
    Column {
        name: "problem",
        header: "PROBLEM",
        fit: Fit::Keep,
        value: |d| Field::Word(d.problem.to_owned(), Tone::Bad),
    },
    Column {
        name: "expected",
        header: "EXPECTED",
        fit: Fit::Shrink(20),
        value: |d| Field::text(d.expected.as_deref()),
    },
    Column {
        name: "found",
        header: "FOUND",
        fit: Fit::Shrink(20),
        value: |d| Field::text(d.found.as_deref()),
    },
];

pub(super) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let status = read(&args.store, context)?;
    let differences = differences(&status.states);
    args.output.print(&answer(&status, &differences), &view)?;
    Ok(if !differences.is_empty() {
        ExitStatus::Drift
    } else if args.exit_code && count(&status.states, MigrationStanding::Pending) > 0 {
        ExitStatus::Pending
    } else {
        ExitStatus::Done
    })
}

/// Every difference, in the order of the migrations. A thing is told once: with the last migration that wants it.
pub(super) fn differences(states: &[MigrationState]) -> Vec<Difference> {
    let mut found = Vec::new();
    for (at, state) in states
        .iter()
        .enumerate()
        .filter(|(_, state)| state.state.is_drift())
    {
        let record = |problem| Difference {
            migration: state.file_name(),
            object: None,
            problem,
            expected: None,
            found: None,
        };
        found.extend(match state.state {
            MigrationStanding::Unrecorded => Some(record("not recorded")),
            MigrationStanding::Lost => Some(record("recorded, not there")),
            MigrationStanding::Changed => Some(record("other text")),
            MigrationStanding::Unknown => Some(record("unknown here")),
            MigrationStanding::Partial if !state.recorded => Some(record("not recorded")),
            _ => None,
        });
        let later = states
            .get(at + 1..)
            .unwrap_or_default()
            .iter()
            .filter(|state| state.state.is_drift());
        let later: Vec<_> = later
            .flat_map(|state| &state.findings)
            .map(|finding| &finding.object)
            .collect();
        let own = state
            .findings
            .iter()
            .filter(|finding| !later.contains(&&finding.object));
        found.extend(own.map(|finding| Difference {
            migration: state.file_name(),
            object: Some(finding.object.to_string()),
            problem: word(finding.problem),
            expected: finding.expected.clone(),
            found: finding.found.clone(),
        }));
    }
    found
}

pub(super) fn answer<'d>(
    status: &MigrationStatus,
    differences: &'d [Difference],
) -> Answer<List<'d, Difference>, serde_json::Value> {
    let migrations = &status.states;
    let applied = count(migrations, MigrationStanding::Applied);
    let pending = count(migrations, MigrationStanding::Pending);
    let mut notes = advice(migrations);
    notes.extend(status.remarks.iter().cloned());
    if migrations
        .iter()
        .any(|state| state.recorded && state.recorded_in_archon == Some(false))
    {
        notes.push(
            "not every migration is in archon_migrations, which dashboards read; `archonctl migrate up` records them there"
                .to_owned(),
        );
    }
    if differences.is_empty() {
        notes.insert(
            0,
            format!("{applied} migrations are there as they should be."),
        );
    }
    Answer {
        data: List(differences),
        meta: serde_json::json!({
            "total": differences.len(), "applied": applied, "pending": pending, "schema": status.schema,
            "remarks": status.remarks,
        }),
        facts: Vec::new(),
        grid: Grid::new(
            DIFFERENCES,
            &["migration", "object", "problem"],
            &["expected", "found"],
            differences,
        )
        .with_id("object"),
        footer: Vec::new(),
        notes,
    }
}
