//! Where queries get their answers: from a store, or from the API of a daemon, which gives the same.
//!
//! Every question of a query command is here, once for both. What an answer means is `reports`' business, how it looks the
//! command's.

mod api;

use super::Context;
use super::error::CliError;
use super::output::StoreArgs;
use super::store::{Place, block_on, open_store};
use crate::config::{Key, RemoteApi, Settings};
use crate::model::{Period, SessionId};
use crate::reports::{
    self, DisconnectedSessions, Page, PriceRow, SessionDetails, SessionFilter, SessionPage,
    SessionStats,
};
use crate::store::Store;

use api::Api;

/// Where the answer comes from.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Store options")]
pub(crate) struct SourceArgs {
    #[command(flatten)]
    store: StoreArgs,

    /// Ask the API of a daemon in place of a database, such as https://archon.example.com
    #[arg(long, value_name = "URL", value_hint = clap::ValueHint::Url)]
    api_url: Option<String>,

    /// A file with the token for it; ARCHONCTL_API_TOKEN holds the token itself
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    api_token_file: Option<String>,
}

impl SourceArgs {
    /// What flags, environment and files say.
    pub(crate) fn source(&self, context: &Context) -> Result<Source, CliError> {
        let flags = self
            .store
            .flags()
            .with(Key::ApiUrl, self.api_url.clone())
            .with(Key::ApiTokenFile, self.api_token_file.clone());
        let settings = Settings::resolve(&context.sources, flags)?;
        Ok(match settings.remote_api(&context.sources)? {
            Some(remote) => Source::Api(remote),
            None => Source::Store(Box::new(Place::of(&settings, context.now)?)),
        })
    }
}

/// Where the answer comes from, resolved.
#[derive(Debug)]
pub(crate) enum Source {
    /// A database, and the journals beside it.
    Store(Box<Place>),
    /// A daemon.
    Api(RemoteApi),
}

impl Source {
    /// Asks.
    pub(crate) fn ask<T>(
        &self,
        question: impl AsyncFnOnce(&Questions) -> Result<T, CliError>,
    ) -> Result<T, CliError> {
        block_on(async {
            let questions = match self {
                Self::Store(place) => Questions::Store(open_store(place).await?),
                Self::Api(remote) => Questions::Api(Api::new(remote)?),
            };
            question(&questions).await
        })
    }
}

/// The questions there are.
pub(crate) enum Questions {
    Store(Store),
    Api(Api),
}

impl Questions {
    /// See [`reports::list_sessions`].
    pub(crate) async fn sessions(&self, filter: &SessionFilter) -> Result<SessionPage, CliError> {
        match self {
            Self::Store(store) => Ok(reports::list_sessions(store, filter).await?),
            Self::Api(api) => api.sessions(filter).await,
        }
    }

    /// See [`reports::session_details`].
    pub(crate) async fn session(
        &self,
        id: SessionId,
        page: Page,
    ) -> Result<Option<SessionDetails>, CliError> {
        match self {
            Self::Store(store) => Ok(reports::session_details(store, id, page).await?),
            Self::Api(api) => api.session(id, page).await,
        }
    }

    /// See [`reports::disconnected_sessions`].
    pub(crate) async fn disconnected(
        &self,
        period: Period,
        page: Page,
    ) -> Result<DisconnectedSessions, CliError> {
        match self {
            Self::Store(store) => Ok(reports::disconnected_sessions(store, period, page).await?),
            Self::Api(api) => api.disconnected(period, page).await,
        }
    }

    /// See [`reports::session_stats`].
    pub(crate) async fn session_stats(
        &self,
        period: Option<Period>,
    ) -> Result<SessionStats, CliError> {
        match self {
            Self::Store(store) => Ok(reports::session_stats(store, period).await?),
            Self::Api(api) => api.session_stats(period).await,
        }
    }

    /// See [`reports::prices`].
    pub(crate) async fn prices(
        &self,
        provider: Option<&str>,
        model: Option<&str>,
    ) -> Result<Vec<PriceRow>, CliError> {
        match self {
            Self::Store(store) => Ok(reports::prices(store, provider, model).await?),
            Self::Api(api) => api.prices(provider, model).await,
        }
    }
}
