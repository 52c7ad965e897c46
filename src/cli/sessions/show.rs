//! `archonctl sessions show`: one session and its latest operations.

use serde::Serialize;

use super::PageArgs;
use super::columns::{client, reason, status, user};
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::OutputArgs;
use crate::cli::render::{Answer, Column, Field, Fit, Grid, Single, Tone, relative};
use crate::cli::source::SourceArgs;
use crate::model::{SessionId, Timestamp};
use crate::reports::{OperationRow, Pagination, SessionDetails, SessionRow};

const EXAMPLES: &str = "\
Examples:
  archonctl sessions show 01983f5e-8c00-7000-8000-0000000000aa
  archonctl sessions show 01983f5e-8c00-7000-8000-0000000000aa --limit 500 -o csv";

/// Show one session and its operations, newest first
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The session's id, as `archonctl sessions list` shows it
    #[arg(value_name = "ID")]
    id: SessionId,

    #[command(flatten)]
    page: PageArgs,

    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// The `meta` of the answer: the pagination of `data`, under the names lists have.
#[derive(Debug, Serialize)]
pub(super) struct Meta {
    total: i64,
    returned: usize,
    limit: u32,
    offset: u64,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let source = args.source.source(context)?;
    let page = args.page.page();
    let found = source.ask(async |questions| questions.session(args.id, page).await)?;
    let Some(details) = found else {
        return Err(unknown(args.id));
    };
    args.output.print(&answer(&details, context.now), &view)?;
    Ok(ExitStatus::Done)
}

fn unknown(id: SessionId) -> CliError {
    CliError::new(
        ExitStatus::Failure,
        "not_found",
        format!("there is no session {id}"),
    )
    .with_hint("`archonctl sessions list` shows the sessions there are")
    .with_details(serde_json::json!({ "session_id": id }))
}

const OPERATIONS: &[Column<OperationRow>] = &[
    Column {
        name: "timestamp",
        header: "STARTED",
        fit: Fit::Keep,
        value: |o| Field::Time(o.timestamp),
    },
    Column {
        name: "method",
        header: "METHOD",
        fit: Fit::Keep,
        value: |o| Field::text(Some(&o.method)),
    },
    Column {
        name: "target",
        header: "TARGET",
        fit: Fit::Shrink(12),
        value: |o| Field::text(target(o)),
    },
    Column {
        name: "status",
        header: "STATUS",
        fit: Fit::Keep,
        value: |o| outcome(&o.status),
    },
    Column {
        name: "duration_ms",
        header: "DURATION",
        fit: Fit::Keep,
        value: |o| Field::maybe(o.duration_ms, Field::Millis),
    },
    Column {
        name: "total_tokens",
        header: "TOKENS",
        fit: Fit::Drop(1),
        value: |o| Field::Int(o.total_tokens),
    },
    Column {
        name: "error_message",
        header: "ERROR",
        fit: Fit::Shrink(12),
        value: |o| Field::text(o.error_message.as_deref()),
    },
    Column {
        name: "estimated_cost",
        header: "COST",
        fit: Fit::Keep,
        value: |o| Field::Money(o.estimated_cost),
    },
    Column {
        name: "sent_by",
        header: "SENT BY",
        fit: Fit::Keep,
        value: |o| Field::text(Some(&o.sent_by)),
    },
    Column {
        name: "bytes_in",
        header: "IN",
        fit: Fit::Keep,
        value: |o| Field::maybe(o.bytes_in, Field::Bytes),
    },
    Column {
        name: "bytes_out",
        header: "OUT",
        fit: Fit::Keep,
        value: |o| Field::maybe(o.bytes_out, Field::Bytes),
    },
    Column {
        name: "trace_id",
        header: "TRACE",
        fit: Fit::Keep,
        value: |o| Field::text(o.trace_id.as_deref()),
    },
    Column {
        name: "request_id",
        header: "REQUEST",
        fit: Fit::Keep,
        value: |o| Field::Text(o.request_id.to_string()),
    },
    Column {
        name: "session_id",
        header: "SESSION",
        fit: Fit::Keep,
        value: |o| Field::Text(o.session_id.to_string()),
    },
    Column {
        name: "tool_name",
        header: "TOOL",
        fit: Fit::Shrink(12),
        value: |o| Field::text(o.tool_name.as_deref()),
    },
    Column {
        name: "prompt_name",
        header: "PROMPT",
        fit: Fit::Shrink(12),
        value: |o| Field::text(o.prompt_name.as_deref()),
    },
    Column {
        name: "resource_uri",
        header: "RESOURCE",
        fit: Fit::Shrink(12),
        value: |o| Field::text(o.resource_uri.as_deref()),
    },
    Column {
        name: "prompt_tokens",
        header: "PROMPT TOKENS",
        fit: Fit::Keep,
        value: |o| Field::maybe(o.prompt_tokens, Field::Int),
    },
    Column {
        name: "completion_tokens",
        header: "COMPLETION TOKENS",
        fit: Fit::Keep,
        value: |o| Field::maybe(o.completion_tokens, Field::Int),
    },
    Column {
        name: "protocol_version",
        header: "PROTOCOL",
        fit: Fit::Keep,
        value: |o| Field::text(o.protocol_version.as_deref()),
    },
];

/// What the request was aimed at.
fn target(operation: &OperationRow) -> Option<&str> {
    let named = operation
        .tool_name
        .as_deref()
        .or(operation.prompt_name.as_deref());
    named.or(operation.resource_uri.as_deref())
}

fn outcome(status: &str) -> Field {
    let tone = match status {
        "success" => Tone::Good,
        "timeout" => Tone::Warn,
        _ => Tone::Bad,
    };
    Field::Word(status.to_owned(), tone)
}

pub(super) fn answer(
    details: &SessionDetails,
    now: Timestamp,
) -> Answer<Single<'_, SessionDetails>, Meta> {
    let Pagination {
        total,
        limit,
        offset,
        has_more,
    } = details.pagination;
    let returned = details.requests.len();
    let mut notes = Vec::new();
    if has_more {
        let next = offset.saturating_add(u64::try_from(returned).unwrap_or(u64::MAX));
        notes.push(format!(
            "{returned} of {total} operations; --offset {next} shows the next ones."
        ));
    } else if total == 0 {
        notes.push("No operations: the client connected and called nothing.".to_owned());
    }
    let sums = &details.summary;
    let mut footer = Vec::new();
    if sums.total_requests > 0 {
        footer.push(format!(
            "{} operations, about {} tokens ({} in, {} out), about ${}; tokens and cost are estimates",
            sums.total_requests,
            sums.total_tokens,
            sums.total_prompt_tokens,
            sums.total_completion_tokens,
            sums.total_cost
        ));
    }
    Answer {
        data: Single(details),
        meta: Meta {
            total,
            returned,
            limit,
            offset,
        },
        facts: facts(&details.session, now),
        grid: Grid::new(
            OPERATIONS,
            &[
                "timestamp",
                "method",
                "target",
                "status",
                "duration_ms",
                "total_tokens",
                "error_message",
            ],
            &[
                "estimated_cost",
                "sent_by",
                "bytes_in",
                "bytes_out",
                "trace_id",
                "request_id",
            ],
            &details.requests,
        ),
        footer,
        notes,
    }
}

/// An instant in full, with the time since.
fn instant(at: Timestamp, now: Timestamp) -> Field {
    Field::Text(format!("{at} ({})", relative(at, now)))
}

fn facts(session: &SessionRow, now: Timestamp) -> Vec<(&'static str, Field)> {
    let mut facts = vec![
        ("Session", Field::Text(session.session_id.to_string())),
        ("Status", status(session.status)),
        ("Client", client(session)),
        ("Client type", Field::text(Some(&session.client_type))),
        ("User", user(session)),
        ("Server", Field::text(session.server.as_deref())),
        ("Era", Field::text(session.era.as_deref())),
        ("Protocol", Field::text(session.protocol_version.as_deref())),
        ("Derivation", Field::text(session.derivation.as_deref())),
        ("User agent", Field::text(session.user_agent.as_deref())),
        ("Connected", instant(session.connected_at, now)),
        ("Last activity", instant(session.last_activity, now)),
    ];
    if let Some(at) = session.disconnected_at {
        facts.push(("Ended", instant(at, now)));
        facts.push((
            "Noticed",
            Field::maybe(session.detected_at, |at| instant(at, now)),
        ));
        facts.push((
            "Duration",
            Field::maybe(session.total_duration, Field::Seconds),
        ));
        facts.push((
            "Reason",
            Field::maybe(session.disconnect_reason.as_deref(), reason),
        ));
    }
    if let Some(id) = session.resumed_from {
        facts.push(("Resumed from", Field::Text(id.to_string())));
    }
    let (all, failed) = (session.total_requests, session.failed_requests);
    facts.push(("Requests", Field::Text(format!("{all} ({failed} failed)"))));
    facts.push(("Notifications", Field::Int(session.notifications)));
    facts.push(("Bytes in", Field::Bytes(session.bytes_in)));
    facts.push(("Bytes out", Field::Bytes(session.bytes_out)));
    if let Some(capabilities) = &session.client_capabilities {
        facts.push(("Capabilities", Field::Text(capabilities.to_string())));
    }
    if session
        .metadata
        .as_object()
        .is_some_and(|metadata| !metadata.is_empty())
    {
        facts.push(("Metadata", Field::Text(session.metadata.to_string())));
    }
    facts
}
