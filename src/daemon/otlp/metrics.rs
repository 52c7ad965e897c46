//! What was counted, as metrics of OpenTelemetry: the figures of `/metrics` under the names of the conventions.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum,
};

use super::spans::{attribute, nanos};
use crate::model::{HealthView, Timestamp};
use crate::tracking::{self, Metrics};

/// From when on and until when was counted.
#[derive(Clone, Copy)]
pub(super) struct Time {
    pub(super) start: Timestamp,
    pub(super) now: Timestamp,
}

impl Time {
    fn histogram(
        self,
        attributes: Vec<KeyValue>,
        histogram: &tracking::Histogram,
    ) -> HistogramDataPoint {
        HistogramDataPoint {
            attributes,
            start_time_unix_nano: nanos(self.start),
            time_unix_nano: nanos(self.now),
            count: histogram.counts.iter().sum(),
            sum: Some(histogram.sum),
            bucket_counts: histogram.counts.clone(),
            explicit_bounds: histogram.bounds.to_vec(),
            ..HistogramDataPoint::default()
        }
    }

    fn number(self, value: u64) -> Vec<NumberDataPoint> {
        vec![NumberDataPoint {
            start_time_unix_nano: nanos(self.start),
            time_unix_nano: nanos(self.now),
            value: Some(Value::AsInt(i64::try_from(value).unwrap_or(i64::MAX))),
            ..NumberDataPoint::default()
        }]
    }
}

fn metric(name: &str, unit: &str, description: &str, data: Data) -> Metric {
    Metric {
        name: name.to_owned(),
        unit: unit.to_owned(),
        description: description.to_owned(),
        data: Some(data),
        ..Metric::default()
    }
}

fn histogram(points: Vec<HistogramDataPoint>) -> Data {
    Data::Histogram(Histogram {
        data_points: points,
        aggregation_temporality: AggregationTemporality::Cumulative.into(),
    })
}

/// All of them. No attribute tells a user, a client, an address or a session.
pub(super) fn metrics(counted: &Metrics, view: &HealthView, time: Time) -> Vec<Metric> {
    let known = |pairs: [(&str, &str); 4]| {
        let pairs = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        pairs.map(|(name, value)| attribute(name, value)).collect()
    };
    let operations = counted.operations();
    let operations = operations.iter().map(|(labels, durations)| {
        let attributes = known([
            ("mcp.method.name", &labels.method),
            ("gen_ai.tool.name", &labels.tool),
            ("error.type", &labels.error),
            ("mcp.protocol.version", &labels.version),
        ]);
        time.histogram(attributes, durations)
    });
    let sessions = counted.sessions();
    let sessions = sessions.iter().map(|(error, durations)| {
        let attributes = known([("error.type", error), ("", ""), ("", ""), ("", "")]);
        time.histogram(attributes, durations)
    });
    let count = |name, about, value| {
        let sum = Sum {
            data_points: time.number(value),
            aggregation_temporality: AggregationTemporality::Cumulative.into(),
            is_monotonic: true,
        };
        metric(name, "1", about, Data::Sum(sum))
    };
    let gauge = |name, unit, about, value| {
        let gauge = Gauge {
            data_points: time.number(value),
        };
        metric(name, unit, about, Data::Gauge(gauge))
    };
    let mut all = vec![
        metric(
            "archonctl.store.write.duration",
            "s",
            "How long batches of records took on their way into the store",
            histogram(vec![time.histogram(Vec::new(), &counted.store())]),
        ),
        gauge(
            "archonctl.journal.backlog",
            "By",
            "What waits for the store",
            view.journal_backlog_bytes,
        ),
        gauge(
            "archonctl.sessions.open",
            "{session}",
            "Sessions that are not over",
            view.open_sessions,
        ),
        count(
            "archonctl.records.dropped",
            "Records that are lost",
            view.records_dropped,
        ),
        count(
            "archonctl.bodies.unparsed",
            "Bodies that could not be read",
            view.bodies_unparsed,
        ),
    ];
    let operations: Vec<_> = operations.collect();
    if !operations.is_empty() {
        all.push(metric(
            "mcp.server.operation.duration",
            "s",
            "How long requests took, once the store has them",
            histogram(operations),
        ));
    }
    let sessions: Vec<_> = sessions.collect();
    if !sessions.is_empty() {
        all.push(metric(
            "mcp.server.session.duration",
            "s",
            "How long sessions lasted that ended here",
            histogram(sessions),
        ));
    }
    all
}
