//! The wrapper of an rmcp transport.
//!
//! Shows each message to a `Process` (derivation `process`): what the client sends once rmcp has read it, what the server
//! sends before it goes on. The messages themselves are untouched.

use std::borrow::Cow;
use std::sync::Arc;

use rmcp::RoleServer;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use serde::Serialize;

use crate::tracking::{Process, ProcessEnd};

use super::Shared;

/// A transport, tracked. Made by [`Tracking::wrap`](super::Tracking::wrap).
#[derive(Debug)]
pub struct TrackedTransport<T> {
    inner: T,
    shared: Arc<Shared>,
    process: Arc<Process>,
}

impl<T> TrackedTransport<T> {
    pub(super) fn new(inner: T, shared: Arc<Shared>) -> Self {
        let process = shared.begin_connection();
        Self {
            inner,
            shared,
            process,
        }
    }

    /// Shows a message, in the form in which it stands on a line.
    fn show(&self, message: &impl Serialize, to: impl FnOnce(&Process, &[u8])) {
        if self.shared.is_stopped() {
            return;
        }
        match serde_json::to_vec(message) {
            Ok(mut line) => {
                line.push(b'\n');
                to(&self.process, &line);
            }
            // Then rmcp will not be able to write it either.
            Err(error) => tracing::warn!(%error, "a message is not tracked"),
        }
    }

    /// The connection is over. Whoever left first is who ended it.
    fn over(&self) {
        if !self.shared.is_stopped() {
            self.process.end(&ProcessEnd::Stopped);
        }
    }
}

impl<T: Transport<RoleServer>> Transport<RoleServer> for TrackedTransport<T> {
    type Error = T::Error;

    fn name() -> Cow<'static, str> {
        T::name()
    }

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), T::Error>> + Send + 'static {
        self.show(&item, Process::from_child);
        self.inner.send(item)
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let message = self.inner.receive().await;
        // Nothing is awaited from here on: a message that was received is not lost where this future is dropped.
        match &message {
            Some(message) => self.show(message, Process::from_client),
            None if !self.shared.is_stopped() => self.process.client_left(),
            None => {}
        }
        message
    }

    async fn close(&mut self) -> Result<(), T::Error> {
        let closed = self.inner.close().await;
        self.over();
        closed
    }
}

impl<T> Drop for TrackedTransport<T> {
    fn drop(&mut self) {
        self.over();
    }
}
