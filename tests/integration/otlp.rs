//! Spans and metrics on their way to an OpenTelemetry collector: what arrives, decoded by OpenTelemetry's own messages, and what
//! happens when nobody takes it.

use std::fmt::Write;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, HistogramDataPoint, Metric};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;
use serde_json::json;

use crate::support::{
    Client, Daemon, Driver, Everything, HttpMessage, Legacy, Scripted, eventually, new_data_dir,
    send,
};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// What an exporter sent.
struct Taken {
    path: String,
    kind: Option<String>,
    authorization: Option<String>,
    body: Vec<u8>,
}

/// Takes what an exporter sends.
struct Collector(Scripted);

impl Collector {
    fn start() -> Self {
        Self(Scripted::start())
    }

    fn endpoint(&self) -> &str {
        self.0.url.trim_end_matches("/mcp")
    }

    /// The next request, which is answered with `status`.
    fn take(&self, status: &str) -> Taken {
        let mut request: HttpMessage = self.0.request();
        let path = request.start.split(' ').nth(1).expect("a path").to_owned();
        assert!(request.start.starts_with("POST "), "{}", request.start);
        let taken = Taken {
            path,
            kind: request.header("content-type").map(str::to_owned),
            authorization: request.header("authorization").map(str::to_owned),
            body: request.body().expect("a body"),
        };
        request.answer(status, "", b"");
        taken
    }

    /// Spans as they come until one is as `wanted`; and what they are said to be of.
    fn spans_until(&self, wanted: impl Fn(&Span) -> bool) -> (Vec<Span>, Vec<KeyValue>) {
        let (mut spans, mut resource) = (Vec::new(), Vec::new());
        while !spans.iter().any(&wanted) {
            let taken = self.take("200 OK");
            assert_eq!(taken.kind.as_deref(), Some("application/x-protobuf"));
            if taken.path != "/v1/traces" {
                continue;
            }
            let request = ExportTraceServiceRequest::decode(&taken.body[..]).expect("protobuf");
            for of_resource in request.resource_spans {
                resource = of_resource.resource.expect("a resource").attributes;
                for scope in of_resource.scope_spans {
                    assert_eq!(scope.scope.expect("a scope").name, "archonctl");
                    spans.extend(scope.spans);
                }
            }
        }
        (spans, resource)
    }

    /// The metrics that come next.
    fn metrics(&self) -> Vec<Metric> {
        loop {
            let taken = self.take("200 OK");
            if taken.path == "/v1/metrics" {
                let request =
                    ExportMetricsServiceRequest::decode(&taken.body[..]).expect("protobuf");
                let scopes = request
                    .resource_metrics
                    .into_iter()
                    .flat_map(|one| one.scope_metrics);
                return scopes.flat_map(|scope| scope.metrics).collect();
            }
        }
    }
}

fn text<'a>(attributes: &'a [KeyValue], name: &str) -> Option<&'a str> {
    let found = attributes.iter().find(|one| one.key == name)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text),
        other => panic!("{name}: {other:?}"),
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a text takes it");
        text
    })
}

fn histogram(metric: &Metric) -> &[HistogramDataPoint] {
    let Some(Data::Histogram(histogram)) = &metric.data else {
        panic!("{} is no histogram", metric.name);
    };
    let cumulative = i32::from(AggregationTemporality::Cumulative);
    assert_eq!(histogram.aggregation_temporality, cumulative);
    for point in &histogram.data_points {
        assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
        assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
        assert!(point.start_time_unix_nano > 0);
        assert!(point.time_unix_nano >= point.start_time_unix_nano);
    }
    &histogram.data_points
}

fn metrics_are_those_of_the_conventions(metrics: &[Metric], session: &str) {
    let of = |name: &str| {
        let found = metrics.iter().find(|metric| metric.name == name);
        found.unwrap_or_else(|| panic!("{name}: {metrics:?}"))
    };
    let operations = of("mcp.server.operation.duration");
    assert_eq!(operations.unit, "s");
    let calls = histogram(operations)
        .iter()
        .find(|point| text(&point.attributes, "gen_ai.tool.name") == Some("echo"));
    let calls = calls.expect("calls of the tool");
    assert_eq!(calls.count, 2, "whether they are traced or not");
    assert_eq!(
        text(&calls.attributes, "mcp.method.name"),
        Some("tools/call")
    );
    assert!(calls.explicit_bounds.contains(&300.0));
    let sessions = histogram(of("mcp.server.session.duration"));
    assert_eq!(sessions.iter().map(|point| point.count).sum::<u64>(), 1);
    assert!(
        sessions[0]
            .explicit_bounds
            .iter()
            .any(|bound| *bound > 300.0)
    );
    for name in [
        "archonctl.store.write.duration",
        "archonctl.journal.backlog",
        "archonctl.records.dropped",
        "archonctl.bodies.unparsed",
    ] {
        of(name);
    }
    let shown = format!("{metrics:?}");
    for whose in [session, "127.0.0.1", "\"client\""] {
        assert!(!shown.contains(whose), "{whose}: {shown}");
    }
}

#[test]
fn a_collector_gets_spans_that_are_children_and_metrics_of_the_conventions() {
    let collector = Collector::start();
    let server = Everything::start();
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start_with(
        &data_dir,
        &["--upstream", &server.url],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint()),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "authorization=Bearer%20geheim,x-team=tools",
            ),
            ("OTEL_SERVICE_NAME", "tracker"),
            ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test"),
        ],
    );
    let session = Legacy::open(&daemon.url, "client");
    session.echo(TRACE).expect("answered");
    let (spans, resource) = collector
        .spans_until(|span| span.name == "tools/call echo" && !span.parent_span_id.is_empty());
    assert_eq!(text(&resource, "service.name"), Some("tracker"));
    assert_eq!(text(&resource, "deployment.environment"), Some("test"));
    assert_eq!(
        text(&resource, "service.version"),
        Some(env!("CARGO_PKG_VERSION"))
    );
    let echo = spans
        .iter()
        .find(|span| span.name == "tools/call echo")
        .expect("the call");
    assert_eq!(hexadecimal(&echo.trace_id), TRACE);
    assert_eq!(hexadecimal(&echo.parent_span_id), PARENT);
    assert_eq!(echo.span_id.len(), 8);
    assert_eq!(echo.kind, i32::from(SpanKind::Server));
    assert!(echo.end_time_unix_nano >= echo.start_time_unix_nano);
    let of_call = |name| text(&echo.attributes, name);
    assert_eq!(of_call("mcp.method.name"), Some("tools/call"));
    assert_eq!(of_call("gen_ai.tool.name"), Some("echo"));
    assert_eq!(of_call("mcp.protocol.version"), Some("2025-11-25"));
    assert_eq!(of_call("mcp.session.id"), session.archon_id.as_deref());
    assert_eq!(of_call("error.type"), None);
    // Without `traceparent` a request is the root of a trace of its own.
    let first = spans
        .iter()
        .find(|span| span.name == "initialize")
        .expect("the handshake");
    assert!(first.parent_span_id.is_empty() && first.trace_id.len() == 16);
    assert_ne!(first.trace_id, echo.trace_id);
    // No argument and no result is told.
    assert!(!format!("{:?}", echo.attributes).contains(TRACE));

    // What its caller does not keep is not sent; what failed says so.
    let call = |id: u32, name: &str, flags: &str| {
        let meta = format!(r#"{{"traceparent":"00-{TRACE}-{PARENT}-{flags}"}}"#);
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{name}","arguments":{{"message":"x"}},"_meta":{meta}}}}}"#
        );
        let trace = format!("traceparent: 00-{TRACE}-{PARENT}-{flags}\r\n");
        let mut answer = session.send("POST", &trace, &body).expect("answered");
        answer.body().expect("a body");
    };
    call(2, "echo", "00");
    call(3, "nothing", "01");
    let (spans, _) = collector.spans_until(|span| span.name == "tools/call nothing");
    let names: Vec<&str> = spans.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, ["tools/call nothing"]);
    assert!(text(&spans[0].attributes, "error.type").is_some());
    assert_eq!(spans[0].status.as_ref().expect("a status").code, 2);

    session.send("DELETE", "", "").expect("answered");
    let url = daemon.at("/health");
    eventually("the end in the store", || {
        let mut answer = send(&url, "GET", "", b"").expect("answered");
        let health: serde_json::Value =
            serde_json::from_slice(&answer.body().expect("a body")).expect("JSON");
        (health["health"]["open_sessions"] == 0).then_some(())
    });
    daemon.signal("TERM");
    let metrics = collector.metrics();
    daemon.wait();
    let id = session.archon_id.as_deref().expect("an id");
    metrics_are_those_of_the_conventions(&metrics, id);
}

#[test]
fn a_trace_of_meta_is_taken_and_what_is_set_in_the_header_reaches_the_collector() {
    let collector = Collector::start();
    let (_root, data_dir) = new_data_dir();
    let daemon = Daemon::start_with(
        &data_dir,
        &["--otlp-endpoint", collector.endpoint()],
        &[(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20geheim",
        )],
    );
    Client::call(Driver::PyModern, &daemon.url, &["health_check"]);
    let taken = collector.take("503 Service Unavailable");
    assert_eq!(taken.path, "/v1/traces");
    assert_eq!(taken.authorization.as_deref(), Some("Bearer geheim"));
    // What was refused for now comes again, whole.
    let refused = ExportTraceServiceRequest::decode(&taken.body[..]).expect("protobuf");
    let count = refused.resource_spans[0].scope_spans[0].spans.len();
    assert!(count > 0);
    let (spans, _) = collector.spans_until(|span| span.name == "tools/call health_check");
    let again = &refused.resource_spans[0].scope_spans[0].spans;
    assert!(again.iter().all(|span| spans.contains(span)));
    let lines = daemon.stop();
    assert!(
        lines.iter().all(|line| !line.contains("geheim")),
        "{lines:?}"
    );
    assert!(
        lines.iter().any(|line| line.contains("takes no spans")),
        "{lines:?}"
    );
}

#[test]
fn a_collector_that_is_away_holds_nothing_up_and_what_is_lost_is_counted() {
    let (_root, data_dir) = new_data_dir();
    // Nobody listens there.
    let daemon = Daemon::start(&data_dir, &["--otlp-endpoint", "http://127.0.0.1:9"]);
    let post = |path: &str, body: &serde_json::Value| {
        let url = format!("{}/api/mcp/sessions{path}", daemon.api);
        let kind = "content-type: application/json\r\n";
        let mut answer = send(&url, "POST", kind, body.to_string().as_bytes()).expect("answered");
        assert!(answer.status() < 300);
        let body = answer.body().expect("a body");
        serde_json::from_slice::<serde_json::Value>(&body).unwrap_or_default()
    };
    let session = post("", &json!({}))["session_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let requests: Vec<_> = (0..1_000)
        .map(|_| json!({"method": "tools/call", "tool_name": "x"}))
        .collect();
    for _ in 0..10 {
        post(&format!("/{session}/requests"), &json!(requests));
    }
    Client::call(Driver::PyModern, &daemon.url, &["health_check"]);
    eventually("lost spans", || {
        let mut answer =
            send(&format!("{}/metrics", daemon.api), "GET", "", b"").expect("answered");
        let text = String::from_utf8(answer.body().expect("a body")).expect("UTF-8");
        let lost = text
            .lines()
            .find_map(|line| line.strip_prefix("archonctl_otlp_spans_dropped_total "));
        let lost: u64 = lost.expect("a counter").parse().expect("a number");
        (lost >= 10_000 - 8_192).then_some(())
    });
    let mut health = send(&daemon.at("/health"), "GET", "", b"").expect("answered");
    let health: serde_json::Value =
        serde_json::from_slice(&health.body().expect("a body")).expect("JSON");
    assert_eq!(health["status"], "healthy", "{health}");
    let lines = daemon.stop();
    let said = lines.iter().filter(|line| line.contains("takes no spans"));
    assert_eq!(said.count(), 1, "{lines:?}");
}
