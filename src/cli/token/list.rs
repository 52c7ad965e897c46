//! `archonctl token list`: which tokens there are, and which of them are good.

use super::{LISTED, Row};
use crate::auth;
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::{OutputArgs, StoreArgs};
use crate::cli::render::{Answer, Grid, List};
use crate::cli::store::block_on;

const EXAMPLES: &str = "\
Examples:
  archonctl token list
  archonctl token list -o json";

/// List tokens, the newest first
#[derive(Debug, clap::Args)]
#[command(before_help = EXAMPLES)]
pub(crate) struct Args {
    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    output: OutputArgs,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let place = args.store.place(context)?;
    let tokens = block_on(async {
        let store = super::open(&place, false).await?;
        Ok(auth::list(&store).await?)
    })?;
    let rows = tokens.into_iter().map(|token| Row::of(token, context.now));
    let rows: Vec<Row> = rows.collect();
    args.output.print(&answer(&rows), &view)?;
    Ok(ExitStatus::Done)
}

pub(super) fn answer(rows: &[Row]) -> Answer<List<'_, Row>, serde_json::Value> {
    let mut notes = Vec::new();
    if rows.is_empty() {
        notes.push(
            "No tokens yet; `archonctl token create NAME --scope read` makes one.".to_owned(),
        );
    }
    Answer {
        data: List(rows),
        meta: serde_json::json!({ "total": rows.len(), "returned": rows.len() }),
        facts: Vec::new(),
        grid: Grid::new(
            LISTED,
            &[
                "id",
                "name",
                "scopes",
                "status",
                "created_at",
                "expires_at",
                "last_used_at",
            ],
            &["revoked_at"],
            rows,
        )
        .with_id("id"),
        footer: Vec::new(),
        notes,
    }
}
