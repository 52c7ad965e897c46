//! Requests that wait for something, up to a bound: nothing that either side sends makes memory grow without end.

use std::collections::{HashMap, VecDeque};

use crate::model::Timestamp;

use super::{Asked, Pending};

/// How many requests of each direction are followed at once.
const MOST_WAITING: usize = 1_024;
/// How many requests that asked for input are kept for their retry.
const MOST_UNFINISHED: usize = 64;

/// Has a beginning.
pub(super) trait Begun {
    /// When it began.
    fn began(&self) -> Timestamp;
}

impl Begun for Pending {
    fn began(&self) -> Timestamp {
        self.started_at
    }
}

impl Begun for Asked {
    fn began(&self) -> Timestamp {
        self.started_at
    }
}

/// Requests by their id, raw.
#[derive(Debug)]
pub(super) struct Waiting<T>(HashMap<Box<[u8]>, T>);

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Begun> Waiting<T> {
    /// Adds a request; gives back one that had the same id, or the oldest where there are too many.
    pub(super) fn add(&mut self, id: Box<[u8]>, request: T) -> Option<T> {
        if let Some(same) = self.0.remove(&id) {
            self.0.insert(id, request);
            return Some(same);
        }
        let mut oldest = None;
        if self.0.len() >= MOST_WAITING {
            let key = self
                .0
                .iter()
                .min_by_key(|(_, request)| request.began())
                .map(|(id, _)| id.clone());
            oldest = key.and_then(|id| self.0.remove(&id));
        }
        self.0.insert(id, request);
        oldest
    }

    /// The request `id`.
    pub(super) fn get(&self, id: &[u8]) -> Option<&T> {
        self.0.get(id)
    }

    /// The request `id`, to be changed.
    pub(super) fn get_mut(&mut self, id: &[u8]) -> Option<&mut T> {
        self.0.get_mut(id)
    }

    /// The request `id`, which waits no more.
    pub(super) fn take(&mut self, id: &[u8]) -> Option<T> {
        self.0.remove(id)
    }

    /// The only request there is, if there is just one.
    pub(super) fn take_only(&mut self) -> Option<T> {
        if self.0.len() != 1 {
            return None;
        }
        self.take_all().pop()
    }

    /// All that `which` holds for, oldest first.
    pub(super) fn take_if(&mut self, mut which: impl FnMut(&T) -> bool) -> Vec<T> {
        let mut taken: Vec<T> = self
            .0
            .extract_if(|_, request| which(request))
            .map(|(_, request)| request)
            .collect();
        taken.sort_by_key(Begun::began);
        taken
    }

    /// All, oldest first.
    pub(super) fn take_all(&mut self) -> Vec<T> {
        self.take_if(|_| true)
    }

    /// Whether `which` holds for one of them.
    pub(super) fn any(&self, which: impl FnMut(&T) -> bool) -> bool {
        self.0.values().any(which)
    }

    /// When the first one began that `which` holds for.
    pub(super) fn first(&self, which: impl Fn(&T) -> bool) -> Option<Timestamp> {
        let requests = self.0.values().filter(|request| which(request));
        requests.map(Begun::began).min()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

/// Requests that were answered with `input_required` (MCP 2026-07-28, Multi Round-Trip Requests) and wait for their
/// retry.
#[derive(Debug, Default)]
pub(super) struct Unfinished(VecDeque<(Box<[u8]>, Pending)>);

impl Unfinished {
    /// Keeps `pending` until `state` comes back; gives back the oldest where there are too many.
    pub(super) fn keep(&mut self, state: Box<[u8]>, pending: Pending) -> Option<Pending> {
        self.0.push_back((state, pending));
        if self.0.len() > MOST_UNFINISHED {
            self.0.pop_front().map(|(_, oldest)| oldest)
        } else {
            None
        }
    }

    /// The request whose retry brings `state`.
    pub(super) fn retried(&mut self, state: &[u8]) -> Option<Pending> {
        let at = self.0.iter().position(|(known, _)| **known == *state)?;
        self.0.remove(at).map(|(_, pending)| pending)
    }

    /// All of them.
    pub(super) fn take_all(&mut self) -> Vec<Pending> {
        self.0.drain(..).map(|(_, pending)| pending).collect()
    }
}
