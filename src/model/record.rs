//! What the tracker decided, in the order it decided it. The store is a fold over these records.

use serde::{Deserialize, Serialize};

use super::{DisconnectReason, OpenedSession, Operation, SessionId, Timestamp};

/// One decision of the tracker. The journal keeps them in this form: new kinds are added at the end, and a change
/// to an existing kind takes a new version of the journal's file format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Record {
    /// A session opened.
    SessionOpened(Box<OpenedSession>),
    /// A request was answered.
    OperationFinished(Box<Operation>),
    /// Something happened on a session that is no operation.
    SessionTouched(SessionTouched),
    /// Nothing happened on a session for the idle time.
    SessionIdle {
        /// The session.
        session_id: SessionId,
    },
    /// A session ended.
    SessionClosed(SessionClosed),
    /// A request was answered, and whoever reports it says of which model its tokens are. Only on disk: a reader gives it as
    /// [`Record::OperationFinished`] with that model.
    OperationOfModel(Box<Operation>, Box<str>),
}

/// Activity that is no operation: a notification, a held stream that opened or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionTouched {
    /// The session.
    pub session_id: SessionId,
    /// When it happened.
    pub at: Timestamp,
    /// How many notifications passed.
    pub notifications: u32,
}

/// The end of a session. The first one counts; later ones change nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionClosed {
    /// The session.
    pub session_id: SessionId,
    /// Why.
    pub reason: DisconnectReason,
    /// When it ended; for a timeout the last activity.
    pub disconnected_at: Timestamp,
    /// When that was noticed.
    pub detected_at: Timestamp,
}
