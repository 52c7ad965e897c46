//! What is written for each JSON-RPC request.

use std::sync::atomic::Ordering;

use http::StatusCode;

use crate::model::{OperationStatus, Record, Timestamp};
use crate::wire::Envelope;

use super::super::messages;
use super::super::session::ServerRequest;
use super::{Answered, End, Exchange, Failure, Pending, State};

impl Exchange {
    pub(super) fn server_said(&self, state: &mut State, envelope: Envelope) {
        let now = self.tracker.now();
        state.said_at = Some(now);
        if envelope.is_notification() {
            state.notifications += 1;
        } else if envelope.is_response() {
            self.server_answered(state, &envelope, now);
        } else if let (Some(session), Some(id), Some(method)) =
            (&state.session, envelope.id, envelope.method)
        {
            let request = ServerRequest {
                method,
                started_at: now,
            };
            let forgotten = session.state().server_asked(id, request);
            if let Some(forgotten) = forgotten {
                self.tracker.never_answered(session, forgotten, now);
            }
        }
    }

    fn server_answered(&self, state: &mut State, envelope: &Envelope, now: Timestamp) {
        let (outcome, message) = match (&envelope.error, envelope.is_error) {
            (Some(error), _) => (OperationStatus::Error, Some(messages::of_error(error))),
            (None, true) => (
                OperationStatus::Error,
                Some(messages::of_content(envelope.content_start.as_deref())),
            ),
            (None, false) => (OperationStatus::Success, None),
        };
        let Some(id) = &envelope.id else {
            // An error without an id answers whatever the body asked (JSON-RPC 2.0, section 5).
            for pending in std::mem::take(&mut state.pending) {
                self.finish(state, pending, now, outcome, message.clone());
            }
            return;
        };
        let Some(at) = state.pending.iter().position(|pending| pending.id == *id) else {
            return;
        };
        let pending = state.pending.swap_remove(at);
        if pending.is_handshake() && envelope.has_result {
            if state.session.is_none() {
                self.open_after_handshake(state);
            }
            if let (Some(session), Some(version)) = (&state.session, &envelope.protocol_version)
                && let Some(opened) = &mut session.state().unsent
            {
                // What the server settled on counts, not what the client asked for.
                opened.protocol_version = Some(version.clone());
            }
        }
        self.finish(state, pending, now, outcome, message);
    }

    /// Ends the requests that got no answer.
    pub(super) fn finish_rest(&self, state: &mut State, end: &End, now: Timestamp) {
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
                (End::Failed(Failure::Unreachable(why) | Failure::Refused(why)), _) => {
                    (OperationStatus::Error, why.clone())
                }
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
                (End::Complete, Some(StatusCode::OK)) if state.opaque => {
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
        pending: Pending,
        now: Timestamp,
        outcome: OperationStatus,
        message: Option<Box<str>>,
    ) {
        let Some(session) = &state.session else {
            self.tracker
                .counters
                .unattributed
                .fetch_add(1, Ordering::Relaxed);
            return;
        };
        let mut operation = self.tracker.operation(
            session,
            pending.method,
            self.facts.started_at,
            now,
            outcome,
            message,
        );
        operation.trace_id.clone_from(&self.facts.trace_id);
        operation.target = pending.target;
        operation.protocol_version = pending.version;
        operation.bytes_in = state.bytes_in - state.bytes_in_told;
        operation.bytes_out = state.bytes_out - state.bytes_out_told;
        (state.bytes_in_told, state.bytes_out_told) = (state.bytes_in, state.bytes_out);
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
    }

    /// The server took the client's answers to requests of its own.
    pub(super) fn client_answered(&self, state: &mut State) {
        let Some(session) = &state.session else {
            return;
        };
        let now = self.tracker.now();
        for Answered { id, error } in state.answered.drain(..) {
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
            state.wrote = true;
            self.tracker.write(
                session,
                Record::OperationFinished(Box::new(operation)),
                None,
            );
        }
    }
}
