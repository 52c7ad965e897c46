//! How a process and its session end, and what becomes of requests that get no answer.

use crate::model::{DisconnectReason, ErrorType, OperationStatus, Timestamp};

use super::{Pending, Process, State, lock};

/// How it came that a process is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessEnd {
    /// The client left, and the child was ended.
    ClientLeft,
    /// The child ended while its client was there; how (`exit code 1`).
    ChildExited(String),
    /// The server ended the connection, and goes on or stops.
    Stopped,
}

const CLIENT_LEFT: &str = "the client went away before the answer";
const STOPPED: &str = "the server stopped before the answer";
const NEVER_ANSWERED: &str = "the client never answered";
const IN_TIME: &str = "the server did not answer in time";

impl Process {
    /// The client left: it ended its side, or told us to stop. The session ends now, or with the last answer that is
    /// still to come. Told again it changes nothing.
    pub fn client_left(&self) {
        let now = self.tracker.now();
        // Let go of before the state is taken, in the order in which those who read take the two.
        lock(&self.client).lines.end();
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        if state.left_at.is_some() {
            return;
        }
        state.left_at = Some(now);
        for asked in state.asked.take_all() {
            let why = Some(NEVER_ANSWERED.into());
            self.finish_asked(state, asked, now, 0, OperationStatus::Error, why);
        }
        for listened in state.pending.take_if(Pending::listens) {
            self.finish(state, listened, now, 0, OperationStatus::Success, None);
        }
        self.close_if_left(state, now);
        drop(guard);
        self.tracker.write_group(&self.group);
    }

    /// The client is not waiting for what is still under way: its session ends now.
    pub fn client_gone(&self) {
        self.client_left();
        let now = self.tracker.now();
        let mut state = lock(&self.state);
        self.close(&mut state, DisconnectReason::ClientDisconnect, now);
        drop(state);
        self.tracker.write_group(&self.group);
    }

    /// The process is over, and nothing passes any more.
    pub fn end(&self, end: &ProcessEnd) {
        let now = self.tracker.now();
        lock(&self.child).lines.end();
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        if std::mem::replace(&mut state.ended, true) {
            return;
        }
        let left = state.left_at.is_some();
        let (reason, why) = match end {
            ProcessEnd::ChildExited(how) if !left => (
                DisconnectReason::Error(ErrorType::ChildExit),
                format!("the server ended ({how}) before the answer"),
            ),
            ProcessEnd::Stopped if !left => (DisconnectReason::ServerShutdown, STOPPED.to_owned()),
            _ => (DisconnectReason::ClientDisconnect, CLIENT_LEFT.to_owned()),
        };
        self.finish_all(state, now, &why);
        self.close(state, reason, now);
        drop(guard);
        self.tracker.write_group(&self.group);
    }

    /// Whether the client waits for answers.
    #[must_use]
    pub fn owes_answers(&self) -> bool {
        lock(&self.state).pending.any(|pending| !pending.listens())
    }

    /// Looks at what waits: called about once a second, beside the sweep.
    pub fn tick(&self) {
        let now = self.tracker.now();
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        // Whoever is asked something by the server, or hears that it gets on, is not waiting in vain.
        if state.asked.is_empty() {
            let progress_at = state.progress_at;
            let late = |pending: &Pending| {
                let heard_at =
                    progress_at.map_or(pending.started_at, |at| at.max(pending.started_at));
                !pending.listens() && now.since(heard_at) >= self.request_timeout
            };
            for pending in state.pending.take_if(late) {
                let why = Some(IN_TIME.into());
                self.finish(state, pending, now, 0, OperationStatus::Timeout, why);
            }
        }
        state.note_in_flight();
        self.write_notifications(state, now);
        drop(guard);
        self.tracker.write_group(&self.group);
    }

    /// What will answer request `id`, raw, opens no session: the connection to the server failed, or the server turned
    /// down a probe.
    pub fn opens_none(&self, id: &[u8]) {
        if let Some(pending) = lock(&self.state).pending.get_mut(id) {
            pending.opens_none = true;
        }
    }

    /// Request `id`, raw, was given up because the server did not answer in time: whatever answers it now is not the
    /// server's.
    pub fn timed_out(&self, id: &[u8]) {
        let now = self.tracker.now();
        let mut guard = lock(&self.state);
        let state = &mut *guard;
        if let Some(pending) = state.pending.take(id) {
            let why = Some(IN_TIME.into());
            self.finish(state, pending, now, 0, OperationStatus::Timeout, why);
            state.note_in_flight();
        }
        drop(guard);
        self.tracker.write_group(&self.group);
    }

    pub(super) fn close_if_left(&self, state: &mut State, now: Timestamp) {
        if state.left_at.is_some() && state.pending.is_empty() {
            self.close(state, DisconnectReason::ClientDisconnect, now);
        }
    }

    fn close(&self, state: &mut State, reason: DisconnectReason, now: Timestamp) {
        for pending in state.unfinished.take_all() {
            self.never_retried(state, pending, now);
        }
        self.write_notifications(state, now);
        let Some(session) = state.session.clone() else {
            return;
        };
        // What has gathered stands in front of the end.
        self.tracker.write_group(&self.group);
        self.tracker.close(&session, reason, now);
    }

    fn finish_all(&self, state: &mut State, now: Timestamp, why: &str) {
        for asked in state.asked.take_all() {
            let why = Some(NEVER_ANSWERED.into());
            self.finish_asked(state, asked, now, 0, OperationStatus::Error, why);
        }
        for pending in state.pending.take_all() {
            let (outcome, message) = if pending.listens() {
                (OperationStatus::Success, None)
            } else {
                (OperationStatus::Error, Some(why.into()))
            };
            self.finish(state, pending, now, 0, outcome, message);
        }
    }

    fn write_notifications(&self, state: &mut State, now: Timestamp) {
        let Some(session) = state.session.clone() else {
            return;
        };
        let count = std::mem::take(&mut state.notifications);
        if count > 0 && !session.state().closed {
            self.tracker.write_touch(&session, now, count);
        }
    }
}
