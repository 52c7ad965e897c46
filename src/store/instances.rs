//! Who writes to this store: one row for each process that runs, alive until it expires, by the clock of the database.
//!
//! Owns the rows and the exchange of owners. Who is gone, and what becomes of its sessions, is decided in `tracking`.

use std::time::Duration;

use sqlx::AssertSqlSafe;

use super::connection::{Store, WriteTx, on_pool, on_tx};
use super::dialect::{self, Cell, Kind, ManyRows};
use super::error::StoreError;
use crate::model::{InstanceId, SessionId, SessionStatus, Timestamp};

/// What a process says of itself with each heartbeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The instance.
    pub instance_id: InstanceId,
    /// The command: `serve`, `run` or `bridge`; `track` for a server that tracks itself.
    pub kind: String,
    /// The machine's name.
    pub host: String,
    /// Its process there.
    pub pid: u32,
    /// Its version of archonctl.
    pub version: String,
    /// The directory of its journal there.
    pub journal: String,
    /// When it started, by its own clock.
    pub started_at: Timestamp,
    /// Bytes in its journal that the store has not taken.
    pub backlog_bytes: u64,
    /// Records that its journal did not take.
    pub records_dropped: u64,
}

/// A process as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct InstanceRow {
    /// The instance.
    pub instance_id: InstanceId,
    /// The command.
    pub kind: String,
    /// The machine's name.
    pub host: String,
    /// Its process there.
    pub pid: i64,
    /// Its version of archonctl.
    pub version: String,
    /// The directory of its journal there.
    pub journal: String,
    /// When it started, by its own clock.
    pub started_at: Timestamp,
    /// Its last heartbeat, by the clock of the database.
    pub heartbeat_at: Timestamp,
    /// Until when it counts as alive, by the clock of the database.
    pub expires_at: Timestamp,
    /// Bytes in its journal at its last heartbeat.
    pub backlog_bytes: i64,
    /// Records that its journal had not taken by then.
    pub records_dropped: i64,
    /// Sessions that it owns and that are not over.
    pub open_sessions: i64,
}

/// Where a session stands in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Standing {
    /// The id it was asked by.
    pub asked: SessionId,
    /// The id of its row.
    pub session_id: SessionId,
    /// Whether it is over.
    pub status: SessionStatus,
    /// The last activity that any instance has told of.
    pub last_activity: Timestamp,
}

static OWNERS: ManyRows<1> = ManyRows::new(
    "SELECT session_id, instance_id, status FROM archon_mcp_sessions \
     WHERE instance_id IS NOT NULL AND session_id IN ({rows}) {lock}",
    [Kind::Id],
);

static TAKE_OVER: ManyRows<2> = ManyRows::new(
    "UPDATE archon_mcp_sessions AS s SET instance_id = d.column2 FROM ({rows}) AS d \
     WHERE s.session_id = d.column1",
    [Kind::Id, Kind::Id],
);

static STANDINGS: ManyRows<1> = ManyRows::new(
    "SELECT DISTINCT d.column1 AS asked, s.session_id, s.status, s.last_activity FROM ({rows}) AS d \
     LEFT JOIN archon_session_aliases AS a ON a.alias = d.column1 \
     JOIN archon_mcp_sessions AS s ON s.session_id = coalesce(a.session_id, d.column1)",
    [Kind::Id],
);

static GONE: ManyRows<2> = ManyRows::new(
    "INSERT INTO archon_instances (instance_id, kind, host, pid, version, journal, started_at, heartbeat_at, expires_at) \
     SELECT d.column1, 'unknown', '', 0, '', '', d.column2, d.column2, d.column2 FROM ({rows}) AS d WHERE 1 = 1 \
     ON CONFLICT (instance_id) DO UPDATE SET expires_at = CASE \
     WHEN archon_instances.expires_at < excluded.expires_at THEN archon_instances.expires_at ELSE excluded.expires_at END",
    [Kind::Id, Kind::Instant],
);

/// A count as the database keeps it.
fn count(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Store {
    /// The clock of the database: the one that all instances share.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn clock(&self) -> Result<Timestamp, StoreError> {
        let sql = format!("SELECT {}", dialect::now(self.is_embedded()));
        on_pool!(self, pool => {
            sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(pool).await
        })
        .map_err(StoreError::during("read the clock"))
    }

    /// Says that an instance is alive, and will be for `valid_for` without another word.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn heartbeat(&self, beat: &Heartbeat, valid_for: Duration) -> Result<(), StoreError> {
        let mut tx = self.begin_write().await?;
        let now = now(&mut tx, self.is_embedded()).await?;
        on_tx!(tx, conn => {
            sqlx::query(
                "INSERT INTO archon_instances (instance_id, kind, host, pid, version, journal, started_at, heartbeat_at, \
                 expires_at, backlog_bytes, records_dropped) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
                 ON CONFLICT (instance_id) DO UPDATE SET kind = excluded.kind, host = excluded.host, pid = excluded.pid, \
                 version = excluded.version, journal = excluded.journal, started_at = excluded.started_at, \
                 heartbeat_at = excluded.heartbeat_at, expires_at = excluded.expires_at, \
                 backlog_bytes = excluded.backlog_bytes, records_dropped = excluded.records_dropped",
            )
            .bind(beat.instance_id)
            .bind(&*beat.kind)
            .bind(&*beat.host)
            .bind(i64::from(beat.pid))
            .bind(&*beat.version)
            .bind(&*beat.journal)
            .bind(beat.started_at)
            .bind(now)
            .bind(now.plus(valid_for))
            .bind(count(beat.backlog_bytes))
            .bind(count(beat.records_dropped))
            .execute(conn)
            .await
            .map(drop)
        })
        .map_err(StoreError::during("say that this instance is alive"))?;
        tx.commit().await
    }

    /// All instances that the store knows, oldest first, and what the time is there.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn instances(&self) -> Result<(Timestamp, Vec<InstanceRow>), StoreError> {
        let rows: Vec<InstanceRow> = on_pool!(self, pool => {
            sqlx::query_as(
                "SELECT i.instance_id, kind, host, pid, version, journal, started_at, heartbeat_at, expires_at, \
                 backlog_bytes, records_dropped, (SELECT count(*) FROM archon_mcp_sessions AS s \
                 WHERE s.status <> 'disconnected' AND s.instance_id = i.instance_id) AS open_sessions \
                 FROM archon_instances AS i ORDER BY started_at, i.instance_id",
            )
            .fetch_all(pool)
            .await
        })
        .map_err(StoreError::during("read which instances there are"))?;
        // Behind the rows: an instance seen alive may have expired by now, never the other way round.
        Ok((self.clock().await?, rows))
    }

    /// Notes that instances are gone, whatever their last heartbeat promised.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn instances_gone(&self, instances: &[InstanceId]) -> Result<(), StoreError> {
        if instances.is_empty() {
            return Ok(());
        }
        let mut tx = self.begin_write().await?;
        let now = now(&mut tx, self.is_embedded()).await?;
        let row = |id: &InstanceId| [Cell::Id(Some(id.0)), Cell::Instant(Some(now))];
        let rows: Vec<_> = instances.iter().map(row).collect();
        let written = GONE.execute(&mut tx, &rows).await;
        written.map_err(StoreError::during("note that instances are gone"))?;
        tx.commit().await
    }

    /// Forgets instances that are gone and own nothing that is not over.
    ///
    /// # Errors
    /// When the store does not take it.
    pub async fn forget_gone(&self) -> Result<(), StoreError> {
        let mut tx = self.begin_write().await?;
        let now = now(&mut tx, self.is_embedded()).await?;
        on_tx!(tx, conn => {
            sqlx::query(
                "DELETE FROM archon_instances WHERE expires_at <= $1 AND NOT EXISTS (SELECT 1 FROM archon_mcp_sessions AS s \
                 WHERE s.status <> 'disconnected' AND s.instance_id = archon_instances.instance_id)",
            )
            .bind(now)
            .execute(conn)
            .await
            .map(drop)
        })
        .map_err(StoreError::during("forget instances that are gone"))?;
        tx.commit().await
    }

    /// Makes `new_owner` the owner of those of `sessions` that are not over and still belong to whom they are said to
    /// belong to. Which those are: where several try, each session goes to one.
    ///
    /// # Errors
    /// When the store does not take it; then none has changed its owner.
    pub async fn take_over(
        &self,
        sessions: &[(SessionId, InstanceId)],
        new_owner: InstanceId,
    ) -> Result<Vec<SessionId>, StoreError> {
        if sessions.is_empty() {
            return Ok(Vec::new());
        }
        let mut tx = self.begin_write().await?;
        let rows: Vec<_> = sessions
            .iter()
            .map(|(id, _)| [Cell::Id(Some(id.0))])
            .collect();
        // As they are once nobody else can change them.
        let owners: Vec<(SessionId, InstanceId, SessionStatus)> = OWNERS
            .fetch_all(&mut tx, &rows)
            .await
            .map_err(StoreError::during("read whose sessions are"))?;
        let wanted: std::collections::HashMap<_, _> = sessions.iter().copied().collect();
        let taken: Vec<SessionId> = owners
            .iter()
            .filter(|(id, owner, status)| {
                *status != SessionStatus::Disconnected && wanted.get(id) == Some(owner)
            })
            .map(|(id, _, _)| *id)
            .collect();
        let row = |id: &SessionId| [Cell::Id(Some(id.0)), Cell::Id(Some(new_owner.0))];
        let rows: Vec<_> = taken.iter().map(row).collect();
        let written = TAKE_OVER.execute(&mut tx, &rows).await;
        written.map_err(StoreError::during("take sessions over"))?;
        tx.commit().await?;
        Ok(taken)
    }

    /// Where `sessions` stand, by whatever name; those without a row are left out.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn standings(&self, sessions: &[SessionId]) -> Result<Vec<Standing>, StoreError> {
        let mut tx = self.begin_write().await?;
        let rows: Vec<_> = sessions.iter().map(|id| [Cell::Id(Some(id.0))]).collect();
        let found = STANDINGS.fetch_all(&mut tx, &rows).await;
        let found = found.map_err(StoreError::during("read where sessions stand"))?;
        tx.rollback().await?;
        Ok(found)
    }

    /// The id of the row that `id` is a name of.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn named(&self, id: SessionId) -> Result<SessionId, StoreError> {
        let found: Option<SessionId> = on_pool!(self, pool => {
            sqlx::query_scalar("SELECT session_id FROM archon_session_aliases WHERE alias = $1")
                .bind(id)
                .fetch_optional(pool)
                .await
        })
        .map_err(StoreError::during("look for another name of a session"))?;
        Ok(found.unwrap_or(id))
    }
}

async fn now(tx: &mut WriteTx, embedded: bool) -> Result<Timestamp, StoreError> {
    let sql = format!("SELECT {}", dialect::now(embedded));
    on_tx!(tx, conn => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(conn).await)
        .map_err(StoreError::during("read the clock"))
}
