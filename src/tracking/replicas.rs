//! Other instances on the same store, which meet the same clients.
//!
//! What ends a session (nothing heard, a client that left) is judged here by what this instance saw alone; where others share
//! the store, an end that is due waits until the store has been asked what they saw ([`Tracker::confirm`]). The store is never
//! asked while a request waits: two instances that meet a client at the same moment give its session two ids, and learn
//! from the store, a moment later, which of them stays ([`Tracker::learn`]).

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use crate::model::{Derivation, Era, SessionId, SessionStatus};
use crate::store::{Folded, Standing, StoredSession};

use super::identity;
use super::reported;
use super::session::LiveSession;
use super::tracker::Tracker;

/// How many sessions that clients name are asked for at a time.
const MOST_NAMED: usize = 256;

impl Tracker {
    /// Whether other instances may see requests of the same sessions.
    pub fn set_shared(&self, shared: bool) {
        self.shared.store(shared, Ordering::Relaxed);
    }

    /// [`Tracker::set_shared`].
    pub(super) fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
    }

    /// Goes on with sessions that another instance had opened.
    pub fn adopt(&self, sessions: Vec<StoredSession>) {
        for stored in sessions {
            let opened = stored.opened;
            let mut session = LiveSession::new(
                opened.session_id,
                opened.server.clone(),
                opened.principal.clone(),
                None,
                opened.connected_at,
                stored.last_activity,
            );
            let reported = reported::is_reported(&opened).then(|| Arc::new(opened.clone()));
            if let Some(opened) = &reported {
                session = session.reporting(opened.clone());
            }
            let session = Arc::new(session);
            let mut tables = self.registry.lock();
            if tables.knows(opened.session_id) {
                continue;
            }
            if let Some(opened) = reported {
                tables.add_reported(&opened, &session);
                continue;
            }
            tables.add(&session);
            tables.add_digest(opened.session_key, &session);
            if opened.derivation == Derivation::Inferred && opened.era == Era::Legacy {
                let agent = opened.user_agent.as_deref().unwrap_or_default();
                let alias =
                    identity::legacy_alias(&opened.server, &opened.principal, agent.as_bytes());
                if tables.find(&alias).is_none() {
                    tables.add_key(alias.into(), &session);
                }
            }
        }
    }

    /// Takes what the store told when it took records of this instance: which sessions others had opened before, and which
    /// are over.
    pub fn learn(&self, folded: &Folded) {
        for (id, agreed) in &folded.joined {
            tracing::debug!(session_id = %id, %agreed, "another instance had opened this session");
            self.registry.agree(*id, *agreed);
        }
        for id in &folded.over {
            if let Some(session) = self.registry.find_id(*id) {
                self.over(&session);
            }
        }
    }

    /// The open session with `id`. One that another instance knows is asked for, and known a moment later.
    pub(super) fn by_name(&self, id: SessionId) -> Option<Arc<LiveSession>> {
        let found = self.registry.find_id(id);
        if found.is_none() && self.is_shared() {
            let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
            if named.len() < MOST_NAMED {
                named.insert(id);
            }
        }
        found
    }

    /// Sessions that clients have named since the last call, and that are not known here. What the store knows of them goes
    /// to [`Tracker::adopt`].
    #[must_use]
    pub fn named(&self) -> Vec<SessionId> {
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *named).into_iter().collect()
    }

    /// Sessions whose end, or idleness, is due by what this instance saw.
    #[must_use]
    pub fn doubtful(&self) -> Vec<SessionId> {
        if !self.is_shared() {
            return Vec::new();
        }
        let now = self.now();
        let mut doubtful = Vec::new();
        for session in self.registry.all() {
            let state = session.state();
            if !state.closed && self.judge(&state, now).is_some() {
                doubtful.push(session.id());
            }
        }
        doubtful
    }

    /// Ends those of `asked` that are over by what every instance saw; `standings` is what the store says of them. What it
    /// does not know nobody else has seen.
    pub fn confirm(&self, asked: &[SessionId], standings: &[Standing]) {
        let standings: HashMap<SessionId, &Standing> = standings
            .iter()
            .map(|standing| (standing.asked, standing))
            .collect();
        for id in asked {
            let Some(session) = self.registry.find_id(*id) else {
                continue;
            };
            match standings.get(id) {
                Some(standing) if standing.status == SessionStatus::Disconnected => {
                    self.over(&session);
                    continue;
                }
                Some(standing) => {
                    session.state().seen_elsewhere(standing.last_activity);
                    if standing.session_id != session.id() {
                        self.registry.agree(*id, standing.session_id);
                    }
                }
                None => {}
            }
            self.end_if_due(&session);
        }
    }

    /// Forgets a session that another instance has ended: its end is written.
    fn over(&self, session: &Arc<LiveSession>) {
        let keys = {
            let mut state = session.state();
            if state.closed {
                return;
            }
            state.closed = true;
            std::mem::take(&mut state.keys)
        };
        self.registry.remove(session, &keys);
    }
}
