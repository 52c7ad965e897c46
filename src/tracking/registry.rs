//! Finds open sessions by key and by id.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::{OpenedSession, SessionId};

use super::identity::digest;
use super::session::LiveSession;

/// How many sessions may be open at once that began with a request which was turned down here. Strangers send such requests,
/// under as many names as they like.
const MOST_REFUSED: usize = 1_024;

#[derive(Debug, Default)]
pub(super) struct Registry {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
pub(super) struct Tables {
    by_key: HashMap<Box<str>, Arc<LiveSession>>,
    by_id: HashMap<SessionId, Arc<LiveSession>>,
    /// How many of `by_id` are second ids of a session.
    second_ids: usize,
    /// How many opened with a request that was turned down here.
    refused: usize,
    /// Sessions that an earlier instance opened, by the digest of their key, until their client is heard of.
    adopted: HashMap<Box<str>, Arc<LiveSession>>,
    /// Sessions that their servers report themselves, by the digest of their key.
    reported: HashMap<Box<str>, Arc<LiveSession>>,
}

impl Registry {
    pub(super) fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The open session with `key`.
    pub(super) fn find(&self, key: &str) -> Option<Arc<LiveSession>> {
        self.lock().find(key)
    }

    /// The open session with `id`.
    pub(super) fn find_id(&self, id: SessionId) -> Option<Arc<LiveSession>> {
        self.lock().by_id.get(&id).cloned()
    }

    /// All open sessions.
    pub(super) fn all(&self) -> Vec<Arc<LiveSession>> {
        let tables = self.lock();
        // One that has two ids comes once.
        let once = tables
            .by_id
            .iter()
            .filter(|(id, session)| **id == session.id());
        once.map(|(_, session)| session.clone()).collect()
    }

    /// Whether another session may open with a request that was turned down here.
    pub(super) fn has_room_for_refused(&self) -> bool {
        self.lock().refused < MOST_REFUSED
    }

    /// How many sessions are open.
    pub(super) fn len(&self) -> usize {
        let tables = self.lock();
        tables.by_id.len() - tables.second_ids
    }

    /// Lets the session that is called `id` here be called `agreed`, as everywhere else.
    pub(super) fn agree(&self, id: SessionId, agreed: SessionId) {
        let mut tables = self.lock();
        let Some(session) = tables.by_id.get(&id).cloned() else {
            return;
        };
        if session.first_id() != session.id() {
            return;
        }
        // Its other self, taken over from an instance that is gone, has nothing that this one lacks.
        if let Some(other) = tables.by_id.insert(agreed, session.clone()) {
            tables
                .adopted
                .retain(|_, found| !Arc::ptr_eq(found, &other));
            for key in std::mem::take(&mut other.state().keys) {
                tables.by_key.insert(key.clone(), session.clone());
                session.state().keys.push(key);
            }
        }
        if let Some(opened) = &session.reported {
            let key = opened.session_key.clone();
            tables.reported.insert(key, session.clone());
        }
        session.agree(agreed);
        tables.second_ids += 1;
    }

    /// Forgets a session that has closed. `keys` are its keys.
    pub(super) fn remove(&self, session: &Arc<LiveSession>, keys: &[Box<str>]) {
        let mut tables = self.lock();
        for key in keys {
            if tables
                .by_key
                .get(key)
                .is_some_and(|found| Arc::ptr_eq(found, session))
            {
                tables.by_key.remove(key);
            }
        }
        let mut removed = 0;
        for id in [session.first_id(), session.id()] {
            let same = |found: &Arc<LiveSession>| Arc::ptr_eq(found, session);
            if tables.by_id.get(&id).is_some_and(same) {
                tables.by_id.remove(&id);
                removed += 1;
            }
        }
        if removed == 2 {
            tables.second_ids -= 1;
        }
        if removed > 0 && session.refused {
            tables.refused = tables.refused.saturating_sub(1);
        }
        if let Some(opened) = &session.reported {
            let found = tables.reported.get(&opened.session_key);
            if found.is_some_and(|found| Arc::ptr_eq(found, session)) {
                tables.reported.remove(&opened.session_key);
            }
            return;
        }
        tables
            .adopted
            .retain(|_, found| !Arc::ptr_eq(found, session));
    }
}

impl Tables {
    /// The open session with `key`.
    pub(super) fn find(&mut self, key: &str) -> Option<Arc<LiveSession>> {
        if let Some(found) = self.by_key.get(key) {
            return Some(found.clone());
        }
        if self.adopted.is_empty() {
            return None;
        }
        let found = self.adopted.remove(&digest(key))?;
        self.add_key(key.into(), &found);
        Some(found)
    }

    /// The open reported session whose key has this digest.
    pub(super) fn find_reported(&self, digest: &str) -> Option<Arc<LiveSession>> {
        self.reported.get(digest).cloned()
    }

    /// Adds a session under its id that its server reports, and opened as `opened` says.
    pub(super) fn add_reported(&mut self, opened: &OpenedSession, session: &Arc<LiveSession>) {
        self.add(session);
        self.reported
            .insert(opened.session_key.clone(), session.clone());
    }

    /// Whether a session is known by `id`.
    pub(super) fn knows(&self, id: SessionId) -> bool {
        self.by_id.contains_key(&id)
    }

    /// Adds a session under its id.
    pub(super) fn add(&mut self, session: &Arc<LiveSession>) {
        self.refused += usize::from(session.refused);
        self.by_id.insert(session.id(), session.clone());
    }

    /// Lets `session` be found by `key`, from now on in place of any other.
    pub(super) fn add_key(&mut self, key: Box<str>, session: &Arc<LiveSession>) {
        session.state().keys.push(key.clone());
        self.by_key.insert(key, session.clone());
    }

    /// Lets `session` be found by the key behind `digest`.
    pub(super) fn add_digest(&mut self, digest: Box<str>, session: &Arc<LiveSession>) {
        self.adopted.insert(digest, session.clone());
    }
}
