//! `archonctl migrate plan`: the SQL that `migrate up` would run.

use super::sql;
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::{OutputArgs, StoreArgs};
use crate::store::Task;

/// Print the SQL that `migrate up` would run, without running it
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Examples:\n  archonctl migrate plan > plan.sql\n  archonctl migrate plan --to 14 -o json"
)]
pub(super) struct Args {
    /// The number of the last migration to apply [default: all]
    #[arg(long, value_name = "N")]
    to: Option<i32>,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    sql::planned(Task::Up, args.to, &args.store, &args.output, &view, context)
}
