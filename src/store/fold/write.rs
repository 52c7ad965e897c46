//! What a batch makes of sessions, in statements of many rows. Decides nothing: [`super::batch`] did.

use super::batch::Batch;
use super::tracked::End;
use crate::model::{ClientType, SessionId};
use crate::store::connection::{WriteTx, on_tx};
use crate::store::dialect::{ManyRows, chunks};
use crate::store::error::StoreError;

/// New sessions; and the identity of those that had a stand-in, whose own counts are added to.
static INSERT_SESSIONS: ManyRows = ManyRows::new(
    "INSERT INTO archon_mcp_sessions (session_id, instance_id, client_type, client_name, client_version, \
     client_capabilities, era, derivation, server, session_key, principal, protocol_version, user_agent, user_id, \
     user_email, user_name, connected_at, last_activity, status, disconnected_at, detected_at, disconnect_reason, \
     total_duration, resumed_from, survives_instance, total_requests, failed_requests, notifications, bytes_in, \
     bytes_out, total_prompt_tokens, total_completion_tokens, total_cost) VALUES",
    33,
    "ON CONFLICT (session_id) DO UPDATE SET instance_id = excluded.instance_id, client_type = excluded.client_type, \
     client_name = excluded.client_name, client_version = excluded.client_version, \
     client_capabilities = excluded.client_capabilities, era = excluded.era, derivation = excluded.derivation, \
     server = excluded.server, session_key = excluded.session_key, principal = excluded.principal, \
     protocol_version = excluded.protocol_version, user_agent = excluded.user_agent, user_id = excluded.user_id, \
     user_email = excluded.user_email, user_name = excluded.user_name, connected_at = excluded.connected_at, \
     last_activity = excluded.last_activity, status = excluded.status, \
     disconnected_at = coalesce(excluded.disconnected_at, archon_mcp_sessions.disconnected_at), \
     detected_at = coalesce(excluded.detected_at, archon_mcp_sessions.detected_at), \
     disconnect_reason = coalesce(excluded.disconnect_reason, archon_mcp_sessions.disconnect_reason), \
     total_duration = coalesce(excluded.total_duration, archon_mcp_sessions.total_duration), \
     resumed_from = excluded.resumed_from, survives_instance = excluded.survives_instance, \
     total_requests = archon_mcp_sessions.total_requests + excluded.total_requests, \
     failed_requests = archon_mcp_sessions.failed_requests + excluded.failed_requests, \
     notifications = archon_mcp_sessions.notifications + excluded.notifications, \
     bytes_in = archon_mcp_sessions.bytes_in + excluded.bytes_in, \
     bytes_out = archon_mcp_sessions.bytes_out + excluded.bytes_out, \
     total_prompt_tokens = archon_mcp_sessions.total_prompt_tokens + excluded.total_prompt_tokens, \
     total_completion_tokens = archon_mcp_sessions.total_completion_tokens + excluded.total_completion_tokens, \
     total_cost = archon_mcp_sessions.total_cost + excluded.total_cost \
     WHERE archon_mcp_sessions.derivation IS NULL",
);

/// Sessions that go on. Apart from the ended ones because the columns of an end are indexed: naming them here would write
/// those index entries anew for every batch.
static UPDATE_LIVE: ManyRows = ManyRows::new(
    "UPDATE archon_mcp_sessions AS s SET last_activity = d.column2, status = d.column3, \
     total_requests = s.total_requests + d.column4, failed_requests = s.failed_requests + d.column5, \
     notifications = s.notifications + d.column6, bytes_in = s.bytes_in + d.column7, \
     bytes_out = s.bytes_out + d.column8, total_prompt_tokens = s.total_prompt_tokens + d.column9, \
     total_completion_tokens = s.total_completion_tokens + d.column10, total_cost = s.total_cost + d.column11 \
     FROM (VALUES",
    11,
    ") AS d WHERE s.session_id = d.column1",
);

/// The ends of sessions.
static UPDATE_ENDED: ManyRows = ManyRows::new(
    "UPDATE archon_mcp_sessions AS s SET disconnected_at = d.column2, disconnect_reason = d.column3, \
     detected_at = d.column4, total_duration = d.column5 FROM (VALUES",
    5,
    ") AS d WHERE s.session_id = d.column1",
);

/// Inserts sessions, as they are at the end of the batch.
pub(super) async fn sessions(tx: &mut WriteTx, batch: &Batch<'_>) -> Result<(), StoreError> {
    for piece in chunks(&batch.to_insert()) {
        on_tx!(tx, conn => {
            let mut query = sqlx::query(INSERT_SESSIONS.text(piece.len()));
            for session in piece {
                let opened = session.opened;
                let client_type = session.client.name.as_deref().map_or(ClientType::UNKNOWN, ClientType::from_name);
                let end = session.end.as_ref();
                let sums = session.sums;
                query = query
                    .bind(session.id)
                    .bind(session.owner(batch.instance))
                    .bind(client_type.as_str())
                    .bind(session.client.name.as_deref())
                    .bind(session.client.version.as_deref())
                    .bind(session.client.capabilities.as_deref())
                    .bind(opened.map(|o| o.era))
                    .bind(opened.map(|o| o.derivation))
                    .bind(opened.map(|o| &*o.server))
                    .bind(opened.map(|o| &*o.session_key))
                    .bind(opened.map(|o| &*o.principal))
                    .bind(opened.and_then(|o| o.protocol_version.as_deref()))
                    .bind(opened.and_then(|o| o.user_agent.as_deref()))
                    .bind(opened.and_then(|o| o.user.user_id))
                    .bind(opened.and_then(|o| o.user.user_email.as_deref()))
                    .bind(opened.and_then(|o| o.user.user_name.as_deref()))
                    .bind(session.connected_at)
                    .bind(session.last_activity)
                    .bind(session.status)
                    .bind(end.map(|e| e.disconnected_at))
                    .bind(end.and_then(|e| e.detected_at))
                    .bind(end.and_then(|e| e.reason.as_deref()))
                    .bind(end.map(|e| e.total_duration))
                    .bind(session.resumed_from)
                    .bind(opened.is_some_and(|o| o.survives_instance))
                    .bind(sums.requests)
                    .bind(sums.failed)
                    .bind(sums.notifications)
                    .bind(sums.bytes_in)
                    .bind(sums.bytes_out)
                    .bind(sums.prompt_tokens)
                    .bind(sums.completion_tokens)
                    .bind(sums.cost);
            }
            query.execute(conn).await
        })
        .map_err(StoreError::during("write new sessions"))?;
    }
    Ok(())
}

/// Brings stored sessions to where they are at the end of the batch.
pub(super) async fn changes(tx: &mut WriteTx, batch: &Batch<'_>) -> Result<(), StoreError> {
    let changed = batch.to_update();
    for piece in chunks(&changed) {
        on_tx!(tx, conn => {
            let mut query = sqlx::query(UPDATE_LIVE.text(piece.len()));
            for session in piece {
                let sums = session.sums;
                query = query
                    .bind(session.id)
                    .bind(session.last_activity)
                    .bind(session.status)
                    .bind(sums.requests)
                    .bind(sums.failed)
                    .bind(sums.notifications)
                    .bind(sums.bytes_in)
                    .bind(sums.bytes_out)
                    .bind(sums.prompt_tokens)
                    .bind(sums.completion_tokens)
                    .bind(sums.cost);
            }
            query.execute(conn).await
        })
        .map_err(StoreError::during("write the state of sessions"))?;
    }
    let ended: Vec<(SessionId, &End)> = changed
        .iter()
        .filter_map(|session| session.end.as_ref().map(|end| (session.id, end)))
        .collect();
    for piece in chunks(&ended) {
        on_tx!(tx, conn => {
            let mut query = sqlx::query(UPDATE_ENDED.text(piece.len()));
            for (id, end) in piece {
                query = query
                    .bind(*id)
                    .bind(end.disconnected_at)
                    .bind(end.reason.as_deref())
                    .bind(end.detected_at)
                    .bind(end.total_duration);
            }
            query.execute(conn).await
        })
        .map_err(StoreError::during("write the ends of sessions"))?;
    }
    Ok(())
}
