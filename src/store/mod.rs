//! The store: connection, migrations, every SQL statement.

use std::path::Path;

use crate::model::{
    InstanceId, OpenedSession, Record, SessionClosed, SessionId, SessionStatus, Timestamp,
};

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

/// x
#[derive(Debug, Clone)]
pub struct StoredSession {
    /// x
    pub opened: OpenedSession,
    /// x
    pub last_activity: Timestamp,
    /// x
    pub status: SessionStatus,
}
impl Store {
    /// x
    pub async fn live_sessions(&self) -> Result<Vec<StoredSession>, StoreError> {
        todo!()
    }
    /// x
    pub async fn settle(&self, closed: &[SessionClosed]) -> Result<(), StoreError> {
        todo!("{closed:?}")
    }
    /// x
    pub async fn adopt(&self, ids: &[SessionId], instance: InstanceId) -> Result<(), StoreError> {
        todo!("{ids:?} {instance}")
    }
    /// x
    pub async fn journal_position(
        &self,
        instance: InstanceId,
    ) -> Result<Option<JournalPosition>, StoreError> {
        todo!("{instance}")
    }
    /// x
    pub async fn forget_journal(&self, instance: InstanceId) -> Result<(), StoreError> {
        todo!("{instance}")
    }
}
