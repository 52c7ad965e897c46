//! Settles what instances that are gone have left behind.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::journal::{ClaimedJournal, Damage, JournalError, Position, claim_dead, read_batch};
use crate::model::{DisconnectReason, ErrorType, InstanceId, SessionClosed, SessionId, Timestamp};
use crate::store::{Store, StoreError, StoredSession};

use super::shipper::{report_damage, store_position};

/// Bytes of journal in one transaction.
const BATCH_BYTES: usize = 4 << 20;

/// Why nothing, or not everything, could be settled.
#[derive(Debug, thiserror::Error)]
pub enum SettleError {
    /// A journal could not be read or removed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What was settled.
#[derive(Debug, Default)]
pub struct Settled {
    /// Records taken from journals of instances that are gone.
    pub records: usize,
    /// Journals of instances that are gone.
    pub journals: usize,
    /// Sessions that got a reason.
    pub closed: usize,
    /// Sessions that can go on: their server still knows them, and their time is not over. They belong to who is gone until
    /// somebody takes them over ([`Settled::take_over`]).
    pub open: Vec<StoredSession>,
    /// What in those journals could not be read and was left out.
    pub damage: Vec<Damage>,
}

impl Settled {
    /// Makes `instance` the owner of the sessions that can go on; those that others were quicker to take are left out.
    ///
    /// # Errors
    /// When the store does not take it; the next to come tries again.
    pub async fn take_over(
        self,
        store: &Store,
        instance: InstanceId,
    ) -> Result<Vec<StoredSession>, SettleError> {
        let owned = self.open.iter().map(|session| &session.opened);
        let owned: Vec<_> = owned
            .map(|opened| (opened.session_id, opened.instance_id))
            .collect();
        let taken: HashSet<SessionId> = store
            .take_over(&owned, instance)
            .await?
            .into_iter()
            .collect();
        store.forget_gone().await?;
        let open = self.open.into_iter();
        Ok(open
            .filter(|session| taken.contains(&session.opened.session_id))
            .collect())
    }
}

/// Where the journals of the instances on `data_dir` are.
#[must_use]
pub fn journal_root(data_dir: &Path) -> PathBuf {
    data_dir.join("journal")
}

/// Takes the journals of instances that are gone into `store`, and ends those of their sessions that cannot go on:
/// with `error:ServerCrash` where the session died with its instance, with `timeout` where `session_timeout` is over.
/// Instances that live are left alone. Any process may call it, at any time; two at once share the work.
///
/// The embedded store belongs to its data directory: whoever has no journal there is gone. On a server others write whose
/// journals are elsewhere: they are gone when their heartbeat has expired. Of whoever never sent one nothing is known; its
/// sessions end when their time is over.
///
/// # Errors
/// When a journal cannot be read or the store does not take it; what was settled before stays so.
pub async fn settle_dead(
    data_dir: &Path,
    store: &Store,
    session_timeout: Duration,
    now: Timestamp,
) -> Result<Settled, SettleError> {
    let root = journal_root(data_dir);
    let mut settled = Settled::default();
    let mut gone = HashSet::new();
    for journal in claim_dead(&root)?.1 {
        take(&journal, store, &mut settled).await?;
        gone.insert(journal.instance);
        // What says that it is gone, once its journal is.
        store.instances_gone(&[journal.instance]).await?;
        forget(journal, store).await?;
    }
    let settled = settle_sessions(&root, store, gone, session_timeout, now, settled).await?;
    if settled.journals > 0 {
        store.forget_gone().await?;
    }
    Ok(settled)
}

/// Ends the sessions of instances that are gone, of which `gone` is known already, or tells that they can go on.
async fn settle_sessions(
    root: &Path,
    store: &Store,
    mut gone: HashSet<InstanceId>,
    session_timeout: Duration,
    now: Timestamp,
    mut settled: Settled,
) -> Result<Settled, SettleError> {
    settled.journals = gone.len();
    let owners = store.instances_with_live_sessions().await?;
    // Looked at after the sessions, so that an instance that started in between is among the living; one that died in
    // between has a journal that was not taken, and is left to the next to come.
    let (mut living, died) = claim_dead(root)?;
    living.extend(died.iter().map(|journal| journal.instance));
    drop(died);
    let mut unknown = HashSet::new();
    if store.is_embedded() {
        gone.extend(owners.iter().filter(|owner| !living.contains(owner)));
    } else if owners.iter().any(|owner| !living.contains(owner)) {
        let (clock, known) = store.instances().await?;
        for owner in owners.iter().filter(|owner| !living.contains(owner)) {
            match known.iter().find(|row| row.instance_id == *owner) {
                Some(row) if row.expires_at <= clock => _ = gone.insert(*owner),
                Some(_) => {}
                None => _ = unknown.insert(*owner),
            }
        }
    }
    gone.retain(|owner| owners.contains(owner));
    if gone.is_empty() && unknown.is_empty() {
        return Ok(settled);
    }
    let mut closed = Vec::new();
    for session in store.live_sessions().await? {
        let owner = session.opened.instance_id;
        if gone.contains(&owner) {
            match end_of(&session, session_timeout, now) {
                Some(end) => closed.push(end),
                None => settled.open.push(session),
            }
        } else if unknown.contains(&owner) && now.since(session.last_activity) >= session_timeout {
            closed.extend(end_of(&session, session_timeout, now));
        }
    }
    if !closed.is_empty() {
        store.settle(&closed).await?;
    }
    settled.closed = closed.len();
    Ok(settled)
}

async fn take(
    journal: &ClaimedJournal,
    store: &Store,
    settled: &mut Settled,
) -> Result<(), SettleError> {
    let instance: InstanceId = journal.instance;
    let known = store.journal_position(instance).await?;
    let mut at = known.map_or_else(Position::default, |known| Position {
        segment: known.segment,
        offset: known.offset,
    });
    loop {
        let batch = read_batch(&journal.dir, at, None, BATCH_BYTES)?;
        report_damage(&batch);
        if batch.next == at {
            break;
        }
        if !batch.records.is_empty() {
            store
                .fold(instance, &batch.records, store_position(batch.next))
                .await?;
        }
        settled.records += batch.records.len();
        settled.damage.extend(batch.damage);
        at = batch.next;
    }
    Ok(())
}

/// Removes a journal that the store has all of.
async fn forget(journal: ClaimedJournal, store: &Store) -> Result<(), SettleError> {
    let instance = journal.instance;
    // In this order: a position without a journal is a leftover row, a journal without its position is folded twice.
    journal.remove()?;
    store.forget_journal(instance).await?;
    Ok(())
}

/// How a session ended whose instance is gone; `None` if it can go on.
fn end_of(
    session: &StoredSession,
    session_timeout: Duration,
    now: Timestamp,
) -> Option<SessionClosed> {
    let reason = if !session.opened.survives_instance {
        DisconnectReason::Error(ErrorType::ServerCrash)
    } else if now.since(session.last_activity) >= session_timeout {
        DisconnectReason::Timeout
    } else {
        return None;
    };
    let disconnected_at = session.last_activity.max(session.opened.connected_at);
    let detected_at = now.max(disconnected_at);
    Some(SessionClosed {
        session_id: session.opened.session_id,
        reason,
        disconnected_at,
        detected_at,
    })
}
