//! What happens, as it happens: sessions that open, become idle and end, requests that are answered.
//!
//! Owns what an event tells and the ids by which a reader goes on. Events come in the order in which they were stored, whichever
//! daemon stored them, and the same place gives the same events: whoever reads on behind the last id that it has seen misses
//! nothing and sees nothing twice.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use uuid::Uuid;

use crate::model::{RequestId, SessionId, Timestamp};
use crate::store::{
    EventPlace, EventSessionRow, EventsKept, Happened, LoggedEvents, OperationRow, Store,
    StoreError,
};

/// Names a place between two events: behind the event that bears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventId(EventPlace);

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EventPlace {
            major,
            minor,
            within,
        } = self.0;
        write!(f, "{major}-{minor}-{within}")
    }
}

/// A text is no id of an event.
#[derive(Debug, thiserror::Error)]
#[error("no id of an event: three numbers such as 7105-12-3 are expected")]
pub struct NoEventId;

impl FromStr for EventId {
    type Err = NoEventId;

    fn from_str(text: &str) -> Result<Self, NoEventId> {
        let mut numbers = text.split('-');
        let mut number = || {
            let digits = numbers.next().filter(|text| {
                !text.is_empty() && text.len() <= 19 && text.bytes().all(|b| b.is_ascii_digit())
            })?;
            digits.parse::<i64>().ok()
        };
        let (major, minor, within) = (number(), number(), number());
        let within = within.and_then(|number| i32::try_from(number).ok());
        match (major, minor, within, numbers.next()) {
            (Some(major), Some(minor), Some(within), None) => Ok(Self(EventPlace {
                major,
                minor,
                within,
            })),
            _ => Err(NoEventId),
        }
    }
}

/// The session that an event is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EventSession {
    /// The session's id.
    pub session_id: SessionId,
    /// Product name, `Unknown` where the client's name is not known.
    pub client_type: String,
    /// `clientInfo.name`, as sent.
    pub client_name: Option<String>,
    /// `clientInfo.version`, as sent.
    pub client_version: Option<String>,
    /// Name of the MCP server.
    pub server: Option<String>,
    /// The user's id.
    pub user_id: Option<Uuid>,
    /// The user's e-mail address.
    pub user_email: Option<String>,
    /// The user's name.
    pub user_name: Option<String>,
    /// When the first request began.
    pub connected_at: Timestamp,
}

/// The data of one event. Kinds may be added: what is not known is to be passed over.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveEvent {
    /// A session opened.
    SessionOpened {
        /// When.
        at: Timestamp,
        /// The session.
        session: EventSession,
    },
    /// A session became idle: nothing was heard of it for a while.
    SessionIdle {
        /// When that was stored.
        at: Timestamp,
        /// The session.
        session: EventSession,
    },
    /// A session ended.
    SessionClosed {
        /// When it ended, which may be long before that was noticed.
        at: Timestamp,
        /// The session.
        session: EventSession,
        /// Why it ended.
        disconnect_reason: Option<String>,
        /// How long it lasted, in whole seconds.
        total_duration: Option<i64>,
    },
    /// A request was answered.
    OperationFinished {
        /// When the answer was complete; where nobody measured how long it took, when it began.
        at: Timestamp,
        /// Its session.
        session: EventSession,
        /// The request.
        request: Box<OperationRow>,
    },
    /// Events between the one that was asked for and the next are no longer kept.
    Gap {
        /// The id that was asked for.
        after: String,
        /// When the first event was stored that is kept; null where none is.
        kept_since: Option<Timestamp>,
    },
}

/// The kinds of events that can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// [`LiveEvent::SessionOpened`].
    SessionOpened,
    /// [`LiveEvent::SessionIdle`].
    SessionIdle,
    /// [`LiveEvent::SessionClosed`].
    SessionClosed,
    /// [`LiveEvent::OperationFinished`].
    OperationFinished,
}

impl EventKind {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Self); 4] = [
        ("session_opened", Self::SessionOpened),
        ("session_idle", Self::SessionIdle),
        ("session_closed", Self::SessionClosed),
        ("operation_finished", Self::OperationFinished),
    ];
}

impl LiveEvent {
    /// Its kind; a gap is none that can be asked for.
    #[must_use]
    pub fn kind(&self) -> Option<EventKind> {
        match self {
            Self::SessionOpened { .. } => Some(EventKind::SessionOpened),
            Self::SessionIdle { .. } => Some(EventKind::SessionIdle),
            Self::SessionClosed { .. } => Some(EventKind::SessionClosed),
            Self::OperationFinished { .. } => Some(EventKind::OperationFinished),
            Self::Gap { .. } => None,
        }
    }

    /// The name of its kind.
    #[must_use]
    pub fn name(&self) -> &'static str {
        let kind = self.kind();
        let mut named = EventKind::ALL.iter();
        let named = named.find(|(_, known)| Some(*known) == kind);
        named.map_or("gap", |(name, _)| name)
    }

    /// The session that it is of.
    #[must_use]
    pub fn session(&self) -> Option<&EventSession> {
        match self {
            Self::SessionOpened { session, .. }
            | Self::SessionIdle { session, .. }
            | Self::SessionClosed { session, .. }
            | Self::OperationFinished { session, .. } => Some(session),
            Self::Gap { .. } => None,
        }
    }
}

/// What is behind a place.
#[derive(Clone, Debug)]
pub struct EventPage {
    /// The events, each with its id, in order.
    pub events: Vec<(EventId, LiveEvent)>,
    /// Where to read on.
    pub next: EventId,
    /// Whether there is more already.
    pub more: bool,
}

/// Where a reader goes on.
#[derive(Clone, Debug, PartialEq)]
pub enum GoingOn {
    /// Behind the event that it has seen last: everything since is there.
    Here(EventId),
    /// Behind a gap, which the event tells of.
    BehindGap(EventId, Box<LiveEvent>),
    /// The id is none that this store has given out.
    Unknown,
}

/// The place behind everything that has happened so far.
///
/// # Errors
/// When the store does not answer.
pub async fn events_end(store: &Store) -> Result<EventId, StoreError> {
    store.events_end().await.map(EventId)
}

/// Where a reader goes on that has seen `last`.
///
/// # Errors
/// When the store does not answer.
pub async fn go_on_behind(store: &Store, last: EventId) -> Result<GoingOn, StoreError> {
    if last.0 > store.events_end().await? {
        return Ok(GoingOn::Unknown);
    }
    let EventsKept { from, since } = store.events_kept().await?;
    if last.0 >= from {
        return Ok(GoingOn::Here(last));
    }
    let gap = LiveEvent::Gap {
        after: last.to_string(),
        kept_since: since,
    };
    Ok(GoingOn::BehindGap(EventId(from), Box::new(gap)))
}

/// The id that a session goes by which somebody was told of under the id `id`.
///
/// # Errors
/// When the store does not answer.
pub async fn agreed_id(store: &Store, id: SessionId) -> Result<SessionId, StoreError> {
    store.named(id).await
}

/// The events behind `place`, some 1,000 at the most. What they tell is read now: of a session or request that was removed since
/// nothing is told.
///
/// # Errors
/// When the store does not answer.
pub async fn events_behind(store: &Store, place: EventId) -> Result<EventPage, StoreError> {
    let LoggedEvents { events, next, more } = store.events_behind(place.0).await?;
    let mut page = EventPage {
        events: Vec::with_capacity(events.len()),
        next: EventId(next),
        more,
    };
    if events.is_empty() {
        return Ok(page);
    }
    let finished = events.iter().filter_map(|event| match event.happened {
        Happened::Finished(id) => Some(id),
        _ => None,
    });
    let mut requests = HashMap::new();
    if finished.clone().next().is_some() {
        requests = store.requests_of_events(finished).await?;
    }
    let mut named: Vec<SessionId> = events
        .iter()
        .filter_map(|event| match event.happened {
            Happened::Opened(id) | Happened::Idle(id) | Happened::Closed(id) => Some(id),
            Happened::Finished(id) => requests.get(&id).map(|request| request.session_id),
        })
        .collect();
    named.sort_unstable();
    named.dedup();
    let sessions = store.sessions_of_events(named.into_iter()).await?;
    for event in events {
        let told = told(event.happened, event.stored_at, &sessions, &mut requests);
        if let Some(told) = told {
            page.events.push((EventId(event.behind), told));
        }
    }
    Ok(page)
}

fn told(
    happened: Happened,
    stored_at: Timestamp,
    sessions: &HashMap<SessionId, EventSessionRow>,
    requests: &mut HashMap<RequestId, OperationRow>,
) -> Option<LiveEvent> {
    let event = match happened {
        Happened::Opened(id) => {
            let row = sessions.get(&id)?;
            LiveEvent::SessionOpened {
                at: row.connected_at,
                session: row.into(),
            }
        }
        Happened::Idle(id) => LiveEvent::SessionIdle {
            at: stored_at,
            session: sessions.get(&id)?.into(),
        },
        Happened::Closed(id) => {
            let row = sessions.get(&id)?;
            LiveEvent::SessionClosed {
                at: row.disconnected_at.unwrap_or(stored_at),
                session: row.into(),
                disconnect_reason: row.disconnect_reason.clone(),
                total_duration: row.total_duration,
            }
        }
        Happened::Finished(id) => {
            let request = requests.remove(&id)?;
            let took = request.duration_ms.and_then(|ms| u64::try_from(ms).ok());
            LiveEvent::OperationFinished {
                at: request
                    .timestamp
                    .plus(Duration::from_millis(took.unwrap_or(0))),
                session: sessions.get(&request.session_id)?.into(),
                request: Box::new(request),
            }
        }
    };
    Some(event)
}

impl From<&EventSessionRow> for EventSession {
    fn from(row: &EventSessionRow) -> Self {
        Self {
            session_id: row.session_id,
            client_type: row.client_type.clone(),
            client_name: row.client_name.clone(),
            client_version: row.client_version.clone(),
            server: row.server.clone(),
            user_id: row.user_id,
            user_email: row.user_email.clone(),
            user_name: row.user_name.clone(),
            connected_at: row.connected_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_they_are_written_and_nothing_else_is() {
        for text in ["0-0-0", "9223372036854775807-1-8192", "17-0-3"] {
            let id: EventId = text.parse().expect("an id");
            assert_eq!(id.to_string(), text);
        }
        for text in [
            "",
            "1",
            "1-2",
            "1-2-3-4",
            "1-2-",
            "-1-2-3",
            "+1-2-3",
            "a-b-c",
            "1-2-4294967296",
            "99999999999999999999-0-0",
        ] {
            assert!(text.parse::<EventId>().is_err(), "{text}");
        }
        let [first, second]: [EventId; 2] =
            ["7-2-10", "7-10-2"].map(|id| id.parse().expect("an id"));
        assert!(first < second);
    }
}
