//! The session of a process: when it opens, and what it opens with.

use std::sync::Arc;

use crate::model::{Era, Timestamp};

use super::super::facts::RequestFacts;
use super::super::tracker::Opening;
use super::{Process, State};

impl Process {
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
                refused: false,
            },
            None => Opening {
                era: Era::Legacy,
                client: crate::wire::ClientInfo::default(),
                capabilities: None,
                protocol_version: None,
                alias: false,
                refused: false,
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
        state.note_in_flight();
    }
}

impl State {
    /// Whether there is a session that takes what is answered now. Once the client has left no other opens.
    pub(super) fn is_open(&self) -> bool {
        let session = self.session.as_ref();
        session.is_some_and(|session| self.left_at.is_some() || !session.state().closed)
    }

    /// Lets the sweep see how many requests are under way: as long as there are any, the session is active.
    pub(super) fn note_in_flight(&self) {
        if let Some(session) = &self.session {
            let under_way = self.pending.len() + self.asked.len();
            session.state().in_flight = u32::try_from(under_way).unwrap_or(u32::MAX);
        }
    }
}
