//! Sessions whose servers report them themselves, through the API, without a proxy between.
//!
//! They live by the same rules as all others (rule `explicit` of `docs/TRACKING.md`): the sweep ends them, an end is final, a
//! request for one that is over opens another that goes on from it. What sets them apart: whoever reports waits until
//! the journal has the record and is told where it could not be written; nothing of theirs is dropped and counted. Appends
//! to the journal may wait for the disk: call what writes from where that holds up nobody.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::journal::JournalError;
use crate::model::{
    Derivation, DisconnectReason, OpenedSession, Operation, OperationStatus, Record, RequestId,
    SessionClosed, SessionId, SessionTouched, Target, Timestamp, UNKNOWN_DURATION, UserContext,
};
use crate::store::{Store, StoreError, StoredEnd};
use crate::wire;

use super::identity;
use super::session::{LiveSession, SessionState};
use super::tracker::Tracker;

/// Whose the sessions are: whoever may speak to the API.
const PRINCIPAL: &str = "api";
/// How many ends are remembered at the most while the store does not take records.
const MOST_ENDS: usize = 4_096;
/// An end is remembered before its record is written, which is no longer than this.
const RECORD_BYTES: u64 = 4_096;
/// Another instance that opened a session has told the store of it by then.
const OTHERS_TAKE: Duration = Duration::from_millis(1_500);

/// Whether `opened` is a session that its server reports itself.
pub(super) fn is_reported(opened: &OpenedSession) -> bool {
    opened.derivation == Derivation::Explicit && *opened.principal == *PRINCIPAL
}

/// A session that a server says has begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewSession {
    /// The server's name.
    pub server: Box<str>,
    /// `clientInfo.name` and `version`, as the client said them.
    pub client: (Option<Box<str>>, Option<Box<str>>),
    /// The client's capabilities, a JSON object.
    pub capabilities: Option<Box<str>>,
    /// The protocol revision that was agreed on.
    pub protocol_version: Option<Box<str>>,
    /// Whose it is.
    pub user: UserContext,
}

/// A request that a server says it has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its id, if the server gave it one, so that it may report it again.
    pub request_id: Option<RequestId>,
    /// JSON-RPC method.
    pub method: Box<str>,
    /// The tool that was called.
    pub tool: Option<Box<str>>,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, if that was measured.
    pub duration: Option<Duration>,
    /// How it ended.
    pub status: OperationStatus,
    /// What went wrong.
    pub error_message: Option<Box<str>>,
    /// Tokens of the arguments.
    pub prompt_tokens: Option<u32>,
    /// Tokens of the result.
    pub completion_tokens: Option<u32>,
    /// The model that the tokens are of, where the server says so.
    pub model: Option<Box<str>>,
}

/// Why a report was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Nobody opened such a session.
    #[error("no session has the id {0}")]
    Unknown(SessionId),
    /// A session that somebody else tracks.
    #[error("session {0} is not one that its server reports")]
    NotReported(SessionId),
    /// The journal does not take it; nothing of it is recorded.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store does not say which session it is for; nothing is recorded.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A reported session that is open.
#[derive(Clone, Debug)]
pub struct ReportedSession(Arc<LiveSession>);

/// A reported session that is over.
#[derive(Clone, Debug)]
pub struct EndedSession {
    /// How it opened.
    pub opened: Arc<OpenedSession>,
    /// End of its last operation or other activity.
    pub last_activity: Timestamp,
    /// How it ended.
    pub end: StoredEnd,
}

/// A session that a report names.
#[derive(Clone, Debug)]
pub enum Found {
    /// It is open.
    Open(ReportedSession),
    /// It is over.
    Over(Box<EndedSession>),
}

/// What became of reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The session that goes on: the one that was named or, where that was over, the one that goes on from it.
    pub session_id: SessionId,
    /// The ids of the requests, in the order of the reports.
    pub request_ids: Vec<RequestId>,
}

/// Ends that the store may not have heard of.
#[derive(Debug, Default)]
pub(super) struct Ends(Mutex<EndsTable>);

#[derive(Debug, Default)]
struct EndsTable {
    by_id: HashMap<SessionId, EndedSession>,
    /// In the order of their ends, each with the bytes of the journal before it.
    order: VecDeque<(u64, SessionId)>,
}

impl Ends {
    fn table(&self) -> MutexGuard<'_, EndsTable> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EndsTable {
    /// Remembers an end that is written behind `written` bytes of the journal, and forgets what stands before `shipped`.
    fn add(&mut self, id: SessionId, ended: EndedSession, (written, shipped): (u64, u64)) {
        while let Some((at, oldest)) = self.order.front().copied() {
            if at >= shipped && self.order.len() < MOST_ENDS {
                break;
            }
            self.order.pop_front();
            self.by_id.remove(&oldest);
        }
        self.by_id.insert(id, ended);
        self.order.push_back((written + RECORD_BYTES, id));
    }
}

/// Whose activity it is that a session's state notes: that of its server.
fn touched(state: &mut SessionState, at: Timestamp) {
    state.touch(at);
    state.written_activity = state.written_activity.max(at);
}

impl Tracker {
    /// Opens a session; its record is in the journal when this returns.
    ///
    /// # Errors
    /// When the journal does not take it; then there is none.
    pub fn open_reported(&self, new: NewSession) -> Result<SessionId, ReportError> {
        let session_id = SessionId(self.ids.next());
        let now = self.now();
        let (client_name, client_version) = new.client;
        let era = new.protocol_version.as_deref().map(wire::era_of);
        let key = identity::reported(&new.server, PRINCIPAL, session_id);
        let opened = OpenedSession {
            session_id,
            instance_id: self.instance(),
            server: new.server,
            era: identity::era(era, None),
            derivation: Derivation::Explicit,
            session_key: identity::digest(&key),
            principal: PRINCIPAL.into(),
            client_name,
            client_version,
            client_capabilities: new.capabilities,
            protocol_version: new.protocol_version,
            user_agent: None,
            user: new.user,
            connected_at: now,
            resumed_from: None,
            // Its server is another process and goes on reporting when this one is gone.
            survives_instance: true,
        };
        let record = Record::SessionOpened(Box::new(opened.clone()));
        self.journal.append(std::slice::from_ref(&record))?;
        let session = Arc::new(live(opened, false));
        if let Some(opened) = &session.reported {
            self.registry.lock().add_reported(opened, &session);
        }
        Ok(session_id)
    }

    /// The session `id`: one of this instance, one whose end the store may not know, else what `store` says.
    ///
    /// # Errors
    /// [`ReportError::Unknown`] and [`ReportError::NotReported`]; a store that does not answer where it has to.
    pub async fn find_reported(&self, store: &Store, id: SessionId) -> Result<Found, ReportError> {
        if let Some(found) = self.reported_here(id)? {
            return Ok(found);
        }
        match self.stored(store, id).await {
            // Another instance answered a moment ago that it opened this session.
            Err(ReportError::Unknown(_)) if self.is_shared() && is_young(id, self.now()) => {
                tokio::time::sleep(OTHERS_TAKE).await;
                self.stored(store, id).await
            }
            found => found,
        }
    }

    fn reported_here(&self, id: SessionId) -> Result<Option<Found>, ReportError> {
        if let Some(session) = self.registry.find_id(id)
            && !session.state().closed
        {
            return if session.reported.is_some() {
                Ok(Some(Found::Open(ReportedSession(session))))
            } else {
                Err(ReportError::NotReported(id))
            };
        }
        let ended = self.ends.table().by_id.get(&id).cloned();
        Ok(ended.map(|ended| Found::Over(Box::new(ended))))
    }

    async fn stored(&self, store: &Store, id: SessionId) -> Result<Found, ReportError> {
        let mut known = store.tracked_session(id).await?;
        if known.is_none() {
            let agreed = store.named(id).await?;
            if agreed != id {
                known = store.tracked_session(agreed).await?;
            } else if store.session(id).await?.is_some() {
                return Err(ReportError::NotReported(id));
            }
        }
        let Some((stored, end)) = known else {
            return Err(ReportError::Unknown(id));
        };
        if !is_reported(&stored.opened) {
            return Err(ReportError::NotReported(id));
        }
        let Some(end) = end else {
            let id = stored.opened.session_id;
            self.adopt(vec![stored]);
            // Asked again: it may have been ended here in this very moment.
            let found = self.reported_here(id)?;
            return found.ok_or(ReportError::Unknown(id));
        };
        Ok(Found::Over(Box::new(EndedSession {
            opened: Arc::new(stored.opened),
            last_activity: stored.last_activity,
            end,
        })))
    }

    /// Records operations. Those of a session that is over which began before its end are still its own; for others a
    /// session opens that goes on from it. All are in the journal when this returns.
    ///
    /// # Errors
    /// When the journal does not take them; then none is recorded.
    pub fn record_reported(
        &self,
        found: &Found,
        reports: Vec<Report>,
    ) -> Result<Recorded, ReportError> {
        let (own, over, next) = match found {
            Found::Open(session) => (session.0.id(), None, Some(session.0.clone())),
            Found::Over(ended) => {
                let at = ended.end.disconnected_at;
                let later = reports.iter().map(|report| report.started_at);
                let later = later.filter(|started| *started >= at).min();
                let next = later.map(|started| self.goes_on(&ended.opened, started));
                (ended.opened.session_id, Some(at), next)
            }
        };
        let next_id = next.as_ref().map(|session| session.id());
        let mut request_ids = Vec::with_capacity(reports.len());
        let mut records = Vec::with_capacity(reports.len() + 1);
        let mut activity = None;
        for report in reports {
            let late = over.is_some_and(|at| report.started_at < at);
            let session_id = next_id.filter(|_| !late).unwrap_or(own);
            let request_id = report.request_id;
            let request_id = request_id.unwrap_or_else(|| RequestId(self.ids.next()));
            let operation = operation(report, session_id, request_id);
            if !late {
                activity = activity.max(Some(operation.ended_at()));
            }
            request_ids.push(request_id);
            super::tracker::log_finished(&operation);
            records.push(match operation.model.clone() {
                Some(model) => Record::OperationOfModel(Box::new(operation), model),
                None => Record::OperationFinished(Box::new(operation)),
            });
        }
        let recorded = i64::try_from(records.len()).unwrap_or(i64::MAX);
        if let Some(session) = &next {
            self.append_behind_opening(session, records)?;
            if let Some(at) = activity {
                touched(&mut session.state(), at);
            }
        } else {
            self.journal.append(&records)?;
        }
        self.counters.recorded.add(recorded);
        Ok(Recorded {
            session_id: next_id.unwrap_or(own),
            request_ids,
        })
    }

    /// Notes that the server of a session still works for it.
    ///
    /// # Errors
    /// When the journal does not take it.
    pub fn touch_reported(&self, session: &ReportedSession) -> Result<(), ReportError> {
        let at = self.now();
        let touch = Record::SessionTouched(SessionTouched {
            session_id: session.0.id(),
            at,
            notifications: 0,
        });
        self.append_behind_opening(&session.0, vec![touch])?;
        touched(&mut session.0.state(), at);
        Ok(())
    }

    /// Ends a session, or tells how it has ended.
    ///
    /// # Errors
    /// When the journal does not take it; then the session is still open.
    pub fn close_reported(
        &self,
        session: &ReportedSession,
        reason: DisconnectReason,
    ) -> Result<EndedSession, ReportError> {
        let ReportedSession(session) = session;
        let now = self.now();
        let keys = {
            // Held over the write: whoever closes it at the same moment is to hear how it ended.
            let mut state = session.state();
            if state.closed {
                let ended = self.ends.table().by_id.get(&session.id()).cloned();
                return ended.ok_or(ReportError::Unknown(session.id()));
            }
            let at = now.max(state.connected_at);
            let closed = Record::SessionClosed(SessionClosed {
                session_id: session.id(),
                reason,
                disconnected_at: at,
                detected_at: at,
            });
            let opening = state.unsent.clone().map(Record::SessionOpened);
            let records: Vec<_> = opening.into_iter().chain([closed]).collect();
            self.journal.append(&records)?;
            (state.closed, state.unsent) = (true, None);
            self.remember_end(session, &state, reason, at, at);
            std::mem::take(&mut state.keys)
        };
        self.registry.remove(session, &keys);
        tracing::debug!(session_id = %session.id(), %reason, "session closed by its server");
        let ended = self.ends.table().by_id.get(&session.id()).cloned();
        let ended = ended.ok_or(ReportError::Unknown(session.id()))?;
        let lasted = ended.end.disconnected_at.since(ended.opened.connected_at);
        self.metrics.ended(reason, lasted);
        Ok(ended)
    }

    /// Keeps how `session` ended until the store has heard of it, if its server may still name it.
    pub(super) fn remember_end(
        &self,
        session: &LiveSession,
        state: &SessionState,
        reason: DisconnectReason,
        disconnected_at: Timestamp,
        detected_at: Timestamp,
    ) {
        let Some(opened) = &session.reported else {
            return;
        };
        let ended = EndedSession {
            opened: opened.clone(),
            last_activity: state.last_activity,
            end: StoredEnd {
                reason: Some(reason.to_string()),
                disconnected_at,
                detected_at: Some(detected_at.max(disconnected_at)),
            },
        };
        let progress = self.journal.progress();
        self.ends.table().add(session.id(), ended, progress);
    }

    /// The open session that goes on from the one that opened as `before` says, or a new one that begins `at`.
    fn goes_on(&self, before: &OpenedSession, at: Timestamp) -> Arc<LiveSession> {
        let mut tables = self.registry.lock();
        if let Some(found) = tables.find_reported(&before.session_key) {
            return found;
        }
        let opened = OpenedSession {
            session_id: SessionId(self.ids.next()),
            instance_id: self.instance(),
            connected_at: at,
            // The store finds it by the key.
            resumed_from: None,
            ..before.clone()
        };
        let session = Arc::new(live(opened, true));
        if let Some(opened) = &session.reported {
            tables.add_reported(opened, &session);
        }
        session
    }

    /// Writes `records` of `session`, behind its opening record if that has not been written yet.
    fn append_behind_opening(
        &self,
        session: &LiveSession,
        mut records: Vec<Record>,
    ) -> Result<(), JournalError> {
        let mut state = session.state();
        let Some(opened) = state.unsent.clone() else {
            drop(state);
            return self.journal.append(&records);
        };
        records.insert(0, Record::SessionOpened(opened));
        self.journal.append(&records)?;
        state.unsent = None;
        Ok(())
    }
}

/// A session in memory; `unsent` if its opening record has still to be written.
fn live(opened: OpenedSession, unsent: bool) -> LiveSession {
    LiveSession::new(
        opened.session_id,
        opened.server.clone(),
        opened.principal.clone(),
        unsent.then(|| Box::new(opened.clone())),
        opened.connected_at,
        opened.connected_at,
    )
    .reporting(Arc::new(opened))
}

fn operation(report: Report, session_id: SessionId, request_id: RequestId) -> Operation {
    let micros = |duration: Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX - 1);
    Operation {
        request_id,
        session_id,
        method: report.method,
        target: report.tool.map(Target::Tool),
        from_server: false,
        started_at: report.started_at,
        duration_us: report.duration.map_or(UNKNOWN_DURATION, micros),
        status: report.status,
        error_message: report.error_message,
        bytes_in: 0,
        bytes_out: 0,
        protocol_version: None,
        trace_id: None,
        prompt_tokens: report.prompt_tokens,
        completion_tokens: report.completion_tokens,
        estimated_cost: None,
        model: report.model,
    }
}

/// Whether `id` was minted so shortly before `now` that the store may not have heard of it.
fn is_young(id: SessionId, now: Timestamp) -> bool {
    let Some(minted) = id.0.get_timestamp() else {
        return false;
    };
    let (seconds, nanos) = minted.to_unix();
    let minted = i64::try_from(seconds).ok().and_then(|seconds| {
        let micros = seconds.checked_mul(1_000_000)?;
        micros.checked_add(i64::from(nanos / 1_000))
    });
    minted.is_some_and(|minted| now.since(Timestamp::from_micros(minted)) < OTHERS_TAKE * 2)
}
