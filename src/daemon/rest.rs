//! The REST API's listener and server.

use std::io;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::error::StartError;
use super::patient::Patient;
use crate::api::rest::{RestDeps, router};

/// How long an answer under way may keep the daemon from its end.
const LAST_ANSWERS: std::time::Duration = std::time::Duration::from_secs(1);

/// Listens where the API is to be. Nobody is asked who they are there, so only this machine may reach it.
pub(super) async fn bind(listen: &str) -> Result<TcpListener, StartError> {
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| StartError::api_listen(listen, error))?;
    let local = listener
        .local_addr()
        .map_err(|error| StartError::api_listen(listen, error))?;
    if local.ip().is_loopback() {
        Ok(listener)
    } else {
        Err(StartError::open_api(listen))
    }
}

/// The API while it is served.
pub(super) struct RestServer {
    task: JoinHandle<()>,
    stop: CancellationToken,
}

impl RestServer {
    pub(super) fn start(listener: TcpListener, deps: RestDeps) -> io::Result<Self> {
        tracing::info!("the API is at http://{}", listener.local_addr()?);
        let stop = deps.end_streams.clone();
        let stopped = stop.clone().cancelled_owned();
        // An answer does not wait for the acknowledgement of its head.
        let listener = listener.tap_io(|connection| {
            if let Err(error) = connection.set_nodelay(true) {
                tracing::debug!(%error, "a connection to the API goes without TCP_NODELAY");
            }
        });
        let listener = Patient {
            listener,
            patience: deps.write_timeout,
        };
        let server = axum::serve(listener, router(deps)).with_graceful_shutdown(stopped);
        let task = tokio::spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "the API ended");
            }
        });
        Ok(Self { task, stop })
    }

    /// Takes nothing new, and ends when what is under way is answered, or a second later.
    pub(super) async fn stop(mut self) {
        self.stop.cancel();
        if tokio::time::timeout(LAST_ANSWERS, &mut self.task)
            .await
            .is_err()
        {
            self.task.abort();
        }
    }
}
