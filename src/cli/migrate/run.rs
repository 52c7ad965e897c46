//! What commands that change a schema share: how long they wait, how they are stopped, how far they are.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::progress;
use crate::cli::Context;
use crate::cli::error::{CliError, ExitStatus};
use crate::cli::output::{OutputArgs, StoreArgs, remark};
use crate::cli::render::View;
use crate::cli::store::{block_on, open_existing, open_or_create};
use crate::model::parse_duration;
use crate::store::{MigrationReport, Migrator, Progress, StoreError, UpOptions};

/// How a run waits for others, and what it does before.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct RunArgs {
    /// Wait for the end of another run of migrations, instead of exit code 6
    #[arg(long)]
    wait: bool,

    /// How long to wait at the most
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = parse_duration, requires = "wait")]
    wait_timeout: Duration,

    /// How long a statement waits for a lock, before it is undone and tried again (PostgreSQL)
    #[arg(long, value_name = "DURATION", default_value = "3s", value_parser = positive)]
    lock_timeout: Duration,

    /// Do not copy the embedded database before it is changed
    #[arg(long)]
    no_copy: bool,
}

/// PostgreSQL takes 0 for "for ever".
fn positive(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        duration if duration < Duration::from_millis(1) => Err("must be 1ms or longer".to_owned()),
        duration if duration > Duration::from_hours(24) => Err("must be 24h or shorter".to_owned()),
        duration => Ok(duration),
    }
}

impl RunArgs {
    /// The options of a run up to `to`.
    pub(super) fn options(&self, to: Option<i32>) -> UpOptions {
        UpOptions {
            to,
            wait: self.wait.then_some(self.wait_timeout),
            lock_timeout: self.lock_timeout,
            copy: !self.no_copy,
            stop: CancellationToken::new(),
            ..UpOptions::default()
        }
    }
}

/// Whether the database may be made by the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    Existing,
    OrCreate,
}

/// Opens the database and runs `work` on it, which tells how far it is. Ctrl-C asks it to stop where that is safe; a second one
/// ends it at once.
pub(super) fn working(
    store: &StoreArgs,
    opening: Opening,
    output: &OutputArgs,
    view: &View,
    context: &Context,
    stop: &CancellationToken,
    work: impl AsyncFnOnce(&Migrator, &dyn Progress) -> Result<MigrationReport, StoreError>,
) -> Result<MigrationReport, CliError> {
    let place = store.place(context)?;
    let progress = progress::of(output, view, &context.terminal);
    block_on(async {
        let store = match opening {
            Opening::Existing => open_existing(&place).await?,
            Opening::OrCreate => open_or_create(&place).await?,
        };
        let migrator = store.migrator();
        let report = {
            let working = work(&migrator, &*progress);
            tokio::pin!(working);
            tokio::select! {
                report = &mut working => report,
                () = interrupted() => {
                    stop.cancel();
                    remark(&["stopping at the next safe place; Ctrl-C again stops at once".to_owned()]);
                    tokio::select! {
                        report = &mut working => report,
                        () = interrupted() => {
                            // Whether the server hears it or not, this ends.
                            let _ = tokio::time::timeout(Duration::from_secs(3), migrator.cancel()).await;
                            return Err(at_once());
                        }
                    }
                }
            }
        };
        drop(progress);
        store.close().await;
        Ok(report?)
    })
}

fn at_once() -> CliError {
    CliError::new(
        ExitStatus::Interrupted,
        "interrupted",
        "stopped at once; what was under way is undone, or goes on where it stopped with the next run",
    )
    .with_hint("`archonctl migrate status` shows what is done")
}

/// Waits for Ctrl-C; for ever where nobody can press it.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
