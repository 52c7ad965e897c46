//! The store: connection, migrations, every SQL statement.

use std::path::Path;

use crate::model::{InstanceId, Record};

/// A database that holds sessions and operations.
#[derive(Debug, Clone)]
pub struct Store {}

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("store")]
pub struct StoreError {}

impl StoreError {
    /// Whether the same call can succeed later without anybody changing anything.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        false
    }
}

/// How far an instance's journal has been taken into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct JournalPosition {
    /// Number of the segment.
    pub segment: u64,
    /// Offset of the first byte not yet taken.
    pub offset: u64,
}

impl Store {
    /// Opens the embedded database in `data_dir`.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn open_embedded(data_dir: &Path) -> Result<Self, StoreError> {
        todo!("{data_dir:?}")
    }

    /// Takes `records` of `instance`'s journal, and the position behind them, in one transaction.
    ///
    /// # Errors
    /// When the store does not take them; then nothing of the batch is stored.
    pub async fn fold(
        &self,
        instance: InstanceId,
        records: &[Record],
        position: JournalPosition,
    ) -> Result<(), StoreError> {
        todo!("{instance:?} {records:?} {position:?}")
    }
}
