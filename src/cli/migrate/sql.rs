//! SQL on standard output: plans and dumps. People and `psql` get a script, programs the same in pieces.

use std::fmt::Write;

use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::{OutputArgs, StoreArgs, remark, write_out};
use crate::cli::render::{Answer, Column, Field, Fit, Grid, List, View, escape};
use crate::cli::store::{block_on, open_existing};
use crate::store::{PlannedMigration, Task};

/// A statement of a plan, for CSV.
struct Row {
    version: i32,
    name: String,
    action: &'static str,
    statement: String,
}

const ROWS: &[Column<Row>] = &[
    Column {
        name: "version",
        header: "VERSION",
        fit: Fit::Keep,
        value: |row| Field::Int(row.version.into()),
    },
    Column {
        name: "name",
        header: "NAME",
        fit: Fit::Keep,
        value: |row| Field::text(Some(&row.name)),
    },
    Column {
        name: "action",
        header: "ACTION",
        fit: Fit::Keep,
        value: |row| Field::text(Some(row.action)),
    },
    Column {
        name: "statement",
        header: "STATEMENT",
        fit: Fit::Keep,
        value: |row| Field::text(Some(&row.statement)),
    },
];

/// Asks what a run for `task` would do, and prints it.
pub(super) fn planned(
    task: Task,
    to: Option<i32>,
    store: &StoreArgs,
    output: &OutputArgs,
    view: &View,
    context: &Context,
) -> Result<ExitStatus, CliError> {
    let place = store.place(context)?;
    let planned = block_on(async {
        let store = open_existing(&place).await?;
        let planned = store.migrator().plan(task, to).await?;
        store.close().await;
        Ok(planned)
    })?;
    print_plan(&planned, output, view, context)?;
    Ok(ExitStatus::Done)
}

/// Prints a plan.
pub(super) fn print_plan(
    planned: &[PlannedMigration],
    output: &OutputArgs,
    view: &View,
    context: &Context,
) -> Result<(), CliError> {
    if view.format.is_table() && !output.is_quiet() {
        if planned.is_empty() {
            remark(&["There is nothing to do.".to_owned()]);
        }
        return write_script(&script(planned), context);
    }
    let rows: Vec<_> = planned.iter().flat_map(rows).collect();
    let answer = Answer {
        data: List(planned),
        meta: serde_json::json!({ "total": planned.len() }),
        facts: Vec::new(),
        grid: Grid::new(
            ROWS,
            &["version", "name", "action", "statement"],
            &[],
            &rows,
        )
        .with_id("version"),
        footer: Vec::new(),
        notes: Vec::new(),
    };
    output.print(&answer, view)
}

fn rows(planned: &PlannedMigration) -> Vec<Row> {
    let statements = planned.parts.iter().flat_map(|part| &part.statements);
    let row = |statement: &String| Row {
        version: planned.version,
        name: planned.name.clone(),
        action: planned.action.word(),
        statement: statement.clone(),
    };
    statements.map(row).collect()
}

/// The plan as a script.
fn script(planned: &[PlannedMigration]) -> String {
    let mut text = String::new();
    for migration in planned {
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "-- {}: {}",
            migration.file_name(),
            migration.action.word()
        );
        for part in &migration.parts {
            if part.transaction {
                text.push_str("BEGIN;\n");
            }
            if part.repeated {
                text.push_str("-- repeated until it returns 0\n");
            }
            for statement in &part.statements {
                let _ = writeln!(text, "{statement};");
            }
            if part.transaction {
                text.push_str("COMMIT;\n");
            }
        }
        text.push('\n');
    }
    text
}

/// Writes a script. What a terminal would act on is escaped there; a file gets it as it is.
pub(super) fn write_script(text: &str, context: &Context) -> Result<(), CliError> {
    if context.terminal.shows_output() {
        let lines: Vec<_> = text
            .lines()
            .map(|line| line.split('\t').map(escape).collect::<Vec<_>>().join("\t"))
            .collect();
        write_out(format!("{}\n", lines.join("\n")).as_bytes())
    } else {
        write_out(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Action, PlannedPart};

    #[test]
    fn a_plan_is_a_script_that_says_what_is_one_transaction() {
        let part = |transaction, repeated, statements: &[&str]| PlannedPart {
            transaction,
            repeated,
            statements: statements.iter().map(|s| (*s).to_owned()).collect(),
        };
        let planned = PlannedMigration {
            version: 13,
            name: "ends".to_owned(),
            action: Action::Apply,
            parts: vec![
                part(true, false, &["SELECT 1", "SELECT 2"]),
                part(false, true, &["SELECT 3"]),
            ],
        };
        assert_eq!(
            script(&[planned]),
            "-- V013__ends: apply\nBEGIN;\nSELECT 1;\nSELECT 2;\nCOMMIT;\n-- repeated until it returns 0\nSELECT 3;\n\n"
        );
    }
}
