//! One HTTP request and its answer, as they pass.

mod attribution;
mod body;
mod operations;
mod stream;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;

use crate::journal::Group;
use crate::model::{DisconnectReason, Era, ErrorType, Target, Timestamp};
use crate::wire::{BodyKind, ClientInfo, Coding, Envelope, RequestMeta};

use super::channel::Channel;
use super::facts::{AnswerFacts, HttpMethod, RequestFacts};
use super::messages;
use super::session::{Behind, LiveSession, SessionHeader, StateKey};
use super::texts::{Held, Said};
use super::tracker::Tracker;

use body::Body;
pub(super) use stream::Lent;

/// Why the proxy had to answer itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No connection to the server, or it broke before an answer began; what happened.
    Unreachable(String),
    /// What came in place of an answer is no HTTP; what it is.
    Nonsense(String),
    /// The server did not answer within the request timeout.
    TimedOut,
    /// The proxy turned the request down; why.
    Refused(String),
}

/// How an answer ended.
#[derive(Clone, Debug)]
enum End {
    /// The server ended it.
    Complete,
    /// It broke on the server's side; what happened.
    Broken(String),
    /// The client went away.
    ClientLeft,
    /// The proxy answered itself.
    Failed(Failure),
}

/// A JSON-RPC request that waits for its answer.
#[derive(Debug)]
struct Pending {
    /// Empty where it could not be read: then any answer is the one.
    id: Box<[u8]>,
    method: Box<str>,
    target: Option<Target>,
    version: Option<Box<str>>,
    /// What it says, and what its answer does.
    said: Said,
    /// What of the operation went before this exchange.
    behind: Option<Box<Behind>>,
    /// The `requestState` that this request repeats.
    repeats: Option<StateKey>,
}

impl Pending {
    fn is_handshake(&self) -> bool {
        crate::model::HANDSHAKE_METHODS.contains(&&*self.method)
    }

    /// Whether it asks if there is a server of the modern era: refused, it opens no session.
    fn probes(&self) -> bool {
        messages::is_probe(&self.method)
    }

    fn listens(&self) -> bool {
        &*self.method == "subscriptions/listen"
    }
}

/// What `initialize` said (MCP 2025-11-25, Lifecycle, Initialization).
#[derive(Clone, Debug, Default)]
struct Handshake {
    client: ClientInfo,
    capabilities: Option<Box<str>>,
    version: Option<Box<str>>,
}

/// The client's answer to a request of the server.
#[derive(Debug)]
struct Answered {
    id: Box<[u8]>,
    /// The error, where it is one.
    error: Option<Box<[u8]>>,
    /// The text of the result.
    text: Option<Held>,
    /// The model that the result says it is of.
    model: Option<Box<str>>,
}

#[derive(Debug, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about one answer"
)]
struct State {
    pending: Vec<Pending>,
    /// Whether requests of this body are answered on an event stream, and by which number they are known there.
    lender: Option<u64>,
    /// The endpoint that this answer, an event stream, named.
    channel: Option<Arc<Channel>>,
    notifications: u32,
    /// Requests of the server that this body answers.
    answered: Vec<Answered>,
    cancelled: Vec<Box<[u8]>>,
    handshake: Option<Handshake>,
    meta: Option<Arc<RequestMeta>>,
    /// The last `_meta` that was read, as it stood: a client repeats it, and it is not read again.
    known_meta: Option<(Box<[u8]>, Arc<RequestMeta>)>,
    session: Option<Arc<LiveSession>>,
    status: Option<StatusCode>,
    bytes_in: u64,
    bytes_out: u64,
    /// Of those, what finished operations have been given already.
    bytes_in_told: u64,
    bytes_out_told: u64,
    /// Whether an operation was written, which is activity enough.
    wrote: bool,
    /// The session that it was, for the next request to go on with.
    ended_in: Option<Arc<LiveSession>>,
    /// When the server last said something.
    said_at: Option<Timestamp>,
    /// Whether the answer is a stream that the client holds open.
    held: bool,
    ended: bool,
    /// Whether a session that opens now does so with a request that the proxy turned down.
    refused: bool,
    /// Whether records may wait in the group: whoever is told of the answer now settles it before going on.
    defer: bool,
}

/// Follows one HTTP request to the end of its answer. Dropped before that, it takes it that the client went away.
#[derive(Debug)]
pub struct Exchange {
    tracker: Arc<Tracker>,
    facts: RequestFacts,
    /// Apart from what they find, so that they can tell it while they read.
    request: Mutex<Body>,
    answer: Mutex<Body>,
    state: Mutex<State>,
    group: Option<Arc<Group>>,
    /// Whether a record waits in the group.
    unsettled: AtomicBool,
    /// Whether the body asks for a stream to be held (`subscriptions/listen`).
    listens: AtomicBool,
    /// Whether nothing is under way.
    resting: bool,
    /// The session of the request before, and what led there: a client repeats it.
    before: Option<(Sign, Arc<LiveSession>)>,
}

/// What leads to a session without another look at the registry, if it is the same as before.
#[derive(Debug)]
enum Sign {
    /// `Mcp-Session-Id`.
    Minted(Box<[u8]>),
    /// What the body's `_meta` and the user agent say, of a request of the modern era.
    Said {
        meta: Arc<RequestMeta>,
        agent: Option<Box<[u8]>>,
    },
}

impl Exchange {
    pub(super) fn new(
        tracker: Arc<Tracker>,
        facts: RequestFacts,
        group: Option<Arc<Group>>,
    ) -> Self {
        tracker.counters.in_progress.add(1);
        let exchange = Self {
            tracker,
            facts,
            request: Mutex::default(),
            answer: Mutex::default(),
            state: Mutex::default(),
            group,
            unsettled: AtomicBool::new(false),
            listens: AtomicBool::new(false),
            resting: false,
            before: None,
        };
        let kept = exchange.tracker.texts.limit();
        lock(&exchange.request).begin(exchange.request_body(), exchange.facts.coding, kept);
        if let Some(session) = exchange.session_of_head() {
            exchange.attach(&mut exchange.lock(), session);
        }
        exchange
    }

    /// How the request's body is to be read.
    fn request_body(&self) -> BodyKind {
        match (self.facts.method, self.facts.body()) {
            (HttpMethod::Post, BodyKind::Json) => BodyKind::Json,
            _ => BodyKind::Opaque,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the head says that this is a request of the modern era.
    fn head_is_modern(&self) -> bool {
        self.facts.era() == Some(Era::Modern)
    }

    /// A piece of the request's body passed.
    pub fn request_data(&self, bytes: &[u8]) {
        let mut guard = self.lock();
        let state = &mut *guard;
        state.bytes_in += bytes.len() as u64;
        lock(&self.request).feed(bytes, &mut |envelope| self.client_said(state, envelope));
    }

    /// The request's body passed to its end.
    pub fn request_end(&self) {
        let mut state = self.lock();
        if self.facts.method != HttpMethod::Post {
            return;
        }
        let unread = {
            let body = lock(&self.request);
            state.bytes_in > 0 && (body.is_opaque() || body.unread(state.bytes_in) > 0)
        };
        if unread {
            self.tracker
                .counters
                .unparsed
                .fetch_add(1, Ordering::Relaxed);
            self.go_by_head(&mut state);
        }
        if let Some(channel) = &self.facts.channel {
            self.lend(&mut state, channel);
            return;
        }
        if state.session.is_none()
            && !self.attach_said_before(&mut state)
            && let Some(session) = self.known_session(&state)
        {
            self.attach(&mut state, session);
        }
    }

    fn client_said(&self, state: &mut State, envelope: Envelope) {
        if envelope.is_notification() {
            state.notifications += 1;
            if envelope.method.as_deref() == Some("notifications/cancelled") {
                match (envelope.cancelled_id, &state.session) {
                    (Some(id), Some(session)) => session.state().cancel(id),
                    (Some(id), None) => state.cancelled.push(id),
                    (None, _) => {}
                }
            }
            return;
        }
        if envelope.is_response() {
            if let Some(id) = envelope.id {
                let text = self.tracker.texts.hold_any(envelope.text);
                state.answered.push(Answered {
                    id,
                    error: envelope.error,
                    text,
                    model: envelope.model,
                });
            }
            return;
        }
        let Envelope {
            id: Some(id),
            method: Some(method),
            ..
        } = envelope
        else {
            return;
        };
        if let (None, Some(raw)) = (&state.meta, envelope.meta) {
            if state
                .known_meta
                .as_ref()
                .is_none_or(|(known, _)| *known != raw)
            {
                let read = Arc::new(RequestMeta::read(&raw));
                state.known_meta = Some((raw, read));
            }
            state.meta = state.known_meta.as_ref().map(|(_, meta)| meta.clone());
        }
        let said = state
            .meta
            .as_ref()
            .and_then(|meta| meta.protocol_version.clone())
            .or(envelope.protocol_version);
        if &*method == "initialize" {
            state.handshake = Some(Handshake {
                client: envelope
                    .client_info
                    .as_deref()
                    .map(ClientInfo::read)
                    .unwrap_or_default(),
                capabilities: envelope
                    .capabilities
                    .and_then(|raw| String::from_utf8(raw.into()).ok().map(Into::into)),
                version: said.clone(),
            });
        }
        if &*method == "subscriptions/listen" {
            self.listens.store(true, Ordering::Relaxed);
        }
        let target = messages::target(&method, envelope.name, envelope.uri);
        let version = said.or_else(|| self.facts.version().map(Into::into));
        state.pending.push(Pending {
            id,
            method,
            target,
            version,
            said: Said::asking(self.tracker.texts.hold_any(envelope.text)),
            behind: None,
            repeats: envelope.request_state.as_deref().map(StateKey::of),
        });
    }

    /// The head of the server's answer came. Gives the value of `X-Archon-Session-Id` to add to it.
    pub fn answer_head(&self, head: AnswerFacts<'_>) -> Option<SessionHeader> {
        let status = head.status;
        let mut guard = self.lock();
        let state = &mut *guard;
        state.status = Some(status);
        let streams = head.body == BodyKind::EventStream && status.is_success();
        {
            let mut answer = lock(&self.answer);
            answer.begin(head.body, head.coding, self.tracker.texts.limit());
            if streams && self.may_name_an_endpoint() {
                answer.look_for_endpoint();
            }
        }
        if state.session.is_none() {
            self.open_at_head(state, head.minted, status);
        }
        let session = state.session.as_ref()?;
        let header = session.header();
        if streams
            && (self.facts.method == HttpMethod::Get || state.pending.iter().any(Pending::listens))
        {
            state.held = true;
            self.tracker.counters.in_progress.add(-1);
            session.state().streams += 1;
        }
        if !state.answered.is_empty() {
            self.client_answered(state);
        }
        if let (HttpMethod::Delete, Some(session)) = (self.facts.method, &state.session) {
            self.left_by_delete(session, Some(status));
        }
        Some(header)
    }

    /// A piece of the answer's body came. What it completes is on disk when this returns: only then let it go on.
    pub fn answer_data(&self, bytes: &[u8]) {
        let mut guard = self.lock();
        let state = &mut *guard;
        state.bytes_out += bytes.len() as u64;
        state.defer = true;
        let mut answer = lock(&self.answer);
        answer.feed(bytes, &mut |envelope| self.server_said(state, envelope));
        if let Some(endpoint) = answer.take_endpoint() {
            self.named_endpoint(state, &endpoint);
        }
        state.defer = false;
    }

    /// Whether a record of this exchange waits in its group, once for each time it came to wait.
    pub fn unsettled(&self) -> bool {
        self.group.is_some() && self.unsettled.swap(false, Ordering::Relaxed)
    }

    /// The server ended its answer. What it completes is on disk when this returns.
    pub fn answer_end(&self) {
        self.end(&End::Complete);
    }

    /// The answer broke on the server's side.
    pub fn answer_broken(&self, why: &str) {
        self.end(&End::Broken(why.to_owned()));
    }

    /// Whether the body, as far as it has passed, asks for a stream to be held.
    pub fn listens(&self) -> bool {
        self.listens.load(Ordering::Relaxed)
    }

    /// The proxy answers itself. Gives the JSON-RPC id to answer with, raw, where there is just one.
    pub fn failed(&self, failure: Failure) -> Option<Box<[u8]>> {
        let id = {
            let mut state = self.lock();
            if let (Failure::Refused(_), HttpMethod::Post, []) =
                (&failure, self.facts.method, state.pending.as_slice())
            {
                self.refused_unread(&mut state);
            }
            match state.pending.as_slice() {
                [only] if !only.id.is_empty() => Some(only.id.clone()),
                _ => None,
            }
        };
        self.end(&End::Failed(failure));
        id
    }

    fn end(&self, end: &End) {
        let mut guard = self.lock();
        let state = &mut *guard;
        if std::mem::replace(&mut state.ended, true) {
            return;
        }
        let now = match state.said_at {
            // All that was asked has been answered: that was the end, and what came behind it says nothing.
            Some(at) if state.wrote && !state.held && state.pending.is_empty() => at,
            _ => self.tracker.now(),
        };
        let unreadable = lock(&self.answer).unread(state.bytes_out);
        // The event that names an endpoint is none of JSON.
        let unreadable = unreadable.saturating_sub(u64::from(state.channel.is_some()));
        self.tracker
            .counters
            .unparsed
            .fetch_add(unreadable, Ordering::Relaxed);
        self.take_back(state, end);
        self.open_at_end(state, end);
        self.finish_rest(state, end, now);
        let Some(session) = state.session.take() else {
            return;
        };
        state.ended_in = state.meta.is_some().then(|| session.clone());
        let notifications = std::mem::take(&mut state.notifications);
        let touch = {
            let mut live = session.state();
            live.in_flight = live.in_flight.saturating_sub(1);
            live.ended(now);
            if state.held {
                live.streams = live.streams.saturating_sub(1);
                if live.streams == 0 && matches!(end, End::ClientLeft) {
                    live.left_at = Some(now);
                }
            }
            if let Some(kind) = broke(end, state) {
                live.broken = Some((kind, now));
            }
            !live.closed && (notifications > 0 || !state.wrote)
        };
        if touch {
            self.tracker.write_touch(&session, now, notifications);
        }
        let refused = matches!(end, End::Failed(Failure::Refused(_)));
        if self.facts.method == HttpMethod::Delete && !refused {
            self.left_by_delete(&session, state.status);
        } else if state.channel.is_some() && !matches!(end, End::ClientLeft) {
            // The session was this stream, and the server has ended it.
            let reason = DisconnectReason::Error(ErrorType::UpstreamError);
            self.tracker.close(&session, reason, now);
        } else if state.status == Some(StatusCode::NOT_FOUND)
            && self.facts.mcp_session.is_some()
            && !self.head_is_modern()
        {
            self.tracker.close(
                &session,
                DisconnectReason::Error(ErrorType::SessionNotFound),
                now,
            );
        }
    }

    /// The client said that it leaves. It does, whatever the server answered, unless the server knew it no more.
    fn left_by_delete(&self, session: &Arc<LiveSession>, status: Option<StatusCode>) {
        let by_server = self.facts.mcp_session.is_some() && !self.head_is_modern();
        let reason = if status == Some(StatusCode::NOT_FOUND) && by_server {
            DisconnectReason::Error(ErrorType::SessionNotFound)
        } else {
            DisconnectReason::ClientDisconnect
        };
        self.tracker.close(session, reason, self.tracker.now());
    }
}

impl Exchange {
    /// The answer is out, to its last byte: from now on nothing is under way here.
    pub fn rest(&mut self) {
        self.end(&End::ClientLeft);
        let counted = !std::mem::replace(&mut self.resting, true);
        // Not with the end of the answer: its last bytes may still have been on their way to the client.
        if counted && !self.lock().held {
            self.tracker.counters.in_progress.add(-1);
        }
    }

    /// Follows another request of the same client, with the memory that this one has. `fill` shows its headers.
    pub fn begin_again(&mut self, method: &str, fill: impl FnOnce(&mut RequestFacts)) {
        self.rest();
        self.remember();
        self.resting = false;
        self.tracker.counters.in_progress.add(1);
        *self.listens.get_mut() = false;
        self.facts.restart(method, self.tracker.now());
        fill(&mut self.facts);
        let (kind, coding) = (self.request_body(), self.facts.coding);
        let request = self
            .request
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        request.begin(kind, coding, self.tracker.texts.limit());
        // What the last answer's reader counted has been told.
        let answer = self
            .answer
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        answer.begin(BodyKind::Opaque, Coding::Identity, 0);
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let pending = std::mem::take(&mut state.pending);
        let known_meta = state.known_meta.take();
        *state = State {
            pending,
            known_meta,
            ..State::default()
        };
        if self.attach_before() {
            return;
        }
        if let Some(session) = self.session_of_head() {
            if let (Some(id), false) = (&self.facts.mcp_session, self.head_is_modern()) {
                self.before = Some((Sign::Minted(id.clone()), session.clone()));
            }
            self.attach(&mut self.lock(), session);
        }
    }
}

/// What broke with this exchange, if that may be the end of its session.
fn broke(end: &End, state: &State) -> Option<ErrorType> {
    match end {
        End::Failed(Failure::Unreachable(_)) => Some(ErrorType::UpstreamUnreachable),
        End::Failed(Failure::Nonsense(_)) => Some(ErrorType::ProtocolError),
        End::Broken(_) if state.held => Some(ErrorType::UpstreamError),
        _ if state.status == Some(StatusCode::UNAUTHORIZED) => Some(ErrorType::AuthExpired),
        _ => None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.rest();
    }
}
