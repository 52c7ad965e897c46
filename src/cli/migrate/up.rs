//! `archonctl migrate up`: apply, adopt, repair.

use super::report;
use super::run::{Opening, RunArgs, working};
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::{OutputArgs, StoreArgs};
use crate::store::UpOptions;

const EXAMPLES: &str = "\
Examples:
  archonctl migrate up
  archonctl migrate up --rehearse
  archonctl migrate up --to 14 --wait --wait-timeout 2m
  archonctl migrate up --data-dir ./data -o json";

/// Apply what is pending, record what was made by hand, make what is missing
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(super) struct UpArgs {
    /// The number of the last migration to apply [default: all]
    #[arg(long, value_name = "N")]
    to: Option<i32>,

    /// Run everything in one transaction, and undo it
    #[arg(long)]
    rehearse: bool,

    #[command(flatten)]
    run: RunArgs,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &UpArgs, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let options = UpOptions {
        rehearse: args.rehearse,
        ..args.run.options(args.to)
    };
    let report = working(
        &args.store,
        Opening::OrCreate,
        &args.output,
        &view,
        context,
        &options.stop,
        async |migrator, progress| migrator.up(&options, progress).await,
    )?;
    args.output
        .print(&report::answer(&report, "The store is up to date."), &view)?;
    Ok(report::status(&report))
}
