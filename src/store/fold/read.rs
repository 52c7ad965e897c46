//! What a fold must know before it starts: the sessions a batch names, the sessions that new ones may go on from.
//!
//! Reads only; a few statements for each batch, however many records it has.

use std::collections::{HashMap, HashSet};

use super::tracked::{Client, KnownSession};
use crate::model::{Record, RequestId, SessionId, Timestamp};
use crate::store::connection::WriteTx;
use crate::store::dialect::{Cell, Kind, ManyRows};
use crate::store::error::StoreError;

static KNOWN_SESSIONS: ManyRows<1> = ManyRows::new(
    "SELECT session_id, session_key, status, connected_at, last_activity, disconnected_at, user_id, \
     client_type, server, counted, derivation IS NOT NULL AS identified FROM archon_mcp_sessions WHERE session_id IN ({rows}) {lock}",
    [Kind::Id],
);

static NEWEST_ENDED: ManyRows<1> = ManyRows::new(
    "SELECT k.column1, s.disconnected_at, s.session_id FROM ({rows}) AS k JOIN archon_mcp_sessions AS s \
     ON s.session_id = (SELECT p.session_id FROM archon_mcp_sessions AS p \
     WHERE p.session_key = k.column1 AND p.status = 'disconnected' AND p.disconnected_at IS NOT NULL \
     ORDER BY p.disconnected_at DESC, p.session_id DESC LIMIT 1)",
    [Kind::Text],
);

static CLIENTS: ManyRows<1> = ManyRows::new(
    "SELECT session_id, client_name, client_version, CAST(client_capabilities AS TEXT) AS client_capabilities \
     FROM archon_mcp_sessions WHERE session_id IN ({rows})",
    [Kind::Id],
);

static STORED_OPERATIONS: ManyRows<1> = ManyRows::new(
    "SELECT request_id FROM archon_mcp_requests WHERE request_id IN ({rows})",
    [Kind::Id],
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
    let ids = records
        .iter()
        .map(|record| match record {
            Record::SessionOpened(opened) => opened.session_id,
            Record::OperationFinished(operation) => operation.session_id,
            Record::SessionTouched(touched) => touched.session_id,
            Record::SessionIdle { session_id } => *session_id,
            Record::SessionClosed(closed) => closed.session_id,
        })
        .filter(|id| seen.insert(*id));
    let rows: Vec<_> = ids.map(|id| [Cell::Id(Some(id.0))]).collect();
    let known = KNOWN_SESSIONS.fetch_all(tx, &rows).await;
    known.map_err(StoreError::during("read the sessions of a batch"))
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
    let rows: Vec<_> = keys
        .into_iter()
        .map(|key| [Cell::Text(Some(key))])
        .collect();
    let found: Vec<(String, Timestamp, SessionId)> = NEWEST_ENDED
        .fetch_all(tx, &rows)
        .await
        .map_err(StoreError::during("look for sessions to go on from"))?;
    let newest = found.into_iter().map(|(key, at, id)| (key, (at, id)));
    Ok(newest.collect())
}

/// The client fields of `sessions`.
pub(super) async fn clients(
    tx: &mut WriteTx,
    sessions: &[SessionId],
) -> Result<HashMap<SessionId, Client>, StoreError> {
    let rows: Vec<_> = sessions.iter().map(|id| [Cell::Id(Some(id.0))]).collect();
    let found: Vec<ClientOf> = CLIENTS
        .fetch_all(tx, &rows)
        .await
        .map_err(StoreError::during("read the clients of earlier sessions"))?;
    let clients = found.into_iter().map(|row| (row.session_id, row.client));
    Ok(clients.collect())
}

/// Which of the operations of `records` are stored.
pub(super) async fn stored_operations(
    tx: &mut WriteTx,
    records: &[Record],
) -> Result<HashSet<RequestId>, StoreError> {
    let ids = records.iter().filter_map(|record| match record {
        Record::OperationFinished(operation) => Some(operation.request_id),
        _ => None,
    });
    let rows: Vec<_> = ids.map(|id| [Cell::Id(Some(id.0))]).collect();
    let found: Vec<(RequestId,)> = STORED_OPERATIONS
        .fetch_all(tx, &rows)
        .await
        .map_err(StoreError::during("look for operations stored before"))?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}
