//! The store as queries see it. The one place where a command opens it.

use std::future::Future;
use std::path::Path;

use super::error::CliError;
use crate::store::Store;

/// Opens the store for a query.
///
/// Journals of instances that are gone are to be settled here, before any query sees the store, so that what a crashed
/// daemon left behind is in every answer.
pub(crate) async fn open_store(data_dir: &Path) -> Result<Store, CliError> {
    let store = open_existing(data_dir).await?;
    store.check_schema().await?;
    Ok(store)
}

/// Opens the store whatever its schema is; it must be there.
pub(crate) async fn open_existing(data_dir: &Path) -> Result<Store, CliError> {
    Ok(Store::open_embedded_existing(data_dir).await?)
}

/// Opens the store, made anew if it is not there, in a directory that only its owner can read.
pub(crate) async fn open_or_create(data_dir: &Path) -> Result<Store, CliError> {
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
    Ok(Store::open_embedded(data_dir).await?)
}

/// Runs a query to its end on this thread.
pub(crate) fn block_on<T>(query: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::io("cannot start the runtime", &error))?
        .block_on(query)
}
