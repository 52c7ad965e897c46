//! The REST API's listener and server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::error::StartError;
use super::patient::Patient;
use crate::api::rest::{Access, RestDeps, router};
use crate::auth::{self, JwtOptions, Jwts, Login};
use crate::config::{JwtSettings, ServeOptions};
use crate::model::Clock;
use crate::store::Store;

/// How long an answer under way may keep the daemon from its end.
const LAST_ANSWERS: std::time::Duration = std::time::Duration::from_secs(1);

/// Listens where the API is to be.
pub(super) async fn bind(listen: &str) -> Result<TcpListener, StartError> {
    TcpListener::bind(listen)
        .await
        .map_err(|error| StartError::api_listen(listen, error))
}

/// Who gets in at `listener`, if there is one: on loopback everybody of this machine, elsewhere who has a token or a JWT.
///
/// # Errors
/// When nobody could get in, when the keys for JWTs cannot be read, when the store does not say which tokens there are.
pub(super) async fn access(
    options: &ServeOptions,
    listener: Option<&TcpListener>,
    store: &Store,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<Access> {
    let Some(listener) = listener else {
        return Ok(Access::default());
    };
    let options = &options.api_access;
    let address = listener.local_addr()?;
    let guard_loopback = address.ip().is_loopback();
    // Read in any case: a key that is wrong is told now, and not when the address changes.
    let jwts = options.jwt.as_ref().map(jwts).transpose()?;
    let login = if guard_loopback {
        if jwts.is_some() {
            tracing::info!("the API listens on loopback and asks nobody for a JWT");
        }
        None
    } else if options.no_auth {
        tracing::warn!(
            "whoever reaches {address} gets into the API: it asks nobody who they are (no_auth)"
        );
        None
    } else {
        if jwts.is_none() && auth::usable(store, clock.now()).await? == 0 {
            return Err(StartError::open_api(&address).into());
        }
        Some(Login::new(store.clone(), clock.clone(), jwts))
    };
    Ok(Access {
        guard_loopback,
        login,
        cors_origins: options.cors_origins.clone(),
    })
}

fn jwts(settings: &JwtSettings) -> Result<Jwts, StartError> {
    let options = JwtOptions {
        key_file: settings.key_file.clone(),
        secret_file: settings.secret_file.clone(),
        issuer: settings.issuer.clone(),
        audience: settings.audience.clone(),
    };
    Jwts::new(&options).map_err(|error| StartError::jwt_keys(&error))
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
        let listener = Patient {
            listener,
            patience: deps.write_timeout,
        };
        let listener = listener.tap_io(|connection| {
            if let Err(error) = connection.io.set_nodelay(true) {
                tracing::debug!(%error, "a connection to the API goes without TCP_NODELAY");
            }
        });
        let server = axum::serve(
            listener,
            router(deps).into_make_service_with_connect_info::<SocketAddr>(),
        )
        .with_graceful_shutdown(stopped);
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
