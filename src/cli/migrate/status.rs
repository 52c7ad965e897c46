//! `archonctl migrate status`: every migration, what is recorded of it and what is there.

use super::report::short;
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::{OutputArgs, StoreArgs};
use crate::cli::render::{Answer, Column, Field, Fit, Grid, List, Tone};
use crate::cli::store::{block_on, open_existing};
use crate::store::{MigrationStanding, MigrationState, MigrationStatus, Presence};

const EXAMPLES: &str = "\
Examples:
  archonctl migrate status
  archonctl migrate status -o wide          # with what is missing
  archonctl migrate status --exit-code -q   # 8: pending, 5: not as it should be";

/// Show every migration: recorded, really there, and the verdict
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(super) struct Args {
    /// Exit with 8 if migrations are pending, with 5 if something is not as it should be
    #[arg(long)]
    exit_code: bool,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let status = read(&args.store, context)?;
    args.output.print(&answer(&status), &view)?;
    Ok(if args.exit_code {
        verdict(&status.states)
    } else {
        ExitStatus::Done
    })
}

/// How the database stands.
pub(super) fn read(store: &StoreArgs, context: &Context) -> Result<MigrationStatus, CliError> {
    let place = store.place(context)?;
    block_on(async {
        let store = open_existing(&place).await?;
        let status = store.migrator().status().await?;
        store.close().await;
        Ok(status)
    })
}

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
        name: "recorded",
        header: "RECORDED",
        fit: Fit::Drop(2),
        value: |m| Field::text(Some(yes(m.recorded))),
    },
    Column {
        name: "recorded_in_archon",
        header: "IN ARCHON",
        fit: Fit::Drop(3),
        value: |m| Field::text(Some(m.recorded_in_archon.map_or("hidden", yes))),
    },
    Column {
        name: "probed",
        header: "PROBED",
        fit: Fit::Drop(1),
        value: |m| Field::text(Some(presence(m.probed))),
    },
    Column {
        name: "applied_at",
        header: "APPLIED",
        fit: Fit::Keep,
        value: |m| Field::maybe(m.applied_at, Field::Time),
    },
    Column {
        name: "findings",
        header: "FINDINGS",
        fit: Fit::Keep,
        value: |m| {
            let told: Vec<_> = m.findings.iter().map(short).collect();
            Field::text(
                Some(told.join(", "))
                    .filter(|told| !told.is_empty())
                    .as_deref(),
            )
        },
    },
];

const fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

const fn presence(presence: Presence) -> &'static str {
    match presence {
        Presence::Present => "present",
        Presence::Partial => "partial",
        Presence::Absent => "absent",
        Presence::Untraced => "-",
    }
}

fn word(state: MigrationStanding) -> Field {
    let tone = match state {
        MigrationStanding::Applied => Tone::Good,
        MigrationStanding::Pending | MigrationStanding::Unrecorded => Tone::Warn,
        _ => Tone::Bad,
    };
    Field::Word(state.word().to_owned(), tone)
}

pub(super) fn count(states: &[MigrationState], standing: MigrationStanding) -> usize {
    states.iter().filter(|m| m.state == standing).count()
}

/// What `--exit-code` says: drift before pending, because it weighs more.
pub(super) fn verdict(states: &[MigrationState]) -> ExitStatus {
    if states.iter().any(|state| state.state.is_drift()) {
        ExitStatus::Drift
    } else if count(states, MigrationStanding::Pending) > 0 {
        ExitStatus::Pending
    } else {
        ExitStatus::Done
    }
}

/// What to do about states, a sentence for each kind there is.
pub(super) fn advice(states: &[MigrationState]) -> Vec<String> {
    let sentences = [
        (
            MigrationStanding::Pending,
            "pending; `archonctl migrate up` applies them",
        ),
        (
            MigrationStanding::Unrecorded,
            "there and not recorded; `archonctl migrate adopt` or `up` records them",
        ),
        (
            MigrationStanding::Partial,
            "there in part; `archonctl migrate repair` or `up` makes the rest, `-o wide` names it",
        ),
        (
            MigrationStanding::Lost,
            "recorded, but not there; `archonctl migrate repair` or `up` makes them",
        ),
        (
            MigrationStanding::Changed,
            "recorded with another text than this archonctl carries; `archonctl migrate repair` corrects that if all is there",
        ),
        (
            MigrationStanding::Unknown,
            "unknown here: a newer archonctl was at work; upgrade this one",
        ),
    ];
    let counted = sentences.map(|(standing, sentence)| (count(states, standing), sentence));
    counted
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, sentence)| format!("{count} {sentence}"))
        .collect()
}

pub(super) fn answer(
    status: &MigrationStatus,
) -> Answer<List<'_, MigrationState>, serde_json::Value> {
    let migrations = &status.states[..];
    let mut notes = advice(migrations);
    notes.extend(status.remarks.iter().cloned());
    let number = |standing| count(migrations, standing);
    Answer {
        data: List(migrations),
        meta: serde_json::json!({
            "total": migrations.len(), "schema": status.schema,
            "applied": number(MigrationStanding::Applied), "pending": number(MigrationStanding::Pending),
            "unrecorded": number(MigrationStanding::Unrecorded), "partial": number(MigrationStanding::Partial),
            "lost": number(MigrationStanding::Lost), "changed": number(MigrationStanding::Changed),
            "unknown": number(MigrationStanding::Unknown), "remarks": status.remarks,
        }),
        facts: Vec::new(),
        grid: Grid::new(
            STATES,
            &[
                "version",
                "name",
                "state",
                "recorded",
                "recorded_in_archon",
                "probed",
                "applied_at",
            ],
            &["findings"],
            migrations,
        )
        .with_id("version"),
        footer: Vec::new(),
        notes,
    }
}
