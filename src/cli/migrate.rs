//! `archonctl migrate`: bring the store to this version, and say how it stands.

use super::Context;
use super::error::{CliError, ExitStatus};
use super::output::{OutputArgs, StoreArgs};
use super::render::{Answer, Column, Field, Fit, Grid, List, Single, Tone};
use super::store::{block_on, open_existing, open_or_create};
use crate::store::{AppliedMigration, MigrationReport, MigrationStanding, MigrationState};

const EXAMPLES: &str = "\
Examples:
  archonctl migrate                      # the same as migrate up
  archonctl migrate status
  archonctl migrate status --exit-code   # 8: pending, 5: changed by others";

/// Bring the store to this version
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,

    #[command(flatten)]
    up: UpArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Apply every pending migration
    #[command(
        before_help = "Examples:\n  archonctl migrate up\n  archonctl migrate up --data-dir ./data -o json"
    )]
    Up(UpArgs),
    /// Show every migration and how it stands
    #[command(
        before_help = "Examples:\n  archonctl migrate status\n  archonctl migrate status --exit-code -q"
    )]
    Status(StatusArgs),
}

#[derive(Debug, clap::Args)]
struct UpArgs {
    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, clap::Args)]
struct StatusArgs {
    /// Exit with 8 if migrations are pending, with 5 if some were changed or are unknown here
    #[arg(long)]
    exit_code: bool,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: Args, context: &Context) -> Result<ExitStatus, CliError> {
    match args.action {
        None => up(&args.up, context),
        Some(Action::Up(args)) => up(&args, context),
        Some(Action::Status(args)) => status(&args, context),
    }
}

fn up(args: &UpArgs, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let place = args.store.place(context)?;
    let report = block_on(async {
        let store = open_or_create(&place).await?;
        Ok(store.migrate_up().await?)
    })?;
    args.output.print(&up_answer(&report), &view)?;
    Ok(ExitStatus::Done)
}

fn status(args: &StatusArgs, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let place = args.store.place(context)?;
    let states = block_on(async {
        let store = open_existing(&place).await?;
        Ok(store.migration_status().await?)
    })?;
    args.output.print(&status_answer(&states), &view)?;
    Ok(if args.exit_code {
        verdict(&states)
    } else {
        ExitStatus::Done
    })
}

const APPLIED: &[Column<AppliedMigration>] = &[
    Column {
        name: "version",
        header: "VERSION",
        fit: Fit::Keep,
        value: |m| Field::Int(m.version.into()),
    },
    Column {
        name: "name",
        header: "NAME",
        fit: Fit::Shrink(16),
        value: |m| Field::text(Some(&m.name)),
    },
    Column {
        name: "duration_ms",
        header: "DURATION",
        fit: Fit::Keep,
        value: |m| Field::Millis(i64::try_from(m.duration.as_millis()).unwrap_or(i64::MAX)),
    },
];

const STATES: &[Column<MigrationState>] = &[
    Column {
        name: "version",
        header: "VERSION",
        fit: Fit::Keep,
        value: |m| Field::Int(m.version.into()),
    },
    Column {
        name: "name",
        header: "NAME",
        fit: Fit::Shrink(16),
        value: |m| Field::text(Some(&m.name)),
    },
    Column {
        name: "state",
        header: "STATE",
        fit: Fit::Keep,
        value: |m| word(m.state),
    },
    Column {
        name: "applied_at",
        header: "APPLIED",
        fit: Fit::Keep,
        value: |m| Field::maybe(m.applied_at, Field::Time),
    },
];

fn word(state: MigrationStanding) -> Field {
    let (word, tone) = match state {
        MigrationStanding::Applied => ("applied", Tone::Good),
        MigrationStanding::Pending => ("pending", Tone::Warn),
        MigrationStanding::Changed => ("changed", Tone::Bad),
        MigrationStanding::Unknown => ("unknown", Tone::Bad),
        _ => ("x", Tone::Bad),
    };
    Field::Word(word.to_owned(), tone)
}

fn up_answer(report: &MigrationReport) -> Answer<Single<'_, MigrationReport>, serde_json::Value> {
    let mut notes = Vec::new();
    if !report.adopted.is_empty() {
        let names = report.adopted.join(", ");
        notes.push(format!(
            "recorded without running, because their tables were there already: {names}"
        ));
    }
    if report.applied.is_empty() {
        notes.push("The store is up to date.".to_owned());
    }
    Answer {
        data: Single(report),
        meta: serde_json::json!({ "applied": report.applied.len(), "adopted": report.adopted.len() }),
        facts: Vec::new(),
        grid: Grid::new(
            APPLIED,
            &["version", "name", "duration_ms"],
            &[],
            &report.applied,
        )
        .with_id("version"),
        footer: Vec::new(),
        notes,
    }
}

fn count(states: &[MigrationState], standing: MigrationStanding) -> usize {
    states.iter().filter(|m| m.state == standing).count()
}

/// What `--exit-code` says: drift before pending, because drift is not cured by `migrate up`.
fn verdict(states: &[MigrationState]) -> ExitStatus {
    let drift =
        count(states, MigrationStanding::Changed) + count(states, MigrationStanding::Unknown);
    if drift > 0 {
        ExitStatus::Drift
    } else if count(states, MigrationStanding::Pending) > 0 {
        ExitStatus::Pending
    } else {
        ExitStatus::Done
    }
}

fn status_answer(states: &[MigrationState]) -> Answer<List<'_, MigrationState>, serde_json::Value> {
    let pending = count(states, MigrationStanding::Pending);
    let changed = count(states, MigrationStanding::Changed);
    let missing = count(states, MigrationStanding::Unknown);
    let mut notes = Vec::new();
    if pending > 0 {
        notes.push(format!(
            "{pending} pending; `archonctl migrate up` applies them"
        ));
    }
    if changed > 0 {
        notes.push(format!(
            "{changed} applied with another text than this archonctl carries"
        ));
    }
    if missing > 0 {
        notes.push(format!(
            "{missing} unknown here: a newer archonctl was at work; upgrade this one"
        ));
    }
    let applied = count(states, MigrationStanding::Applied);
    Answer {
        data: List(states),
        meta: serde_json::json!({
            "total": states.len(), "applied": applied, "pending": pending, "changed": changed, "missing": missing,
        }),
        facts: Vec::new(),
        grid: Grid::new(
            STATES,
            &["version", "name", "state", "applied_at"],
            &[],
            states,
        )
        .with_id("version"),
        footer: Vec::new(),
        notes,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cli::render::{Format, render};
    use crate::cli::tests::view;

    fn states() -> Vec<MigrationState> {
        let state = |version, name: &str, state, applied_at: Option<&str>| MigrationState {
            version,
            name: name.to_owned(),
            applied_at: applied_at.map(|at| at.parse().expect("RFC 3339")),
            state,
        };
        vec![
            state(
                1,
                "requests",
                MigrationStanding::Applied,
                Some("2026-07-28T10:00:00Z"),
            ),
            state(13, "disconnects", MigrationStanding::Pending, None),
        ]
    }

    #[test]
    fn a_status_lists_every_migration_and_says_what_to_do() {
        let states = states();
        let rendered = render(&status_answer(&states), &view(Format::Table)).expect("a table");
        assert_eq!(
            String::from_utf8(rendered.out).expect("UTF-8"),
            "VERSION  NAME         STATE    APPLIED\n      1  requests     applied  2h ago\n     \
             13  disconnects  pending  -\n"
        );
        assert_eq!(
            rendered.notes,
            ["1 pending; `archonctl migrate up` applies them"]
        );
        assert_eq!(verdict(&states), ExitStatus::Pending);
        assert_eq!(verdict(&states[..1]), ExitStatus::Done);
    }

    #[test]
    fn drift_weighs_more_than_pending() {
        for drift in [MigrationStanding::Changed, MigrationStanding::Unknown] {
            let mut states = states();
            states[0].state = drift;
            assert_eq!(verdict(&states), ExitStatus::Drift);
        }
    }

    #[test]
    fn a_run_says_what_it_applied() {
        let report = MigrationReport {
            applied: vec![AppliedMigration {
                version: 13,
                name: "disconnects".to_owned(),
                duration: Duration::from_micros(3_500),
            }],
            adopted: vec!["V001__requests".to_owned()],
        };
        let json = render(&up_answer(&report), &view(Format::Json))
            .expect("JSON")
            .out;
        let json: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(json["data"]["applied"][0]["duration_ms"], 3.5);
        let nothing = MigrationReport::default();
        let rendered = render(&up_answer(&nothing), &view(Format::Table)).expect("nothing");
        assert!(rendered.out.is_empty());
        assert_eq!(rendered.notes, ["The store is up to date."]);
    }
}
