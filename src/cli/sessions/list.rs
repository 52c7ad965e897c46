//! `archonctl sessions list`: sessions, newest activity first.

use super::columns::SESSIONS;
use super::{ListMeta, PageArgs};
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::OutputArgs;
use crate::cli::period::PeriodArgs;
use crate::cli::render::{Answer, Grid, List};
use crate::cli::source::SourceArgs;
use crate::model::SessionStatus;
use crate::reports::{SessionFilter, SessionPage, SessionRow};

const EXAMPLES: &str = "\
Examples:
  archonctl sessions list
  archonctl sessions list --status active,idle --with-calls
  archonctl sessions list --client Claude --since 1h30m -o json
  archonctl sessions list --columns session_id,user,bytes_out --limit 200";

/// List sessions, newest activity first
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only sessions that are so; repeat it or separate with commas [default: all]
    #[arg(long, value_enum, value_name = "STATUS", value_delimiter = ',')]
    status: Vec<StatusArg>,

    /// Only sessions of this client type, such as Claude or Cursor
    #[arg(long, value_name = "TYPE")]
    client: Option<String>,

    /// Only sessions with this server
    #[arg(long, value_name = "NAME")]
    server: Option<String>,

    /// Only sessions with at least one call
    #[arg(long)]
    with_calls: bool,

    #[command(flatten)]
    page: PageArgs,

    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    period: PeriodArgs,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum StatusArg {
    Active,
    Idle,
    Disconnected,
    All,
}

impl Args {
    fn filter(&self, context: &Context) -> Result<SessionFilter, CliError> {
        let statuses = self.status.iter().filter_map(|status| match status {
            StatusArg::Active => Some(SessionStatus::Active),
            StatusArg::Idle => Some(SessionStatus::Idle),
            StatusArg::Disconnected => Some(SessionStatus::Disconnected),
            StatusArg::All => None,
        });
        Ok(SessionFilter {
            statuses: if self.status.contains(&StatusArg::All) {
                Vec::new()
            } else {
                statuses.collect()
            },
            period: self.period.resolve(context.now)?,
            client_type: self.client.clone(),
            server: self.server.clone(),
            user_agent: None,
            with_calls: self.with_calls,
            page: self.page.page(),
        })
    }
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let filter = args.filter(context)?;
    let source = args.source.source(context)?;
    let page = source.ask(async |questions| questions.sessions(&filter).await)?;
    args.output.print(&answer(&page, &filter), &view)?;
    Ok(ExitStatus::Done)
}

pub(super) fn answer<'a>(
    page: &'a SessionPage,
    filter: &SessionFilter,
) -> Answer<List<'a, SessionRow>, ListMeta> {
    let meta = ListMeta::new(filter.period, page.total, page.sessions.len(), filter.page);
    let narrowed = SessionFilter {
        page: filter.page,
        ..SessionFilter::default()
    } != *filter;
    let notes = match (page.total, narrowed) {
        (0, true) => vec![
            "No session matches; `archonctl sessions list` without filters shows them all."
                .to_owned(),
        ],
        (0, false) => vec![
            "No sessions yet; point a client at `archonctl serve --upstream URL` and call a tool."
                .to_owned(),
        ],
        _ => meta.more("sessions").into_iter().collect(),
    };
    Answer {
        data: List(&page.sessions),
        meta,
        facts: Vec::new(),
        grid: Grid::new(
            SESSIONS,
            &[
                "session_id",
                "client",
                "client_type",
                "status",
                "era",
                "total_requests",
                "connected_at",
                "last_activity",
            ],
            &[
                "derivation",
                "server",
                "user",
                "failed_requests",
                "bytes_in",
                "bytes_out",
            ],
            &page.sessions,
        )
        .with_id("session_id"),
        footer: Vec::new(),
        notes,
    }
}
