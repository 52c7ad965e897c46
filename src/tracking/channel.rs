//! The event streams of HTTP+SSE servers (MCP 2024-11-05, Transports): a GET opens one, its first event names where to
//! POST, and what is POSTed is answered on the stream.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::exchange::Lent;
use super::session::LiveSession;

/// How many requests may wait on one stream; what goes beyond is not written.
const MOST_WAITING: usize = 1_024;

/// One open stream.
#[derive(Debug)]
pub struct Channel {
    key: Box<str>,
    /// What the session is known by: the id in the endpoint's query, or the endpoint itself.
    pub(super) id: Box<str>,
    state: Mutex<ChannelState>,
}

/// What waits on a stream.
#[derive(Debug, Default)]
pub(super) struct ChannelState {
    /// The session, once a request has been answered.
    pub(super) session: Option<Arc<LiveSession>>,
    pub(super) waiting: Vec<Lent>,
    /// Whether the stream has ended.
    pub(super) over: bool,
}

impl Channel {
    /// The state. Held for moments only.
    pub(super) fn state(&self) -> MutexGuard<'_, ChannelState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the stream answer `lent`; gives back what it has no room for.
    pub(super) fn lend(&self, lent: Vec<Lent>) -> Vec<Lent> {
        let mut state = self.state();
        if state.over || state.waiting.len() + lent.len() > MOST_WAITING {
            return lent;
        }
        state.waiting.extend(lent);
        Vec::new()
    }

    /// Takes back what exchange `lender` lent, as far as it has not been answered.
    pub(super) fn take_back(&self, lender: u64) -> Vec<Lent> {
        let mut state = self.state();
        let (back, rest) = std::mem::take(&mut state.waiting)
            .into_iter()
            .partition(|lent| lent.lender == lender);
        state.waiting = rest;
        back
    }

    /// The request that an answer with `id` is for.
    pub(super) fn answered(&self, id: &[u8]) -> Option<Lent> {
        let mut state = self.state();
        let at = state
            .waiting
            .iter()
            .position(|lent| lent.is_answered_by(id))?;
        Some(state.waiting.remove(at))
    }
}

/// The streams that are open.
#[derive(Debug, Default)]
pub(super) struct Channels {
    open: AtomicUsize,
    lenders: AtomicUsize,
    table: Mutex<HashMap<Box<str>, Arc<Channel>>>,
}

impl Channels {
    fn table(&self) -> MutexGuard<'_, HashMap<Box<str>, Arc<Channel>>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a stream of `principal` named `endpoint`.
    pub(super) fn open(&self, principal: &str, endpoint: &str) -> Arc<Channel> {
        let (path, query) = split(endpoint);
        let id = id_of(path, query);
        let channel = Arc::new(Channel {
            key: key(principal, &id).into(),
            id: id.into(),
            state: Mutex::default(),
        });
        let mut table = self.table();
        table.insert(channel.key.clone(), channel.clone());
        self.open.store(table.len(), Ordering::Relaxed);
        channel
    }

    /// Forgets a stream that has ended; gives what waited on it.
    pub(super) fn close(&self, channel: &Arc<Channel>) -> Vec<Lent> {
        let mut table = self.table();
        if table
            .get(&channel.key)
            .is_some_and(|known| Arc::ptr_eq(known, channel))
        {
            table.remove(&channel.key);
        }
        self.open.store(table.len(), Ordering::Relaxed);
        drop(table);
        let mut state = channel.state();
        state.over = true;
        std::mem::take(&mut state.waiting)
    }

    pub(super) fn find(&self, principal: &str, path: &str, query: &str) -> Option<Arc<Channel>> {
        if self.open.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let key = key(principal, &id_of(path, query.trim_start_matches('?')));
        self.table().get(key.as_str()).cloned()
    }

    /// A number for an exchange that lends.
    pub(super) fn lender(&self) -> u64 {
        self.lenders.fetch_add(1, Ordering::Relaxed) as u64
    }
}

/// Scoped by principal: nobody speaks in another's session by knowing its id.
fn key(principal: &str, id: &str) -> String {
    format!("{principal}\u{1f}{id}")
}

/// Path and query of an endpoint, which may be a whole URL.
fn split(endpoint: &str) -> (&str, &str) {
    let path = match endpoint.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => endpoint,
    };
    path.split_once('?').unwrap_or((path, ""))
}

/// The session's id in a query, by the names that the official SDKs give it; else path and query together.
fn id_of(path: &str, query: &str) -> String {
    let member = query.split('&').find_map(|member| {
        let (name, value) = member.split_once('=')?;
        (matches!(name, "sessionId" | "session_id") && !value.is_empty()).then_some(value)
    });
    member.map_or_else(|| format!("{path}?{query}"), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_finds_the_stream_whose_endpoint_it_is_for() {
        let channels = Channels::default();
        assert!(channels.find("a", "/m", "?sessionId=1").is_none());
        let one = channels.open("a", "/messages?sessionId=1");
        let other = channels.open("a", "http://host:1/messages/2");
        let found = |principal, path, query| channels.find(principal, path, query);
        let is = |found: Option<Arc<Channel>>, channel: &Arc<Channel>| {
            found.is_some_and(|found| Arc::ptr_eq(&found, channel))
        };
        assert!(is(found("a", "/messages", "?x=y&sessionId=1"), &one));
        assert!(is(found("a", "/messages/2", ""), &other));
        assert!(found("b", "/messages", "?sessionId=1").is_none());
        channels.close(&one);
        assert!(found("a", "/messages", "?sessionId=1").is_none());
    }
}
