//! `archonctl pricing`: what models cost, for the estimates.

mod import;
mod list;
mod rows;
mod set;

#[cfg(test)]
mod tests;

use super::Context;
use super::error::{CliError, ExitStatus};

const EXAMPLES: &str = "\
Examples:
  archonctl pricing list
  archonctl pricing set gpt-5 --provider OpenAI --input-per-1m 1.25 --output-per-1m 10
  archonctl pricing import prices.csv";

const ELSEWHERE: &str = "\
Costs are estimates: tokens counted from what passes, at these prices. Which model is behind a session
is for you to say (default_model, upstream_models, client_models in archonctl.toml, or the flags of
`archonctl serve`); without it, or without a price, there is no cost.";

/// Show and set what models cost
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, after_help = ELSEWHERE, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    List(list::Args),
    Set(set::Args),
    Import(import::Args),
}

pub(crate) fn run(args: Args, context: &Context) -> Result<ExitStatus, CliError> {
    match args.action {
        Action::List(args) => list::run(&args, context),
        Action::Set(args) => set::run(&args, context),
        Action::Import(args) => import::run(&args, context),
    }
}

/// The present day, UTC.
fn today(context: &Context) -> String {
    context.now.to_datetime().format("%Y-%m-%d").to_string()
}
