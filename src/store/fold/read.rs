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
     client_type, server, counted, derivation IS NOT NULL AS identified, client_name FROM archon_mcp_sessions WHERE session_id IN ({rows}) {lock}",
    [Kind::Id],
);

static NEWEST_ENDED: ManyRows<1> = ManyRows::new(
    "SELECT k.column1, s.disconnected_at, s.session_id FROM ({rows}) AS k JOIN archon_mcp_sessions AS s \
     ON s.session_id = (SELECT p.session_id FROM archon_mcp_sessions AS p \
     WHERE p.session_key = k.column1 AND p.status = 'disconnected' AND p.disconnected_at IS NOT NULL \
     ORDER BY p.disconnected_at DESC, p.session_id DESC LIMIT 1)",
    [Kind::Text],
);

static ALIASES: ManyRows<1> = ManyRows::new(
    "SELECT alias, session_id FROM archon_session_aliases WHERE alias IN ({rows})",
    [Kind::Id],
);

static OPEN_WITH_KEY: ManyRows<1> = ManyRows::new(
    "SELECT session_id FROM archon_mcp_sessions \
     WHERE session_key IN ({rows}) AND disconnected_at IS NULL AND status <> 'disconnected'",
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

/// What is stored of the sessions that a batch names, and of those that its new ones may be or go on from.
pub(super) struct Known {
    pub(super) sessions: Vec<KnownSession>,
    /// Which of the ids in the batch are other names of a session, and of which.
    pub(super) aliases: Vec<(SessionId, SessionId)>,
    /// For the keys of new sessions: when the newest ended one ended, and which it is.
    pub(super) newest_ended: HashMap<String, (Timestamp, SessionId)>,
    /// Whether the batch opens sessions.
    pub(super) opens: bool,
}

/// Reads what is known, and holds it until the end of the transaction: nobody else opens a session with a key of this
/// batch meanwhile, or writes to its sessions.
pub(super) async fn known(tx: &mut WriteTx, records: &[Record]) -> Result<Known, StoreError> {
    let mut seen = HashSet::new();
    let ids = records.iter().map(session_of).filter(|id| seen.insert(*id));
    let mut rows: Vec<_> = ids.map(|id| [Cell::Id(Some(id.0))]).collect();
    let aliases: Vec<(SessionId, SessionId)> = ALIASES
        .fetch_all(tx, &rows)
        .await
        .map_err(StoreError::during("look for other names of sessions"))?;
    let keys: HashSet<&str> = records
        .iter()
        .filter_map(|record| match record {
            Record::SessionOpened(opened) => Some(&*opened.session_key),
            _ => None,
        })
        .collect();
    let mut newest_ended = HashMap::new();
    let mut others: Vec<SessionId> = aliases.iter().map(|(_, session)| *session).collect();
    if !keys.is_empty() {
        tx.lock_keys(&keys).await?;
        let keys: Vec<_> = keys.iter().map(|key| [Cell::Text(Some(key))]).collect();
        let open: Vec<(SessionId,)> = OPEN_WITH_KEY
            .fetch_all(tx, &keys)
            .await
            .map_err(StoreError::during("look for open sessions"))?;
        let ended: Vec<(String, Timestamp, SessionId)> = NEWEST_ENDED
            .fetch_all(tx, &keys)
            .await
            .map_err(StoreError::during("look for sessions to go on from"))?;
        others.extend(open.iter().map(|(id,)| *id));
        others.extend(ended.iter().map(|(_, _, id)| *id));
        newest_ended.extend(ended.into_iter().map(|(key, at, id)| (key, (at, id))));
    }
    let others = others.into_iter().filter(|id| seen.insert(*id));
    rows.extend(others.map(|id| [Cell::Id(Some(id.0))]));
    let sessions = KNOWN_SESSIONS.fetch_all(tx, &rows).await;
    Ok(Known {
        sessions: sessions.map_err(StoreError::during("read the sessions of a batch"))?,
        aliases,
        opens: !keys.is_empty(),
        newest_ended,
    })
}

/// The id by which `record` calls its session.
pub(super) fn session_of(record: &Record) -> SessionId {
    match record {
        Record::SessionOpened(opened) => opened.session_id,
        Record::OperationFinished(operation) | Record::OperationOfModel(operation, _) => {
            operation.session_id
        }
        Record::SessionTouched(touched) => touched.session_id,
        Record::SessionIdle { session_id } => *session_id,
        Record::SessionClosed(closed) => closed.session_id,
    }
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
