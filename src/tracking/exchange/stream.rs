//! Requests that are answered elsewhere than on their own exchange (MCP 2024-11-05, HTTP+SSE), and requests of which only
//! the head can be read.

use std::sync::Arc;

use crate::model::Era;
use crate::wire::{Envelope, RequestMeta};

use super::super::channel::Channel;
use super::super::facts::HttpMethod;
use super::super::identity;
use super::super::messages;
use super::super::session::{Behind, StateKey};
use super::super::texts::Said;
use super::{End, Exchange, Handshake, Pending, State, lock};

/// A request that waits for its answer on an event stream.
#[derive(Debug)]
pub(in crate::tracking) struct Lent {
    /// The exchange that brought it.
    pub(in crate::tracking) lender: u64,
    pending: Pending,
    handshake: Option<Handshake>,
    meta: Option<Arc<RequestMeta>>,
}

impl Lent {
    /// Whether an answer with `id` is for this request.
    pub(in crate::tracking) fn is_answered_by(&self, id: &[u8]) -> bool {
        *self.pending.id == *id || self.pending.id.is_empty()
    }
}

/// What stands for the method of a request that was turned down before any of its body came.
const UNREAD: &str = "unknown";

impl Exchange {
    /// Whether the answer may be the event stream of an HTTP+SSE server.
    pub(super) fn may_name_an_endpoint(&self) -> bool {
        self.facts.method == HttpMethod::Get
            && self.facts.mcp_session.is_none()
            && !self.head_is_modern()
    }

    /// The stream's first event named where to POST.
    pub(super) fn named_endpoint(&self, state: &mut State, endpoint: &str) {
        let channel = self.tracker.channels.open(&self.facts.principal, endpoint);
        state.channel = Some(channel);
        if !std::mem::replace(&mut state.held, true) {
            self.tracker.counters.in_progress.add(-1);
        }
    }

    /// Hands the requests of this body to the stream that answers them: before the server has them, since it may answer
    /// there before it answers here.
    pub(super) fn lend(&self, state: &mut State, channel: &Channel) {
        if state.pending.is_empty() {
            return;
        }
        let lender = self.tracker.channels.lender();
        let mut bytes_in = std::mem::take(&mut state.bytes_in);
        let requests = std::mem::take(&mut state.pending).into_iter();
        let lent = requests.map(|mut pending| {
            pending.behind = Some(Box::new(Behind {
                started_at: self.facts.started_at,
                bytes_in: std::mem::take(&mut bytes_in),
                bytes_out: 0,
                trace_id: self.facts.trace_id.clone(),
            }));
            let handshake = if pending.is_handshake() {
                state.handshake.take()
            } else {
                None
            };
            let meta = state.meta.clone();
            Lent {
                lender,
                pending,
                handshake,
                meta,
            }
        });
        let no_room = channel.lend(lent.collect());
        state.lender = Some(lender);
        state.pending = no_room.into_iter().map(|lent| lent.pending).collect();
    }

    /// The request on the stream that `envelope`, with `id`, answers. Opens the session with the first.
    pub(super) fn lent(
        &self,
        state: &mut State,
        envelope: &Envelope,
        id: &[u8],
    ) -> Option<Pending> {
        let channel = state.channel.clone()?;
        let lent = channel.answered(id)?;
        let opens = !(lent.pending.probes() && messages::refuses_probe(envelope));
        if state.session.is_none() && opens {
            (state.handshake, state.meta) = (lent.handshake, lent.meta);
            let id = [b"sse:", channel.id.as_bytes()].concat();
            self.open(state, identity::protocol(&self.facts, &id), Era::Legacy);
            if let Some(session) = &state.session {
                session.state().streams += 1;
                channel.state().session = Some(session.clone());
            }
        }
        Some(lent.pending)
    }

    /// Takes back what will not be answered on a stream: because the server refused it here, or because the stream is
    /// this one and ends.
    pub(super) fn take_back(&self, state: &mut State, end: &End) {
        if let Some(channel) = &state.channel {
            let rest = self.tracker.channels.close(channel);
            state
                .pending
                .extend(rest.into_iter().map(|lent| lent.pending));
        }
        let taken =
            matches!(end, End::Complete) && state.status.is_some_and(|status| status.is_success());
        if let (Some(lender), Some(channel), false) = (state.lender, &self.facts.channel, taken) {
            let back = channel.take_back(lender).into_iter();
            state.pending.extend(back.map(|lent| lent.pending));
        }
    }

    /// The body could not be read: what its head says of it must do.
    pub(super) fn go_by_head(&self, state: &mut State) {
        if !state.pending.is_empty() {
            return;
        }
        let Some((method, name)) = self.facts.mirrored() else {
            return;
        };
        if method.starts_with("notifications/") {
            state.notifications += 1;
            return;
        }
        let name: Option<Box<str>> = name.map(|name| name.into_owned().into());
        state.pending.push(Pending {
            id: Box::default(),
            method: method.into(),
            target: messages::target(method, name.clone(), name),
            version: self.facts.version().map(Into::into),
            said: Said::default(),
            behind: None,
            repeats: None,
        });
    }

    /// The proxy turned the request down before its body was over: what has been read of it must do.
    pub(super) fn refused_unread(&self, state: &mut State) {
        let begun = lock(&self.request).unfinished().unwrap_or_default();
        if let Some(method) = begun.method {
            state.pending.push(Pending {
                id: begun.id.unwrap_or_default(),
                target: messages::target(&method, begun.name, begun.uri),
                method,
                version: self.facts.version().map(Into::into),
                said: Said::asking(self.tracker.texts.hold_any(begun.text)),
                behind: None,
                repeats: begun.request_state.as_deref().map(StateKey::of),
            });
        } else {
            self.go_by_head(state);
        }
        if state.session.is_none()
            && let Some(session) = self.known_session(state)
        {
            self.attach(state, session);
        }
        if state.pending.is_empty() && state.notifications == 0 {
            state.pending.push(Pending {
                id: Box::default(),
                method: UNREAD.into(),
                target: None,
                version: self.facts.version().map(Into::into),
                said: Said::default(),
                behind: None,
                repeats: None,
            });
        }
    }
}
