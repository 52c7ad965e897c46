//! What counting tokens costs: on the way of a call, where texts are only kept, and behind it, where they are counted.
//!
//!     cargo bench --profile fast --bench tokens

#![allow(clippy::print_stdout, reason = "what it is for")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use archonctl::journal::{Journal, JournalOptions};
use archonctl::model::{Clock, InstanceId, SystemClock, UuidV7Source};
use archonctl::tracking::{AnswerFacts, RequestFacts, Server, Tracker, TrackerOptions};
use http::{HeaderMap, HeaderValue, StatusCode};
use uuid::Uuid;

const CALLS: u32 = 20_000;

fn main() {
    let words = "The quick brown fox jumps over the lazy dog. ";
    println!("text     counted up to  on the way  counting   counted  estimated");
    for (name, times) in [("1 KB", 20), ("64 KB", 1_400)] {
        for counted_text in [0, 16 << 10] {
            measure(name, &words.repeat(times), counted_text);
        }
    }
}

fn measure(name: &str, text: &str, counted_text: usize) {
    let dir = tempfile::tempdir().expect("a directory");
    let instance = InstanceId(Uuid::from_u128(1));
    let options = JournalOptions {
        max_backlog_bytes: u64::MAX,
        ..JournalOptions::default()
    };
    let journal = Arc::new(Journal::create(dir.path(), instance, options).expect("a journal"));
    let options = TrackerOptions {
        counted_text,
        ..TrackerOptions::default()
    };
    let clock = Arc::new(SystemClock);
    let tracker = Tracker::new(options, clock.clone(), Arc::new(UuidV7Source), journal);
    let tracker = Arc::new(tracker);
    let server = Arc::new(Server {
        name: "bench".into(),
        survives_instance: true,
    });
    let call = |id: u32| {
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"echo","arguments":{{"message":"{id}"}}}}}}"#
        )
    };
    let json = HeaderMap::from_iter([(
        http::header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    )]);
    let (mut way, mut counting) = (Duration::ZERO, Duration::ZERO);
    for id in 0..CALLS {
        let call = call(id);
        let answer = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"{text}"}}]}}}}"#
        );
        let begun = Instant::now();
        let facts = RequestFacts::new(server.clone(), "127.0.0.1".into(), "POST", clock.now());
        let exchange = tracker.begin(facts.with_headers(&json));
        exchange.request_data(call.as_bytes());
        exchange.request_end();
        exchange.answer_head(AnswerFacts::read(StatusCode::OK, &json));
        exchange.answer_data(answer.as_bytes());
        exchange.answer_end();
        way += begun.elapsed();
        // As often as the shipper does at some thousand calls a second.
        if id % 2_000 == 0 {
            let begun = Instant::now();
            tracker.texts().count();
            // The first one loads the vocabulary.
            if id > 0 {
                counting += begun.elapsed();
            }
        }
    }
    println!(
        "{name:7}  {counted_text:13}  {:>10.2?}  {:>9.2?}  {:7}  {:9}",
        way / CALLS,
        counting / CALLS,
        tracker.texts().counted(),
        tracker.texts().estimated(),
    );
}
