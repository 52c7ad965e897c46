//! `archonctl test-connection`: does an MCP server answer, and is what it did tracked?
//!
//! The steps on the wire are `probe`'s; the last one, which looks into the store, is here.

use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;
use uuid::Uuid;

use super::Context;
use super::error::{CliError, ExitStatus};
use super::output::{OutputArgs, StoreArgs, write_out};
use super::render::{Answer, Column, Field, Fit, Grid, Single, Tone, View, duration, line, render};
use super::store::{Place, block_on, open_store};
use crate::model::{DisconnectReason, SessionId, SessionStatus, parse_duration};
use crate::probe::{self, ProbeOptions, ProbeReport, Step, StepError};
use crate::reports::{Page, SessionFilter, SessionRow, list_sessions, session_details};
use crate::store::Store;

const EXAMPLES: &str = "\
Examples:
  archonctl test-connection
  archonctl test-connection http://127.0.0.1:8051/mcp --timeout 3s -o json
  archonctl test-connection https://mcp.example.com/mcp --no-store-check
  archonctl test-connection http://127.0.0.1:8052/mcp --any-server";

/// How long to wait before the store is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Test that an MCP server answers, and that its session is tracked
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// The endpoint
    #[arg(value_name = "URL", default_value = probe::DEFAULT_URL, value_hint = clap::ValueHint::Url)]
    url: String,

    /// How long each step may take
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = parse_duration)]
    timeout: Duration,

    /// Do not look for the session in the store
    #[arg(long)]
    no_store_check: bool,

    /// Test any MCP server, with no archonctl in front of it: nothing is looked for in the store
    #[arg(long)]
    any_server: bool,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// The `meta` of the answer.
#[derive(Debug, Serialize)]
struct Meta {
    total: usize,
    failed: usize,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    // A wrong column is told before anything is sent anywhere.
    render(&answer(&ProbeReport::new(&args.options())), &view)?;
    let place = if args.no_store_check || args.any_server {
        None
    } else {
        Some(args.store.place(context)?)
    };
    // Tables say each step when it is done. Everything else is one document, and chosen columns one table.
    let stepwise = view.format.is_table() && view.columns.is_none() && !view.ids_only;
    let mut written = Ok(());
    let mut on_step = |step: &Step| {
        if stepwise && written.is_ok() {
            written = write_out(told(step, &view).as_bytes());
        }
    };
    let report = block_on(async {
        let options = args.options();
        let mut report = probe::run(&options, &mut on_step).await;
        // Without an agreement there is no session to look for.
        if let (Some(place), Some(_)) = (&place, report.era) {
            let step = tracked(place, &mut report, args.timeout).await;
            report.add(step, &mut on_step);
        }
        Ok(report)
    })?;
    written?;
    if !stepwise {
        args.output.print(&answer(&report), &view)?;
    }
    Ok(if report.ok {
        ExitStatus::Done
    } else {
        ExitStatus::Failure
    })
}

impl Args {
    fn options(&self) -> ProbeOptions {
        ProbeOptions {
            url: self.url.clone(),
            timeout: self.timeout,
            expect_archonctl: !self.any_server,
            run_id: Uuid::new_v4(),
        }
    }
}

/// A step as a table tells it: one line, and one more with the hint of a step that failed.
fn told(step: &Step, view: &View) -> String {
    let name = Field::Text(step.name.to_string());
    let detail = match &step.error {
        None => step.detail.clone(),
        Some(error) => error.message.clone(),
    };
    let fields = [
        (verdict(step), 4),
        (name, 10),
        (millis(step), 8),
        (Field::Text(detail), 0),
    ];
    let mut text = line(&fields, view);
    if let Some(error) = &step.error {
        let hint = Field::Text(format!("hint: {}", error.hint));
        text.push_str(&line(&[(Field::Text(" ".repeat(4)), 4), (hint, 0)], view));
    }
    text
}

fn verdict(step: &Step) -> Field {
    if step.ok {
        Field::Word("ok".to_owned(), Tone::Good)
    } else {
        Field::Word("FAIL".to_owned(), Tone::Bad)
    }
}

fn millis(step: &Step) -> Field {
    Field::Millis(i64::try_from(step.elapsed.as_millis()).unwrap_or(i64::MAX))
}

const STEPS: &[Column<Step>] = &[
    Column {
        name: "ok",
        header: "RESULT",
        fit: Fit::Keep,
        value: verdict,
    },
    Column {
        name: "name",
        header: "STEP",
        fit: Fit::Keep,
        value: |step| Field::text(Some(&step.name)),
    },
    Column {
        name: "elapsed_ms",
        header: "TIME",
        fit: Fit::Keep,
        value: millis,
    },
    Column {
        name: "detail",
        header: "DETAIL",
        fit: Fit::Shrink(12),
        value: |step| Field::text(Some(&step.detail)),
    },
    Column {
        name: "error",
        header: "ERROR",
        fit: Fit::Shrink(12),
        value: |step| Field::text(step.error.as_ref().map(|error| error.message.as_str())),
    },
    Column {
        name: "hint",
        header: "HINT",
        fit: Fit::Shrink(12),
        value: |step| Field::text(step.error.as_ref().map(|error| error.hint.as_str())),
    },
];

fn answer(report: &ProbeReport) -> Answer<Single<'_, ProbeReport>, Meta> {
    let names = &["ok", "name", "elapsed_ms", "detail", "error", "hint"];
    Answer {
        data: Single(report),
        meta: Meta {
            total: report.steps.len(),
            failed: report.steps.iter().filter(|step| !step.ok).count(),
        },
        facts: Vec::new(),
        grid: Grid::new(STEPS, names, &[], &report.steps),
        footer: Vec::new(),
        notes: Vec::new(),
    }
}

/// The last step: the session of this run is in the store, ended by its client.
async fn tracked(place: &Place, report: &mut ProbeReport, timeout: Duration) -> Step {
    let began = Instant::now();
    let outcome = wait_for_session(place, report, began, timeout).await;
    match outcome {
        Ok(session) => {
            report.session_id = Some(session.session_id.to_string());
            let era = session.era.as_deref().unwrap_or("unknown");
            let lasted = duration(session.total_duration.unwrap_or_default());
            let requests = match session.total_requests {
                1 => "1 request".to_owned(),
                number => format!("{number} requests"),
            };
            let id = session.session_id;
            let detail = format!("session {id}: {era} era, {requests}, {lasted}");
            Step::passed("tracked", began.elapsed(), detail)
        }
        Err(error) => Step::failed("tracked", began.elapsed(), error),
    }
}

/// Waits until the session has ended: the daemon carries its records into the store within a second.
async fn wait_for_session(
    place: &Place,
    report: &ProbeReport,
    began: Instant,
    timeout: Duration,
) -> Result<SessionRow, StepError> {
    let store = open_store(place).await.map_err(|error| of_store(&error))?;
    loop {
        let found = look(&store, report).await;
        let last = began.elapsed() >= timeout;
        match found {
            Err(error) if last || error.status() != ExitStatus::Busy => {
                return Err(of_store(&error));
            }
            Ok(None) if last => return Err(not_tracked(report, &store)),
            Ok(Some(session)) if session.status == SessionStatus::Disconnected => {
                return ended(session);
            }
            Ok(Some(session)) if last => {
                let (id, status) = (session.session_id, session.status);
                return Err(StepError::new(
                    format!(
                        "session {id} is tracked, and still {status} {timeout:?} after it was left"
                    ),
                    "give it longer with --timeout; if it stays so, look into the daemon's log",
                ));
            }
            _ => tokio::time::sleep(LOOK_AGAIN).await,
        }
    }
}

/// The session of this run: by the id that archonctl gave it, else by its user agent, which no other run has.
async fn look(store: &Store, report: &ProbeReport) -> Result<Option<SessionRow>, CliError> {
    let page = Page {
        limit: 1,
        offset: 0,
    };
    let named = report.session_id.as_deref().map(str::parse::<SessionId>);
    if let Some(Ok(id)) = named {
        let details = session_details(store, id, page).await?;
        return Ok(details.map(|details| details.session));
    }
    let filter = SessionFilter {
        user_agent: Some(report.user_agent.clone()),
        page,
        ..SessionFilter::default()
    };
    Ok(list_sessions(store, &filter).await?.sessions.pop())
}

fn ended(session: SessionRow) -> Result<SessionRow, StepError> {
    let expected = DisconnectReason::ClientDisconnect.to_string();
    if session.disconnect_reason.as_ref() == Some(&expected) {
        return Ok(session);
    }
    let reason = session.disconnect_reason.as_deref().unwrap_or("nothing");
    Err(StepError::new(
        format!(
            "session {} ended as {reason}, where {expected} was expected",
            session.session_id
        ),
        format!(
            "`archonctl sessions show {}` shows what happened in it",
            session.session_id
        ),
    ))
}

fn not_tracked(report: &ProbeReport, store: &Store) -> StepError {
    let message = format!("no session of this run is in {}", store.location());
    if report.session_id.is_some() {
        return StepError::new(
            message,
            "an archonctl stands in front of the server, with another data directory: name that one with --data-dir, \
             or leave this step out with --no-store-check",
        );
    }
    StepError::new(
        message,
        format!(
            "is there an archonctl in front of {}? A server without one is tested with --any-server",
            report.url
        ),
    )
}

fn of_store(error: &CliError) -> StepError {
    let (message, hint) = error.told();
    let elsewhere = "or leave this step out with --no-store-check";
    StepError::new(
        message,
        hint.map_or_else(
            || elsewhere.to_owned(),
            |hint| format!("{hint}; {elsewhere}"),
        ),
    )
}
