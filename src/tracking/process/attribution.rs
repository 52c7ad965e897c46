//! The session of a process: when it opens, and what it opens with.

use std::sync::Arc;

use crate::model::{Era, Timestamp};

use super::super::facts::RequestFacts;
use super::super::tracker::Opening;
use super::{Process, State};

impl Process {
    /// Whether there is a session that takes what is answered now. Once the client has left no other opens.
    pub(super) fn is_open(state: &State) -> bool {
        let closed = |state: &State| {
            let session = state.session.as_ref();
            session.is_none_or(|session| session.state().closed)
        };
        !closed(state) || (state.session.is_some() && state.left_at.is_some())
    }

    /// Opens a session: the first, or another one behind one that timed out. The request that was answered began at
    /// `connected_at`.
    pub(super) fn open(&self, state: &mut State, connected_at: Timestamp) {
        let identity = state.identity.clone();
        let opening = match identity {
            Some(identity) => Opening {
                era: identity.era,
                client: identity.client,
                capabilities: identity.capabilities,
                protocol_version: state.agreed.clone().or(identity.version),
                alias: false,
            },
            None => Opening {
                era: Era::Legacy,
                client: crate::wire::ClientInfo::default(),
                capabilities: None,
                protocol_version: None,
                alias: false,
            },
        };
        let facts = RequestFacts::new(
            self.server.clone(),
            Arc::from(super::PRINCIPAL),
            "",
            connected_at,
        );
        let session = self.tracker.find_or_open(self.key.clone(), &facts, opening);
        session.state().touch(self.tracker.now());
        state.session = Some(session);
        Self::note_in_flight(state);
    }

    /// Lets the sweep see how many requests are under way: as long as there are any, the session is active.
    pub(super) fn note_in_flight(state: &State) {
        if let Some(session) = &state.session {
            let under_way = state.pending.len() + state.asked.len();
            session.state().in_flight = u32::try_from(under_way).unwrap_or(u32::MAX);
        }
    }
}
