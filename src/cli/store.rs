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
    let store = Store::open_embedded(data_dir).await?;
    Ok(store)
}

/// Runs a query to its end on this thread.
pub(crate) fn block_on<T>(query: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::io("cannot start the runtime", &error))?
        .block_on(query)
}
