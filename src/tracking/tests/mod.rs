//! The rules of `docs/TRACKING.md`, each in virtual time, without a connection or a store.

mod attribution;
mod endings;
mod life;
mod openings;
mod operations;
mod process;
mod reasons;
mod rounds;
mod scopes;
mod settle;
mod shipping;
mod texts;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use uuid::Uuid;

use super::{AnswerFacts, Exchange, RequestFacts, Server, Tracker, TrackerOptions};
use crate::journal::{Journal, JournalOptions, Position, read_batch};
use crate::model::{
    InstanceId, ManualClock, OpenedSession, Operation, Record, SessionClosed, Timestamp,
    UuidV7Source,
};

const LEGACY: &str = "2025-06-18";
const MODERN: &str = "2026-07-28";

/// A tracker whose clock stands still, and what it has written so far.
struct Rig {
    tracker: Arc<Tracker>,
    clock: Arc<ManualClock>,
    server: Arc<Server>,
    journal: Arc<Journal>,
    _root: tempfile::TempDir,
}

/// Who sends a request, and with which headers.
#[derive(Clone)]
struct Client {
    principal: &'static str,
    server: &'static str,
    headers: Vec<(&'static str, String)>,
}

impl Client {
    fn new() -> Self {
        Self {
            principal: "127.0.0.1",
            server: "docs",
            headers: vec![("user-agent", "test/1".to_owned())],
        }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }

    fn from(mut self, principal: &'static str) -> Self {
        self.principal = principal;
        self
    }

    fn at(mut self, server: &'static str) -> Self {
        self.server = server;
        self
    }
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| {
        (
            HeaderName::from_static(name),
            HeaderValue::from_str(value).expect("a header value"),
        )
    };
    pairs.iter().map(pair).collect()
}

impl Rig {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a directory");
        let instance = InstanceId(Uuid::from_u128(1));
        let journal = Arc::new(
            Journal::create(root.path(), instance, JournalOptions::default()).expect("a journal"),
        );
        let clock = Arc::new(ManualClock::at(Timestamp::from_micros(
            1_790_000_000_000_000,
        )));
        let tracker = Tracker::new(
            TrackerOptions::default(),
            clock.clone(),
            Arc::new(UuidV7Source),
            journal.clone(),
        );
        let server = Arc::new(Server {
            name: "docs".into(),
            survives_instance: true,
        });
        Self {
            tracker: Arc::new(tracker),
            clock,
            server,
            journal,
            _root: root,
        }
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    fn begin(&self, method: &Method, client: &Client) -> Exchange {
        let mut all = headers(&[("content-type", "application/json")]);
        for (name, value) in &client.headers {
            all.insert(
                HeaderName::from_static(name),
                value.parse().expect("a header value"),
            );
        }
        let server = if *self.server.name == *client.server {
            self.server.clone()
        } else {
            Arc::new(Server {
                name: client.server.into(),
                survives_instance: true,
            })
        };
        let facts = RequestFacts::new(
            server,
            client.principal.into(),
            method.as_str(),
            self.tracker.now(),
        )
        .with_headers(&all);
        self.tracker.begin(facts)
    }

    fn post(&self, client: &Client, body: &str) -> Exchange {
        let exchange = self.begin(&Method::POST, client);
        exchange.request_data(body.as_bytes());
        exchange.request_end();
        exchange
    }

    /// A POST answered with one JSON document after a second; gives the tracked session.
    fn call(&self, client: &Client, body: &str, answer: &str) -> Option<String> {
        self.call_as(client, body, StatusCode::OK, &[], answer)
    }

    fn call_as(
        &self,
        client: &Client,
        body: &str,
        status: StatusCode,
        answer_headers: &[(&'static str, &str)],
        answer: &str,
    ) -> Option<String> {
        let exchange = self.post(client, body);
        self.pass(1);
        let mut all = headers(&[("content-type", "application/json")]);
        all.extend(headers(answer_headers));
        let session = exchange.answer_head(AnswerFacts::read(status, &all));
        exchange.answer_data(answer.as_bytes());
        exchange.answer_end();
        session.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// A legacy handshake with a server that mints `session_id`; gives the client as it goes on.
    fn initialize(&self, client: &Client, session_id: &str) -> Client {
        let minted: &[(&str, &str)] = &[("mcp-session-id", session_id)];
        self.call_as(
            client,
            &initialize("tester", LEGACY),
            StatusCode::OK,
            minted,
            &initialized(LEGACY),
        );
        client
            .clone()
            .with("mcp-session-id", session_id)
            .with("mcp-protocol-version", LEGACY)
    }

    fn stream(&self, method: &Method, client: &Client) -> Exchange {
        let exchange = self.begin(method, client);
        exchange.answer_head(AnswerFacts::read(
            StatusCode::OK,
            &headers(&[("content-type", "text/event-stream")]),
        ));
        exchange
    }

    fn delete(&self, client: &Client, status: StatusCode) {
        let exchange = self.begin(&Method::DELETE, client);
        exchange.answer_head(AnswerFacts::read(status, &HeaderMap::new()));
        exchange.answer_end();
    }

    fn records(&self) -> Vec<Record> {
        let (mut records, mut at) = (Vec::new(), Position::default());
        loop {
            let batch = read_batch(self.journal.dir(), at, None, 1 << 20).expect("readable");
            if batch.records.is_empty() {
                return records;
            }
            at = batch.next;
            records.extend(batch.records);
        }
    }

    fn opened(&self) -> Vec<OpenedSession> {
        self.records()
            .into_iter()
            .filter_map(|record| match record {
                Record::SessionOpened(opened) => Some(*opened),
                _ => None,
            })
            .collect()
    }

    fn operations(&self) -> Vec<Operation> {
        self.records()
            .into_iter()
            .filter_map(|record| match record {
                Record::OperationFinished(operation) => Some(*operation),
                _ => None,
            })
            .collect()
    }

    fn closed(&self) -> Vec<SessionClosed> {
        self.records()
            .into_iter()
            .filter_map(|record| match record {
                Record::SessionClosed(closed) => Some(closed),
                _ => None,
            })
            .collect()
    }

    fn reasons(&self) -> Vec<String> {
        self.closed()
            .iter()
            .map(|closed| closed.reason.to_string())
            .collect()
    }

    fn unparsed(&self) -> u64 {
        self.tracker.counters.unparsed.load(Ordering::Relaxed)
    }
}

fn initialize(name: &str, version: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{version}",
        "capabilities":{{"roots":{{}}}},"clientInfo":{{"name":"{name}","version":"1.2.3"}}}}}}"#
    )
}

fn initialized(version: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":0,"result":{{"protocolVersion":"{version}","capabilities":{{}}}}}}"#
    )
}

fn echo(id: u32) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"echo","arguments":{{}}}}}}"#
    )
}

fn echoed(id: u32) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"hi"}}]}}}}"#
    )
}

/// A modern request of a client called `name`, with `more` members in `_meta` (each with a comma in front).
fn modern(id: u32, method: &str, name: &str, more: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{"name":"echo","_meta":{{
        "io.modelcontextprotocol/protocolVersion":"{MODERN}","io.modelcontextprotocol/clientCapabilities":{{"roots":{{}}}},
        "io.modelcontextprotocol/clientInfo":{{"name":"{name}","version":"2.0"}}{more}}}}}}}"#
    )
}
