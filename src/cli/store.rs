//! The store as queries see it. The one place where a command opens it.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::error::{CliError, chain};
use super::output::remark;
use crate::config::{DatabaseUrl, Settings};
use crate::model::{ModelRules, Timestamp};
use crate::store::{Location, MigrationStanding, Store, StoreError};
use crate::tracking::{journal_root, settle_dead};

/// How long an instance may take to make a new store.
const IN_THE_MAKING: Duration = Duration::from_secs(2);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Where a query's store is, and what settling dead instances in it takes.
#[derive(Debug)]
pub(crate) struct Place {
    /// Where journals are.
    pub(crate) data_dir: PathBuf,
    /// Where the database is.
    pub(crate) location: Location,
    /// After how long without activity a session ends.
    pub(crate) session_timeout: Duration,
    /// The models that costs are estimated for.
    pub(crate) models: ModelRules,
    pub(crate) now: Timestamp,
}

impl Place {
    /// What `settings` say.
    pub(crate) fn of(settings: &Settings, now: Timestamp) -> Result<Self, CliError> {
        let data_dir = settings.data_dir()?;
        let database = settings.database()?;
        let url = database.url.as_ref().map(DatabaseUrl::expose);
        let location =
            Location::new(&data_dir, url, database.schema.as_deref()).map_err(StoreError::from)?;
        Ok(Self {
            data_dir,
            location,
            session_timeout: settings.session_timeout()?,
            models: settings.cost()?.models,
            now,
        })
    }
}

/// Opens the store for a query.
///
/// Settles what dead instances left behind before any query sees the store, so that what a crashed daemon wrote to its
/// journal is in every answer. What cannot be settled is told and does not keep the query from its answer.
pub(crate) async fn open_store(place: &Place) -> Result<Store, CliError> {
    let store = match Store::open_existing(&place.location).await {
        // The database was lost, the records in the journals were not.
        Err(StoreError::NoDatabase { .. }) if has_journals(&place.data_dir) => {
            let store = Store::open(&place.location).await?;
            store.migrate_up().await?;
            store
        }
        opened => opened?,
    };
    let store = store.with_models(place.models.clone());
    match &place.location {
        Location::Embedded { .. } => check_embedded_schema(&store, &place.data_dir).await?,
        // Others' databases are migrated when somebody says so.
        _ => store.check_history().await?,
    }
    let now = if store.is_embedded() {
        place.now
    } else {
        // The clock by which all instances judge.
        store.clock().await?
    };
    let settling = settle_dead(&place.data_dir, &store, place.session_timeout, now);
    match settling.await {
        Ok(settled) => {
            let told = settled.damage.iter().map(|damage| {
                let (path, bytes) = (damage.path.display(), damage.bytes);
                let (offset, why) = (damage.offset, damage.why);
                format!("warning: {bytes} bytes of {path} from {offset} on were left out: {why}")
            });
            remark(&told.collect::<Vec<_>>());
        }
        Err(error) => remark(&[format!(
            "warning: what a daemon that is gone left behind is not all in this answer: {}",
            chain(&error)
        )]),
    }
    Ok(store)
}

/// Checks the schema of the embedded store. One that an instance is making at this moment is waited for; one that an instance was killed over
/// is made, because what it saw waits in its journal.
async fn check_embedded_schema(store: &Store, data_dir: &Path) -> Result<(), CliError> {
    let until = Instant::now() + IN_THE_MAKING;
    loop {
        match store.check_schema().await {
            Err(StoreError::SchemaPending { .. })
                if has_journals(data_dir) && Instant::now() < until =>
            {
                let states = store.migration_status().await?;
                let is_new = states
                    .iter()
                    .all(|migration| migration.state == MigrationStanding::Pending);
                if is_new {
                    store.migrate_up().await?;
                } else {
                    tokio::time::sleep(LOOK_EVERY).await;
                }
            }
            checked => return Ok(checked?),
        }
    }
}

/// Whether an instance ever wrote a journal here that nobody has taken yet.
fn has_journals(data_dir: &Path) -> bool {
    std::fs::read_dir(journal_root(data_dir)).is_ok_and(|mut entries| entries.next().is_some())
}

/// Opens the store whatever its schema is; it must be there.
pub(crate) async fn open_existing(place: &Place) -> Result<Store, CliError> {
    Ok(Store::open_existing(&place.location).await?)
}

/// Opens the store; the embedded one is made anew if it is not there, in a directory that only its owner can read.
pub(crate) async fn open_or_create(place: &Place) -> Result<Store, CliError> {
    if let Location::Embedded { data_dir } = &place.location {
        let mut directory = std::fs::DirBuilder::new();
        directory.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut directory, 0o700);
        directory.create(data_dir).map_err(|error| {
            CliError::io(
                &format!("cannot make the data directory {}", data_dir.display()),
                &error,
            )
            .with_hint("name another one with --data-dir or ARCHONCTL_DATA_DIR")
        })?;
    }
    Ok(Store::open(&place.location).await?)
}

/// Runs a query to its end on this thread.
pub(crate) fn block_on<T>(query: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::io("cannot start the runtime", &error))?
        .block_on(query)
}
