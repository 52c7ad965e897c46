//! What each message does to the requests under way.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::model::{Era, OperationStatus, Record, Timestamp};
use crate::wire::{self, ClientInfo, Envelope, RequestMeta};

use super::super::messages;
use super::super::session::LiveSession;
use super::super::texts::Said;
use super::{Asked, Identity, Pending, Process, State};

/// Why a request has no answer that counts.
pub(super) const CANCELLED: &str = "cancelled by the client";
const CANCELLED_BY_SERVER: &str = "cancelled by the server";
const ID_REUSED: &str = "its id was used again before the answer";
const TOO_MANY: &str = "too many requests were waiting for their answers";
const NO_INPUT: &str = "the client never gave the input that was asked for";

impl Process {
    pub(super) fn client_said(
        &self,
        state: &mut State,
        mut envelope: Envelope,
        size: u64,
        began: Timestamp,
        now: Timestamp,
    ) {
        if let Some(session) = &state.session {
            session.state().touch(now);
        }
        if envelope.is_notification() {
            state.notifications += 1;
            if envelope.method.as_deref() == Some("notifications/cancelled")
                && let Some(id) = envelope.cancelled_id
                && let Some(pending) = state.pending.take(&id)
            {
                self.cancelled(state, pending, now);
            }
        } else if envelope.is_response() {
            if let Some(mut asked) = envelope.id.as_ref().and_then(|id| state.asked.take(id)) {
                asked.said.answered = self.tracker.texts.hold_any(envelope.text.take());
                asked.said.model = envelope.model.take();
                let (outcome, message) = messages::outcome(&envelope);
                self.finish_asked(state, asked, now, size, outcome, message);
            }
        } else if envelope.is_request() {
            self.client_asked(state, envelope, size, began, now);
        } else {
            self.unread();
        }
        state.note_in_flight();
    }

    fn client_asked(
        &self,
        state: &mut State,
        envelope: Envelope,
        size: u64,
        began: Timestamp,
        now: Timestamp,
    ) {
        let (Some(id), Some(method)) = (envelope.id, envelope.method) else {
            return;
        };
        let meta = envelope.meta.map(|raw| read_meta(state, raw));
        let said = meta
            .as_ref()
            .and_then(|meta| meta.protocol_version.clone())
            .or(envelope.protocol_version);
        if let Some(identity) = identity(
            &method,
            meta.as_deref(),
            said.as_deref(),
            envelope.client_info.as_deref(),
            envelope.capabilities,
        ) {
            state.identity = Some(identity);
        }
        let mut pending = Pending {
            target: messages::target(&method, envelope.name, envelope.uri),
            method,
            version: said.or_else(|| state.agreed.clone()),
            trace_id: meta.and_then(|meta| meta.trace_id.clone()),
            said: Said::asking(self.tracker.texts.hold_any(envelope.text)),
            started_at: began,
            bytes_in: size,
            bytes_out: 0,
            opens_none: false,
        };
        let first = envelope
            .request_state
            .and_then(|token| state.unfinished.retried(&token));
        if let Some(first) = first {
            // The retry and what it retries are one operation.
            pending.started_at = first.started_at;
            pending.bytes_in += first.bytes_in;
            pending.bytes_out += first.bytes_out;
        }
        let reused = state.pending.get(&id).is_some();
        let why = if reused { ID_REUSED } else { TOO_MANY };
        if let Some(given_up) = state.pending.add(id, pending) {
            self.finish(
                state,
                given_up,
                now,
                0,
                OperationStatus::Error,
                Some(why.into()),
            );
        }
    }

    pub(super) fn child_said(
        &self,
        state: &mut State,
        envelope: Envelope,
        size: u64,
        began: Timestamp,
        now: Timestamp,
    ) {
        if envelope.is_notification() {
            state.notifications += 1;
            match envelope.method.as_deref() {
                Some("notifications/progress") => state.progress_at = Some(now),
                // The beginning of an answer that has no end as long as the client listens.
                Some("notifications/subscriptions/acknowledged") => {
                    let asked_at = state.pending.first(Pending::listens);
                    if let Some(asked_at) = asked_at.filter(|_| !state.is_open()) {
                        self.open(state, asked_at);
                    }
                }
                Some("notifications/cancelled") => {
                    if let Some(id) = envelope.cancelled_id {
                        self.child_cancelled(state, &id, now);
                    }
                }
                _ => {}
            }
        } else if envelope.is_response() {
            self.child_answered(state, envelope, size, now);
        } else if envelope.is_request() {
            let (Some(id), Some(method)) = (envelope.id, envelope.method) else {
                return;
            };
            let asked = Asked {
                method,
                said: Said::asking(self.tracker.texts.hold_any(envelope.text)),
                started_at: began,
                bytes: size,
            };
            if let Some(given_up) = state.asked.add(id, asked) {
                let why = Some(TOO_MANY.into());
                self.finish_asked(state, given_up, now, 0, OperationStatus::Error, why);
            }
        } else {
            self.unread();
        }
        state.note_in_flight();
        self.close_if_left(state, now);
    }

    fn child_answered(&self, state: &mut State, mut envelope: Envelope, size: u64, now: Timestamp) {
        let pending = match &envelope.id {
            Some(id) => state.pending.take(id),
            // The child could not read the id (JSON-RPC 2.0, section 5): whose answer it is is clear only from there
            // being one request.
            None => state.pending.take_only(),
        };
        let Some(mut pending) = pending else {
            return;
        };
        let refused = messages::is_probe(&pending.method) && messages::refuses_probe(&envelope);
        if !state.is_open() && !refused && !pending.opens_none {
            self.open(state, pending.started_at);
        }
        if &*pending.method == "initialize"
            && let Some(version) = &envelope.protocol_version
        {
            // What the server settled on counts, not what the client asked for.
            state.agreed = Some(version.clone());
            if let Some(session) = &state.session
                && let Some(opened) = &mut session.state().unsent
            {
                opened.protocol_version = Some(version.clone());
            }
        }
        if envelope.result_type.as_deref() == Some("input_required")
            && let Some(token) = &envelope.request_state
        {
            pending.bytes_out += size;
            if let Some(given_up) = state.unfinished.keep(token.clone(), pending) {
                self.never_retried(state, given_up, now);
            }
            return;
        }
        pending.said.answered = self.tracker.texts.hold_any(envelope.text.take());
        let (outcome, message) = messages::outcome(&envelope);
        self.finish(state, pending, now, size, outcome, message);
    }

    fn cancelled(&self, state: &mut State, pending: Pending, now: Timestamp) {
        // Cancelling is how listening ends; anything else had an answer to come, which will not come any more.
        let (outcome, message) = if pending.listens() {
            (OperationStatus::Success, None)
        } else {
            (OperationStatus::Error, Some(CANCELLED.into()))
        };
        self.finish(state, pending, now, 0, outcome, message);
    }

    fn child_cancelled(&self, state: &mut State, id: &[u8], now: Timestamp) {
        if let Some(asked) = state.asked.take(id) {
            let why = Some(CANCELLED_BY_SERVER.into());
            self.finish_asked(state, asked, now, 0, OperationStatus::Error, why);
        } else if state.pending.get(id).is_some_and(Pending::listens)
            && let Some(listened) = state.pending.take(id)
        {
            self.finish(state, listened, now, 0, OperationStatus::Success, None);
        }
    }

    /// A request whose retry will not come any more.
    pub(super) fn never_retried(&self, state: &mut State, pending: Pending, now: Timestamp) {
        let why = Some(NO_INPUT.into());
        self.finish(state, pending, now, 0, OperationStatus::Error, why);
    }

    /// Writes down what became of a request of the client.
    pub(super) fn finish(
        &self,
        state: &mut State,
        pending: Pending,
        now: Timestamp,
        bytes_out: u64,
        outcome: OperationStatus,
        message: Option<Box<str>>,
    ) {
        let Some(session) = state.session.clone() else {
            self.tracker
                .counters
                .unattributed
                .fetch_add(1, Ordering::Relaxed);
            return;
        };
        let started_at = pending.started_at;
        let mut operation =
            self.tracker
                .operation(&session, pending.method, started_at, now, outcome, message);
        operation.target = pending.target;
        operation.protocol_version = pending.version;
        operation.trace_id = pending.trace_id;
        operation.bytes_in = pending.bytes_in;
        operation.bytes_out = pending.bytes_out + bytes_out;
        self.tracker.texts.estimate(&mut operation, pending.said);
        self.write(
            &session,
            Record::OperationFinished(Box::new(operation)),
            now,
        );
    }

    /// Writes down what became of a request of the child.
    pub(super) fn finish_asked(
        &self,
        state: &mut State,
        asked: Asked,
        now: Timestamp,
        bytes_out: u64,
        outcome: OperationStatus,
        message: Option<Box<str>>,
    ) {
        let Some(session) = state.session.clone() else {
            return;
        };
        let started_at = asked.started_at;
        let method = asked.method;
        let mut operation = self
            .tracker
            .operation(&session, method, started_at, now, outcome, message);
        operation.from_server = true;
        operation.protocol_version.clone_from(&state.agreed);
        (operation.bytes_in, operation.bytes_out) = (asked.bytes, bytes_out);
        self.tracker.texts.estimate(&mut operation, asked.said);
        self.write(
            &session,
            Record::OperationFinished(Box::new(operation)),
            now,
        );
    }

    fn write(&self, session: &LiveSession, record: Record, now: Timestamp) {
        session.state().ended(now);
        self.tracker.write(session, record, Some(&self.group));
    }

    fn unread(&self) {
        self.tracker
            .counters
            .unparsed
            .fetch_add(1, Ordering::Relaxed);
    }
}

/// `_meta`, read anew only if it differs from the one before.
fn read_meta(state: &mut State, raw: Box<[u8]>) -> Arc<RequestMeta> {
    match &state.known_meta {
        Some((known, meta)) if *known == raw => meta.clone(),
        _ => {
            let meta = Arc::new(RequestMeta::read(&raw));
            state.known_meta = Some((raw, meta.clone()));
            meta
        }
    }
}

/// What a request says of its client, if it says anything: `initialize` (MCP 2025-11-25, Lifecycle), or the `_meta` of
/// any modern one.
fn identity(
    method: &str,
    meta: Option<&RequestMeta>,
    said: Option<&str>,
    client_info: Option<&[u8]>,
    capabilities: Option<Box<[u8]>>,
) -> Option<Identity> {
    let modern = meta.filter(|meta| {
        let version = meta.protocol_version.as_deref();
        version.is_some_and(|version| wire::era_of(version) == Era::Modern)
    });
    if let Some(meta) = modern {
        return Some(Identity {
            era: Era::Modern,
            client: meta.client.clone(),
            capabilities: meta.capabilities.clone(),
            version: meta.protocol_version.clone(),
        });
    }
    (method == "initialize").then(|| Identity {
        era: Era::Legacy,
        client: client_info.map(ClientInfo::read).unwrap_or_default(),
        capabilities: capabilities
            .and_then(|raw| String::from_utf8(raw.into()).ok())
            .map(Into::into),
        version: said.map(Into::into),
    })
}
