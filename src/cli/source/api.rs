//! Questions to the API of a daemon, and what is told when it does not answer them.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use form_urlencoded::Serializer;
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url, redirect};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cli::error::{CliError, ExitStatus};
use crate::config::RemoteApi;
use crate::model::{Period, SessionId, SessionStatus};
use crate::reports::{
    DisconnectedSessions, Page, PriceRow, SessionDetails, SessionFilter, SessionPage, SessionStats,
};

/// How long a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(2);
/// Longest answer that is read.
const LONGEST: usize = 256 << 20;

/// A daemon's API.
#[derive(Debug)]
pub(crate) struct Api {
    client: Client,
    url: String,
    authorization: Option<HeaderValue>,
}

/// The body of an answer that is none.
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

#[derive(Deserialize)]
struct Pricing {
    pricing: Vec<PriceRow>,
}

/// The parameters of a question.
#[derive(Default)]
struct Query(Vec<(&'static str, String)>);

impl Query {
    fn with(mut self, name: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        self.0.push((name, value.to_string()));
        self
    }

    fn maybe(self, name: &'static str, value: Option<&(impl ToString + ?Sized)>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn page(self, page: Page) -> Self {
        self.with("limit", &page.limit).with("offset", &page.offset)
    }

    fn period(self, period: Option<Period>) -> Self {
        let (start, end) = (period.map(|p| p.start), period.map(|p| p.end));
        self.maybe("since", start.as_ref())
            .maybe("until", end.as_ref())
    }
}

/// An answer: what was asked for, or that there is none.
enum Answer<T> {
    Found(T),
    Missing,
}

impl Api {
    pub(super) fn new(remote: &RemoteApi) -> Result<Self, CliError> {
        crate::probe::install_tls_provider();
        let url = Url::parse(&remote.url).map_err(|error| CliError::internal(&error))?;
        let mut builder = Client::builder()
            .user_agent(concat!("archonctl/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            // The token is for whom the URL names.
            .redirect(redirect::Policy::none());
        if is_here(&url) {
            // A proxy of the environment is no road to this very machine.
            builder = builder.no_proxy();
        }
        let client = builder.build().map_err(|error| {
            let message = format!("the HTTP client could not be set up: {}", innermost(&error));
            CliError::new(ExitStatus::Connection, "no_connection", message)
                .with_hint("look at the machine's certificates (SSL_CERT_FILE names others)")
        })?;
        let authorization = remote.token.as_ref().map(|token| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", token.0))
                .map_err(|error| CliError::internal(&error))?;
            value.set_sensitive(true);
            Ok::<_, CliError>(value)
        });
        Ok(Self {
            client,
            url: remote.url.clone(),
            authorization: authorization.transpose()?,
        })
    }

    pub(super) async fn sessions(&self, filter: &SessionFilter) -> Result<SessionPage, CliError> {
        let mut query = Query::default()
            .period(filter.period)
            .maybe("client", filter.client_type.as_deref())
            .maybe("server", filter.server.as_deref())
            .with("with_calls", &filter.with_calls)
            .page(filter.page);
        if !filter.statuses.is_empty() {
            for (name, status) in [
                ("active", SessionStatus::Active),
                ("idle", SessionStatus::Idle),
                ("disconnected", SessionStatus::Disconnected),
            ] {
                query = query.with(name, &filter.statuses.contains(&status));
            }
        }
        self.must_answer("/api/mcp/query/sessions", query).await
    }

    pub(super) async fn session(
        &self,
        id: SessionId,
        page: Page,
    ) -> Result<Option<SessionDetails>, CliError> {
        let path = format!("/api/mcp/query/sessions/{id}");
        match self.get(&path, Query::default().page(page)).await? {
            Answer::Found(details) => Ok(Some(details)),
            Answer::Missing => Ok(None),
        }
    }

    pub(super) async fn disconnected(
        &self,
        period: Period,
        page: Page,
    ) -> Result<DisconnectedSessions, CliError> {
        let query = Query::default().period(Some(period)).page(page);
        let path = "/api/mcp/query/sessions/disconnected";
        let answer: DisconnectedSessions = self.must_answer(path, query).await?;
        // Who asks for seven days is told of seven days.
        Ok(DisconnectedSessions { period, ..answer })
    }

    pub(super) async fn session_stats(
        &self,
        period: Option<Period>,
    ) -> Result<SessionStats, CliError> {
        let query = Query::default().period(period);
        let answer: SessionStats = self
            .must_answer("/api/mcp/query/sessions/stats", query)
            .await?;
        Ok(SessionStats { period, ..answer })
    }

    pub(super) async fn prices(
        &self,
        provider: Option<&str>,
        model: Option<&str>,
    ) -> Result<Vec<PriceRow>, CliError> {
        let query = Query::default()
            .maybe("provider", provider)
            .maybe("model", model);
        let answer: Pricing = self.must_answer("/api/mcp/pricing", query).await?;
        Ok(answer.pricing)
    }

    async fn must_answer<T: DeserializeOwned>(
        &self,
        path: &str,
        query: Query,
    ) -> Result<T, CliError> {
        match self.get(path, query).await? {
            Answer::Found(answer) => Ok(answer),
            Answer::Missing => Err(self.other()),
        }
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        query: Query,
    ) -> Result<Answer<T>, CliError> {
        let query = Serializer::new(String::new())
            .extend_pairs(query.0)
            .finish();
        let mut request = self.client.get(format!("{}{path}?{query}", self.url));
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let response = request.send().await.map_err(|error| self.broken(&error))?;
        let status = response.status();
        let wait = response.headers().get(RETRY_AFTER).cloned();
        let body = self.body(response).await?;
        if status.is_success() {
            let answer = serde_json::from_slice(&body);
            return answer.map(Answer::Found).map_err(|_| self.other());
        }
        let problem = serde_json::from_slice::<Problem>(&body).ok();
        let problem = problem.map(|problem| shortened(&problem.detail));
        if status == StatusCode::NOT_FOUND
            && problem
                .as_ref()
                .is_some_and(|detail| detail.starts_with("no session"))
        {
            return Ok(Answer::Missing);
        }
        Err(self.refused(status, problem.as_deref(), wait.as_ref()))
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, CliError> {
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.broken(&error))?
        {
            if body.len() + chunk.len() > LONGEST {
                let message = format!("the answer of {} is longer than 256 MiB", self.url);
                return Err(CliError::new(ExitStatus::Failure, "api_answer", message)
                    .with_hint("ask for less with --limit"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Nobody is there, or goes away.
    fn broken(&self, error: &reqwest::Error) -> CliError {
        let why = if error.is_timeout() {
            "it takes too long".to_owned()
        } else {
            innermost(error)
        };
        let message = format!("no answer from the API at {}: {why}", self.url);
        CliError::new(ExitStatus::Connection, "no_connection", message).with_hint(
            "does `archonctl serve` run there, and is the port that of --api-listen? For https, is its certificate trusted here \
             (SSL_CERT_FILE names other authorities)?",
        )
    }

    /// What answers is no API of this version.
    fn other(&self) -> CliError {
        let message = format!(
            "what answers at {} is no archonctl, or one of another version",
            self.url
        );
        CliError::new(ExitStatus::Connection, "no_api", message)
            .with_hint("is it the address of --api-listen, and not of --listen? Are both sides of the same version?")
    }

    fn refused(
        &self,
        status: StatusCode,
        detail: Option<&str>,
        wait: Option<&HeaderValue>,
    ) -> CliError {
        let says = detail.map_or_else(|| format!("status {status}"), str::to_owned);
        let message = format!("the API at {} says: {says}", self.url);
        let error = |status, code| CliError::new(status, code, message);
        match status {
            StatusCode::UNAUTHORIZED if self.authorization.is_none() => {
                error(ExitStatus::Connection, "unauthorized").with_hint(
                    "set ARCHONCTL_API_TOKEN, or name a file that holds the token with --api-token-file",
                )
            }
            StatusCode::UNAUTHORIZED => error(ExitStatus::Connection, "unauthorized").with_hint(
                "`archonctl token list`, where the store is, says which tokens there are; `archonctl token create` makes another",
            ),
            StatusCode::FORBIDDEN => error(ExitStatus::Connection, "forbidden").with_hint(
                "queries need a token with the scope read: `archonctl token create NAME --scope read`",
            ),
            StatusCode::TOO_MANY_REQUESTS => {
                let seconds = wait.and_then(|wait| wait.to_str().ok()).unwrap_or("60");
                error(ExitStatus::Connection, "too_many_tries")
                    .with_hint(format!("try again in {} seconds", shortened(seconds)))
            }
            StatusCode::SERVICE_UNAVAILABLE if detail.is_some() => {
                error(ExitStatus::Connection, "store_away")
                    .with_hint("its log says more; try again in a moment")
            }
            StatusCode::UNPROCESSABLE_ENTITY if detail.is_some() => {
                error(ExitStatus::Usage, "api_refused")
                    .with_hint("are both sides of the same version?")
            }
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => self.other(),
            _ if status.is_redirection() => error(ExitStatus::Connection, "api_status")
                .with_hint("redirects are not followed: give the URL it redirects to"),
            _ => error(ExitStatus::Connection, "api_status")
                .with_hint("is it the address of the API of `archonctl serve`?"),
        }
    }
}

/// Whether `url` is on this machine.
fn is_here(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

/// The cause at the bottom: those above it only say that there is one.
fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    shortened(&error.to_string())
}

/// What a stranger says, in no more than 300 characters.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 300;
    let mut short: String = text.chars().take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() {
        short.push('…');
    }
    short
}
