//! `archonctl sessions`: who works with a server, who left and why, and how often.

mod columns;
mod disconnected;
mod list;
mod show;
mod stats;

#[cfg(test)]
mod tests;

use serde::Serialize;

use super::Context;
use super::error::{CliError, ExitStatus};
use crate::model::Period;
use crate::reports::Page;

const EXAMPLES: &str = "\
Examples:
  archonctl sessions list
  archonctl sessions show 01983f5e-8c00-7000-8000-0000000000aa
  archonctl sessions disconnected --days 7
  archonctl sessions stats --days 30 -o csv";

/// Show sessions: who works with a server, who left and why
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    List(list::Args),
    Show(show::Args),
    Disconnected(disconnected::Args),
    Stats(stats::Args),
}

pub(crate) fn run(args: Args, context: &Context) -> Result<ExitStatus, CliError> {
    match args.action {
        Action::List(args) => list::run(&args, context),
        Action::Show(args) => show::run(&args, context),
        Action::Disconnected(args) => disconnected::run(&args, context),
        Action::Stats(args) => stats::run(&args, context),
    }
}

/// Which part of a list to print.
#[derive(Clone, Copy, Debug, clap::Args)]
struct PageArgs {
    /// Rows at the most, 1 to 10000
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,

    /// Rows to leave out before the first
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: u64,
}

impl PageArgs {
    const fn page(self) -> Page {
        Page {
            limit: self.limit,
            offset: self.offset,
        }
    }
}

/// The `meta` of lists.
#[derive(Debug, Serialize)]
struct ListMeta {
    period: Option<Period>,
    total: i64,
    returned: usize,
    limit: u32,
    offset: u64,
}

impl ListMeta {
    const fn new(period: Option<Period>, total: i64, returned: usize, page: Page) -> Self {
        Self {
            period,
            total,
            returned,
            limit: page.limit,
            offset: page.offset,
        }
    }

    /// A remark if there is more than the page.
    fn more(&self, what: &str) -> Option<String> {
        let next = self
            .offset
            .saturating_add(u64::try_from(self.returned).unwrap_or(u64::MAX));
        let total = u64::try_from(self.total).unwrap_or(0);
        let rest = total.saturating_sub(next);
        let returned = self.returned;
        match (returned, rest) {
            (0, _) if total > 0 => Some(format!(
                "All {total} {what} come before --offset {}.",
                self.offset
            )),
            (_, 0) => None,
            _ => Some(format!(
                "{returned} of {total} {what}; --offset {next} shows the next ones."
            )),
        }
    }
}
