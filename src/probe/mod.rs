//! The connection test: an MCP client that goes once through everything a client does and reports each step.
//!
//! Owns the steps, what passes, and the words for what does not. Changes nothing on the server, calls no tool,
//! prints nothing, and does not look into the store: whether the run was tracked is for the caller to find out, by
//! the user agent and the session id in the report.

mod client;
mod failure;
mod report;
mod requests;

#[cfg(test)]
mod tests;

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

pub use self::report::{ProbeReport, Step, StepError};
use crate::model::Era;

/// Where `archonctl serve` listens for MCP unless told otherwise.
pub const DEFAULT_URL: &str = "http://127.0.0.1:8051/mcp";

/// How long one step may take unless told otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);

/// What to test, and how patiently.
#[derive(Clone, Debug)]
pub struct ProbeOptions {
    /// The MCP endpoint: an `http` or `https` URL. Credentials in it are used and never reported.
    pub url: String,
    /// How long each step may take. `negotiate` may take it twice, once for each era.
    pub timeout: Duration,
    /// Whether the address has to be archonctl's. If not, any MCP server passes the step `health`.
    pub expect_archonctl: bool,
    /// Names this run: it stands in the user agent and, as `session.id`, in the `baggage` of every request.
    pub run_id: Uuid,
}

impl ProbeOptions {
    /// A test of `url` under a fresh run id, with the defaults for the rest.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            timeout: DEFAULT_TIMEOUT,
            expect_archonctl: true,
            run_id: Uuid::new_v4(),
        }
    }

    /// The `User-Agent` of every request of this run, by which its session can be found.
    #[must_use]
    pub fn user_agent(&self) -> String {
        format!(
            "archonctl/{} (test-connection {})",
            env!("CARGO_PKG_VERSION"),
            self.run_id
        )
    }
}

/// Makes ring the process's TLS provider, unless one was installed already. May be called any number of times.
pub fn install_tls_provider() {
    // An error says that there is one already; whichever it is will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// Runs the test: `health`, `negotiate`, `tools/list`, `disconnect`, each handed to `on_step` when it is done.
///
/// A server that cannot be reached ends the run after the first step, one that will not negotiate after the
/// second. Every other failure lets the run go on, so that one report shows all there is to see; the session is
/// taken leave of whenever there is one. Needs a tokio runtime with I/O and time.
pub async fn run(options: &ProbeOptions, on_step: &mut (dyn FnMut(&Step) + Send)) -> ProbeReport {
    install_tls_provider();
    let mut report = ProbeReport::new(options);
    let began = Instant::now();

    let target = match requests::Target::new(options) {
        Ok(target) => target,
        Err(error) => {
            report.add(Step::failed("health", began.elapsed(), error), on_step);
            return report;
        }
    };
    let (health, reached) = requests::health(&target, options).await;
    report.add(health.into_step("health", began.elapsed()), on_step);
    if !reached {
        return report;
    }

    let began = Instant::now();
    let mut connection = match client::connect(&target, options).await {
        Ok(connection) => connection,
        Err(error) => {
            report.add(Step::failed("negotiate", began.elapsed(), error), on_step);
            return report;
        }
    };
    report.era = Some(connection.era);
    report.protocol_version = Some(connection.protocol_version());
    (report.server_name, report.server_version) = connection.server();
    let detail = connection.describe();
    report.add(Step::passed("negotiate", began.elapsed(), detail), on_step);

    let began = Instant::now();
    let step = match connection.list_tools(options.timeout).await {
        Ok(names) => {
            report.tools = Some(names.len());
            Step::passed("tools/list", began.elapsed(), report::tools_detail(&names))
        }
        Err(error) => Step::failed("tools/list", began.elapsed(), error),
    };
    report.add(step, on_step);

    let began = Instant::now();
    let session_header = connection.session_id();
    let era = connection.era;
    let version = connection.protocol_version();
    connection.close(options.timeout).await;
    let left = requests::Leaving {
        session_header: session_header.filter(|_| era == Era::Legacy),
        protocol_version: version,
    };
    let (outcome, archon_session) = requests::leave(&target, &left, options).await;
    report.session_id = archon_session;
    report.add(outcome.into_step("disconnect", began.elapsed()), on_step);
    report
}
