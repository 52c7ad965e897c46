//! `archonctl migrate down`: undo, with the scripts that are written down for it.

use std::io::{BufRead, Write};

use super::run::{Opening, RunArgs, working};
use super::{report, sql};
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::{OutputArgs, StoreArgs};
use crate::cli::store::{block_on, open_existing};
use crate::store::{DownOptions, DownPlan, MigrationError, PlannedMigration, StoreError};

const EXAMPLES: &str = "\
Examples:
  archonctl migrate down --dry-run
  archonctl migrate down --to 103 --yes
  archonctl migrate down --to 14 --confirm   # where columns or tables with data go";

/// Undo the last migration, or all after a number
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(super) struct Args {
    /// The number of the last migration that stays; 0 undoes all [default: undo the last one]
    #[arg(long, value_name = "N")]
    to: Option<i32>,

    /// Only print the SQL
    #[arg(long)]
    dry_run: bool,

    /// Do not ask
    #[arg(long)]
    yes: bool,

    /// Also where data is lost; does not ask either
    #[arg(long)]
    confirm: bool,

    #[command(flatten)]
    run: RunArgs,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    output: OutputArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let place = args.store.place(context)?;
    let plan = block_on(async {
        let store = open_existing(&place).await?;
        let plan = store.migrator().plan_down(args.to).await?;
        store.close().await;
        Ok(plan)
    })?;
    if args.dry_run {
        sql::print_plan(&plan.migrations, &args.output, &view, context)?;
        return Ok(ExitStatus::Done);
    }
    if !plan.migrations.is_empty() {
        allowed(args, plan, context)?;
    }
    let options = DownOptions {
        to: args.to,
        confirm: args.confirm,
        run: args.run.options(None),
    };
    let report = working(
        &args.store,
        Opening::Existing,
        &args.output,
        &view,
        context,
        &options.run.stop,
        async |migrator, progress| migrator.down(&options, progress).await,
    )?;
    args.output
        .print(&report::answer(&report, "There is nothing to undo."), &view)?;
    Ok(ExitStatus::Done)
}

/// Makes sure that somebody wants this.
fn allowed(args: &Args, plan: DownPlan, context: &Context) -> Result<(), CliError> {
    let names: Vec<_> = plan
        .migrations
        .iter()
        .map(PlannedMigration::file_name)
        .collect();
    if args.confirm {
        return Ok(());
    }
    if plan.drops_data {
        let error = MigrationError::DropsData {
            migrations: names,
            rows: plan.rows,
        };
        return Err(StoreError::from(error).into());
    }
    if args.yes {
        return Ok(());
    }
    if !context.terminal.can_ask() {
        let message = "--yes is required when not interactive";
        return Err(CliError::usage("usage", message)
            .with_hint("`archonctl migrate down --dry-run` shows what it would do"));
    }
    if ask(&format!("Undo {}? [y/N] ", names.join(", ")))? {
        Ok(())
    } else {
        Err(CliError::new(
            ExitStatus::Failure,
            "declined",
            "nothing was undone",
        ))
    }
}

/// Asks on standard error; anything but yes is no.
fn ask(question: &str) -> Result<bool, CliError> {
    let failed = |error: std::io::Error| CliError::io("cannot ask", &error);
    let mut err = std::io::stderr().lock();
    err.write_all(question.as_bytes())
        .and_then(|()| err.flush())
        .map_err(failed)?;
    let mut answer = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(failed)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}
