//! What an append to the journal costs: as it is, and with `--journal-fsync`, by one thread and by several at once.
//!
//!     cargo bench --profile fast --bench journal [-- DIR]
//!
//! DIR is on the disk that is meant; the working directory's otherwise.

#![allow(clippy::print_stdout, reason = "what it is for")]

use std::path::Path;
use std::time::{Duration, Instant};

use archonctl::journal::{Journal, JournalOptions};
use archonctl::model::{
    InstanceId, Operation, OperationStatus, Record, RequestId, SessionId, Target, Timestamp,
};
use uuid::Uuid;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let place = words.iter().find(|word| !word.starts_with('-'));
    let place = Path::new(place.map_or(".", String::as_str));
    println!("threads  fsync  appends/s  p50       p99");
    for threads in [1, 2, 8] {
        for fsync in [false, true] {
            measure(place, threads, fsync);
        }
    }
}

fn measure(place: &Path, threads: usize, fsync: bool) {
    let dir = tempfile::tempdir_in(place).expect("a directory");
    let options = JournalOptions {
        fsync,
        ..JournalOptions::default()
    };
    let instance = InstanceId(Uuid::from_u128(1));
    let journal = Journal::create(dir.path(), instance, options).expect("a journal");
    let begun = Instant::now();
    let until = begun + Duration::from_secs(3);
    let mut taken: Vec<Duration> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| append(&journal, until)))
            .collect();
        let all = workers
            .into_iter()
            .map(|worker| worker.join().expect("no panic"));
        all.flatten().collect()
    });
    let seconds = begun.elapsed().as_secs_f64();
    taken.sort_unstable();
    let at = |percent: usize| taken[(taken.len() - 1) * percent / 100];
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = taken.len() as f64 / seconds;
    println!(
        "{threads:7}  {fsync:5}  {rate:9.0}  {:8.1?}  {:8.1?}",
        at(50),
        at(99)
    );
}

fn append(journal: &Journal, until: Instant) -> Vec<Duration> {
    let record = [Record::OperationFinished(Box::new(Operation {
        request_id: RequestId(Uuid::from_u128(1)),
        session_id: SessionId(Uuid::from_u128(1)),
        method: "tools/call".into(),
        target: Some(Target::Tool("echo".into())),
        from_server: false,
        started_at: Timestamp::from_micros(1_790_000_000_000_000),
        duration_us: 1_000,
        status: OperationStatus::Success,
        error_message: None,
        bytes_in: 100,
        bytes_out: 1_000,
        protocol_version: Some("2026-07-28".into()),
        trace_id: None,
        prompt_tokens: None,
        completion_tokens: None,
        estimated_cost: None,
        model: None,
    }))];
    let mut taken = Vec::new();
    loop {
        let begun = Instant::now();
        if begun >= until {
            return taken;
        }
        // A full journal ends the measurement early.
        if journal.append(&record).is_err() {
            return taken;
        }
        taken.push(begun.elapsed());
    }
}
