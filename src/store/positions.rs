//! How far each instance's journal has been taken in. Moves a position only together with the records before it.

use super::connection::{Store, WriteTx, on_pool, on_tx};
use super::error::StoreError;
use super::fold::JournalPosition;
use crate::model::InstanceId;

const READ: &str =
    "SELECT segment, byte_offset FROM archon_journal_positions WHERE instance_id = $1";

/// A position as the table has it.
type Stored = (i64, i64);

fn position((segment, offset): Stored) -> JournalPosition {
    JournalPosition {
        segment: u64::try_from(segment).unwrap_or(0),
        offset: u64::try_from(offset).unwrap_or(0),
    }
}

/// The stored position of `instance`'s journal.
pub(super) async fn read(
    tx: &mut WriteTx,
    instance: InstanceId,
) -> Result<Option<JournalPosition>, StoreError> {
    let stored: Option<Stored> =
        on_tx!(tx, conn => sqlx::query_as(READ).bind(instance).fetch_optional(conn).await)
            .map_err(StoreError::during("read a journal's position"))?;
    Ok(stored.map(position))
}

/// Stores the position of `instance`'s journal, with the transaction it belongs to.
pub(super) async fn write(
    tx: &mut WriteTx,
    instance: InstanceId,
    position: JournalPosition,
) -> Result<(), StoreError> {
    let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    on_tx!(tx, conn => {
        sqlx::query(
            "INSERT INTO archon_journal_positions (instance_id, segment, byte_offset) VALUES ($1, $2, $3) \
             ON CONFLICT (instance_id) DO UPDATE SET segment = excluded.segment, byte_offset = excluded.byte_offset",
        )
        .bind(instance)
        .bind(number(position.segment))
        .bind(number(position.offset))
        .execute(conn)
        .await
        .map(drop)
    })
    .map_err(StoreError::during("store a journal's position"))
}

impl Store {
    /// How far `instance`'s journal has been taken in; `None` where nothing was, or where it was forgotten.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn journal_position(
        &self,
        instance: InstanceId,
    ) -> Result<Option<JournalPosition>, StoreError> {
        let stored: Option<Stored> =
            on_pool!(self, pool => sqlx::query_as(READ).bind(instance).fetch_optional(pool).await)
                .map_err(StoreError::during("read a journal's position"))?;
        Ok(stored.map(position))
    }

    /// Forgets the position of a journal whose files are gone. Call it after deleting them: a journal that is folded
    /// again from its start counts its notifications twice (operations are recognised by their ids).
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn forget_journal(&self, instance: InstanceId) -> Result<(), StoreError> {
        let mut tx = self.begin_write().await?;
        on_tx!(tx, conn => {
            sqlx::query("DELETE FROM archon_journal_positions WHERE instance_id = $1")
                .bind(instance)
                .execute(conn)
                .await
                .map(drop)
        })
        .map_err(StoreError::during("forget a journal's position"))?;
        tx.commit().await
    }
}
