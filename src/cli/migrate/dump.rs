//! `archonctl migrate dump`: the schema as it is.

use super::sql::write_script;
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::{OutputArgs, StoreArgs};
use crate::cli::render::{Answer, Column, Field, Fit, Grid, List};
use crate::cli::store::{block_on, open_existing};
use crate::store::DumpedObject;

/// Print the schema as it is, as SQL that makes it again
#[derive(Debug, clap::Args)]
#[command(
    before_help = "Examples:\n  archonctl migrate dump > schema.sql\n  archonctl migrate dump -o jsonl"
)]
pub(super) struct Args {
    #[command(flatten)]
    store: StoreArgs,

    #[command(flatten)]
    output: OutputArgs,
}

const COLUMNS: &[Column<DumpedObject>] = &[
    Column {
        name: "kind",
        header: "KIND",
        fit: Fit::Keep,
        value: |object| Field::Text(object.kind.to_string()),
    },
    Column {
        name: "on",
        header: "ON",
        fit: Fit::Keep,
        value: |object| Field::text(object.on.as_deref()),
    },
    Column {
        name: "name",
        header: "NAME",
        fit: Fit::Keep,
        value: |object| Field::text(Some(&object.name)),
    },
    Column {
        name: "sql",
        header: "SQL",
        fit: Fit::Keep,
        value: |object| Field::text(Some(&object.sql)),
    },
];

pub(super) fn run(args: &Args, context: &Context) -> Result<ExitStatus, CliError> {
    let view = args.output.view(context)?;
    let place = args.store.place(context)?;
    let (objects, is_embedded) = block_on(async {
        let store = open_existing(&place).await?;
        let objects = store.migrator().dump().await?;
        let is_embedded = store.is_embedded();
        store.close().await;
        Ok((objects, is_embedded))
    })?;
    if view.format.is_table() && !args.output.is_quiet() {
        let mut script = String::new();
        if !is_embedded {
            // Functions may read tables and views that come after them.
            script.push_str("SET check_function_bodies TO off;\n\n");
        }
        for object in &objects {
            script.push_str(&object.sql);
            script.push_str("\n\n");
        }
        write_script(script.trim_end_matches('\n'), context)?;
        write_script("\n", context)?;
        return Ok(ExitStatus::Done);
    }
    let answer = Answer {
        data: List(&objects),
        meta: serde_json::json!({ "total": objects.len() }),
        facts: Vec::new(),
        grid: Grid::new(COLUMNS, &["kind", "on", "name", "sql"], &[], &objects).with_id("name"),
        footer: Vec::new(),
        notes: Vec::new(),
    };
    args.output.print(&answer, &view)?;
    Ok(ExitStatus::Done)
}
