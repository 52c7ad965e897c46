//! The handlers that read: from a request's parameters to a report.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use schemars::{Schema, SchemaGenerator};

use super::access::Stranger;
use super::answers::{
    Clients, Config, McpHealth, PricingAnswer, Probe, SessionsAnswer, StatusAnswer, Usage,
};
use super::openapi::Outcome;
use super::parameters::{Parameters, SessionPath};
use super::{Api, ApiError};
use crate::api::health::{self, Health};
use crate::api::metrics::{metrics_text, refusals_text};
use crate::model::{OperationStatus, Period, SessionId, SessionStatus};
use crate::reports::{
    self, Analytics, DisconnectedSessions, ErrorPage, LogFilter, LogLevel, LogPage, Page,
    SessionDetails, SessionFilter, SessionPage, SessionStats, SessionsHealth,
};

type Answer<T> = Result<Json<T>, ApiError>;

/// How many sessions are listed at the most where the ended ones are among them and no limit is given.
const CLIENTS: u32 = 1_000;

/// How many rows a question of the command line may ask for.
pub(super) const MOST_ROWS: u32 = 10_000;

pub(super) async fn health(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<Health> {
    Parameters::none(query.as_deref())?;
    let view = (api.deps.health)();
    Ok(Json(Health::of(view, api.uptime_seconds())))
}

/// Whether this process runs: an orchestrator that is told no starts it anew.
pub(super) async fn live(RawQuery(query): RawQuery) -> Answer<Probe> {
    Parameters::none(query.as_deref())?;
    Ok(Json(Probe {
        status: "ok",
        reasons: Vec::new(),
    }))
}

/// 200, or 503 with the reasons.
pub(super) struct Ready {
    ready: bool,
    probe: Probe,
}

impl Outcome for Ready {
    const STATUS: u16 = 200;

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<Probe>())
    }
}

impl IntoResponse for Ready {
    fn into_response(self) -> Response {
        if self.ready {
            Json(self.probe).into_response()
        } else {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            (status, [(header::RETRY_AFTER, "5")], Json(self.probe)).into_response()
        }
    }
}

/// Whether requests should be sent here: not while it stops, and not without its store. Those whom nobody has asked who they are
/// are not told why.
pub(super) async fn ready(
    State(api): State<Arc<Api>>,
    stranger: Option<Extension<Stranger>>,
    RawQuery(query): RawQuery,
) -> Result<Ready, ApiError> {
    Parameters::none(query.as_deref())?;
    let mut reasons = health::reasons(&(api.deps.health)());
    if (api.deps.stopping)() {
        reasons.push("the daemon is about to stop".to_owned());
    } else if let Err(error) = reports::active_sessions(&api.deps.store, api.now()).await {
        tracing::warn!(%error, "the store did not answer whether it is there");
        reasons.push("the store does not answer".to_owned());
    }
    let status = if reasons.is_empty() {
        "ok"
    } else {
        "unavailable"
    };
    let ready = reasons.is_empty();
    if stranger.is_some() {
        reasons.clear();
    }
    Ok(Ready {
        ready,
        probe: Probe { status, reasons },
    })
}

/// Figures as Prometheus reads them.
pub(super) struct MetricsText(String);

impl Outcome for MetricsText {
    const STATUS: u16 = 200;
    const KIND: &'static str = "text/plain";

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<String>())
    }
}

impl IntoResponse for MetricsText {
    fn into_response(self) -> Response {
        let kind = "text/plain; version=0.0.4; charset=utf-8";
        ([(header::CONTENT_TYPE, kind)], self.0).into_response()
    }
}

pub(super) async fn metrics(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Result<MetricsText, ApiError> {
    Parameters::none(query.as_deref())?;
    let (view, uptime) = ((api.deps.health)(), api.uptime_seconds());
    let metrics = &api.deps.tracker.metrics;
    let text = metrics_text(&view, metrics, uptime);
    Ok(MetricsText(text + &refusals_text(&api.refusals.counts())))
}

pub(super) async fn mcp_health(RawQuery(query): RawQuery) -> Answer<McpHealth> {
    Parameters::none(query.as_deref())?;
    Ok(Json(McpHealth {
        status: "healthy",
        service: "mcp",
    }))
}

pub(super) async fn status(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<StatusAnswer> {
    Parameters::none(query.as_deref())?;
    let view = (api.deps.health)();
    let mut reasons = health::reasons(&view);
    let away = view
        .upstreams
        .iter()
        .filter(|upstream| upstream.reachable == Some(false));
    let away: Vec<_> = away
        .map(|upstream| format!("the MCP server '{}' cannot be reached", upstream.name))
        .collect();
    let status = if (api.deps.stopping)() {
        "stopping"
    } else if !reasons.is_empty() {
        "unhealthy"
    } else if !away.is_empty() {
        "unreachable"
    } else {
        "running"
    };
    reasons.extend(away);
    Ok(Json(StatusAnswer {
        status,
        uptime: Some(api.uptime_seconds()),
        logs: Vec::new(),
        reasons,
    }))
}

pub(super) async fn config(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<Config> {
    Parameters::none(query.as_deref())?;
    Ok(Json(Config {
        host: api.deps.mcp_address.ip().to_string(),
        port: api.deps.mcp_address.port(),
        transport: "streamable-http",
        model_choice: None,
    }))
}

pub(super) async fn clients(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<Clients> {
    use SessionStatus::{Active, Disconnected, Idle};
    let parameters = Parameters::of(query.as_deref(), &["status_filter", "limit", "offset"])?;
    let words = [
        ("active", vec![Active]),
        ("idle", vec![Idle]),
        ("disconnected", vec![Disconnected]),
        ("all", Vec::new()),
    ];
    let statuses = parameters.choice("status_filter", &words)?;
    let statuses = statuses.map_or_else(|| vec![Active, Idle], Clone::clone);
    let open_only = !statuses.is_empty() && !statuses.contains(&Disconnected);
    let default = if open_only { u32::MAX } else { CLIENTS };
    let filter = SessionFilter {
        statuses,
        page: parameters.page(default, u32::MAX)?,
        ..SessionFilter::default()
    };
    let page = reports::list_sessions(&api.deps.store, &filter).await?;
    Ok(Json(Clients {
        clients: page.sessions,
        total: page.total,
    }))
}

pub(super) async fn sessions(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<SessionsAnswer> {
    Parameters::none(query.as_deref())?;
    Ok(Json(SessionsAnswer {
        active_sessions: reports::active_sessions(&api.deps.store, api.now()).await?,
        session_timeout: api.deps.session_timeout.as_secs(),
        server_uptime_seconds: api.uptime_seconds(),
    }))
}

pub(super) async fn sessions_health(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<SessionsHealth> {
    Parameters::none(query.as_deref())?;
    let health = reports::sessions_health(&api.deps.store, api.now()).await?;
    Ok(Json(health))
}

pub(super) async fn disconnected(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<DisconnectedSessions> {
    let parameters = Parameters::of(query.as_deref(), &["days", "limit", "offset"])?;
    let period = parameters.days(7, 30, api.now())?;
    let page = parameters.page(50, 200)?;
    let answer = reports::disconnected_sessions(&api.deps.store, period, page).await?;
    Ok(Json(answer))
}

pub(super) async fn session(
    State(api): State<Arc<Api>>,
    SessionPath(id): SessionPath,
    RawQuery(query): RawQuery,
) -> Answer<SessionDetails> {
    let parameters = Parameters::of(query.as_deref(), &["limit", "offset"])?;
    let page: Page = parameters.page(100, 1_000)?;
    details(&api, id, page).await
}

/// Sessions as `archonctl sessions list` asks for them.
pub(super) async fn query_sessions(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<SessionPage> {
    let allowed = [
        "active",
        "idle",
        "disconnected",
        "since",
        "until",
        "client",
        "server",
        "with_calls",
        "limit",
        "offset",
    ];
    let parameters = Parameters::of(query.as_deref(), &allowed)?;
    let mut statuses = Vec::new();
    for (name, status) in [
        ("active", SessionStatus::Active),
        ("idle", SessionStatus::Idle),
        ("disconnected", SessionStatus::Disconnected),
    ] {
        if parameters.flag(name, true)? {
            statuses.push(status);
        }
    }
    let none = statuses.is_empty();
    let filter = SessionFilter {
        statuses: if statuses.len() == 3 {
            Vec::new()
        } else {
            statuses
        },
        period: parameters.stretch(api.now())?,
        client_type: parameters.text("client").map(str::to_owned),
        server: parameters.text("server").map(str::to_owned),
        user_agent: None,
        with_calls: parameters.flag("with_calls", false)?,
        page: parameters.page(50, MOST_ROWS)?,
    };
    if none {
        return Ok(Json(SessionPage {
            sessions: Vec::new(),
            total: 0,
        }));
    }
    let page = reports::list_sessions(&api.deps.store, &filter).await?;
    Ok(Json(page))
}

/// Sessions that ended, as `archonctl sessions disconnected` asks for them.
pub(super) async fn query_disconnected(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<DisconnectedSessions> {
    let allowed = ["since", "until", "limit", "offset"];
    let parameters = Parameters::of(query.as_deref(), &allowed)?;
    let period = parameters.stretch(api.now())?;
    let period = period.unwrap_or_else(|| Period::last_days(7, api.now()));
    let page = parameters.page(50, MOST_ROWS)?;
    let answer = reports::disconnected_sessions(&api.deps.store, period, page).await?;
    Ok(Json(answer))
}

/// Sessions by client type, as `archonctl sessions stats` asks for them.
pub(super) async fn query_stats(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<SessionStats> {
    let parameters = Parameters::of(query.as_deref(), &["since", "until"])?;
    let period = parameters.stretch(api.now())?;
    let stats = reports::session_stats(&api.deps.store, period).await?;
    Ok(Json(stats))
}

/// One session, as `archonctl sessions show` asks for it.
pub(super) async fn query_session(
    State(api): State<Arc<Api>>,
    SessionPath(id): SessionPath,
    RawQuery(query): RawQuery,
) -> Answer<SessionDetails> {
    let parameters = Parameters::of(query.as_deref(), &["limit", "offset"])?;
    let page = parameters.page(50, MOST_ROWS)?;
    details(&api, id, page).await
}

async fn details(api: &Api, id: SessionId, page: Page) -> Answer<SessionDetails> {
    let details = reports::session_details(&api.deps.store, id, page).await?;
    details
        .map(Json)
        .ok_or_else(|| ApiError::not_found(format!("no session has the id {id}")))
}

pub(super) async fn usage_summary(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<Usage> {
    let parameters = Parameters::of(query.as_deref(), &["start_date", "end_date", "days"])?;
    let period = parameters.period(30, 365, api.now())?;
    let usage = reports::usage_summary(&api.deps.store, period).await?;
    Ok(Json(usage.into()))
}

pub(super) async fn pricing(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<PricingAnswer> {
    let parameters = Parameters::of(query.as_deref(), &["provider", "model"])?;
    let (provider, model) = (parameters.text("provider"), parameters.text("model"));
    let pricing = reports::prices(&api.deps.store, provider, model).await?;
    Ok(Json(PricingAnswer {
        total: pricing.len(),
        pricing,
        note: "US dollars for 1,000 tokens; token counts and costs of requests are estimates",
    }))
}

pub(super) async fn errors(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<ErrorPage> {
    let parameters = Parameters::of(query.as_deref(), &["severity", "limit", "session_id"])?;
    let words = [
        ("all", None),
        ("error", Some(OperationStatus::Error)),
        ("timeout", Some(OperationStatus::Timeout)),
    ];
    let severity = parameters.choice("severity", &words)?.copied().flatten();
    let limit = parameters.number("limit", 50, 1..=200)?;
    let session = parameters.session_id("session_id")?;
    let answer = reports::errors(&api.deps.store, severity, session, limit, api.now()).await?;
    Ok(Json(answer))
}

pub(super) async fn analytics(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<Analytics> {
    let parameters = Parameters::of(query.as_deref(), &["days", "compare"])?;
    let period = parameters.days(30, 90, api.now())?;
    let compare = parameters.flag("compare", true)?;
    let answer = reports::analytics(&api.deps.store, &api.digest, period, compare).await?;
    Ok(Json(answer))
}

pub(super) async fn logs(
    State(api): State<Arc<Api>>,
    RawQuery(query): RawQuery,
) -> Answer<LogPage> {
    let allowed = ["level", "search", "session_id", "limit", "offset"];
    let parameters = Parameters::of(query.as_deref(), &allowed)?;
    let words = [
        ("all", None),
        ("info", Some(LogLevel::Info)),
        ("warning", Some(LogLevel::Warning)),
        ("error", Some(LogLevel::Error)),
    ];
    let filter = LogFilter {
        level: parameters.choice("level", &words)?.copied().flatten(),
        search: parameters.text("search").map(str::to_owned),
        session_id: parameters.session_id("session_id")?,
    };
    let page = parameters.page(100, 1_000)?;
    let (store, digest) = (&api.deps.store, &api.digest);
    let answer = reports::logs(store, digest, &filter, page, api.now()).await?;
    Ok(Json(answer))
}
