//! What is counted for `/metrics`: how long operations and sessions took, and how long the store takes.
//!
//! Names and what they tell apart are OpenTelemetry's for MCP (semantic conventions, `mcp.server.operation.duration` and
//! `mcp.server.session.duration`). Operations are counted once the store has them, away from the traffic. No label says whose
//! an operation or a session is; how many label sets there are is bounded, since clients choose names of methods and tools.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::model::{DisconnectReason, Operation, OperationStatus, Record, Target};

/// Label sets of operations at the most; what comes beyond is told as `_OTHER`.
const MOST_SERIES: usize = 2_000;
/// Bytes of a name that becomes a label.
const LONGEST_NAME: usize = 128;
/// Stands for what is not told apart (OpenTelemetry's word for it).
const OTHER: &str = "_OTHER";

/// Upper bounds of operations' durations, in seconds: those that OpenTelemetry advises.
const OPERATION: &[f64] = &[
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
];
/// The same of sessions, which go on for longer.
const SESSION: &[f64] = &[
    1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 43_200.0,
    86_400.0,
];
/// The same of a batch on its way into the store.
const STORE: &[f64] = &[
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0,
];

/// Durations by how long they were.
#[derive(Clone, Debug, PartialEq)]
pub struct Histogram {
    /// Upper bounds, in seconds.
    pub bounds: &'static [f64],
    /// How many were no longer than each bound and longer than the one before; then how many were longer than all.
    pub counts: Vec<u64>,
    /// All of them together, in seconds.
    pub sum: f64,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        Self {
            bounds,
            counts: vec![0; bounds.len() + 1],
            sum: 0.0,
        }
    }

    fn add(&mut self, duration: Duration) {
        let seconds = duration.as_secs_f64();
        let place = self.bounds.partition_point(|bound| *bound < seconds);
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
        self.sum += seconds;
    }

    /// Adds those of another one with the same bounds.
    fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.sum += other.sum;
    }
}

/// What tells operations apart.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct OperationLabels {
    /// `mcp.method.name`.
    pub method: String,
    /// `gen_ai.tool.name`, empty where no tool was called.
    pub tool: String,
    /// `error.type`, empty where all went well.
    pub error: String,
    /// `mcp.protocol.version`, empty where the request did not say.
    pub version: String,
}

/// The same, borrowed from an operation.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Alike<'o> {
    method: &'o str,
    tool: &'o str,
    error: &'o str,
    version: &'o str,
}

impl<'o> Alike<'o> {
    fn of(operation: &'o Operation) -> Self {
        Self {
            method: &operation.method,
            tool: match &operation.target {
                Some(Target::Tool(name)) => name,
                _ => "",
            },
            error: error_type(operation),
            version: operation.protocol_version.as_deref().unwrap_or_default(),
        }
    }

    fn labels(self) -> OperationLabels {
        OperationLabels {
            method: short(self.method),
            tool: short(self.tool),
            error: self.error.to_owned(),
            version: short(self.version),
        }
    }
}

fn short(name: &str) -> String {
    if name.len() > LONGEST_NAME {
        OTHER.to_owned()
    } else {
        name.to_owned()
    }
}

/// The code of a JSON-RPC error, `tool_error` where a tool says that it failed, `timeout`; nothing else of what went wrong: a
/// message may hold anything.
#[must_use]
pub fn error_type(operation: &Operation) -> &str {
    match operation.status {
        OperationStatus::Success => "",
        OperationStatus::Timeout => "timeout",
        OperationStatus::Error => {
            let said = operation.error_message.as_deref().unwrap_or_default();
            let code = said.split_once(": ").map_or(said, |(code, _)| code);
            let is_code = code.len() <= 6 && code.parse::<i32>().is_ok_and(|code| code < 0);
            match &operation.target {
                _ if is_code => code,
                Some(Target::Tool(_)) => "tool_error",
                _ => OTHER,
            }
        }
    }
}

/// What one instance has counted since its start.
#[derive(Debug)]
pub struct Metrics {
    operations: Mutex<BTreeMap<OperationLabels, Histogram>>,
    /// By `error.type`, empty where it ended well.
    sessions: Mutex<BTreeMap<String, Histogram>>,
    store: Mutex<Histogram>,
    /// Spans that an OpenTelemetry collector took.
    pub spans_sent: AtomicU64,
    /// Spans that it did not, and that are lost.
    pub spans_dropped: AtomicU64,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            operations: Mutex::default(),
            sessions: Mutex::default(),
            store: Mutex::new(Histogram::new(STORE)),
            spans_sent: AtomicU64::default(),
            spans_dropped: AtomicU64::default(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Metrics {
    /// Counts `records`, which the store took in so long.
    pub(super) fn stored(&self, records: &[Record], took: Duration) {
        lock(&self.store).add(took);
        // Most operations of a batch are alike: their labels are made once.
        let mut series: Vec<(Alike<'_>, Histogram)> = Vec::new();
        let mut places: HashMap<Alike<'_>, usize> = HashMap::new();
        for record in records {
            if let Record::OperationFinished(operation) = record
                && let Some(duration) = operation.duration()
            {
                let alike = Alike::of(operation);
                let place = *places.entry(alike).or_insert(series.len());
                if place == series.len() {
                    series.push((alike, Histogram::new(OPERATION)));
                }
                if let Some((_, histogram)) = series.get_mut(place) {
                    histogram.add(duration);
                }
            }
        }
        let mut operations = lock(&self.operations);
        for (alike, histogram) in series {
            let mut labels = alike.labels();
            if operations.len() >= MOST_SERIES && !operations.contains_key(&labels) {
                labels = OperationLabels {
                    method: OTHER.to_owned(),
                    ..OperationLabels::default()
                };
            }
            let series = operations.entry(labels);
            let series = series.or_insert_with(|| Histogram::new(OPERATION));
            series.merge(&histogram);
        }
    }

    /// Counts a session that has ended.
    pub(super) fn ended(&self, reason: DisconnectReason, duration: Duration) {
        let error = match reason {
            DisconnectReason::Error(kind) => kind.as_str(),
            DisconnectReason::Timeout => "timeout",
            DisconnectReason::ClientDisconnect | DisconnectReason::ServerShutdown => "",
        };
        let mut sessions = lock(&self.sessions);
        let series = sessions.entry(error.to_owned());
        let series = series.or_insert_with(|| Histogram::new(SESSION));
        series.add(duration);
    }

    /// How long operations took.
    #[must_use]
    pub fn operations(&self) -> Vec<(OperationLabels, Histogram)> {
        let operations = lock(&self.operations);
        let operations = operations.iter();
        operations.map(|(l, h)| (l.clone(), h.clone())).collect()
    }

    /// How long sessions lasted that ended here, by `error.type`.
    #[must_use]
    pub fn sessions(&self) -> Vec<(String, Histogram)> {
        let sessions = lock(&self.sessions);
        sessions
            .iter()
            .map(|(l, h)| (l.clone(), h.clone()))
            .collect()
    }

    /// How long the store took for each batch.
    #[must_use]
    pub fn store(&self) -> Histogram {
        lock(&self.store).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::operation;

    fn record(change: impl FnOnce(&mut Operation)) -> Record {
        let mut made = operation(1, 1, 0);
        change(&mut made);
        Record::OperationFinished(Box::new(made))
    }

    #[test]
    fn errors_are_told_by_their_code_and_never_by_their_words() {
        let errors = [
            (OperationStatus::Success, None, ""),
            (OperationStatus::Timeout, Some("no answer"), "timeout"),
            (
                OperationStatus::Error,
                Some("-32602: ada@example.com"),
                "-32602",
            ),
            (OperationStatus::Error, Some("-32602"), "-32602"),
            (
                OperationStatus::Error,
                Some("no note of ada's"),
                "tool_error",
            ),
            (OperationStatus::Error, Some("-99999999: x"), "tool_error"),
            (OperationStatus::Error, None, "tool_error"),
        ];
        for (status, message, expected) in errors {
            let mut made = operation(1, 1, 0);
            made.status = status;
            made.error_message = message.map(Into::into);
            assert_eq!(error_type(&made), expected, "{message:?}");
            made.target = None;
            let without = if expected == "tool_error" {
                OTHER
            } else {
                expected
            };
            assert_eq!(error_type(&made), without, "{message:?}");
        }
    }

    #[test]
    fn durations_fall_where_they_belong() {
        let mut histogram = Histogram::new(OPERATION);
        for ms in [0, 10, 11, 300_000, 300_001] {
            histogram.add(Duration::from_millis(ms));
        }
        assert_eq!(histogram.counts[..3], [2, 1, 0]);
        assert_eq!(histogram.counts[13..], [1, 1]);
        assert_eq!(histogram.counts.len(), OPERATION.len() + 1);
        assert!((histogram.sum - 600.022).abs() < 1e-9, "{}", histogram.sum);
    }

    #[test]
    fn clients_cannot_make_series_without_end() {
        let metrics = Metrics::default();
        let named =
            |n: usize| record(|made| made.target = Some(Target::Tool(format!("t{n}").into())));
        let records: Vec<_> = (0..MOST_SERIES + 50).map(named).collect();
        metrics.stored(&records, Duration::ZERO);
        metrics.stored(&records[..1], Duration::ZERO);
        let long = record(|made| made.method = "m".repeat(LONGEST_NAME + 1).into());
        metrics.stored(&[long], Duration::ZERO);
        let series = metrics.operations();
        assert_eq!(series.len(), MOST_SERIES + 1);
        let of = |method: &str, tool: &str| {
            let found = series
                .iter()
                .find(|(labels, _)| labels.method == method && labels.tool == tool);
            found.map(|(_, histogram)| histogram.counts.iter().sum::<u64>())
        };
        assert_eq!(of(OTHER, ""), Some(51));
        assert_eq!(of("tools/call", "t0"), Some(2));
        assert_eq!(metrics.store().counts.iter().sum::<u64>(), 3);
    }
}
