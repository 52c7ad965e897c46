//! The tracker: opens and closes sessions, writes records, counts what it could not do.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::journal::{Group, Journal, JournalError};
use crate::model::{
    Clock, DisconnectReason, Era, IdSource, InstanceId, OpenedSession, Operation, OperationStatus,
    Record, RequestId, SessionClosed, SessionId, SessionTouched, Target, Timestamp, UserContext,
};
use crate::wire::ClientInfo;

use super::channel::{Channel, Channels};
use super::exchange::Exchange;
use super::facts::{RequestFacts, text};
use super::identity::{self, Key};
use super::metrics::Metrics;
use super::registry::Registry;
use super::reported::Ends;
use super::session::{LiveSession, ServerRequest, SessionState, Waiting};
use super::spread::Spread;
use super::texts::{Said, Texts};

/// The times by which sessions are judged.
#[derive(Clone, Copy, Debug)]
pub struct TrackerOptions {
    /// Without activity for so long, a session ends as `timeout`.
    pub session_timeout: Duration,
    /// Without activity for so long, a session is idle.
    pub idle_after: Duration,
    /// After a client ended the stream it held and was not heard of for so long, its session ends as
    /// `client_disconnect`.
    pub disconnect_grace: Duration,
    /// How often activity that is no operation is written down while a stream is held.
    pub touch_every: Duration,
    /// Bytes of one text whose tokens are counted; 0 counts none.
    pub counted_text: usize,
}

impl Default for TrackerOptions {
    fn default() -> Self {
        Self {
            session_timeout: Duration::from_hours(1),
            idle_after: Duration::from_mins(5),
            disconnect_grace: Duration::from_secs(30),
            touch_every: Duration::from_mins(1),
            counted_text: 16 << 10,
        }
    }
}

/// What the tracker did and could not do since its start.
#[derive(Debug, Default)]
pub struct Counters {
    /// Operations written to the journal.
    pub recorded: Spread,
    /// Records that the journal did not take; they are lost.
    pub dropped: AtomicU64,
    /// Bodies, or events of a stream, that passed but could not be read as JSON-RPC.
    pub unparsed: AtomicU64,
    /// Requests that belong to no session, because none was opened for them.
    pub unattributed: AtomicU64,
    /// Requests under way, held streams left aside: what a graceful stop waits for.
    pub in_progress: Spread,
}

/// What is known of a session when it opens, beside its request's head.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) era: Era,
    pub(super) client: ClientInfo,
    pub(super) capabilities: Option<Box<str>>,
    pub(super) protocol_version: Option<Box<str>>,
    /// Whether to let a legacy client's later requests find it by their user agent.
    pub(super) alias: bool,
    /// Whether the request that opens it was turned down here.
    pub(super) refused: bool,
}

/// Tracks the sessions of one instance.
pub struct Tracker {
    pub(super) options: TrackerOptions,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) ids: Arc<dyn IdSource>,
    pub(super) journal: Arc<Journal>,
    pub(super) registry: Registry,
    pub(super) channels: Channels,
    /// Whether other instances may see requests of the same sessions.
    pub(super) shared: AtomicBool,
    /// Sessions that clients name and nobody here knows.
    pub(super) named: Mutex<BTreeSet<SessionId>>,
    /// How sessions ended that their servers report, as far as the store may not know it yet.
    pub(super) ends: Ends,
    pub(super) texts: Arc<Texts>,
    /// What was done and could not be done.
    pub counters: Counters,
    /// How long it took.
    pub metrics: Metrics,
}

impl std::fmt::Debug for Tracker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tracker")
            .field("options", &self.options)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl Tracker {
    /// A tracker without sessions that writes to `journal`.
    #[must_use]
    pub fn new(
        options: TrackerOptions,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
        journal: Arc<Journal>,
    ) -> Self {
        Self {
            options,
            clock,
            ids,
            journal,
            registry: Registry::default(),
            channels: Channels::default(),
            shared: AtomicBool::new(false),
            named: Mutex::default(),
            ends: Ends::default(),
            texts: Arc::new(Texts::new(options.counted_text)),
            counters: Counters::default(),
            metrics: Metrics::default(),
        }
    }

    /// The instance that this tracker's sessions belong to.
    #[must_use]
    pub fn instance(&self) -> InstanceId {
        self.journal.instance()
    }

    /// The present, by this tracker's clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A group of records that are written together, for one worker.
    #[must_use]
    pub fn group(&self) -> Group {
        Group::new(self.journal.clone())
    }

    /// The texts of its operations, for whoever counts them.
    #[must_use]
    pub fn texts(&self) -> &Arc<Texts> {
        &self.texts
    }

    /// How many sessions are open.
    #[must_use]
    pub fn open_sessions(&self) -> usize {
        self.registry.len()
    }

    /// Begins to follow a request. Tell the exchange everything that passes.
    #[must_use]
    pub fn begin(self: &Arc<Self>, facts: RequestFacts) -> Exchange {
        Exchange::new(self.clone(), facts, None)
    }

    /// Begins to follow a request whose operations are written with those of `group`: as long as the exchange is
    /// [`Exchange::unsettled`], nothing of its answer may be released.
    #[must_use]
    pub fn begin_in(self: &Arc<Self>, facts: RequestFacts, group: Arc<Group>) -> Exchange {
        Exchange::new(self.clone(), facts, Some(group))
    }

    /// The event stream of an HTTP+SSE server (MCP 2024-11-05) whose endpoint a POST of `principal` to `path` and
    /// `query` (its `?` included) is for. Costs nothing while there is none.
    #[must_use]
    pub fn channel(&self, principal: &str, path: &str, query: &str) -> Option<Arc<Channel>> {
        self.channels.find(principal, path, query)
    }

    /// The open session with `key`, or a new one.
    pub(super) fn find_or_open(
        &self,
        key: Key,
        facts: &RequestFacts,
        opening: Opening,
    ) -> Arc<LiveSession> {
        let mut tables = self.registry.lock();
        if let Some(found) = tables.find(&key.text) {
            return found;
        }
        let session_id = SessionId(self.ids.next());
        let opened = OpenedSession {
            session_id,
            instance_id: self.instance(),
            server: facts.server.name.clone(),
            era: opening.era,
            derivation: key.derivation,
            session_key: identity::digest(&key.text),
            principal: (&*facts.principal).into(),
            client_name: opening.client.name,
            client_version: opening.client.version,
            client_capabilities: opening.capabilities,
            protocol_version: opening.protocol_version,
            user_agent: text(facts.user_agent.as_deref()),
            user: UserContext::default(),
            connected_at: facts.started_at,
            resumed_from: None,
            survives_instance: facts.server.survives_instance,
        };
        let (server, principal) = (opened.server.clone(), opened.principal.clone());
        let mut session = LiveSession::new(
            session_id,
            server,
            principal,
            Some(Box::new(opened)),
            facts.started_at,
            facts.started_at,
        );
        session.refused = opening.refused;
        let session = Arc::new(session);
        tables.add(&session);
        tables.add_key(key.text.into(), &session);
        if opening.alias {
            let agent = facts.agent();
            tables.add_key(
                identity::legacy_alias(&facts.server.name, &facts.principal, agent).into(),
                &session,
            );
        }
        session
    }

    /// Writes `record` of `session`, behind its opening record if that has not been written yet. With a `group` it may
    /// only be added there; says whether it was, so that the group must be settled.
    pub(super) fn write(
        &self,
        session: &LiveSession,
        record: Record,
        group: Option<&Group>,
    ) -> bool {
        self.write_with(session, record, group, |_| {})
    }

    /// [`Tracker::write`]; `note` sees the session's state, which is locked once for both.
    pub(super) fn write_with(
        &self,
        session: &LiveSession,
        record: Record,
        group: Option<&Group>,
        note: impl FnOnce(&mut SessionState),
    ) -> bool {
        let activity = match &record {
            Record::OperationFinished(operation) => {
                self.counters.recorded.add(1);
                log_finished(operation);
                Some(operation.ended_at())
            }
            Record::SessionTouched(touched) => Some(touched.at),
            _ => None,
        };
        let mut state = session.state();
        note(&mut state);
        if let Some(activity) = activity {
            state.written_activity = state.written_activity.max(activity);
        }
        let written = match (state.unsent.take(), group) {
            // Under the session's lock, so that no other thread's record gets in front of the opening one.
            (Some(opened), _) => {
                let pair = [Record::SessionOpened(opened), record];
                let written = self.journal.append(&pair);
                if let (Err(_), [Record::SessionOpened(opened), _]) = (&written, pair) {
                    // The next record tries again: without it the session would have no name.
                    state.unsent = Some(opened);
                }
                written
            }
            (None, Some(group)) => {
                drop(state);
                match group.add(&record) {
                    Ok(()) => return true,
                    Err(error) => Err(error),
                }
            }
            (None, None) => {
                drop(state);
                self.journal.append(std::slice::from_ref(&record))
            }
        };
        if let Err(error) = written {
            self.lost(1, &error);
        }
        false
    }

    /// Writes what has gathered in `group`.
    pub fn write_group(&self, group: &Group) {
        if let Err((records, error)) = group.write() {
            self.lost(records, &error);
        }
    }

    fn lost(&self, records: u64, error: &JournalError) {
        let before = self.counters.dropped.fetch_add(records, Ordering::Relaxed);
        // A full disk fails every record: the first of a thousand tells it, `/health` counts them all.
        if before / 1_000 != (before + records) / 1_000 || before == 0 {
            tracing::error!(%error, lost = before + records, "records were lost");
        }
    }

    /// An operation of `session`, as far as it is the same for all of them.
    pub(super) fn operation(
        &self,
        session: &LiveSession,
        method: Box<str>,
        started_at: Timestamp,
        now: Timestamp,
        status: OperationStatus,
        error_message: Option<Box<str>>,
    ) -> Operation {
        Operation {
            request_id: RequestId(self.ids.next()),
            session_id: session.id(),
            method,
            target: None,
            from_server: false,
            started_at,
            duration_us: u64::try_from(now.since(started_at).as_micros()).unwrap_or(u64::MAX),
            status,
            error_message,
            bytes_in: 0,
            bytes_out: 0,
            protocol_version: None,
            trace_id: None,
            prompt_tokens: None,
            completion_tokens: None,
            estimated_cost: None,
            model: None,
        }
    }

    /// A request of the server that the client will not answer any more.
    pub(super) fn never_answered(
        &self,
        session: &LiveSession,
        asked: ServerRequest,
        now: Timestamp,
    ) {
        let message = Some("the client never answered".into());
        let status = OperationStatus::Timeout;
        let mut operation = self.operation(
            session,
            asked.method,
            asked.started_at,
            now,
            status,
            message,
        );
        operation.from_server = true;
        self.texts
            .estimate(&mut operation, Said::asking(asked.text));
        self.write(
            session,
            Record::OperationFinished(Box::new(operation)),
            None,
        );
    }

    /// An operation whose server asked for input that nobody will give any more.
    pub(super) fn never_given(&self, session: &LiveSession, waiting: Waiting) {
        let message = Some("the client never gave the input that the server asked for".into());
        let mut operation = self.operation(
            session,
            waiting.method,
            waiting.behind.started_at,
            waiting.asked_at,
            OperationStatus::Error,
            message,
        );
        operation.target = waiting.target;
        operation.protocol_version = waiting.version;
        operation.trace_id = waiting.behind.trace_id;
        operation.bytes_in = waiting.behind.bytes_in;
        operation.bytes_out = waiting.behind.bytes_out;
        self.texts
            .estimate(&mut operation, Said::asking(waiting.text));
        self.write(
            session,
            Record::OperationFinished(Box::new(operation)),
            None,
        );
    }

    /// Writes activity that is no operation.
    pub(super) fn write_touch(&self, session: &LiveSession, at: Timestamp, notifications: u32) {
        self.write(
            session,
            Record::SessionTouched(SessionTouched {
                session_id: session.id(),
                at,
                notifications,
            }),
            None,
        );
    }

    /// Ends a session. Ending it again changes nothing.
    pub(super) fn close(
        &self,
        session: &Arc<LiveSession>,
        reason: DisconnectReason,
        ended_at: Timestamp,
    ) {
        let now = self.now();
        let (disconnected_at, keys, unanswered, waiting, notifications) = {
            let mut state = session.state();
            if state.closed {
                return;
            }
            state.closed = true;
            self.remember_end(
                session,
                &state,
                reason,
                ended_at.max(state.connected_at),
                now,
            );
            (
                ended_at.max(state.connected_at),
                std::mem::take(&mut state.keys),
                state.unanswered(),
                state.without_input(),
                std::mem::take(&mut state.notifications),
            )
        };
        self.registry.remove(session, &keys);
        let connected_at = session.state().connected_at;
        self.metrics
            .ended(reason, disconnected_at.since(connected_at));
        for asked in unanswered {
            self.never_answered(session, asked, now);
        }
        for waiting in waiting {
            self.never_given(session, waiting);
        }
        if notifications > 0 {
            self.write_touch(session, ended_at, notifications);
        }
        let closed = SessionClosed {
            session_id: session.id(),
            reason,
            disconnected_at,
            detected_at: now.max(disconnected_at),
        };
        tracing::debug!(session_id = %session.id(), %reason, "session closed");
        self.write(session, Record::SessionClosed(closed), None);
    }

    /// Ends every session, for a graceful stop. Where others go on (`others`), those sessions that a server still knows are
    /// theirs, and the rest is theirs to settle: only what has not been heard of since is written down.
    pub fn shut_down(&self, others: bool) {
        let now = self.now();
        for session in self.registry.all() {
            if others {
                self.leave(&session);
            } else {
                self.close(&session, DisconnectReason::ServerShutdown, now);
            }
        }
    }

    /// Writes down what is known of a session that others go on with.
    fn leave(&self, session: &Arc<LiveSession>) {
        let (at, notifications, worth) = {
            let mut state = session.state();
            let worth = state.unsent.is_some() || state.written_activity < state.last_activity;
            let notifications = std::mem::take(&mut state.notifications);
            (state.last_activity, notifications, worth)
        };
        if worth || notifications > 0 {
            self.write_touch(session, at, notifications);
        }
    }
}

/// One line for each request, for people who look for something: what it was and how it went. Nothing of what was said: names
/// of tools are not secret, addresses of resources and error messages may be.
pub(super) fn log_finished(operation: &Operation) {
    let tool = match &operation.target {
        Some(Target::Tool(name)) => Some(&**name),
        _ => None,
    };
    tracing::debug!(
        request_id = %operation.request_id,
        session_id = %operation.session_id,
        method = %operation.method,
        tool,
        status = %operation.status,
        duration_us = operation.duration().is_some().then_some(operation.duration_us),
        bytes_in = operation.bytes_in,
        bytes_out = operation.bytes_out,
        "request finished"
    );
}
