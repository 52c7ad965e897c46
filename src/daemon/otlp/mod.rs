//! Sends spans and metrics to an OpenTelemetry collector (OTLP 1.x over HTTP, in protobuf).
//!
//! Stands behind the shipper: a request is told when the store has it, from a thread of its own, and what waits is bounded. A
//! collector that is slow or away costs spans, which are counted, and nothing else.

mod metrics;
mod spans;

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use opentelemetry_proto::tonic::metrics::v1::{ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::Health;
use crate::config::OtlpOptions;
use crate::model::{Clock, InstanceId, Record, SystemClock, Timestamp};
use crate::tracking::{Told, Tracker};

/// Spans that wait at the most: some megabytes.
const MOST_WAITING: usize = 8_192;
/// Spans in one request.
const AT_ONCE: usize = 512;
/// How long spans gather.
const SPANS_EVERY: Duration = Duration::from_secs(2);
/// How often metrics are sent: as OpenTelemetry's own exporters do.
const METRICS_EVERY: Duration = Duration::from_mins(1);
/// How long the collector may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long all that is left may take at the end.
const LAST_PATIENCE: Duration = Duration::from_secs(3);
/// The longest wait between tries.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What waits to be sent.
struct Waiting {
    spans: Mutex<VecDeque<Span>>,
    full_batch: Notify,
    tracker: Arc<Tracker>,
}

impl Waiting {
    /// Takes the spans of `records`. Never waits.
    fn add(&self, records: &[Record]) {
        let mut dropped = 0;
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        for record in records {
            let (Record::OperationFinished(operation) | Record::OperationOfModel(operation, _)) =
                record
            else {
                continue;
            };
            if spans.len() >= MOST_WAITING {
                dropped += u64::from(operation.is_sampled());
            } else {
                spans.extend(spans::span(operation));
            }
        }
        let enough = spans.len() >= AT_ONCE;
        drop(spans);
        self.lost(dropped);
        if enough {
            self.full_batch.notify_one();
        }
    }

    fn take(&self) -> Vec<Span> {
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        let count = spans.len().min(AT_ONCE);
        spans.drain(..count).collect()
    }

    /// Puts `batch` back in front, for the next try.
    fn put_back(&self, batch: Vec<Span>) {
        let mut spans = self.spans.lock().unwrap_or_else(PoisonError::into_inner);
        for span in batch.into_iter().rev() {
            spans.push_front(span);
        }
        let over = spans.len().saturating_sub(MOST_WAITING);
        spans.truncate(MOST_WAITING);
        drop(spans);
        self.lost(over as u64);
    }

    fn lost(&self, spans: u64) {
        let counter = &self.tracker.metrics.spans_dropped;
        counter.fetch_add(spans, Ordering::Relaxed);
    }
}

/// Why something was not sent.
enum Failure {
    /// The same may go through later.
    Later(String),
    /// It never will.
    Never(String),
}

struct Exporter {
    options: OtlpOptions,
    client: reqwest::Client,
    resource: Resource,
    waiting: Arc<Waiting>,
    health: Health,
    started_at: Timestamp,
    stop: CancellationToken,
    in_trouble: bool,
}

/// The exporter while it runs.
pub(super) struct Otlp {
    thread: std::thread::JoinHandle<()>,
    stop: CancellationToken,
    waiting: Arc<Waiting>,
}

impl Otlp {
    /// Starts sending.
    pub(super) fn start(
        options: &OtlpOptions,
        instance: InstanceId,
        tracker: &Arc<Tracker>,
        health: Health,
    ) -> io::Result<Self> {
        let waiting = Arc::new(Waiting {
            spans: Mutex::default(),
            full_batch: Notify::new(),
            tracker: tracker.clone(),
        });
        let stop = CancellationToken::new();
        let exporter = Exporter {
            client: client(options)?,
            resource: resource(options, instance),
            options: options.clone(),
            waiting: waiting.clone(),
            health,
            started_at: SystemClock.now(),
            stop: stop.clone(),
            in_trouble: false,
        };
        let thread = std::thread::Builder::new().name("otlp".to_owned());
        let thread = thread.spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            match runtime {
                Ok(runtime) => runtime.block_on(exporter.run()),
                Err(error) => tracing::error!(%error, "no spans and metrics are sent"),
            }
        })?;
        Ok(Self {
            thread,
            stop,
            waiting,
        })
    }

    /// What takes finished requests.
    pub(super) fn sink(&self) -> Told {
        let waiting = self.waiting.clone();
        Arc::new(move |records| waiting.add(records))
    }

    /// Sends what is left, as far as that takes no long time.
    pub(super) fn stop(self) {
        self.stop.cancel();
        if self.thread.join().is_err() {
            tracing::error!("the thread that sends spans and metrics failed");
        }
    }
}

fn client(options: &OtlpOptions) -> io::Result<reqwest::Client> {
    crate::probe::install_tls_provider();
    let mut headers = HeaderMap::new();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-protobuf"),
    );
    for (name, value) in &options.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(io::Error::other)?;
        let mut value = HeaderValue::from_str(&value.0).map_err(io::Error::other)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    reqwest::Client::builder()
        .user_agent(concat!("archonctl/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .redirect(redirect::Policy::none())
        .timeout(PATIENCE)
        .build()
        .map_err(io::Error::other)
}

fn resource(options: &OtlpOptions, instance: InstanceId) -> Resource {
    let own = [
        ("service.name", options.service_name.clone()),
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id", instance.to_string()),
    ];
    let said = options
        .resource
        .iter()
        .map(|(name, value)| (name.as_str(), value.clone()));
    let mut attributes = Vec::new();
    for (name, value) in own.into_iter().chain(said) {
        let attribute = spans::attribute(name, &value);
        // What people say of it goes before what it says of itself.
        match attributes
            .iter_mut()
            .find(|known: &&mut opentelemetry_proto::tonic::common::v1::KeyValue| known.key == name)
        {
            Some(known) => *known = attribute,
            None => attributes.push(attribute),
        }
    }
    Resource {
        attributes,
        ..Resource::default()
    }
}

impl Exporter {
    async fn run(mut self) {
        let mut metrics_at = Instant::now() + METRICS_EVERY;
        let mut wait = SPANS_EVERY;
        loop {
            let waiting = self.waiting.clone();
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
                // While the collector is away, a full batch is no reason to hurry.
                () = waiting.full_batch.notified(), if !self.in_trouble => {}
            }
            let mut well = self.send_spans().await;
            if Instant::now() >= metrics_at {
                well &= self.send_metrics().await;
                metrics_at = Instant::now() + METRICS_EVERY;
            }
            wait = if well {
                SPANS_EVERY
            } else {
                (wait * 2).min(LONGEST_WAIT)
            };
        }
        let last = async {
            self.send_spans().await;
            self.send_metrics().await;
        };
        if tokio::time::timeout(LAST_PATIENCE, last).await.is_err() {
            tracing::warn!("the collector did not take the last spans and metrics in time");
        }
    }

    /// Sends all spans that wait; says whether the collector takes them.
    async fn send_spans(&mut self) -> bool {
        loop {
            let batch = self.waiting.take();
            if batch.is_empty() {
                return true;
            }
            let count = batch.len() as u64;
            let request = ExportTraceServiceRequest {
                resource_spans: vec![ResourceSpans {
                    resource: Some(self.resource.clone()),
                    scope_spans: vec![ScopeSpans {
                        scope: Some(scope()),
                        spans: batch.clone(),
                        ..ScopeSpans::default()
                    }],
                    ..ResourceSpans::default()
                }],
            };
            match self.post("/v1/traces", request.encode_to_vec()).await {
                Ok(()) => {
                    let sent = &self.waiting.tracker.metrics.spans_sent;
                    sent.fetch_add(count, Ordering::Relaxed);
                    self.say(None);
                }
                Err(Failure::Never(why)) => {
                    self.waiting.lost(count);
                    self.say(Some(&why));
                }
                Err(Failure::Later(why)) => {
                    self.waiting.put_back(batch);
                    self.say(Some(&why));
                    return false;
                }
            }
        }
    }

    async fn send_metrics(&mut self) -> bool {
        let time = metrics::Time {
            start: self.started_at,
            now: SystemClock.now(),
        };
        let view = (self.health)();
        let metrics = metrics::metrics(&self.waiting.tracker.metrics, &view, time);
        let request = ExportMetricsServiceRequest {
            resource_metrics: vec![ResourceMetrics {
                resource: Some(self.resource.clone()),
                scope_metrics: vec![ScopeMetrics {
                    scope: Some(scope()),
                    metrics,
                    ..ScopeMetrics::default()
                }],
                ..ResourceMetrics::default()
            }],
        };
        match self.post("/v1/metrics", request.encode_to_vec()).await {
            Ok(()) => {
                self.say(None);
                true
            }
            // The next ones have all of it: they are sums.
            Err(Failure::Later(why) | Failure::Never(why)) => {
                self.say(Some(&why));
                false
            }
        }
    }

    async fn post(&self, path: &str, body: Vec<u8>) -> Result<(), Failure> {
        let url = format!("{}{path}", self.options.endpoint);
        let answer = self.client.post(url).body(body).send().await;
        let status = match answer {
            Ok(answer) => answer.status(),
            Err(error) => return Err(Failure::Later(innermost(&error))),
        };
        let why = format!("it answers {} to {path}", status.as_u16());
        match status.as_u16() {
            200..=299 => Ok(()),
            // OTLP specification, "Failures": these may be tried again.
            429 | 502..=504 => Err(Failure::Later(why)),
            _ => Err(Failure::Never(why)),
        }
    }

    /// Tells once that the collector does not take what it is sent, and once that it does again.
    fn say(&mut self, trouble: Option<&str>) {
        match trouble {
            Some(why) if !self.in_trouble => {
                tracing::warn!(
                    why,
                    "the OpenTelemetry collector takes no spans and metrics"
                );
            }
            None if self.in_trouble => {
                tracing::info!("the OpenTelemetry collector takes spans and metrics again");
            }
            _ => {}
        }
        self.in_trouble = trouble.is_some();
    }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "archonctl".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}

/// The last cause, which says what happened and names no URL.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
