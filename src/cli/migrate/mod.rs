//! `archonctl migrate`: bring a database to the schema of this version, say how it stands, prove it, undo it.
//!
//! One file a command; what they share about runs is in `run`, about printing SQL in `sql`. Decides nothing about schemas:
//! that is the store's.

mod adopt;
mod down;
mod dump;
mod explain;
mod plan;
mod progress;
mod repair;
mod report;
mod run;
mod sql;
mod status;
mod up;
mod verify;

#[cfg(test)]
mod tests;

use super::Context;
use super::error::{CliError, ExitStatus};

pub(super) use explain::explain;

const EXAMPLES: &str = "\
Examples:
  archonctl migrate                                # the same as migrate up
  archonctl migrate up --rehearse                  # run it all, and undo it all
  archonctl migrate up && archonctl migrate verify
  archonctl migrate status -o wide
  archonctl migrate plan > plan.sql";

const MORE: &str = "\
What is there is told by the database's catalog and held against what each migration makes; what is
recorded is never believed alone. docs/MIGRATIONS.md has the whole story.

Exit codes: 0 done; 1 failed; 4 no connection, or a pooler in transaction mode in front; 5 the schema
is not as it should be; 6 somebody else holds a lock; 8 pending (with --exit-code).";

/// Bring the database to this version, and prove it
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = MORE, args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,

    #[command(flatten)]
    up: up::UpArgs,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    Up(up::UpArgs),
    Status(status::Args),
    Verify(verify::Args),
    Plan(plan::Args),
    Adopt(adopt::Args),
    Repair(repair::Args),
    Down(down::Args),
    Dump(dump::Args),
}

pub(crate) fn run(args: Args, context: &Context) -> Result<ExitStatus, CliError> {
    match args.action {
        None => up::run(&args.up, context),
        Some(Action::Up(args)) => up::run(&args, context),
        Some(Action::Status(args)) => status::run(&args, context),
        Some(Action::Verify(args)) => verify::run(&args, context),
        Some(Action::Plan(args)) => plan::run(&args, context),
        Some(Action::Adopt(args)) => adopt::run(&args, context),
        Some(Action::Repair(args)) => repair::run(&args, context),
        Some(Action::Down(args)) => down::run(&args, context),
        Some(Action::Dump(args)) => dump::run(&args, context),
    }
}
