//! A session in memory: what must be known to attribute the next request and to end it in time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::fmt::Hyphenated;

use crate::model::{OpenedSession, SessionId, Timestamp};

/// How many requests of a server may wait for the client's answer before the oldest is forgotten.
const MOST_SERVER_REQUESTS: usize = 256;
/// How many cancelled ids are remembered.
const MOST_CANCELLED: usize = 64;

/// A session that is open, or was when it was looked up.
#[derive(Debug)]
pub(super) struct LiveSession {
    pub(super) id: SessionId,
    /// The id as the value of `X-Archon-Session-Id`.
    pub(super) header: SessionHeader,
    pub(super) principal: Box<str>,
    state: Mutex<SessionState>,
}

/// A session's id as the value of a header: copied where a shared one would be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionHeader([u8; Hyphenated::LENGTH]);

impl SessionHeader {
    fn of(id: SessionId) -> Self {
        let mut text = [0; Hyphenated::LENGTH];
        id.0.hyphenated().encode_lower(&mut text);
        Self(text)
    }

    /// The id's 36 characters.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What changes in the life of a session.
#[derive(Debug)]
pub(super) struct SessionState {
    /// The opening record, until it is written along with the first that follows it.
    pub(super) unsent: Option<Box<OpenedSession>>,
    pub(super) connected_at: Timestamp,
    pub(super) last_activity: Timestamp,
    /// Requests being answered.
    pub(super) in_flight: u32,
    /// Streams held open by the client.
    pub(super) streams: u32,
    /// When the client ended the last stream it held, if it has not been heard of since.
    pub(super) left_at: Option<Timestamp>,
    /// Last activity that was written down.
    pub(super) written_activity: Timestamp,
    pub(super) idle: bool,
    pub(super) closed: bool,
    /// Keys by which the registry finds this session.
    pub(super) keys: Vec<Box<str>>,
    cancelled: VecDeque<Box<[u8]>>,
    server_requests: HashMap<Box<[u8]>, ServerRequest>,
}

/// A request that the server sent and the client has not answered yet.
#[derive(Clone, Debug)]
pub(super) struct ServerRequest {
    pub(super) method: Box<str>,
    pub(super) started_at: Timestamp,
}

impl LiveSession {
    /// A session that opens now, or one that an earlier instance opened (`unsent` is `None`).
    pub(super) fn new(
        id: SessionId,
        principal: Box<str>,
        unsent: Option<Box<OpenedSession>>,
        connected_at: Timestamp,
        last_activity: Timestamp,
    ) -> Self {
        let state = SessionState {
            unsent,
            connected_at,
            last_activity,
            in_flight: 0,
            streams: 0,
            left_at: None,
            written_activity: last_activity,
            idle: false,
            closed: false,
            keys: Vec::new(),
            cancelled: VecDeque::new(),
            server_requests: HashMap::new(),
        };
        Self {
            header: SessionHeader::of(id),
            id,
            principal,
            state: Mutex::new(state),
        }
    }

    /// The state. Held for moments only, never across a wait.
    pub(super) fn state(&self) -> MutexGuard<'_, SessionState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionState {
    /// A request of the client began.
    pub(super) fn begun(&mut self, now: Timestamp) {
        self.in_flight += 1;
        self.touch(now);
    }

    /// The client sent something: it has not left.
    pub(super) fn touch(&mut self, now: Timestamp) {
        self.ended(now);
        self.left_at = None;
    }

    /// Something that the client had asked for ended; that says nothing of whether it is still there.
    pub(super) fn ended(&mut self, now: Timestamp) {
        self.last_activity = self.last_activity.max(now);
        self.idle = false;
    }

    /// Remembers that the client cancelled request `id`.
    pub(super) fn cancel(&mut self, id: Box<[u8]>) {
        if self.cancelled.len() == MOST_CANCELLED {
            self.cancelled.pop_front();
        }
        self.cancelled.push_back(id);
    }

    /// Whether the client cancelled request `id`.
    pub(super) fn was_cancelled(&self, id: &[u8]) -> bool {
        self.cancelled.iter().any(|known| **known == *id)
    }

    /// Remembers a request of the server; gives back the oldest where there are too many.
    pub(super) fn server_asked(
        &mut self,
        id: Box<[u8]>,
        request: ServerRequest,
    ) -> Option<ServerRequest> {
        let mut oldest = None;
        if self.server_requests.len() >= MOST_SERVER_REQUESTS {
            let key = self
                .server_requests
                .iter()
                .min_by_key(|(_, request)| request.started_at)
                .map(|(key, _)| key.clone());
            oldest = key.and_then(|key| self.server_requests.remove(&key));
        }
        self.server_requests.insert(id, request);
        oldest
    }

    /// The request of the server that the client answers with `id`.
    pub(super) fn client_answered(&mut self, id: &[u8]) -> Option<ServerRequest> {
        self.server_requests.remove(id)
    }

    /// Requests of the server that nobody will answer any more.
    pub(super) fn unanswered(&mut self) -> Vec<ServerRequest> {
        self.server_requests
            .drain()
            .map(|(_, request)| request)
            .collect()
    }
}
