//! Errors of migrations as commands tell them: exit code, word, and what to do next.

use serde_json::json;

use crate::cli::error::{CliError, ExitStatus};
use crate::store::{Failure, MigrationError};

/// The error as the command line has it; `None` where the database's own trouble says more.
pub(crate) fn explain(error: &MigrationError) -> Option<CliError> {
    let told =
        |status, code, hint: &str| CliError::new(status, code, error.to_string()).with_hint(hint);
    Some(match error {
        MigrationError::Asking { .. } => return None,
        MigrationError::Failed(failure) => failed(error, failure),
        MigrationError::Unreadable { .. } => {
            told(ExitStatus::Failure, "broken", "this archonctl was not built well; use another one")
        }
        MigrationError::Locked { holders } => told(
            ExitStatus::Busy,
            "migrations_locked",
            "`--wait` waits for its end; `archonctl migrate status` shows what is done",
        )
        .with_details(json!({ "holders": holders })),
        MigrationError::Blocked { migration, holders } => told(
            ExitStatus::Busy,
            "migration_blocked",
            "end that transaction, or try again when it is over; --lock-timeout waits longer for each lock",
        )
        .with_details(json!({ "migration": migration, "holders": holders })),
        MigrationError::Unseen { holders } => told(
            ExitStatus::Busy,
            "catalog_locked",
            "end that transaction, or try again when it is over",
        )
        .with_details(json!({ "holders": holders })),
        MigrationError::Pooler { pooler } => told(
            ExitStatus::Connection,
            "transaction_pooler",
            "migrations need the direct connection, port 5432 (Supabase: port 5432 in place of 6543); everything else of \
             archonctl works through the pooler",
        )
        .with_details(json!({ "pooler": pooler })),
        MigrationError::ReadOnly => {
            told(ExitStatus::Failure, "read_only", "connect to the primary; a standby follows by itself")
        }
        MigrationError::NoSchema => told(
            ExitStatus::Failure,
            "no_schema",
            "name one with --database-schema NAME; `archonctl migrate up` makes it",
        ),
        MigrationError::NoSuchMigration { .. } => {
            told(ExitStatus::Usage, "no_such_migration", "`archonctl migrate status` lists them")
        }
        MigrationError::NoWayDown { .. } => {
            told(ExitStatus::Failure, "no_way_down", "restore a backup, or undo it by hand")
        }
        MigrationError::DropsData { migrations, rows } => told(
            ExitStatus::Failure,
            "drops_data",
            "`archonctl migrate down --dry-run` shows the SQL; --confirm runs it",
        )
        .with_details(json!({ "migrations": migrations, "rows": rows })),
        MigrationError::Copy { .. } => told(
            ExitStatus::Failure,
            "copy_failed",
            "make room or take the old copies (*.bak) away; --no-copy goes without one",
        ),
        MigrationError::Incomplete { migration, findings } => told(
            ExitStatus::Drift,
            "schema_drift",
            "rename or remove the table that is in the way, then `archonctl migrate up` again",
        )
        .with_details(json!({ "migration": migration, "findings": findings })),
        MigrationError::Interrupted { done } => told(
            ExitStatus::Interrupted,
            "interrupted",
            "`archonctl migrate up` goes on from here",
        )
        .with_details(json!({ "done": done })),
    })
}

fn failed(error: &MigrationError, failure: &Failure) -> CliError {
    let code = failure.code();
    let hint = match code.as_deref() {
        // insufficient_privilege, dependent_objects_still_exist (PostgreSQL's manual, appendix A)
        Some("42501") => "run migrations as the owner of the tables".to_owned(),
        Some("2BP01") => {
            "something else depends on it: drop that, migrate, and make it again".to_owned()
        }
        _ => match failure.hint() {
            Some(hint) => format!("the server says: {hint}"),
            None => "`archonctl migrate status -o wide` shows what is there; `archonctl migrate up` goes on once the reason is gone"
                .to_owned(),
        },
    };
    CliError::new(ExitStatus::Failure, "migration_failed", error.to_string())
        .with_hint(hint)
        .with_details(json!({
            "migration": failure.migration, "line": failure.line, "statement": failure.statement, "sqlstate": code,
        }))
}
