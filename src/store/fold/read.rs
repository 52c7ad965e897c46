//! What a fold must know before it starts: the sessions a batch names, the sessions that new ones may go on from.
//!
//! Reads only; a few statements for each batch, however many records it has.

use std::collections::{HashMap, HashSet};

use super::tracked::{Client, KnownSession};
use crate::model::{Record, RequestId, SessionId, Timestamp};
use crate::store::connection::{Store, WriteTx, on_pool, on_tx};
use crate::store::dialect::{ManyRows, padded};
use crate::store::error::StoreError;

static KNOWN_SESSIONS: ManyRows = ManyRows::new(
    "SELECT session_id, session_key, status, connected_at, last_activity, disconnected_at, user_id, \
     derivation IS NOT NULL AS identified FROM archon_mcp_sessions WHERE session_id IN (VALUES",
    1,
    ")",
);

static NEWEST_ENDED: ManyRows = ManyRows::new(
    "SELECT k.column1, s.disconnected_at, s.session_id FROM (VALUES",
    1,
    ") AS k JOIN archon_mcp_sessions AS s ON s.session_id = (\
     SELECT p.session_id FROM archon_mcp_sessions AS p \
     WHERE p.session_key = k.column1 AND p.status = 'disconnected' AND p.disconnected_at IS NOT NULL \
     ORDER BY p.disconnected_at DESC, p.session_id DESC LIMIT 1)",
);

static CLIENTS: ManyRows = ManyRows::new(
    "SELECT session_id, client_name, client_version, client_capabilities FROM archon_mcp_sessions \
     WHERE session_id IN (VALUES",
    1,
    ")",
);

static STORED_OPERATIONS: ManyRows = ManyRows::new(
    "SELECT request_id FROM archon_mcp_requests WHERE request_id IN (VALUES",
    1,
    ")",
);

/// A stored session's client fields.
#[derive(sqlx::FromRow)]
struct ClientOf {
    session_id: SessionId,
    #[sqlx(flatten)]
    client: Client,
}

/// The stored ones of the sessions that `records` name.
pub(super) async fn known_sessions(
    tx: &mut WriteTx,
    records: &[Record],
) -> Result<Vec<KnownSession>, StoreError> {
    let mut seen = HashSet::new();
    let ids: Vec<SessionId> = records
        .iter()
        .map(|record| match record {
            Record::SessionOpened(opened) => opened.session_id,
            Record::OperationFinished(operation) => operation.session_id,
            Record::SessionTouched(touched) => touched.session_id,
            Record::SessionIdle { session_id } => *session_id,
            Record::SessionClosed(closed) => closed.session_id,
        })
        .filter(|id| seen.insert(*id))
        .collect();
    let mut known = Vec::with_capacity(ids.len());
    for piece in padded(&ids) {
        let found: Vec<KnownSession> = on_tx!(tx, conn => {
            let mut query = sqlx::query_as(KNOWN_SESSIONS.text(piece.len()));
            for id in piece {
                query = query.bind(id);
            }
            query.fetch_all(conn).await
        })
        .map_err(StoreError::during("read the sessions of a batch"))?;
        known.extend(found);
    }
    Ok(known)
}

/// For the key of each session that `records` open: when the newest ended session with that key ended, and which it is.
pub(super) async fn newest_ended(
    tx: &mut WriteTx,
    records: &[Record],
) -> Result<HashMap<String, (Timestamp, SessionId)>, StoreError> {
    let keys: HashSet<&str> = records
        .iter()
        .filter_map(|record| match record {
            Record::SessionOpened(opened) => Some(&*opened.session_key),
            _ => None,
        })
        .collect();
    let keys: Vec<&str> = keys.into_iter().collect();
    let mut newest = HashMap::with_capacity(keys.len());
    for piece in padded(&keys) {
        let found: Vec<(String, Timestamp, SessionId)> = on_tx!(tx, conn => {
            let mut query = sqlx::query_as(NEWEST_ENDED.text(piece.len()));
            for key in piece {
                query = query.bind(key);
            }
            query.fetch_all(conn).await
        })
        .map_err(StoreError::during("look for sessions to go on from"))?;
        newest.extend(found.into_iter().map(|(key, at, id)| (key, (at, id))));
    }
    Ok(newest)
}

/// The client fields of `sessions`.
pub(super) async fn clients(
    tx: &mut WriteTx,
    sessions: &[SessionId],
) -> Result<HashMap<SessionId, Client>, StoreError> {
    let mut clients = HashMap::with_capacity(sessions.len());
    for piece in padded(sessions) {
        let found: Vec<ClientOf> = on_tx!(tx, conn => {
            let mut query = sqlx::query_as(CLIENTS.text(piece.len()));
            for id in piece {
                query = query.bind(id);
            }
            query.fetch_all(conn).await
        })
        .map_err(StoreError::during("read the clients of earlier sessions"))?;
        clients.extend(found.into_iter().map(|row| (row.session_id, row.client)));
    }
    Ok(clients)
}

/// Which of the operations `ids` are stored.
pub(super) async fn stored_operations(
    store: &Store,
    ids: &[RequestId],
) -> Result<HashSet<RequestId>, StoreError> {
    let mut stored = HashSet::new();
    for piece in padded(ids) {
        let found: Vec<RequestId> = on_pool!(store, pool => {
            let mut query = sqlx::query_scalar(STORED_OPERATIONS.text(piece.len()));
            for id in piece {
                query = query.bind(id);
            }
            query.fetch_all(pool).await
        })
        .map_err(StoreError::during("look for operations stored before"))?;
        stored.extend(found);
    }
    Ok(stored)
}
