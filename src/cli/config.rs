//! `archonctl config show`: every setting, its value, where it comes from.

use serde::Serialize;

use super::Context;
use super::error::{CliError, ExitStatus};
use super::output::{OutputArgs, StoreArgs};
use super::render::{Answer, Column, Field, Fit, Grid, List};
use crate::config::Settings;

const EXAMPLES: &str = "\
Examples:
  archonctl config show
  archonctl config show --origin
  archonctl config show -o json";

/// Show settings
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Show every setting and its value
    #[command(before_help = EXAMPLES)]
    Show(ShowArgs),
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// Also show where each value comes from
    #[arg(long)]
    origin: bool,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    output: OutputArgs,
}

/// A setting as it is shown.
#[derive(Serialize)]
struct Row {
    key: String,
    value: Option<String>,
    origin: String,
    /// `None` for what only files can say.
    environment: Option<String>,
}

const COLUMNS: &[Column<Row>] = &[
    Column {
        name: "key",
        header: "SETTING",
        fit: Fit::Keep,
        value: |row| Field::text(Some(&row.key)),
    },
    Column {
        name: "value",
        header: "VALUE",
        fit: Fit::Shrink(16),
        value: |row| Field::text(row.value.as_deref()),
    },
    Column {
        name: "origin",
        header: "ORIGIN",
        fit: Fit::Shrink(16),
        value: |row| Field::text(Some(&row.origin)),
    },
    Column {
        name: "environment",
        header: "ENVIRONMENT",
        fit: Fit::Drop(1),
        value: |row| Field::text(row.environment.as_deref()),
    },
];

pub(crate) fn run(args: Args, context: &Context) -> Result<ExitStatus, CliError> {
    let Action::Show(args) = args.action;
    let view = args.output.view(context)?;
    let settings = Settings::resolve(&context.sources, args.store.flags())?;
    let mut rows: Vec<Row> = settings
        .shown()
        .into_iter()
        .map(|shown| Row {
            key: shown.key.name().to_owned(),
            value: shown.value,
            origin: shown.origin.to_string(),
            environment: Some(shown.key.variable()),
        })
        .collect();
    rows.extend(settings.shown_upstreams().into_iter().map(|shown| Row {
        key: shown.key,
        value: Some(shown.value),
        origin: shown.origin.to_string(),
        environment: None,
    }));
    let (default, wide): (&[_], &[_]) = if args.origin {
        (&["key", "value", "origin"], &["environment"])
    } else {
        (&["key", "value"], &["origin", "environment"])
    };
    let answer = Answer {
        data: List(&rows),
        meta: serde_json::json!({ "total": rows.len() }),
        facts: Vec::new(),
        grid: Grid::new(COLUMNS, default, wide, &rows).with_id("key"),
        footer: Vec::new(),
        notes: Vec::new(),
    };
    args.output.print(&answer, &view)?;
    Ok(ExitStatus::Done)
}
