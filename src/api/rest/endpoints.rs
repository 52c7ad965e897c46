//! Which endpoints there are, and what is said of each.

use super::openapi::{self, Endpoints, Kind, Operation};
use super::report::{CloseBody, NewSessionBody, RequestsBody};
use super::{events, page, read, write};

const MANY: u64 = u32::MAX as u64;

fn days(operation: Operation, default: u64, most: u64) -> Operation {
    let kind = Kind::Whole(Some(default), 1, most);
    operation.query("days", kind, "How many days, until now")
}

fn page_of(operation: Operation, default: Option<u64>, most: u64) -> Operation {
    operation
        .query(
            "limit",
            Kind::Whole(default, 1, most),
            "How many at the most",
        )
        .query(
            "offset",
            Kind::Whole(Some(0), 0, i64::MAX.unsigned_abs()),
            "How many are left out before",
        )
}

/// All of them.
pub(super) fn endpoints() -> Endpoints {
    let op = Operation::new;
    let health = |id| op(id, "How the daemon is, with figures");
    let endpoints = Endpoints::new()
        .get("/health", read::health, health("health"))
        .get("/api/health", read::health, health("apiHealth"))
        .get(
            "/health/live",
            read::live,
            op(
                "live",
                "The process answers: start it anew when it does not",
            ),
        )
        .get(
            "/health/ready",
            read::ready,
            op("ready", "Whether requests should be sent here").may_be_unready(),
        )
        .get(
            "/metrics",
            read::metrics,
            op("metrics", "Figures in Prometheus' text format"),
        )
        .get(
            "/api/mcp/health",
            read::mcp_health,
            op("mcpHealth", "That the API answers"),
        )
        .get(
            "/api/mcp/status",
            read::status,
            op("status", "How the daemon and the servers behind it are"),
        )
        .get(
            "/api/mcp/config",
            read::config,
            op("config", "Where the daemon relays MCP"),
        )
        .get(
            "/api/openapi.json",
            openapi::openapi,
            op("openapi", "This document"),
        )
        .get_page("/docs", page::html)
        .get_page("/docs/page.js", page::script)
        .get_page("/docs/page.css", page::style);
    reports(live(of_the_command_line(questions(endpoints))))
}

/// What the query commands ask, each what it prints.
fn of_the_command_line(endpoints: Endpoints) -> Endpoints {
    let op = Operation::new;
    let most = u64::from(read::MOST_ROWS);
    let between = |operation: Operation, what| {
        operation.query("since", Kind::Instant, what).query(
            "until",
            Kind::Instant,
            "Up to here; now where it is not given",
        )
    };
    let sessions = op("querySessions", "Sessions, newest activity first")
        .query(
            "active",
            Kind::Flag(true),
            "Whether those that are active are among them",
        )
        .query(
            "idle",
            Kind::Flag(true),
            "Whether those that are idle are among them",
        )
        .query(
            "disconnected",
            Kind::Flag(true),
            "Whether those that ended are among them",
        )
        .query("client", Kind::Text, "Only those of this client type")
        .query("server", Kind::Text, "Only those with this server")
        .query(
            "with_calls",
            Kind::Flag(false),
            "Only those with at least one call",
        );
    let sessions = between(sessions, "Only those whose last activity was after this");
    let disconnected = op("queryDisconnected", "Sessions that ended, with statistics");
    let disconnected = between(
        disconnected,
        "Only those that ended after this; a week ago where neither is given",
    );
    let stats = op("querySessionStats", "Sessions by client type");
    let stats = between(stats, "Only those that connected after this");
    endpoints
        .get(
            "/api/mcp/query/sessions",
            read::query_sessions,
            page_of(sessions, Some(50), most).of_store(),
        )
        .get(
            "/api/mcp/query/sessions/disconnected",
            read::query_disconnected,
            page_of(disconnected, Some(50), most).of_store(),
        )
        .get(
            "/api/mcp/query/sessions/stats",
            read::query_stats,
            stats.of_store(),
        )
        .get(
            "/api/mcp/query/sessions/{session_id}",
            read::query_session,
            page_of(
                op("querySession", "One session with its requests").of_session(),
                Some(50),
                most,
            )
            .of_store(),
        )
}

fn questions(endpoints: Endpoints) -> Endpoints {
    let op = Operation::new;
    let session = |operation: Operation| {
        operation.query("session_id", Kind::Session, "Only those of this session")
    };
    let clients = op("clients", "Sessions, newest activity first").query(
        "status_filter",
        Kind::Word(&["active", "idle", "disconnected", "all"], None),
        "Only these; without it all that are not disconnected",
    );
    let usage = op(
        "usageSummary",
        "What successful requests used, in sum and by tool",
    )
    .query("start_date", Kind::Instant, "From when on")
    .query("end_date", Kind::Instant, "Until when")
    .query(
        "days",
        Kind::Whole(Some(30), 1, 365),
        "How many days; counted from a date that is given",
    );
    let errors = op("errors", "The newest requests that did not succeed")
        .query(
            "severity",
            Kind::Word(&["all", "error", "timeout"], Some("all")),
            "Only these",
        )
        .query(
            "limit",
            Kind::Whole(Some(50), 1, 200),
            "How many at the most",
        );
    let logs = op("logs", "Requests, newest first")
        .query(
            "level",
            Kind::Word(&["all", "info", "warning", "error"], Some("all")),
            "Only these",
        )
        .query(
            "search",
            Kind::Text,
            "Only those with this in the tool's name or the error message",
        );
    let analytics = days(op("analytics", "Trends, ratios and response times"), 30, 90);
    let analytics = analytics.query(
        "compare",
        Kind::Flag(true),
        "Whether to compare with the same length of time before",
    );
    let pricing = op("pricing", "What the tokens of models cost")
        .query("provider", Kind::Text, "Part of the provider's name")
        .query("model", Kind::Text, "Part of the model's name");
    let disconnected = op(
        "disconnectedSessions",
        "Sessions that ended, with statistics",
    );
    endpoints
        .get(
            "/api/mcp/clients",
            read::clients,
            page_of(clients, None, MANY).of_store(),
        )
        .get(
            "/api/mcp/sessions",
            read::sessions,
            op("sessions", "How many sessions are active").of_store(),
        )
        .get(
            "/api/mcp/sessions/health",
            read::sessions_health,
            op("sessionsHealth", "How sessions are right now").of_store(),
        )
        .get(
            "/api/mcp/sessions/disconnected",
            read::disconnected,
            page_of(days(disconnected, 7, 30), Some(50), 200).of_store(),
        )
        .get(
            "/api/mcp/sessions/{session_id}",
            read::session,
            page_of(
                op("session", "One session with its requests").of_session(),
                Some(100),
                1_000,
            )
            .of_store(),
        )
        .get(
            "/api/mcp/usage/summary",
            read::usage_summary,
            usage.of_store(),
        )
        .get("/api/mcp/pricing", read::pricing, pricing.of_store())
        .get("/api/mcp/errors", read::errors, session(errors).of_store())
        .get("/api/mcp/analytics", read::analytics, analytics.of_store())
        .get(
            "/api/mcp/logs",
            read::logs,
            page_of(session(logs), Some(100), 1_000).of_store(),
        )
}

fn live(endpoints: Endpoints) -> Endpoints {
    let operation = Operation::new(
        "events",
        "What happens, as it happens: server-sent events, the data of each a LiveEvent",
    );
    let operation = operation
        .query(
            "types",
            Kind::Words(&[
                "session_opened",
                "session_idle",
                "session_closed",
                "operation_finished",
            ]),
            "Only these, with commas between them",
        )
        .query("session_id", Kind::Session, "Only those of this session")
        .query("user_id", Kind::Session, "Only those of this user")
        .query(
            "server",
            Kind::Text,
            "Only those of sessions with this MCP server",
        )
        .query(
            "seconds",
            Kind::Whole(None, 0, events::LONGEST),
            "The stream ends after so long; 0: as soon as everything was sent that is there",
        )
        .query(
            "last_event_id",
            Kind::Event,
            "Goes on behind this event; 0-0-0: from the oldest on that is kept",
        )
        .header(
            "Last-Event-ID",
            Kind::Event,
            "The same, as browsers send it; goes before last_event_id",
        );
    endpoints.get("/api/mcp/events", events::events, operation.of_store())
}

fn reports(endpoints: Endpoints) -> Endpoints {
    let op = Operation::new;
    let not_reported = "The session is not one that its server reports";
    endpoints
        .post(
            "/api/mcp/sessions",
            write::open_session,
            op("openSession", "A session began")
                .body::<NewSessionBody>(false)
                .of_store(),
        )
        .post(
            "/api/mcp/sessions/{session_id}/requests",
            write::requests,
            op(
                "reportRequests",
                "Requests were answered; those that were reported before count once",
            )
            .of_session()
            .body::<RequestsBody>(true)
            .conflicts(not_reported)
            .of_store(),
        )
        .post(
            "/api/mcp/sessions/{session_id}/heartbeat",
            write::heartbeat,
            op("heartbeat", "The server still works for the session")
                .of_session()
                .no_body()
                .conflicts("The session is over, or not one that its server reports")
                .of_store(),
        )
        .post(
            "/api/mcp/sessions/{session_id}/close",
            write::close_session,
            op(
                "closeSession",
                "The session is over; to say it again changes nothing",
            )
            .of_session()
            .body::<CloseBody>(false)
            .conflicts(not_reported)
            .of_store(),
        )
}
