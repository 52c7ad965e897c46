//! The tools of the built-in MCP server: what each is for, what it takes, and which report answers it.
//!
//! Owns names, descriptions and bounds. Reads only: no tool changes a session, and none asks the store past
//! `reports`.

use rmcp::model::{CallToolResult, ContentBlock, Tool, ToolAnnotations};
use serde::Serialize;
use serde_json::{Value, json};

use super::McpServerDeps;
use super::arguments::{Arguments, Kind, Parameter, schema};
use crate::api::health::health_json;
use crate::model::{Period, SessionStatus};
use crate::reports::{self, Page, SessionFilter};
use crate::store::StoreError;

/// Which report a tool asks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question {
    HealthCheck,
    SessionInfo,
    ListSessions,
    SessionDetails,
    DisconnectedSessions,
    SessionStats,
    UserStats,
    UsageSummary,
}

/// A tool as it is declared.
#[derive(Debug)]
pub(super) struct Declaration {
    pub(super) name: &'static str,
    title: &'static str,
    about: &'static str,
    pub(super) parameters: &'static [Parameter],
    pub(super) question: Question,
}

const OFFSET: Parameter = Parameter {
    name: "offset",
    about: "Rows to leave out before the first, for the next page.",
    kind: Kind::Integer {
        min: 0,
        max: u32::MAX,
        default: Some(0),
    },
};

const fn limit(max: u32, default: u32) -> Parameter {
    Parameter {
        name: "limit",
        about: "Rows at the most.",
        kind: Kind::Integer {
            min: 1,
            max,
            default: Some(default),
        },
    }
}

const fn days(max: u32, default: Option<u32>, about: &'static str) -> Parameter {
    Parameter {
        name: "days",
        about,
        kind: Kind::Integer {
            min: 1,
            max,
            default,
        },
    }
}

/// Every tool, in the order in which `tools/list` shows them.
pub(super) const TOOLS: &[Declaration] = &[
    Declaration {
        name: "health_check",
        title: "Health of the tracker",
        about: "How the archonctl daemon is: healthy or degraded and why, its uptime, open sessions, records \
                waiting or lost, and whether the MCP servers behind it can be reached.",
        parameters: &[],
        question: Question::HealthCheck,
    },
    Declaration {
        name: "session_info",
        title: "Tracker at a glance",
        about: "How many sessions are active and idle right now, after how many seconds without activity a session \
                ends, and how long the daemon has been up.",
        parameters: &[],
        question: Question::SessionInfo,
    },
    Declaration {
        name: "list_sessions",
        title: "List sessions",
        about: "Tracked MCP sessions, newest activity first: client, user, server, status, start, last activity, \
                counts, and the reason of those that ended. `total` counts all that match, on every page.",
        parameters: &[
            Parameter {
                name: "status",
                about: "Which sessions: open means active and idle together.",
                kind: Kind::Choice(&["open", "active", "idle", "disconnected", "all"]),
            },
            Parameter {
                name: "client_type",
                about: "Only sessions of this client, such as Claude, Cursor or VS Code; case does not matter.",
                kind: Kind::Text,
            },
            limit(200, 50),
            OFFSET,
            Parameter {
                name: "with_calls",
                about: "Leave out sessions that did nothing but connect.",
                kind: Kind::Flag,
            },
        ],
        question: Question::ListSessions,
    },
    Declaration {
        name: "session_details",
        title: "One session",
        about: "One session in full, with a page of its requests (newest first: method, tool, duration, status, \
                error, estimated tokens) and sums over all of them.",
        parameters: &[
            Parameter {
                name: "session_id",
                about: "The session's id, as list_sessions shows it.",
                kind: Kind::SessionId,
            },
            limit(1000, 100),
            OFFSET,
        ],
        question: Question::SessionDetails,
    },
    Declaration {
        name: "disconnected_sessions",
        title: "Sessions that ended",
        about: "Sessions that ended in the last days, newest end first, with how many ended for which reason \
                (client_disconnect, timeout, server_shutdown, error:…) and how long they lasted. The statistics \
                cover the whole period, not the page.",
        parameters: &[
            days(30, Some(7), "How many days back from now."),
            limit(200, 50),
            OFFSET,
        ],
        question: Question::DisconnectedSessions,
    },
    Declaration {
        name: "session_stats",
        title: "Sessions by client",
        about: "Sessions, how they ended, durations and requests for each client type, and all together.",
        parameters: &[days(
            365,
            None,
            "Only sessions that connected in the last so many days; all sessions when left out.",
        )],
        question: Question::SessionStats,
    },
    Declaration {
        name: "user_stats",
        title: "Sessions and usage by user",
        about: "Sessions, requests, estimated tokens and estimated cost for each user, latest activity first. The \
                user without an id gathers the sessions nobody was named for.",
        parameters: &[days(
            365,
            None,
            "Only sessions with activity in the last so many days; all sessions when left out.",
        )],
        question: Question::UserStats,
    },
    Declaration {
        name: "usage_summary",
        title: "Usage",
        about: "Successful requests of the last days in sum and by tool, with estimated tokens and estimated cost.",
        parameters: &[days(365, Some(30), "How many days back from now.")],
        question: Question::UsageSummary,
    },
];

impl Declaration {
    /// The tool as `tools/list` describes it (MCP 2026-07-28, Tools). Every one only reads, and only what this
    /// daemon tracked.
    pub(super) fn tool(&self) -> Tool {
        Tool::new(self.name, self.about, schema(self.parameters))
            .with_title(self.title)
            .with_annotations(
                ToolAnnotations::new()
                    .read_only(true)
                    .destructive(false)
                    .idempotent(true)
                    .open_world(false),
            )
    }
}

/// Why a call has no answer; shown to the caller as a result with `isError`.
#[derive(Debug)]
pub(super) enum Refusal {
    /// What was asked for does not exist.
    Unknown(String),
    /// The store did not answer.
    Store(StoreError),
    /// The answer is no JSON; an error in this program.
    Unwritable(serde_json::Error),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Refusal {
    /// What the caller is told. The store's own words may name hosts and tables: they go to the log.
    fn told(&self, tool: &str) -> String {
        match self {
            Self::Unknown(text) => text.clone(),
            Self::Store(error) => {
                tracing::warn!(tool, %error, "the store did not answer the built-in MCP server");
                if error.is_transient() {
                    "the store does not answer at the moment; ask again in a little while"
                        .to_owned()
                } else {
                    "the store cannot answer; health_check and the daemon's log say more".to_owned()
                }
            }
            Self::Unwritable(error) => {
                tracing::error!(tool, %error, "an answer of the built-in MCP server is no JSON");
                "the answer could not be written; the daemon's log says more".to_owned()
            }
        }
    }
}

/// A result with `isError` and `text`: the call reached its tool, and the caller can do better.
pub(super) fn tool_error(text: impl Into<String>) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(text.into())])
}

/// Answers a call whose arguments were checked.
pub(super) async fn answer(
    deps: &McpServerDeps,
    tool: &Declaration,
    arguments: &Arguments,
) -> CallToolResult {
    match ask(deps, tool.question, arguments).await {
        // The text of the same JSON goes along for clients that read no structuredContent.
        Ok(value) => CallToolResult::structured(value),
        Err(refusal) => tool_error(refusal.told(tool.name)),
    }
}

async fn ask(
    deps: &McpServerDeps,
    question: Question,
    arguments: &Arguments,
) -> Result<Value, Refusal> {
    let store = &deps.store;
    let period = arguments
        .integer("days")
        .map(|days| Period::last_days(days, deps.clock.now()));
    let page = page(arguments);
    match question {
        Question::HealthCheck => Ok(health_json(&(deps.health)(), deps.uptime_seconds())),
        Question::SessionInfo => session_info(deps).await,
        Question::ListSessions => {
            let filter = SessionFilter {
                statuses: statuses(arguments.word("status")),
                client_type: arguments.text("client_type").map(str::to_owned),
                with_calls: arguments.flag("with_calls"),
                page,
                ..SessionFilter::default()
            };
            written(&reports::list_sessions(store, &filter).await?)
        }
        Question::SessionDetails => {
            // `Arguments::check` lets no call through without it.
            let Some(id) = arguments.session_id("session_id") else {
                return Err(Refusal::Unknown("session_id is missing".to_owned()));
            };
            match reports::session_details(store, id, page).await? {
                Some(details) => written(&details),
                None => Err(Refusal::Unknown(format!(
                    "no session has the id {id}; list_sessions with status all shows those there are"
                ))),
            }
        }
        Question::DisconnectedSessions => {
            let period = period.unwrap_or_else(|| Period::last_days(7, deps.clock.now()));
            written(&reports::disconnected_sessions(store, period, page).await?)
        }
        Question::SessionStats => written(&reports::session_stats(store, period).await?),
        Question::UserStats => {
            let users = reports::user_stats(store, period).await?;
            // structuredContent is an object in every revision before 2026-07-28.
            Ok(json!({"period": period, "users": written(&users)?}))
        }
        Question::UsageSummary => {
            let period = period.unwrap_or_else(|| Period::last_days(30, deps.clock.now()));
            written(&reports::usage_summary(store, period).await?)
        }
    }
}

/// `active_sessions`, `session_timeout` and `server_uptime_seconds` are the names of the first Archon's tool.
async fn session_info(deps: &McpServerDeps) -> Result<Value, Refusal> {
    let mut counts = [0_i64; 2];
    for (count, status) in counts
        .iter_mut()
        .zip([SessionStatus::Active, SessionStatus::Idle])
    {
        let filter = SessionFilter {
            statuses: vec![status],
            page: Page {
                limit: 1,
                offset: 0,
            },
            ..SessionFilter::default()
        };
        *count = reports::list_sessions(&deps.store, &filter).await?.total;
    }
    let [active, idle] = counts;
    Ok(json!({
        "active_sessions": active,
        "idle_sessions": idle,
        "session_timeout": deps.session_timeout.as_secs(),
        "server_uptime_seconds": deps.uptime_seconds(),
    }))
}

fn page(arguments: &Arguments) -> Page {
    let default = Page::default();
    Page {
        limit: arguments.integer("limit").unwrap_or(default.limit),
        offset: arguments
            .integer("offset")
            .map_or(default.offset, u64::from),
    }
}

/// An empty list asks for all.
fn statuses(word: Option<&str>) -> Vec<SessionStatus> {
    match word {
        Some("active") => vec![SessionStatus::Active],
        Some("idle") => vec![SessionStatus::Idle],
        Some("disconnected") => vec![SessionStatus::Disconnected],
        Some("all") => Vec::new(),
        _ => vec![SessionStatus::Active, SessionStatus::Idle],
    }
}

fn written(answer: &impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(Refusal::Unwritable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_says_what_it_is_and_that_it_only_reads() {
        for declaration in TOOLS {
            let tool = declaration.tool();
            assert!(tool.description.is_some_and(|text| text.len() > 40));
            let annotations = tool.annotations.expect("annotations");
            assert_eq!(annotations.read_only_hint, Some(true), "{}", tool.name);
            assert_eq!(tool.input_schema["additionalProperties"], false);
        }
    }

    #[test]
    fn bounds_are_those_of_the_rest_contract() {
        let bounds = |tool: &str, parameter: &str| {
            let found = TOOLS.iter().find(|known| known.name == tool);
            let schema = found.expect("a tool").tool().input_schema;
            let property = &schema["properties"][parameter];
            (property["minimum"].as_u64(), property["maximum"].as_u64())
        };
        assert_eq!(bounds("disconnected_sessions", "days"), (Some(1), Some(30)));
        assert_eq!(
            bounds("disconnected_sessions", "limit"),
            (Some(1), Some(200))
        );
        assert_eq!(bounds("session_details", "limit"), (Some(1), Some(1000)));
        assert_eq!(bounds("usage_summary", "days"), (Some(1), Some(365)));
    }

    #[test]
    fn words_for_status_name_the_statuses_they_mean() {
        assert_eq!(
            statuses(Some("open")),
            [SessionStatus::Active, SessionStatus::Idle]
        );
        assert_eq!(statuses(Some("idle")), [SessionStatus::Idle]);
        assert!(statuses(Some("all")).is_empty());
    }
}
