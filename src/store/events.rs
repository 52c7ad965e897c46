//! The log of what happened, in the order in which it was stored: what a fold appends to, and what live events are read from.
//!
//! Owns the log's form: a row for each batch, of 17 bytes for each event (what happened, and to which session or request), and
//! the places in it. What is told of an event is read from the row of its session or request. Means nothing by it: that is
//! `reports`.

use std::collections::HashMap;
use std::fmt::Write;

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use super::connection::{Store, WriteTx, on_pool, on_tx};
use super::dialect::{self, EVENT_BYTES, PIECE_BYTES};
use super::error::StoreError;
use super::queries::OPERATION_COLUMNS;
use super::rows::OperationRow;
use crate::model::{RequestId, SessionId, Timestamp};

/// Events in one row at the most.
const IN_A_ROW: usize = 8_192;
/// Rows that are read at once.
const ROWS: i64 = 64;
/// Events that are read at once, give or take a row's worth.
const AT_ONCE: usize = 1_000;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happened {
    /// A session opened.
    Opened(SessionId),
    /// Nothing happened on a session for the idle time.
    Idle(SessionId),
    /// A session ended.
    Closed(SessionId),
    /// A request was answered.
    Finished(RequestId),
}

impl Happened {
    fn number_and_id(self) -> (u8, Uuid) {
        match self {
            Self::Opened(id) => (1, id.0),
            Self::Idle(id) => (2, id.0),
            Self::Closed(id) => (3, id.0),
            Self::Finished(id) => (4, id.0),
        }
    }

    /// `None` for a kind that a later version has.
    fn of(bytes: &[u8]) -> Option<Self> {
        let (number, id) = bytes.split_first()?;
        let id = Uuid::from_slice(id).ok()?;
        match number {
            1 => Some(Self::Opened(SessionId(id))),
            2 => Some(Self::Idle(SessionId(id))),
            3 => Some(Self::Closed(SessionId(id))),
            4 => Some(Self::Finished(RequestId(id))),
            _ => None,
        }
    }
}

/// Events in the form of the log.
#[derive(Debug, Default)]
pub(super) struct Entries(Vec<u8>);

impl Entries {
    pub(super) fn add(&mut self, happened: Happened) {
        let (number, id) = happened.number_and_id();
        self.0.push(number);
        self.0.extend_from_slice(id.as_bytes());
    }
}

/// Appends to the log, with the transaction that stores what is told.
pub(super) async fn append(tx: &mut WriteTx, entries: &Entries) -> Result<(), StoreError> {
    for row in entries.0.chunks(IN_A_ROW * EVENT_BYTES) {
        let count = i32::try_from(row.len() / EVENT_BYTES).unwrap_or(i32::MAX);
        on_tx!(tx, conn => {
            sqlx::query("INSERT INTO archon_event_log (entry_count, entries) VALUES ($1, $2)")
                .bind(count)
                .bind(row)
                .execute(conn)
                .await
                .map(drop)
        })
        .map_err(StoreError::during("write what happened"))?;
    }
    Ok(())
}

/// A place in the log: behind so many events of one row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventPlace {
    /// The row: PostgreSQL's transaction, SQLite's number of the row.
    pub major: i64,
    /// The row of the transaction; 0 where there is one at the most.
    pub minor: i64,
    /// How many of its events are before this place.
    pub within: i32,
}

/// An event and the place behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LoggedEvent {
    pub(crate) behind: EventPlace,
    pub(crate) happened: Happened,
    pub(crate) stored_at: Timestamp,
}

/// What is behind a place.
#[derive(Debug)]
pub(crate) struct LoggedEvents {
    pub(crate) events: Vec<LoggedEvent>,
    /// Where to read on.
    pub(crate) next: EventPlace,
    /// Whether there is more already.
    pub(crate) more: bool,
}

/// How the log begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EventsKept {
    /// Behind the last event that is no longer kept; the very first place where all are.
    pub(crate) from: EventPlace,
    /// When the first event was stored that is kept.
    pub(crate) since: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct LogRow {
    horizon: i64,
    major: Option<i64>,
    minor: Option<i64>,
    stored_at: Option<Timestamp>,
    entry_count: Option<i64>,
    piece: Option<Vec<u8>>,
}

#[derive(sqlx::FromRow)]
struct OldestRow {
    major: i64,
    minor: i64,
    entry_count: i64,
    emptied: bool,
    kept_from: Option<Timestamp>,
}

/// What events tell of a session.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(crate) struct EventSessionRow {
    pub(crate) session_id: SessionId,
    pub(crate) client_type: String,
    pub(crate) client_name: Option<String>,
    pub(crate) client_version: Option<String>,
    pub(crate) server: Option<String>,
    pub(crate) user_id: Option<Uuid>,
    pub(crate) user_email: Option<String>,
    pub(crate) user_name: Option<String>,
    pub(crate) connected_at: Timestamp,
    pub(crate) disconnected_at: Option<Timestamp>,
    pub(crate) total_duration: Option<i64>,
    pub(crate) disconnect_reason: Option<String>,
}

fn within(count: i64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// Ids as a JSON array.
fn array(ids: impl Iterator<Item = Uuid>) -> String {
    let mut text = "[".to_owned();
    for (place, id) in ids.enumerate() {
        if place > 0 {
            text.push(',');
        }
        // A text takes whatever is written to it.
        let _ = write!(text, "\"{}\"", id.simple());
    }
    text.push(']');
    text
}

impl Store {
    /// Where the log is settled up to: whatever is stored from now on comes behind this place.
    pub(crate) async fn events_end(&self) -> Result<EventPlace, StoreError> {
        let last = EventPlace {
            major: i64::MAX,
            ..EventPlace::default()
        };
        Ok(self.events_behind(last).await?.next)
    }

    /// The events behind `place`, in order, as far as nothing can come between them any more; some 1,000 at the most.
    pub(crate) async fn events_behind(
        &self,
        place: EventPlace,
    ) -> Result<LoggedEvents, StoreError> {
        let sql = dialect::events_behind(self.is_embedded());
        let rows: Vec<LogRow> = on_pool!(self, pool => {
            sqlx::query_as(sql)
                .bind(place.major)
                .bind(place.minor)
                .bind(place.within)
                .bind(ROWS)
                .fetch_all(pool)
                .await
        })
        .map_err(StoreError::during("read what happened"))?;
        let horizon = rows.first().map_or(0, |row| row.horizon);
        let mut read = LoggedEvents {
            events: Vec::new(),
            next: place,
            more: i64::try_from(rows.len()) == Ok(ROWS),
        };
        for row in rows {
            let (Some(major), Some(minor), Some(stored_at), Some(count), Some(piece)) = (
                row.major,
                row.minor,
                row.stored_at,
                row.entry_count,
                row.piece,
            ) else {
                continue;
            };
            if read.events.len() >= AT_ONCE {
                read.more = true;
                return Ok(read);
            }
            let is_first = (major, minor) == (place.major, place.minor);
            let mut behind = EventPlace {
                major,
                minor,
                within: if is_first { place.within } else { 0 },
            };
            for bytes in piece.chunks_exact(EVENT_BYTES) {
                behind.within += 1;
                if let Some(happened) = Happened::of(bytes) {
                    read.events.push(LoggedEvent {
                        behind,
                        happened,
                        stored_at,
                    });
                }
            }
            read.next = read.next.max(behind);
            if piece.len() == PIECE_BYTES && i64::from(behind.within) < count {
                read.more = true;
                return Ok(read);
            }
        }
        if !read.more {
            // Nothing is before it that was not read.
            read.next = EventPlace {
                major: horizon,
                ..EventPlace::default()
            };
        }
        Ok(read)
    }

    /// From where on events are kept.
    pub(crate) async fn events_kept(&self) -> Result<EventsKept, StoreError> {
        let sql = dialect::oldest_event(self.is_embedded());
        let oldest: Option<OldestRow> = on_pool!(self, pool => {
            sqlx::query_as(sql).fetch_optional(pool).await
        })
        .map_err(StoreError::during("tell from when on events are kept"))?;
        let emptied = oldest.as_ref().filter(|row| row.emptied);
        Ok(EventsKept {
            from: emptied.map_or_else(EventPlace::default, |row| EventPlace {
                major: row.major,
                minor: row.minor,
                within: within(row.entry_count),
            }),
            since: oldest.and_then(|row| row.kept_from),
        })
    }

    /// What events tell of `sessions`; those that are gone are left out.
    pub(crate) async fn sessions_of_events(
        &self,
        sessions: impl Iterator<Item = SessionId>,
    ) -> Result<HashMap<SessionId, EventSessionRow>, StoreError> {
        let ids = array(sessions.map(|id| id.0));
        let sql = format!(
            "SELECT session_id, client_type, client_name, client_version, server, user_id, user_email, user_name, \
             connected_at, disconnected_at, CAST(total_duration AS BIGINT) AS total_duration, disconnect_reason \
             FROM archon_mcp_sessions WHERE {}",
            dialect::is_one_of(self.is_embedded(), "session_id")
        );
        let rows: Vec<EventSessionRow> = on_pool!(self, pool => {
            sqlx::query_as(AssertSqlSafe(sql)).bind(ids).fetch_all(pool).await
        })
        .map_err(StoreError::during("read the sessions of events"))?;
        let rows = rows.into_iter();
        Ok(rows.map(|row| (row.session_id, row)).collect())
    }

    /// The rows of `requests`; those that are gone are left out.
    pub(crate) async fn requests_of_events(
        &self,
        requests: impl Iterator<Item = RequestId>,
    ) -> Result<HashMap<RequestId, OperationRow>, StoreError> {
        let ids = array(requests.map(|id| id.0));
        let sql = format!(
            "SELECT {OPERATION_COLUMNS} FROM archon_mcp_requests AS r WHERE {}",
            dialect::is_one_of(self.is_embedded(), "r.request_id")
        );
        let rows: Vec<OperationRow> = on_pool!(self, pool => {
            sqlx::query_as(AssertSqlSafe(sql)).bind(ids).fetch_all(pool).await
        })
        .map_err(StoreError::during("read the requests of events"))?;
        let rows = rows.into_iter();
        Ok(rows.map(|row| (RequestId(row.request_id), row)).collect())
    }

    /// Lets go of events that were stored longer than `keep` ago, by the clock of the database, and of the oldest where there
    /// are more than `most_bytes`. Whoever was at such an event is told when reading on.
    ///
    /// # Errors
    /// When the store does not answer.
    pub async fn prune_events(
        &self,
        keep: std::time::Duration,
        most_bytes: i64,
    ) -> Result<(), StoreError> {
        let pruning = || StoreError::during("let go of old events");
        let before = self.clock().await?.minus(keep);
        let embedded = self.is_embedded();
        let mut tx = self.begin_write().await?;
        if !embedded {
            on_tx!(tx, conn => sqlx::query(dialect::FOREIGN_EVENTS).execute(conn).await.map(drop))
                .map_err(pruning())?;
        }
        let newest: Option<(i64, i64)> = on_tx!(tx, conn => {
            sqlx::query_as(dialect::newest_event_to_go(embedded))
                .bind(before)
                .bind(most_bytes)
                .fetch_optional(conn)
                .await
        })
        .map_err(pruning())?;
        if let Some((major, minor)) = newest {
            for sql in dialect::forget_events(embedded) {
                on_tx!(tx, conn => sqlx::query(sql).bind(major).bind(minor).execute(conn).await.map(drop))
                    .map_err(pruning())?;
            }
        }
        tx.commit().await
    }
}
