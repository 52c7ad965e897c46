//! Sessions that are not over, for an instance that starts: what is needed to go on tracking them.
//!
//! Only sessions that an instance owns; rows of other writers are theirs to end.

use super::connection::{Store, on_pool};
use super::dialect::{Cell, Kind, ManyRows};
use super::error::StoreError;
use crate::model::{
    Derivation, Era, InstanceId, OpenedSession, SessionId, SessionStatus, Timestamp, UserContext,
};

/// A session that is not over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// How it opened. Where the opening record was lost: legacy era, inferred, no server, an empty key, and it does not
    /// survive its instance.
    pub opened: OpenedSession,
    /// End of the last operation or other activity.
    pub last_activity: Timestamp,
    /// `Active` or `Idle`.
    pub status: SessionStatus,
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEnd {
    /// Why, as it stands.
    pub reason: Option<String>,
    /// When.
    pub disconnected_at: Timestamp,
    /// When that was noticed.
    pub detected_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct KnownRow {
    #[sqlx(flatten)]
    live: LiveRow,
    disconnect_reason: Option<String>,
    disconnected_at: Option<Timestamp>,
    detected_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct LiveRow {
    session_id: SessionId,
    instance_id: InstanceId,
    server: Option<String>,
    era: Option<Era>,
    derivation: Option<Derivation>,
    session_key: Option<String>,
    principal: Option<String>,
    client_name: Option<String>,
    client_version: Option<String>,
    client_capabilities: Option<String>,
    protocol_version: Option<String>,
    user_agent: Option<String>,
    user_id: Option<uuid::Uuid>,
    user_email: Option<String>,
    user_name: Option<String>,
    connected_at: Timestamp,
    resumed_from: Option<SessionId>,
    survives_instance: bool,
    last_activity: Timestamp,
    status: SessionStatus,
}

impl From<LiveRow> for StoredSession {
    fn from(row: LiveRow) -> Self {
        let boxed = |text: Option<String>| text.map(String::into_boxed_str);
        Self {
            opened: OpenedSession {
                session_id: row.session_id,
                instance_id: row.instance_id,
                server: row.server.unwrap_or_default().into(),
                era: row.era.unwrap_or(Era::Legacy),
                derivation: row.derivation.unwrap_or(Derivation::Inferred),
                session_key: row.session_key.unwrap_or_default().into(),
                principal: row.principal.unwrap_or_default().into(),
                client_name: boxed(row.client_name),
                client_version: boxed(row.client_version),
                client_capabilities: boxed(row.client_capabilities),
                protocol_version: boxed(row.protocol_version),
                user_agent: boxed(row.user_agent),
                user: UserContext {
                    user_id: row.user_id,
                    user_email: boxed(row.user_email),
                    user_name: boxed(row.user_name),
                },
                connected_at: row.connected_at,
                resumed_from: row.resumed_from,
                survives_instance: row.survives_instance,
            },
            last_activity: row.last_activity,
            status: row.status,
        }
    }
}

static NAMED: ManyRows<1> = ManyRows::new(
    "SELECT session_id, instance_id, server, era, derivation, session_key, principal, client_name, \
     client_version, CAST(client_capabilities AS TEXT) AS client_capabilities, protocol_version, user_agent, user_id, \
     user_email, user_name, connected_at, resumed_from, survives_instance, last_activity, status \
     FROM archon_mcp_sessions WHERE status <> 'disconnected' AND instance_id IS NOT NULL AND derivation IS NOT NULL \
     AND session_id IN ({rows})",
    [Kind::Id],
);

impl Store {
    /// All sessions of all instances that are not disconnected, oldest activity first.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn live_sessions(&self) -> Result<Vec<StoredSession>, StoreError> {
        let rows: Vec<LiveRow> = on_pool!(self, pool => {
            sqlx::query_as(
                "SELECT session_id, instance_id, server, era, derivation, session_key, principal, client_name, \
                 client_version, CAST(client_capabilities AS TEXT) AS client_capabilities, protocol_version, user_agent, user_id, user_email, user_name, \
                 connected_at, resumed_from, survives_instance, last_activity, status \
                 FROM archon_mcp_sessions WHERE status <> 'disconnected' AND instance_id IS NOT NULL \
                 ORDER BY last_activity, session_id",
            )
            .fetch_all(pool)
            .await
        })
        .map_err(StoreError::during("read the sessions that are not over"))?;
        Ok(rows.into_iter().map(StoredSession::from).collect())
    }

    /// Those of `sessions` that are not over, whoever owns them.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn live_sessions_of(
        &self,
        sessions: &[SessionId],
    ) -> Result<Vec<StoredSession>, StoreError> {
        let mut tx = self.begin_write().await?;
        let rows: Vec<_> = sessions.iter().map(|id| [Cell::Id(Some(id.0))]).collect();
        let found: Result<Vec<LiveRow>, _> = NAMED.fetch_all(&mut tx, &rows).await;
        let found = found.map_err(StoreError::during("read sessions that clients name"))?;
        tx.rollback().await?;
        Ok(found.into_iter().map(StoredSession::from).collect())
    }

    /// The session `id`, which may be over, and how it ended then; `None` where no instance opened one with this id.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn tracked_session(
        &self,
        id: SessionId,
    ) -> Result<Option<(StoredSession, Option<StoredEnd>)>, StoreError> {
        let found: Option<KnownRow> = on_pool!(self, pool => {
            sqlx::query_as(
                "SELECT session_id, instance_id, server, era, derivation, session_key, principal, client_name, \
                 client_version, CAST(client_capabilities AS TEXT) AS client_capabilities, protocol_version, user_agent, user_id, user_email, user_name, \
                 connected_at, resumed_from, survives_instance, last_activity, status, \
                 disconnect_reason, disconnected_at, detected_at \
                 FROM archon_mcp_sessions WHERE instance_id IS NOT NULL AND derivation IS NOT NULL AND session_id = $1",
            )
            .bind(id)
            .fetch_optional(pool)
            .await
        })
        .map_err(StoreError::during("read a session that was named"))?;
        Ok(found.map(|row| {
            let over = row.live.status == SessionStatus::Disconnected;
            let end = over.then(|| StoredEnd {
                reason: row.disconnect_reason,
                disconnected_at: row.disconnected_at.unwrap_or(row.live.last_activity),
                detected_at: row.detected_at,
            });
            (StoredSession::from(row.live), end)
        }))
    }

    /// The instances that own sessions that are not disconnected.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn instances_with_live_sessions(&self) -> Result<Vec<InstanceId>, StoreError> {
        on_pool!(self, pool => {
            sqlx::query_scalar(
                "SELECT DISTINCT instance_id FROM archon_mcp_sessions \
                 WHERE status <> 'disconnected' AND instance_id IS NOT NULL ORDER BY instance_id",
            )
            .fetch_all(pool)
            .await
        })
        .map_err(StoreError::during("read which instances own sessions"))
    }
}
