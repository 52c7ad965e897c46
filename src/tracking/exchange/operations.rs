//! What is written for each JSON-RPC request.

use std::sync::atomic::Ordering;

use http::StatusCode;

use crate::model::{OperationStatus, Record, Timestamp};
use crate::wire::Envelope;

use super::super::messages;
use super::super::session::{Behind, LiveSession, ServerRequest, StateKey, Waiting};
use super::super::texts::Said;
use super::{Answered, End, Exchange, Failure, Pending, State};

impl Exchange {
    pub(super) fn server_said(&self, state: &mut State, envelope: Envelope) {
        let now = self.tracker.now();
        state.said_at = Some(now);
        if envelope.is_notification() {
            match (&state.session, state.held) {
                // A held stream may stay for hours: what passes on it is written down in between.
                (Some(session), true) => session.state().notifications += 1,
                _ => state.notifications += 1,
            }
        } else if envelope.is_response() {
            self.server_answered(state, envelope, now);
        } else if let (Some(session), Some(id), Some(method)) =
            (&state.session, envelope.id, envelope.method)
        {
            let request = ServerRequest {
                method,
                started_at: now,
                text: self.tracker.texts.hold_any(envelope.text),
            };
            let forgotten = session.state().server_asked(id, request);
            if let Some(forgotten) = forgotten {
                self.tracker.never_answered(session, forgotten, now);
            }
        }
    }

    fn server_answered(&self, state: &mut State, mut envelope: Envelope, now: Timestamp) {
        let (outcome, message) = messages::outcome(&envelope);
        let text = envelope.text.take();
        let opens = |pending: &Pending, state: &State| {
            let refused = || {
                let status = state.status;
                messages::refuses_probe(&envelope)
                    || status.is_some_and(|status| status.is_client_error())
            };
            state.session.is_none() && !(pending.probes() && refused())
        };
        let Some(id) = &envelope.id else {
            // An error without an id answers whatever the body asked (JSON-RPC 2.0, section 5).
            for pending in std::mem::take(&mut state.pending) {
                if opens(&pending, state) {
                    self.open_by_request(state);
                }
                self.finish(state, pending, now, outcome, message.clone());
            }
            return;
        };
        let answers = |pending: &Pending| pending.id == *id || pending.id.is_empty();
        let mut pending = match state.pending.iter().position(answers) {
            Some(at) => state.pending.swap_remove(at),
            None => match self.lent(state, &envelope, id) {
                Some(pending) => pending,
                None => return,
            },
        };
        if opens(&pending, state) {
            self.open_by_request(state);
        }
        if pending.is_handshake()
            && envelope.has_result
            && let (Some(session), Some(version)) = (&state.session, &envelope.protocol_version)
            && let Some(opened) = &mut session.state().unsent
        {
            // What the server settled on counts, not what the client asked for.
            opened.protocol_version = Some(version.clone());
        }
        if envelope.result_type.as_deref() == Some("input_required")
            && let Some(raw) = &envelope.request_state
        {
            self.wait_for_input(state, pending, StateKey::of(raw), now);
            return;
        }
        pending.said.answered = self.tracker.texts.hold_any(text);
        self.finish(state, pending, now, outcome, message);
    }

    /// The server asked for input: the operation goes on with the request that repeats `key` (MCP 2026-07-28, Multi
    /// Round-Trip Requests).
    fn wait_for_input(
        &self,
        state: &mut State,
        mut pending: Pending,
        key: StateKey,
        now: Timestamp,
    ) {
        let Some(session) = state.session.clone() else {
            return;
        };
        let behind = self.behind(state, &session, &mut pending);
        let waiting = Waiting {
            method: pending.method,
            target: pending.target,
            version: pending.version,
            behind,
            text: pending.said.asked,
            asked_at: now,
        };
        let forgotten = session.state().input_required(key, waiting);
        if let Some(forgotten) = forgotten {
            self.tracker.never_given(&session, forgotten);
        }
    }

    /// All that belongs to an operation up to now; its bytes count as told.
    fn behind(&self, state: &mut State, session: &LiveSession, pending: &mut Pending) -> Behind {
        let before = pending
            .repeats
            .and_then(|key| session.state().goes_on(key))
            .map(|waiting| waiting.behind)
            .or_else(|| pending.behind.take().map(|behind| *behind));
        let (bytes_in, bytes_out) = (
            state.bytes_in - state.bytes_in_told,
            state.bytes_out - state.bytes_out_told,
        );
        (state.bytes_in_told, state.bytes_out_told) = (state.bytes_in, state.bytes_out);
        let trace_id = self.facts.trace_id.clone();
        match before {
            None => Behind {
                started_at: self.facts.started_at,
                bytes_in,
                bytes_out,
                trace_id,
            },
            Some(before) => Behind {
                started_at: before.started_at,
                bytes_in: before.bytes_in + bytes_in,
                bytes_out: before.bytes_out + bytes_out,
                trace_id: before.trace_id.or(trace_id),
            },
        }
    }

    /// Ends the requests that got no answer.
    pub(super) fn finish_rest(&self, state: &mut State, end: &End, now: Timestamp) {
        if state.pending.is_empty() {
            return;
        }
        let opaque = super::lock(&self.answer).is_opaque();
        for pending in std::mem::take(&mut state.pending) {
            let cancelled = state
                .session
                .as_ref()
                .is_some_and(|session| session.state().was_cancelled(&pending.id));
            let (outcome, message) = match (end, state.status) {
                (End::Failed(Failure::TimedOut), _) => (
                    OperationStatus::Timeout,
                    "the server did not answer in time".to_owned(),
                ),
                (
                    End::Failed(
                        Failure::Unreachable(why) | Failure::Nonsense(why) | Failure::Refused(why),
                    ),
                    _,
                ) => (OperationStatus::Error, why.clone()),
                _ if pending.listens() && state.held => (OperationStatus::Success, String::new()),
                _ if cancelled => (OperationStatus::Error, "cancelled by the client".to_owned()),
                (End::Broken(why), _) => (
                    OperationStatus::Error,
                    format!("the answer broke off: {why}"),
                ),
                (End::ClientLeft, _) => (
                    OperationStatus::Error,
                    "the client went away before the answer".to_owned(),
                ),
                (End::Complete, Some(status))
                    if status.is_client_error() || status.is_server_error() =>
                {
                    (OperationStatus::Error, format!("HTTP {status}"))
                }
                // A body that cannot be read here: what HTTP says must do.
                (End::Complete, Some(StatusCode::OK)) if opaque => {
                    self.tracker
                        .counters
                        .unparsed
                        .fetch_add(1, Ordering::Relaxed);
                    (OperationStatus::Success, String::new())
                }
                (End::Complete, _) => (
                    OperationStatus::Error,
                    "the answer ended without a response".to_owned(),
                ),
            };
            let message = (!message.is_empty()).then(|| message.into_boxed_str());
            self.finish(state, pending, now, outcome, message);
        }
    }

    fn finish(
        &self,
        state: &mut State,
        mut pending: Pending,
        now: Timestamp,
        outcome: OperationStatus,
        message: Option<Box<str>>,
    ) {
        // Taken out while it is worked with, in place of counting one more who holds it.
        let Some(shared) = state.session.take() else {
            self.tracker
                .counters
                .unattributed
                .fetch_add(1, Ordering::Relaxed);
            return;
        };
        let session = &*shared;
        let behind = self.behind(state, session, &mut pending);
        let mut operation = self.tracker.operation(
            session,
            pending.method,
            behind.started_at,
            now,
            outcome,
            message,
        );
        operation.trace_id = behind.trace_id;
        operation.target = pending.target;
        operation.protocol_version = pending.version;
        operation.bytes_in = behind.bytes_in;
        operation.bytes_out = behind.bytes_out;
        self.tracker.texts.estimate(&mut operation, pending.said);
        state.wrote = true;
        let group = self.group.as_deref().filter(|_| state.defer);
        let added = self.tracker.write_with(
            session,
            Record::OperationFinished(Box::new(operation)),
            group,
            |live| live.ended(now),
        );
        if added {
            self.unsettled.store(true, Ordering::Relaxed);
        }
        state.session = Some(shared);
    }

    /// The server took the client's answers to requests of its own.
    pub(super) fn client_answered(&self, state: &mut State) {
        let Some(session) = &state.session else {
            return;
        };
        let now = self.tracker.now();
        for answered in state.answered.drain(..) {
            let Answered {
                id,
                error,
                text,
                model,
            } = answered;
            let Some(asked) = session.state().client_answered(&id) else {
                continue;
            };
            let message = error.as_deref().map(messages::of_error);
            let outcome = if message.is_some() {
                OperationStatus::Error
            } else {
                OperationStatus::Success
            };
            let mut operation = self.tracker.operation(
                session,
                asked.method,
                asked.started_at,
                now,
                outcome,
                message,
            );
            operation.from_server = true;
            operation.bytes_out = state.bytes_in;
            let said = Said {
                asked: asked.text,
                answered: text,
                model,
            };
            self.tracker.texts.estimate(&mut operation, said);
            state.wrote = true;
            self.tracker.write(
                session,
                Record::OperationFinished(Box::new(operation)),
                None,
            );
        }
    }
}
