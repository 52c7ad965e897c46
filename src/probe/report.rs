//! What a connection test found: its steps and what it learned on the way.
//!
//! Owns the shape of the report, which is printed as it stands with `--output json`. Decides nothing.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Serialize, Serializer};
use uuid::Uuid;

use super::ProbeOptions;
use super::requests::shown_url;
use crate::model::Era;

/// Why a step failed, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepError {
    /// What went wrong and why.
    pub message: String,
    /// What to look at or to run next.
    pub hint: String,
}

impl StepError {
    /// A failure and what to do about it.
    #[must_use]
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
        }
    }
}

/// One step of a connection test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// `health`, `negotiate`, `tools/list`, `disconnect`, or what a caller adds.
    pub name: Cow<'static, str>,
    /// Whether it passed.
    pub ok: bool,
    /// What was seen, in one line; empty for a step that failed.
    pub detail: String,
    /// How long it took; written as `elapsed_ms`, in milliseconds with a fraction.
    #[serde(rename = "elapsed_ms", serialize_with = "milliseconds")]
    pub elapsed: Duration,
    /// Why it failed.
    pub error: Option<StepError>,
}

impl Step {
    /// A step that passed.
    #[must_use]
    pub fn passed(
        name: impl Into<Cow<'static, str>>,
        elapsed: Duration,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            ok: true,
            detail: detail.into(),
            elapsed,
            error: None,
        }
    }

    /// A step that failed.
    #[must_use]
    pub fn failed(name: impl Into<Cow<'static, str>>, elapsed: Duration, error: StepError) -> Self {
        Self {
            name: name.into(),
            ok: false,
            detail: String::new(),
            elapsed,
            error: Some(error),
        }
    }
}

fn milliseconds<S: Serializer>(elapsed: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // Whole microseconds: more digits would only be noise.
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact for any test shorter than 285 years"
    )]
    serializer.serialize_f64(elapsed.as_micros() as f64 / 1e3)
}

/// What a connection test found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProbeReport {
    /// Whether every step passed.
    pub ok: bool,
    /// The endpoint tested, without credentials.
    pub url: String,
    /// Names the run.
    pub run_id: Uuid,
    /// The `User-Agent` of the run's requests. No other run has the same: the session can be found by it.
    pub user_agent: String,
    /// The session as archonctl named it in `X-Archon-Session-Id`, if it did.
    pub session_id: Option<String>,
    /// Which family of revisions was agreed on.
    pub era: Option<Era>,
    /// The revision agreed on.
    pub protocol_version: Option<String>,
    /// The server's name, if it gave one.
    pub server_name: Option<String>,
    /// The server's version, if it gave one.
    pub server_version: Option<String>,
    /// How many tools it offers, on all pages.
    pub tools: Option<usize>,
    /// The steps taken, in order. A step that could not be taken any more is not among them.
    pub steps: Vec<Step>,
}

impl ProbeReport {
    /// The report of a test that has not begun.
    #[must_use]
    pub fn new(options: &ProbeOptions) -> Self {
        Self {
            ok: true,
            url: shown_url(&options.url),
            run_id: options.run_id,
            user_agent: options.user_agent(),
            session_id: None,
            era: None,
            protocol_version: None,
            server_name: None,
            server_version: None,
            tools: None,
            steps: Vec::new(),
        }
    }

    /// Adds a step, and shows it to `on_step`. A failed one makes the whole report fail.
    pub fn add(&mut self, step: Step, on_step: &mut (dyn FnMut(&Step) + Send)) {
        on_step(&step);
        self.ok &= step.ok;
        self.steps.push(step);
    }
}

/// How a step went, before it is known how long it took.
#[derive(Debug)]
pub(super) struct Outcome(pub(super) Result<String, StepError>);

impl Outcome {
    pub(super) fn into_step(self, name: &'static str, elapsed: Duration) -> Step {
        match self.0 {
            Ok(detail) => Step::passed(name, elapsed, detail),
            Err(error) => Step::failed(name, elapsed, error),
        }
    }
}

/// `12 tools: a, b, c, d, e, …`
pub(super) fn tools_detail(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let count = names.len();
    let noun = if count == 1 { "tool" } else { "tools" };
    if count == 0 {
        return format!("0 {noun}");
    }
    let shown: Vec<_> = names.iter().take(SHOWN).map(String::as_str).collect();
    let more = if count > SHOWN { ", …" } else { "" };
    format!("{count} {noun}: {}{more}", shown.join(", "))
}
