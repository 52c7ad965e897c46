//! `archonctl sessions disconnected`: who left in a period, and why.
//!
//! The statistics are part of the answer: below the table on standard output, in `meta` of JSON and YAML.

use serde::Serialize;

use super::columns::SESSIONS;
use super::{ListMeta, PageArgs};
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::OutputArgs;
use crate::cli::period::PeriodArgs;
use crate::cli::render::{Answer, Grid, List, duration};
use crate::cli::source::SourceArgs;
use crate::reports::{DisconnectStatistics, DisconnectedSessions, Page, SessionRow};

const EXAMPLES: &str = "\
Examples:
  archonctl sessions disconnected
  archonctl sessions disconnected --days 30 -o json
  archonctl sessions disconnected --since 2026-07-01 --until 2026-07-08 --time iso";

/// How far back to look unless told.
const DEFAULT_DAYS: u32 = 7;

/// List sessions that ended, newest end first, and why [default: the last 7 days]
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    page: PageArgs,

    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    period: PeriodArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// The `meta` of the answer.
#[derive(Debug, Serialize)]
pub(super) struct Meta<'a> {
    #[serde(flatten)]
    list: ListMeta,
    /// Over the whole period, not the page.
    statistics: &'a DisconnectStatistics,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let period = args.period.resolve_or_days(DEFAULT_DAYS, context.now)?;
    let source = args.source.source(context)?;
    let page = args.page.page();
    let found = source.ask(async |questions| questions.disconnected(period, page).await)?;
    args.output.print(&answer(&found, page), &view)?;
    Ok(ExitStatus::Done)
}

pub(super) fn answer(
    found: &DisconnectedSessions,
    page: Page,
) -> Answer<List<'_, SessionRow>, Meta<'_>> {
    let total = found.statistics.total_disconnected;
    let list = ListMeta::new(Some(found.period), total, found.sessions.len(), page);
    let mut notes: Vec<String> = list.more("sessions").into_iter().collect();
    let mut footer = Vec::new();
    if total == 0 {
        notes.push(format!(
            "No session ended in {}; --days looks further back, `archonctl sessions list` shows open ones.",
            days(found.period.days)
        ));
    } else {
        footer.push(summary(found));
    }
    Answer {
        data: List(&found.sessions),
        meta: Meta {
            list,
            statistics: &found.statistics,
        },
        facts: Vec::new(),
        grid: Grid::new(
            SESSIONS,
            &[
                "session_id",
                "client",
                "client_type",
                "total_requests",
                "connected_at",
                "disconnected_at",
                "total_duration",
                "disconnect_reason",
            ],
            &[
                "status",
                "era",
                "last_activity",
                "derivation",
                "server",
                "user",
                "failed_requests",
                "bytes_in",
                "bytes_out",
            ],
            &found.sessions,
        )
        .with_id("session_id"),
        footer,
        notes,
    }
}

fn days(days: u32) -> String {
    if days == 1 {
        "1 day".to_owned()
    } else {
        format!("{days} days")
    }
}

/// The statistics in one line, most frequent reason first.
fn summary(found: &DisconnectedSessions) -> String {
    let statistics = &found.statistics;
    let mut reasons: Vec<_> = statistics.disconnect_reasons.iter().collect();
    reasons.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let reasons: Vec<String> = reasons
        .into_iter()
        .map(|(reason, count)| format!("{reason} {count}"))
        .collect();
    let total = statistics.total_disconnected;
    let sessions = if total == 1 { "session" } else { "sessions" };
    let mut parts = vec![format!(
        "{total} {sessions} ended in {}",
        days(found.period.days)
    )];
    if !reasons.is_empty() {
        parts.push(format!(": {}", reasons.join(", ")));
    }
    if let Some(mean) = statistics.avg_duration_seconds {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float cast saturates, and half a second does not matter here"
        )]
        parts.push(format!("; {} on average", duration(mean.round() as i64)));
    }
    if let (Some(least), Some(most)) = (
        statistics.min_duration_seconds,
        statistics.max_duration_seconds,
    ) {
        parts.push(format!(", {} to {}", duration(least), duration(most)));
    }
    parts.concat()
}
