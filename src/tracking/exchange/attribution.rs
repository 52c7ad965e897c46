//! Which session this request belongs to, and whether it opens one.

use std::sync::{Arc, PoisonError};

use http::StatusCode;

use crate::model::{Derivation, Era};
use crate::wire::{self, ClientInfo};

use super::super::facts::HttpMethod;
use super::super::identity::{self, Key};
use super::super::session::LiveSession;
use super::super::tracker::Opening;
use super::{End, Exchange, Failure, Pending, Sign, State};

impl Exchange {
    pub(super) fn attach(&self, state: &mut State, session: Arc<LiveSession>) {
        {
            let mut live = session.state();
            live.begun(self.facts.started_at);
            for id in state.cancelled.drain(..) {
                live.cancel(id);
            }
        }
        state.session = Some(session);
    }

    /// Attaches the session of the request before, if this one repeats its `Mcp-Session-Id` and the session is still
    /// open; says whether it did.
    pub(super) fn attach_before(&mut self) -> bool {
        let modern = self.head_is_modern();
        let Some((Sign::Minted(id), session)) = &self.before else {
            return false;
        };
        if modern || self.facts.mcp_session.as_ref() != Some(id) || !self.begun_in(session) {
            return false;
        }
        let state = self.state.get_mut();
        state.unwrap_or_else(PoisonError::into_inner).session = Some(session.clone());
        true
    }

    /// [`Exchange::attach_before`] for a request of the modern era, whose body repeats what the one before said.
    pub(super) fn attach_said_before(&self, state: &mut State) -> bool {
        let Some((Sign::Said { meta, agent }, session)) = &self.before else {
            return false;
        };
        let repeats = state
            .meta
            .as_ref()
            .is_some_and(|said| Arc::ptr_eq(said, meta))
            && self.may_go_by_what_is_said()
            && *agent == self.facts.user_agent
            && state.cancelled.is_empty();
        if repeats && self.begun_in(session) {
            state.session = Some(session.clone());
            return true;
        }
        false
    }

    /// Whether the head says nothing that goes before what the body says.
    fn may_go_by_what_is_said(&self) -> bool {
        let facts = &self.facts;
        self.head_is_modern() && facts.archon_session.is_none() && facts.baggage_session.is_none()
    }

    /// Notes what led to the session of the request that has ended, if the next one may repeat it.
    pub(super) fn remember(&mut self) {
        let by_what_was_said = self.may_go_by_what_is_said();
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let (Some(session), Some(meta)) = (state.ended_in.take(), state.meta.take()) else {
            return;
        };
        if !by_what_was_said {
            return;
        }
        let known = matches!(&self.before, Some((Sign::Said { meta: known, agent }, before))
            if Arc::ptr_eq(known, &meta) && Arc::ptr_eq(before, &session) && *agent == self.facts.user_agent);
        if !known {
            let agent = self.facts.user_agent.clone();
            self.before = Some((Sign::Said { meta, agent }, session));
        }
    }

    /// Counts this request to `session`, unless that has closed.
    fn begun_in(&self, session: &LiveSession) -> bool {
        let mut live = session.state();
        if !live.closed {
            live.begun(self.facts.started_at);
        }
        !live.closed
    }

    /// The open session that the head alone names, by the rules `protocol` and `explicit`.
    pub(super) fn session_of_head(&self) -> Option<Arc<LiveSession>> {
        let (facts, registry) = (&self.facts, &self.tracker.registry);
        if let Some(channel) = &facts.channel {
            let session = channel.state().session.clone();
            return session.filter(|session| !session.state().closed);
        }
        if let (Some(id), false) = (&facts.mcp_session, self.head_is_modern()) {
            return registry.find(&identity::protocol(facts, id).text);
        }
        let named = facts.archon_session.and_then(|id| self.tracker.by_name(id));
        named
            .filter(|session| {
                *session.principal == *facts.principal && session.server == facts.server.name
            })
            .or_else(|| {
                let key = identity::chosen(facts, None)?;
                registry.find(&key.text)
            })
    }

    /// The open session that head and body together name.
    pub(super) fn known_session(&self, state: &State) -> Option<Arc<LiveSession>> {
        if self.named_by_server(state) {
            return None;
        }
        let (key, _) = self.key_and_era(state);
        let found = self.tracker.registry.find(&key.text);
        if found.is_none() && self.may_use_alias(state, &key) {
            self.by_alias()
        } else {
            found
        }
    }

    /// Opens the session of a request whose answer begins, whatever it says, unless only the answer's body can tell
    /// whether it is a refused probe.
    pub(super) fn open_at_head(
        &self,
        state: &mut State,
        minted: Option<&[u8]>,
        status: StatusCode,
    ) {
        if !status.is_success() {
            // What is no request, and what asks whether there is a server, opens none.
            if self.facts.method == HttpMethod::Post
                && state.pending.iter().any(|asked| !asked.probes())
            {
                self.open_by_request(state);
            }
            return;
        }
        if self.facts.method != HttpMethod::Post {
            // A GET without a session opens none; one that names a session that a legacy server knows goes on with it. So does
            // a DELETE where the requests before it may have gone another way.
            let goes_on = match self.facts.method {
                HttpMethod::Get => true,
                HttpMethod::Delete => self.tracker.is_shared(),
                _ => false,
            };
            if let (true, Some(id), false) =
                (goes_on, &self.facts.mcp_session, self.head_is_modern())
            {
                self.open(state, identity::protocol(&self.facts, id), Era::Legacy);
            }
            return;
        }
        let (key, era) = self.key_and_era(state);
        let minted = minted
            .filter(|_| state.handshake.is_some())
            .or(self.facts.mcp_session.as_deref());
        match minted {
            Some(id) if era == Era::Legacy => {
                self.open(state, identity::protocol(&self.facts, id), era);
            }
            // Whether a handshake was refused stands in the body of the answer.
            _ if state.pending.is_empty() || state.pending.iter().all(Pending::is_handshake) => {}
            _ => self.open(state, key, era),
        }
    }

    /// Opens the session that the request itself names, or lets infer.
    pub(super) fn open_by_request(&self, state: &mut State) {
        if let Some(channel) = &self.facts.channel {
            let id = [b"sse:", channel.id.as_bytes()].concat();
            self.open(state, identity::protocol(&self.facts, &id), Era::Legacy);
            channel.state().session.clone_from(&state.session);
            return;
        }
        let named = self
            .facts
            .mcp_session
            .as_deref()
            .filter(|_| self.named_by_server(state));
        let (key, era) = match named {
            Some(id) => (identity::protocol(&self.facts, id), Era::Legacy),
            None => self.key_and_era(state),
        };
        self.open(state, key, era);
    }

    /// Opens the session of requests that got no JSON-RPC response, where they were answered all the same: by a mere
    /// status, or by the proxy, which turned them down. A connection that failed opens none.
    pub(super) fn open_at_end(&self, state: &mut State, end: &End) {
        if state.session.is_some() || state.pending.is_empty() {
            return;
        }
        let probe = state.pending.iter().all(Pending::probes);
        match (end, state.status) {
            (End::Complete, Some(status)) if !(probe && status.is_client_error()) => {
                self.open_by_request(state);
            }
            (End::Failed(Failure::Refused(_)), _) => {
                if let Some(known) = self.known_session(state) {
                    self.attach(state, known);
                } else if !probe && self.tracker.registry.has_room_for_refused() {
                    state.refused = true;
                    self.open_by_request(state);
                }
            }
            _ => {}
        }
    }

    pub(super) fn open(&self, state: &mut State, key: Key, era: Era) {
        let handshake = state.handshake.take().unwrap_or_default();
        let meta = state
            .meta
            .take()
            .map(Arc::unwrap_or_clone)
            .unwrap_or_default();
        let opening = Opening {
            era,
            client: if handshake.client == ClientInfo::default() {
                meta.client
            } else {
                handshake.client
            },
            capabilities: handshake.capabilities.or(meta.capabilities),
            protocol_version: handshake
                .version
                .or(meta.protocol_version)
                .or_else(|| self.facts.version().map(Into::into)),
            alias: era == Era::Legacy && key.derivation == Derivation::Inferred,
            refused: state.refused,
        };
        let session = self.tracker.find_or_open(key, &self.facts, opening);
        self.attach(state, session);
    }

    /// Whether the request carries an id that a legacy server minted.
    fn named_by_server(&self, state: &State) -> bool {
        self.facts.mcp_session.is_some() && self.era(state) == Era::Legacy
    }

    fn era(&self, state: &State) -> Era {
        let body = state
            .meta
            .as_ref()
            .and_then(|meta| meta.protocol_version.as_deref())
            .map(wire::era_of);
        identity::era(self.facts.era(), body)
    }

    /// The key by the rules behind `protocol`.
    fn key_and_era(&self, state: &State) -> (Key, Era) {
        let meta = state.meta.as_ref();
        let conversation = meta.and_then(|meta| meta.conversation.as_deref());
        let key = identity::chosen(&self.facts, conversation).unwrap_or_else(|| {
            let nobody = ClientInfo::default();
            let handshake = state.handshake.as_ref().map(|handshake| &handshake.client);
            identity::inferred(
                &self.facts,
                handshake
                    .or(meta.map(|meta| &meta.client))
                    .unwrap_or(&nobody),
            )
        });
        (key, self.era(state))
    }

    /// A legacy request behind the handshake says nothing of its client: its user agent must do.
    fn may_use_alias(&self, state: &State, key: &Key) -> bool {
        let silent = state
            .meta
            .as_ref()
            .is_none_or(|meta| meta.client == ClientInfo::default());
        key.derivation == Derivation::Inferred
            && silent
            && state.handshake.is_none()
            && self.era(state) == Era::Legacy
    }

    fn by_alias(&self) -> Option<Arc<LiveSession>> {
        let facts = &self.facts;
        let agent = facts.agent();
        self.tracker.registry.find(&identity::legacy_alias(
            &facts.server.name,
            &facts.principal,
            agent,
        ))
    }
}
