//! `archonctl token revoke`: a token that is good no more.

use super::Row;
use super::list::answer;
use crate::auth;
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::{OutputArgs, StoreArgs};
use crate::cli::store::block_on;

const EXAMPLES: &str = "\
Examples:
  archonctl token revoke grafana
  archonctl token revoke 0f3c9a51d2e84b76";

/// Revoke a token; it is good no more at once
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    /// Its id or its name, as `archonctl token list` shows them
    #[arg(value_name = "ID|NAME")]
    token: String,

    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let place = args.store.place(context)?;
    let now = context.now;
    let revoked = block_on(async {
        let store = super::open(&place, false).await?;
        Ok(auth::revoke(&store, &args.token, now).await?)
    })?;
    let row = Row::of(revoked, now);
    args.output
        .print(&answer(std::slice::from_ref(&row)), &view)?;
    Ok(ExitStatus::Done)
}
