//! `archonctl migrate adopt`: record what is there.

use super::run::{Opening, RunArgs, working};
use super::{report, sql};
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::{OutputArgs, StoreArgs};
use crate::store::Task;

/// Record migrations that were made by hand, as far as they are all there
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Examples:\n  archonctl migrate adopt --dry-run\n  archonctl migrate adopt -o json"
)]
pub(super) struct Args {
    /// Only say what would be recorded
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
        return sql::planned(Task::Adopt, None, &args.store, &args.output, &view, context);
    }
    let options = args.run.options(None);
    let report = working(
        &args.store,
        Opening::Existing,
        &args.output,
        &view,
        context,
        &options.stop,
        async |migrator, progress| migrator.adopt(&options, progress).await,
    )?;
    let mut answer = report::answer(&report, "There is nothing to record.");
    if !report.left.is_empty() {
        answer.notes.push(
            "what is there in part is not recorded; `archonctl migrate repair` makes the rest"
                .to_owned(),
        );
    }
    args.output.print(&answer, &view)?;
    Ok(report::status(&report))
}
