//! `archonctl sessions stats`: sessions by client type.

use serde::Serialize;

use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::OutputArgs;
use crate::cli::period::PeriodArgs;
use crate::cli::render::{Answer, Column, Field, Fit, Grid, Single};
use crate::cli::source::SourceArgs;
use crate::model::Period;
use crate::reports::{ClientStats, SessionStats};

const EXAMPLES: &str = "\
Examples:
  archonctl sessions stats
  archonctl sessions stats --days 30
  archonctl sessions stats --since 2026-07-01 -o csv";

/// Count sessions by client type: how many, how they ended, how long they lasted [default: of all time]
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    period: PeriodArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// The `meta` of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Meta {
    period: Option<Period>,
    total: usize,
    returned: usize,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let period = args.period.resolve(context.now)?;
    let source = args.source.source(context)?;
    let stats = source.ask(async |questions| questions.session_stats(period).await)?;
    args.output.print(&answer(&stats), &view)?;
    Ok(ExitStatus::Done)
}

const STATS: &[Column<ClientStats>] = &[
    Column {
        name: "client_type",
        header: "CLIENT",
        fit: Fit::Shrink(10),
        value: |c| Field::text(Some(&c.client_type)),
    },
    Column {
        name: "total_sessions",
        header: "SESSIONS",
        fit: Fit::Keep,
        value: |c| Field::Int(c.total_sessions),
    },
    Column {
        name: "active_sessions",
        header: "ACTIVE",
        fit: Fit::Keep,
        value: |c| Field::Int(c.active_sessions),
    },
    Column {
        name: "idle_sessions",
        header: "IDLE",
        fit: Fit::Keep,
        value: |c| Field::Int(c.idle_sessions),
    },
    Column {
        name: "disconnected_sessions",
        header: "ENDED",
        fit: Fit::Keep,
        value: |c| Field::Int(c.disconnected_sessions),
    },
    Column {
        name: "timeout_disconnects",
        header: "TIMEOUT",
        fit: Fit::Keep,
        value: |c| Field::Int(c.timeout_disconnects),
    },
    Column {
        name: "client_disconnects",
        header: "LEFT",
        fit: Fit::Keep,
        value: |c| Field::Int(c.client_disconnects),
    },
    Column {
        name: "server_shutdown_disconnects",
        header: "SHUTDOWN",
        fit: Fit::Keep,
        value: |c| Field::Int(c.server_shutdown_disconnects),
    },
    Column {
        name: "error_disconnects",
        header: "ERROR",
        fit: Fit::Keep,
        value: |c| Field::Int(c.error_disconnects),
    },
    Column {
        name: "avg_duration_seconds",
        header: "AVERAGE",
        fit: Fit::Drop(2),
        value: |c| Field::maybe(c.avg_duration_seconds, Field::Mean),
    },
    Column {
        name: "max_duration_seconds",
        header: "LONGEST",
        fit: Fit::Drop(3),
        value: |c| Field::maybe(c.max_duration_seconds, Field::Seconds),
    },
    Column {
        name: "total_requests",
        header: "REQUESTS",
        fit: Fit::Drop(1),
        value: |c| Field::Int(c.total_requests),
    },
    Column {
        name: "failed_requests",
        header: "FAILED",
        fit: Fit::Drop(4),
        value: |c| Field::Int(c.failed_requests),
    },
];

pub(super) fn answer(stats: &SessionStats) -> Answer<Single<'_, SessionStats>, Meta> {
    let mut rows = stats.by_client.clone();
    let mut notes = Vec::new();
    if rows.is_empty() {
        notes.push(match stats.period {
            Some(_) => "No session connected in this period; without --days or --since all of them count.".to_owned(),
            None => "No sessions yet; point a client at `archonctl serve --upstream URL` and call a tool.".to_owned(),
        });
    } else {
        rows.push(stats.total.clone());
    }
    Answer {
        data: Single(stats),
        meta: Meta {
            period: stats.period,
            total: stats.by_client.len(),
            returned: stats.by_client.len(),
        },
        facts: Vec::new(),
        grid: Grid::new(
            STATS,
            &[
                "client_type",
                "total_sessions",
                "active_sessions",
                "idle_sessions",
                "disconnected_sessions",
                "timeout_disconnects",
                "client_disconnects",
                "server_shutdown_disconnects",
                "error_disconnects",
                "avg_duration_seconds",
                "max_duration_seconds",
                "total_requests",
                "failed_requests",
            ],
            &[],
            &rows,
        ),
        footer: Vec::new(),
        notes,
    }
}
