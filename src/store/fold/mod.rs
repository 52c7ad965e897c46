//! Taking the tracker's records into the database.
//!
//! A fold reads what is known of the sessions a batch names, works the records out in memory one after the other
//! ([`batch`]), and writes the outcome in a few statements of many rows: the result is the same as taking them one at a
//! time. The journal position is stored in the same transaction, so a batch that is sent again changes nothing; where
//! positions were lost, operations that are there already are recognised by their id and counted once.
//!
//! Owns the transaction. Does not read the journal and decides nothing about sessions that the records don't say.

mod batch;
mod cost;
mod limits;
mod operations;
mod read;
mod tracked;
mod usage;
mod write;

use std::collections::HashSet;

use self::batch::Batch;
use self::cost::Costing;
use self::limits::Limits;
use super::connection::{Store, WriteTx};
use super::error::StoreError;
use super::events;
use super::positions;
use crate::model::{InstanceId, Record, RequestId, SessionClosed, SessionId};

/// How far an instance's journal has been taken into the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord)]
pub struct JournalPosition {
    /// Number of the segment.
    pub segment: u64,
    /// Offset of the first byte not yet taken.
    pub offset: u64,
}

/// What a batch met in the store that its writer may not know: other instances write there as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Folded {
    /// Ids under which the batch opened sessions that others had opened before, each with the id that stays.
    pub joined: Vec<(SessionId, SessionId)>,
    /// Sessions, by the ids that the batch calls them, which were over before it came.
    pub over: Vec<SessionId>,
}

/// How a batch met what was stored before it.
enum Taken {
    /// Everything is written.
    Whole(Folded),
    /// Some operations had been there already: the sums are wrong, so the transaction must be undone.
    Repeated,
}

impl Store {
    /// Takes `records` of `instance`'s journal, and the position behind them, in one transaction. A `position` that is
    /// not after the stored one changes nothing: the batch was taken before.
    ///
    /// An operation, notification or end of a session that nobody knows (its opening record was lost) is not: a session
    /// of client type `Unknown`, without server or key, stands in for it, owned by `instance`, and takes its identity
    /// should the opening record come later.
    ///
    /// # Errors
    /// When the store does not take them; then nothing of the batch is stored.
    pub async fn fold(
        &self,
        instance: InstanceId,
        records: &[Record],
        position: JournalPosition,
    ) -> Result<Folded, StoreError> {
        let mut look_for_repeated = false;
        let mut limits = self.limits();
        let costing = self.costing(records).await?;
        loop {
            let mut tx = self.begin_write().await?;
            let stored = positions::read(&mut tx, instance).await?;
            if stored.is_some_and(|stored| position <= stored) {
                tx.rollback().await?;
                return Ok(Folded::default());
            }
            let repeated = if look_for_repeated {
                Some(read::stored_operations(&mut tx, records).await?)
            } else {
                None
            };
            let taken = take(
                &mut tx,
                Some(instance),
                records,
                repeated.as_ref(),
                limits,
                costing.as_ref(),
            );
            let taken = taken.await;
            match taken {
                Err(error) if error.says_too_long() && limits != Limits::OLDEST => {
                    tracing::warn!(
                        "a column of the store is as short as in its first version; longer names are cut"
                    );
                    limits = Limits::OLDEST;
                }
                Err(error) if error.says_there_already() && !look_for_repeated => {
                    look_for_repeated = true;
                }
                Err(error) => return Err(error),
                Ok(Taken::Whole(folded)) => {
                    positions::write(&mut tx, instance, position).await?;
                    tx.commit().await?;
                    return Ok(folded);
                }
                Ok(Taken::Repeated) => {
                    tx.rollback().await?;
                    look_for_repeated = true;
                }
            }
        }
    }

    /// Ends sessions outside any journal: at a start, for sessions of instances that are gone. The first reason wins, as
    /// in a fold; sessions that nobody knows are left out.
    ///
    /// # Errors
    /// When the store does not take them; then none of them is ended.
    pub async fn settle(&self, closed: &[SessionClosed]) -> Result<(), StoreError> {
        let records: Vec<Record> = closed.iter().copied().map(Record::SessionClosed).collect();
        let mut tx = self.begin_write().await?;
        take(&mut tx, None, &records, None, self.limits(), None).await?;
        tx.commit().await
    }
}

impl Store {
    fn limits(&self) -> Limits {
        if self.is_embedded() {
            Limits::SQLITE
        } else {
            Limits::POSTGRES
        }
    }
}

/// Works `records` out and writes the outcome. `repeated` names the operations that are known to be stored.
async fn take(
    tx: &mut WriteTx,
    instance: Option<InstanceId>,
    records: &[Record],
    repeated: Option<&HashSet<RequestId>>,
    limits: Limits,
    costing: Option<&Costing<'_>>,
) -> Result<Taken, StoreError> {
    let known = read::known(tx, records).await?;
    let mut batch = Batch::new(instance, known, repeated, limits);
    let over = batch.over(records);
    for record in records {
        batch.take(record);
    }
    batch.name_users();
    let wanted = batch.wanted_clients();
    let clients = read::clients(tx, &wanted).await?;
    batch.take_over_clients(&clients);
    if let Some(costing) = costing {
        batch.estimate_costs(costing);
    }
    if batch.stand_ins() > 0 {
        tracing::warn!(
            sessions = batch.stand_ins(),
            "records of sessions whose opening is not known; stand-ins were made for them"
        );
    }
    write::sessions(tx, &batch, limits).await?;
    write::joined(tx, &batch, limits).await?;
    let are_new = repeated.is_none();
    let written = operations::insert(tx, batch.operations(), limits, are_new).await?;
    if written < batch.operations().len() {
        return Ok(Taken::Repeated);
    }
    write::changes(tx, &batch).await?;
    events::append(tx, batch.happened()).await?;
    if let Some(instance) = instance {
        usage::add(tx, instance, batch.usage()).await?;
    }
    Ok(Taken::Whole(Folded {
        joined: batch.aliases().to_vec(),
        over,
    }))
}
