//! `archonctl migrate repair`: make what is missing.

use super::run::{Opening, RunArgs, working};
use super::{report, sql};
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::{OutputArgs, StoreArgs};
use crate::store::Task;

/// Make what is missing of migrations that are there in part, or recorded and not there
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Examples:\n  archonctl migrate repair --dry-run\n  archonctl migrate repair && archonctl migrate verify"
)]
pub(super) struct Args {
    /// Only say what would be run
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    run: RunArgs,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    if args.dry_run {
        return sql::planned(
            Task::Repair,
            None,
            &args.store,
            &args.output,
            &view,
            context,
        );
    }
    let options = args.run.options(None);
    let report = working(
        &args.store,
        Opening::Existing,
        &args.output,
        &view,
        context,
        &options.stop,
        async |migrator, progress| migrator.repair(&options, progress).await,
    )?;
    args.output.print(
        &report::answer(&report, "There is nothing to repair."),
        &view,
    )?;
    Ok(report::status(&report))
}
