//! The body of `/metrics`: figures in Prometheus' text format (version 0.0.4).
//!
//! Owns names and labels. Counts nothing, and reads no store.

use std::fmt::{Display, Write};
use std::sync::atomic::Ordering;

use crate::model::HealthView;
use crate::tracking::{Histogram, Metrics};

/// A label that is there only where it says something.
type Label<'a> = (&'static str, &'a str);

/// Puts the text together.
#[derive(Default)]
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[Label<'_>], value: impl Display) {
        let labels: Vec<_> = labels
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
            .collect();
        let labels = if labels.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", labels.join(","))
        };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn one(&mut self, (name, kind, help): (&str, &str, &str), value: impl Display) {
        self.head(name, kind, help);
        self.sample(name, &[], value);
    }

    fn histogram(&mut self, name: &str, labels: &[Label<'_>], histogram: &Histogram) {
        let bucket = format!("{name}_bucket");
        let mut so_far = 0;
        let bounds = histogram.bounds.iter().map(ToString::to_string);
        for (bound, count) in bounds.chain(["+Inf".to_owned()]).zip(&histogram.counts) {
            so_far += count;
            let with = [labels, &[("le", bound.as_str())]].concat();
            self.sample(&bucket, &with, so_far);
        }
        self.sample(&format!("{name}_sum"), labels, histogram.sum);
        self.sample(&format!("{name}_count"), labels, so_far);
    }
}

/// A label's value, as the format has it.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

/// The body.
#[must_use]
pub fn metrics_text(view: &HealthView, metrics: &Metrics, uptime_seconds: u64) -> String {
    let mut text = Text::default();
    let name = "mcp_server_operation_duration_seconds";
    text.head(
        name,
        "histogram",
        "How long requests took, once the store has them",
    );
    for (labels, histogram) in metrics.operations() {
        let labels = [
            ("mcp_method_name", labels.method.as_str()),
            ("gen_ai_tool_name", &labels.tool),
            ("error_type", &labels.error),
            ("mcp_protocol_version", &labels.version),
        ];
        text.histogram(name, &labels, &histogram);
    }
    let name = "mcp_server_session_duration_seconds";
    text.head(
        name,
        "histogram",
        "How long sessions lasted that ended here",
    );
    for (error, histogram) in metrics.sessions() {
        text.histogram(name, &[("error_type", &error)], &histogram);
    }
    let name = "archonctl_store_write_duration_seconds";
    text.head(
        name,
        "histogram",
        "How long the store took for each batch of records",
    );
    text.histogram(name, &[], &metrics.store());
    figures(&mut text, view, uptime_seconds);
    for (name, help, count) in [
        (
            "archonctl_otlp_spans_sent_total",
            "Spans that the OpenTelemetry collector took",
            &metrics.spans_sent,
        ),
        (
            "archonctl_otlp_spans_dropped_total",
            "Spans that it did not take and that are lost",
            &metrics.spans_dropped,
        ),
    ] {
        text.one((name, "counter", help), count.load(Ordering::Relaxed));
    }
    text.0
}

/// How often the API has turned somebody away, by the status they got.
#[must_use]
pub fn refusals_text(counts: &[(&str, u64)]) -> String {
    let mut text = Text::default();
    let name = "archonctl_api_refusals_total";
    text.head(name, "counter", "Whom the API has turned away, by status");
    for (status, count) in counts {
        text.sample(name, &[("status", status)], count);
    }
    text.0
}

/// What `/health` tells as well.
fn figures(text: &mut Text, view: &HealthView, uptime_seconds: u64) {
    for (name, kind, help, value) in [
        (
            "archonctl_uptime_seconds",
            "gauge",
            "Seconds since the start",
            uptime_seconds,
        ),
        (
            "archonctl_open_sessions",
            "gauge",
            "Sessions that are not over",
            view.open_sessions,
        ),
        (
            "archonctl_operations_recorded_total",
            "counter",
            "Requests written to the journal",
            view.operations_recorded,
        ),
        (
            "archonctl_records_dropped_total",
            "counter",
            "Records that the journal did not take; they are lost",
            view.records_dropped,
        ),
        (
            "archonctl_bodies_unparsed_total",
            "counter",
            "Bodies that passed but could not be read",
            view.bodies_unparsed,
        ),
        (
            "archonctl_journal_backlog_bytes",
            "gauge",
            "Bytes that wait for the store",
            view.journal_backlog_bytes,
        ),
        (
            "archonctl_connections",
            "gauge",
            "Client connections that are open",
            view.connections,
        ),
        (
            "archonctl_held_streams",
            "gauge",
            "Streams that clients hold",
            view.held_streams,
        ),
    ] {
        text.one((name, kind, help), value);
    }
    let up = u8::from(view.store_error.is_none());
    text.one(
        (
            "archonctl_store_up",
            "gauge",
            "1 while the store takes records",
        ),
        up,
    );
    let name = "archonctl_rejections_total";
    text.head(name, "counter", "What the proxy has turned down, by reason");
    if let Ok(serde_json::Value::Object(reasons)) = serde_json::to_value(&view.rejections) {
        for (reason, count) in &reasons {
            text.sample(name, &[("reason", reason)], count);
        }
    }
    let name = "archonctl_upstream_up";
    text.head(
        name,
        "gauge",
        "1 while connections to the MCP server come about, 0 while not",
    );
    for upstream in &view.upstreams {
        if let Some(reachable) = upstream.reachable {
            text.sample(name, &[("server", &upstream.name)], u8::from(reachable));
        }
    }
}
