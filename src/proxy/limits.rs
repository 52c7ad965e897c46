//! Bounds on what clients may send and hold, and how often each was met.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use crate::model::Rejections;

/// Bounds on what one client, and all of them together, may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Longest head of a request, in bytes; a longer one gets 431.
    pub max_head: usize,
    /// Longest body of a request, in bytes; a longer one gets 413.
    pub max_body: u64,
    /// Connections at the same time; one more gets 503.
    pub max_connections: usize,
    /// Streams held open at the same time (GET, `subscriptions/listen`); one more gets 503.
    pub max_streams: usize,
    /// How long a connection may stay open without a request; then it is closed.
    pub keep_alive_timeout: Duration,
    /// How long the head of a request may take to arrive; then 408.
    pub head_timeout: Duration,
    /// How long a client may take to send the next piece of a body; then 408.
    pub body_timeout: Duration,
    /// How long a client may take to read a piece of an answer; then it is cut off.
    pub write_timeout: Duration,
}

/// A number of its own, on the paths that are not the usual one.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    /// One more.
    pub(super) fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What is open, and what was turned down since the start.
#[derive(Debug, Default)]
pub struct Counters {
    pub(super) connections: AtomicUsize,
    pub(super) streams: AtomicUsize,
    pub(super) bad_request: Count,
    pub(super) forbidden: Count,
    pub(super) head_too_large: Count,
    pub(super) body_too_large: Count,
    pub(super) too_many_connections: Count,
    pub(super) too_many_streams: Count,
    pub(super) slow_head: Count,
    pub(super) slow_body: Count,
    pub(super) slow_reader: Count,
    pub(super) idle_closed: Count,
}

impl Counters {
    /// Client connections that are open.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed) as u64
    }

    /// Streams that clients hold open.
    #[must_use]
    pub fn streams(&self) -> u64 {
        self.streams.load(Ordering::Relaxed) as u64
    }

    /// What was turned down.
    #[must_use]
    pub fn rejections(&self) -> Rejections {
        Rejections {
            bad_request: self.bad_request.get(),
            forbidden: self.forbidden.get(),
            head_too_large: self.head_too_large.get(),
            body_too_large: self.body_too_large.get(),
            too_many_connections: self.too_many_connections.get(),
            too_many_streams: self.too_many_streams.get(),
            slow_head: self.slow_head.get(),
            slow_body: self.slow_body.get(),
            slow_reader: self.slow_reader.get(),
            idle_closed: self.idle_closed.get(),
        }
    }

    /// A place among the streams, if there is one.
    pub(super) fn stream(self: &Arc<Self>, most: usize) -> Option<Held> {
        if self.streams.fetch_add(1, Ordering::Relaxed) < most {
            return Some(Held(self.clone()));
        }
        self.streams.fetch_sub(1, Ordering::Relaxed);
        None
    }
}

/// A place among the streams, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Held(Arc<Counters>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}
