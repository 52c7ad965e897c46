//! `archonctl pricing list`: the prices that costs are estimated with.

use super::rows::{LISTED, Row, listed};
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::OutputArgs;
use crate::cli::render::{Answer, Grid, List};
use crate::cli::source::SourceArgs;

const EXAMPLES: &str = "\
Examples:
  archonctl pricing list
  archonctl pricing list --provider anthropic --model sonnet
  archonctl pricing list --all -o csv > prices.csv";

/// List what models cost: prices in force and to come, in US dollars
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Only providers whose names contain this
    #[arg(long, value_name = "TEXT")]
    provider: Option<String>,

    /// Only models whose names contain this
    #[arg(long, value_name = "TEXT")]
    model: Option<String>,

    /// Prices that newer ones have replaced as well
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    source: SourceArgs,

    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let source = args.source.source(context)?;
    let (provider, model) = (args.provider.as_deref(), args.model.as_deref());
    let prices = source.ask(async |questions| questions.prices(provider, model).await)?;
    let mut rows = listed(prices, &super::today(context));
    let total = rows.len();
    if !args.all {
        rows.retain(|row| row.in_force != Some("no"));
    }
    args.output.print(&answer(&rows, total), &view)?;
    Ok(ExitStatus::Done)
}

pub(super) fn answer(rows: &[Row], total: usize) -> Answer<List<'_, Row>, serde_json::Value> {
    let mut notes = Vec::new();
    if rows.is_empty() {
        notes.push(
            "No price of such a name; `archonctl pricing set` adds one, `archonctl pricing list` shows all."
                .to_owned(),
        );
    }
    Answer {
        data: List(rows),
        meta: serde_json::json!({ "total": total, "returned": rows.len(), "currency": "USD" }),
        facts: Vec::new(),
        grid: Grid::new(
            LISTED,
            &[
                "model_name",
                "provider",
                "input_price_per_1m",
                "output_price_per_1m",
                "effective_date",
                "in_force",
                "set_by",
            ],
            &["notes"],
            rows,
        )
        .with_id("model_name"),
        footer: Vec::new(),
        notes,
    }
}
