//! A session in memory: what must be known to attribute the next request and to end it in time.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use sha2::{Digest, Sha256};
use uuid::fmt::Hyphenated;

use crate::model::{ErrorType, OpenedSession, SessionId, Target, Timestamp};

use super::texts::Held;

/// How many requests of a server may wait for the client's answer before the oldest is forgotten.
const MOST_SERVER_REQUESTS: usize = 256;
/// How many cancelled ids are remembered.
const MOST_CANCELLED: usize = 64;
/// How many operations may wait for input before the oldest is given up.
const MOST_WAITING: usize = 64;

/// A session that is open, or was when it was looked up.
#[derive(Debug)]
pub(super) struct LiveSession {
    id: SessionId,
    /// The id as the value of `X-Archon-Session-Id`.
    header: SessionHeader,
    /// The id under which other instances know this session, if the store had it before this instance did.
    agreed: OnceLock<(SessionId, SessionHeader)>,
    /// Whose it is: the server's name and the principal.
    pub(super) server: Box<str>,
    pub(super) principal: Box<str>,
    /// How it opened, for one that its server reports itself.
    pub(super) reported: Option<Arc<OpenedSession>>,
    /// Whether it opened with a request that was turned down here.
    pub(super) refused: bool,
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
    /// What broke, and when, if the client has not been heard of since.
    pub(super) broken: Option<(ErrorType, Timestamp)>,
    /// Notifications on a held stream that have not been written down.
    pub(super) notifications: u32,
    cancelled: VecDeque<Box<[u8]>>,
    server_requests: HashMap<Box<[u8]>, ServerRequest>,
    /// Operations whose server asked for input, by what the retry will repeat.
    waiting: HashMap<StateKey, Waiting>,
}

/// `requestState` (MCP 2026-07-28, Multi Round-Trip Requests), as a digest: servers seal whole states into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct StateKey([u8; 16]);

impl StateKey {
    /// The key of a `requestState`, raw JSON; a text counts as what it says, however it is escaped.
    pub(super) fn of(raw: &[u8]) -> Self {
        let text = serde_json::from_slice::<String>(raw);
        let digest = Sha256::digest(text.as_deref().map_or(raw, str::as_bytes));
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        Self(key)
    }
}

/// What an operation that goes on with this request has behind it.
#[derive(Clone, Debug)]
pub(super) struct Behind {
    pub(super) started_at: Timestamp,
    pub(super) bytes_in: u64,
    pub(super) bytes_out: u64,
    pub(super) trace_id: Option<Box<str>>,
}

/// An operation whose server asked for input.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) method: Box<str>,
    pub(super) target: Option<Target>,
    pub(super) version: Option<Box<str>>,
    pub(super) behind: Behind,
    /// The text of the request.
    pub(super) text: Option<Held>,
    /// When the server asked.
    pub(super) asked_at: Timestamp,
}

/// A request that the server sent and the client has not answered yet.
#[derive(Debug)]
pub(super) struct ServerRequest {
    pub(super) method: Box<str>,
    pub(super) started_at: Timestamp,
    /// Its text.
    pub(super) text: Option<Held>,
}

impl LiveSession {
    /// A session that opens now, or one that an earlier instance opened (`unsent` is `None`).
    pub(super) fn new(
        id: SessionId,
        server: Box<str>,
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
            broken: None,
            notifications: 0,
            server_requests: HashMap::new(),
            waiting: HashMap::new(),
        };
        Self {
            header: SessionHeader::of(id),
            agreed: OnceLock::new(),
            id,
            server,
            principal,
            reported: None,
            refused: false,
            state: Mutex::new(state),
        }
    }

    /// One that its server reports itself, and which opened as `opened` says.
    pub(super) fn reporting(mut self, opened: Arc<OpenedSession>) -> Self {
        self.reported = Some(opened);
        self
    }

    /// The session's id.
    pub(super) fn id(&self) -> SessionId {
        self.agreed.get().map_or(self.id, |(id, _)| *id)
    }

    /// The id that it was given here.
    pub(super) fn first_id(&self) -> SessionId {
        self.id
    }

    /// The id as the value of `X-Archon-Session-Id`.
    pub(super) fn header(&self) -> SessionHeader {
        self.agreed.get().map_or(self.header, |(_, header)| *header)
    }

    /// Calls it `id` from now on, as all other instances do. The first such id stays.
    pub(super) fn agree(&self, id: SessionId) {
        self.agreed.get_or_init(|| (id, SessionHeader::of(id)));
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
        self.broken = None;
    }

    /// Something that the client had asked for ended; that says nothing of whether it is still there.
    pub(super) fn ended(&mut self, now: Timestamp) {
        self.last_activity = self.last_activity.max(now);
        self.idle = false;
    }

    /// Another instance saw activity at `at`.
    pub(super) fn seen_elsewhere(&mut self, at: Timestamp) {
        if self.left_at.is_some_and(|left| left < at) {
            self.left_at = None;
        }
        if self.broken.as_ref().is_some_and(|(_, broke)| *broke < at) {
            self.broken = None;
        }
        if at > self.last_activity {
            self.last_activity = at;
            self.written_activity = self.written_activity.max(at);
            self.idle = false;
        }
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

    /// Keeps an operation whose server asked for input; gives back the oldest where there are too many.
    pub(super) fn input_required(&mut self, key: StateKey, waiting: Waiting) -> Option<Waiting> {
        let mut oldest = None;
        if self.waiting.len() >= MOST_WAITING {
            let key = self
                .waiting
                .iter()
                .min_by_key(|(_, waiting)| waiting.asked_at)
                .map(|(key, _)| *key);
            oldest = key.and_then(|key| self.waiting.remove(&key));
        }
        self.waiting.insert(key, waiting).or(oldest)
    }

    /// The operation that goes on with a request that repeats this `requestState`.
    pub(super) fn goes_on(&mut self, key: StateKey) -> Option<Waiting> {
        self.waiting.remove(&key)
    }

    /// Operations whose input nobody will give any more.
    pub(super) fn without_input(&mut self) -> Vec<Waiting> {
        self.waiting.drain().map(|(_, waiting)| waiting).collect()
    }

    /// Requests of the server that nobody will answer any more.
    pub(super) fn unanswered(&mut self) -> Vec<ServerRequest> {
        self.server_requests
            .drain()
            .map(|(_, request)| request)
            .collect()
    }
}
