//! `archonctl doctor`: is everything as it should be, and if not, what to do.
//!
//! Looks and changes nothing: what a dead instance has left behind is told, and left where it is.

mod local;
mod stored;

use serde::Serialize;

use super::Context;
use super::error::{CliError, ExitStatus};
use super::output::{OutputArgs, StoreArgs};
use super::render::{Answer, Column, Field, Fit, Grid, List, Tone};
use super::store::block_on;
use crate::config::Settings;

const EXAMPLES: &str = "\
Examples:
  archonctl doctor
  archonctl doctor -o wide                  # with what to do
  archonctl doctor -o json > state.json     # to send to somebody";

/// Check the data directory, journals, the store and its instances, and explain what is wrong
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Ok,
    Warning,
    Failed,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    /// `config`, `data_dir`, `disk`, `journal`, `store`, `instance`, `sessions`, `daemon`, `upstream`.
    area: &'static str,
    /// What was looked at: a path, a URL, an instance.
    subject: String,
    verdict: Verdict,
    /// What was found, in a sentence.
    detail: String,
    /// What to do about it.
    hint: Option<String>,
    /// The figures behind it, by name.
    #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
    figures: serde_json::Map<String, serde_json::Value>,
}

impl Check {
    fn new(
        area: &'static str,
        subject: impl Into<String>,
        verdict: Verdict,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            area,
            subject: subject.into(),
            verdict,
            detail: detail.into(),
            hint: None,
            figures: serde_json::Map::new(),
        }
    }

    fn ok(area: &'static str, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(area, subject, Verdict::Ok, detail)
    }

    fn warning(area: &'static str, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(area, subject, Verdict::Warning, detail)
    }

    fn failed(area: &'static str, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(area, subject, Verdict::Failed, detail)
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    fn figure(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.figures.insert(name.to_owned(), value.into());
        self
    }
}

const COLUMNS: &[Column<Check>] = &[
    Column {
        name: "area",
        header: "AREA",
        fit: Fit::Keep,
        value: |check| Field::text(Some(check.area)),
    },
    Column {
        name: "verdict",
        header: "VERDICT",
        fit: Fit::Keep,
        value: |check| match check.verdict {
            Verdict::Ok => Field::Word("ok".to_owned(), Tone::Good),
            Verdict::Warning => Field::Word("warning".to_owned(), Tone::Warn),
            Verdict::Failed => Field::Word("failed".to_owned(), Tone::Bad),
        },
    },
    Column {
        name: "subject",
        header: "SUBJECT",
        fit: Fit::Shrink(16),
        value: |check| Field::text(Some(&check.subject)),
    },
    Column {
        name: "detail",
        header: "DETAIL",
        fit: Fit::Shrink(24),
        value: |check| Field::text(Some(&check.detail)),
    },
    Column {
        name: "hint",
        header: "HINT",
        fit: Fit::Shrink(24),
        value: |check| Field::text(check.hint.as_deref()),
    },
];

/// The `meta` of the answer.
#[derive(Debug, Serialize)]
struct Meta {
    total: usize,
    failed: usize,
    warnings: usize,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let settings = Settings::resolve(&context.sources, args.store.flags())?;
    let mut checks = local::checks(&settings, &context.sources);
    checks.extend(block_on(async { Ok(stored::checks(&settings).await) })?);
    let count = |verdict| checks.iter().filter(|c| c.verdict == verdict).count();
    let meta = Meta {
        total: checks.len(),
        failed: count(Verdict::Failed),
        warnings: count(Verdict::Warning),
    };
    let (failed, warnings) = (meta.failed, meta.warnings);
    let mut footer = vec![match (failed, warnings) {
        (0, 0) => "Everything is as it should be.".to_owned(),
        _ => format!("{failed} failed, {}.", counted(warnings, "warning")),
    }];
    let wrong = checks.iter().filter(|c| c.verdict != Verdict::Ok);
    footer.extend(wrong.filter_map(|check| {
        let hint = check.hint.as_deref()?;
        Some(format!("hint: {} {}: {hint}", check.area, check.subject))
    }));
    let answer = Answer {
        data: List(&checks),
        meta,
        facts: Vec::new(),
        grid: Grid::new(
            COLUMNS,
            &["area", "verdict", "subject", "detail"],
            &["hint"],
            &checks,
        )
        .with_id("subject"),
        footer,
        notes: Vec::new(),
    };
    args.output.print(&answer, &view)?;
    Ok(if failed > 0 {
        ExitStatus::Failure
    } else {
        ExitStatus::Done
    })
}

/// `1 warning`, `2 warnings`.
fn counted(count: impl TryInto<u64>, what: &str) -> String {
    let count = count.try_into().unwrap_or(u64::MAX);
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

/// A size for people.
fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.into_iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => counted(bytes, "byte"),
    }
}
