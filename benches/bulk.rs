//! How fast operations are written to PostgreSQL: through the store's fold, and by plain COPY into the same tables; and
//! what one costs on its way into SQLite.
//!
//!     cargo bench --profile fast --bench bulk [-- [ROWS] [sqlite]]
//!
//! A server of its own is started (`scripts/test --setup-only` installs it). Both ways take turns and write the same rows in
//! transactions of the same size, with all indexes and foreign keys in place; COPY is told to leave out the triggers, and
//! keeps neither sums of sessions nor usage by hour. Rows a second mean little on another machine, the ratio does.

#![allow(clippy::print_stdout, reason = "what it is for")]

#[path = "../tests/integration/support/postgres/mod.rs"]
mod postgres;

use std::fmt::Write;
use std::path::Path;
use std::time::Instant;

use archonctl::model::{
    Cost, Derivation, Era, InstanceId, OpenedSession, Operation, OperationStatus, Record,
    RequestId, SessionId, Target, Timestamp, UserContext,
};
use archonctl::store::{JournalPosition, Location, Store};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use postgres::{Version, plain};

/// Operations in one transaction: about what a megabyte of journal holds.
const BATCH: usize = 8_192;
const SESSIONS: u128 = 64;
const TOOLS: u128 = 5;
const ROUNDS: usize = 5;
const INSTANCE: InstanceId = InstanceId(Uuid::from_u128(0xA11));

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let rows = words
        .iter()
        .find_map(|word| word.parse().ok())
        .unwrap_or(400_000_usize);
    if words.iter().any(|word| word == "sqlite") {
        into_sqlite(rows);
    } else {
        into_postgres(rows);
    }
}

/// Folds into a new file, round by round.
fn into_sqlite(rows: usize) {
    let dir = tempfile::tempdir().expect("a directory");
    let location = Location::new(dir.path(), None, None).expect("a place");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let store = Store::open(&location).await.expect("a store");
        store.migrate_up().await.expect("migrated");
        let opened: Vec<Record> = (0..SESSIONS).map(opened).collect();
        let mut offset = 1;
        fold(&store, &opened, &mut offset).await;
        let mut costs = Vec::new();
        for round in 0..ROUNDS {
            let first = u128::try_from(round * rows).expect("few");
            let records: Vec<Record> = (first..)
                .take(rows)
                .map(|n| Record::OperationFinished(Box::new(operation(n))))
                .collect();
            let began = Instant::now();
            for batch in records.chunks(BATCH) {
                fold(&store, batch, &mut offset).await;
            }
            costs.push(1e6 / rate(rows, began));
            println!("round {}: {:.2} µs an operation", round + 1, costs[round]);
        }
        println!(
            "SQLite: {:.2} µs an operation (median)",
            median(costs.into_iter())
        );
        store.close().await;
    });
}

fn into_postgres(rows: usize) {
    let database = plain(Version::V17).database_with_tables();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let location =
        Location::new(Path::new("/nowhere"), Some(&database.url()), None).expect("a URL");
    let (mut folded, mut copied) = (Vec::new(), Vec::new());
    runtime.block_on(async {
        let store = Store::open(&location).await.expect("a store");
        let mut connection = database.connect().await;
        let opened: Vec<Record> = (0..SESSIONS).map(opened).collect();
        let mut offset = 1;
        fold(&store, &opened, &mut offset).await;
        for round in 0..ROUNDS {
            let first = u128::try_from(round * 2 * rows).expect("few");
            let operations: Vec<Operation> = (first..).take(rows).map(operation).collect();
            let records: Vec<Record> = operations
                .iter()
                .cloned()
                .map(|o| Record::OperationFinished(Box::new(o)))
                .collect();
            let began = Instant::now();
            for batch in records.chunks(BATCH) {
                fold(&store, batch, &mut offset).await;
            }
            folded.push(rate(rows, began));

            let others: Vec<Operation> =
                (first + rows as u128..).take(rows).map(operation).collect();
            let texts: Vec<String> = others.chunks(BATCH).map(text).collect();
            let began = Instant::now();
            for text in &texts {
                copy(&mut connection, text).await;
            }
            copied.push(rate(rows, began));
            println!(
                "round {}: fold {:>7.0} rows/s, COPY {:>7.0} rows/s",
                round + 1,
                folded[round],
                copied[round]
            );
        }
        store.close().await;
    });
    let ratio = median(folded.iter().zip(&copied).map(|(fold, copy)| fold / copy));
    println!(
        "fold {:.0} rows/s, COPY {:.0} rows/s, ratio {ratio:.2} (medians of {ROUNDS} rounds of {rows} rows)",
        median(folded.into_iter()),
        median(copied.into_iter())
    );
}

async fn fold(store: &Store, records: &[Record], offset: &mut u64) {
    *offset += 1;
    let position = JournalPosition {
        segment: 0,
        offset: *offset,
    };
    store
        .fold(INSTANCE, records, position)
        .await
        .expect("a fold");
}

async fn copy(connection: &mut PgConnection, text: &str) {
    let mut transaction = connection.begin().await.expect("a transaction");
    let quiet = sqlx::raw_sql("SET LOCAL archonctl.writer = 'fold'")
        .execute(&mut *transaction)
        .await;
    quiet.expect("set");
    let sql = "COPY archon_mcp_requests (request_id, session_id, timestamp, duration_ms, bytes_in, bytes_out, method, \
               tool_name, prompt_tokens, completion_tokens, estimated_cost, status, sent_by, user_id) FROM STDIN";
    let mut stream = transaction.copy_in_raw(sql).await.expect("COPY");
    stream.send(text.as_bytes()).await.expect("sent");
    stream.finish().await.expect("taken");
    transaction.commit().await.expect("committed");
}

/// Operations as COPY takes them.
fn text(operations: &[Operation]) -> String {
    let mut text = String::new();
    for operation in operations {
        let Some(Target::Tool(tool)) = &operation.target else {
            continue;
        };
        let cost = operation.estimated_cost.unwrap_or_default();
        writeln!(
            text,
            "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{tool}\t{}\t{}\t{cost}\t{}\tclient\t{}",
            operation.request_id.0,
            operation.session_id.0,
            operation.started_at,
            operation.duration_us / 1_000,
            operation.bytes_in,
            operation.bytes_out,
            operation.method,
            operation.prompt_tokens.unwrap_or_default(),
            operation.completion_tokens.unwrap_or_default(),
            operation.status,
            Uuid::from_u128(7),
        )
        .expect("text");
    }
    text
}

fn rate(rows: usize, began: Instant) -> f64 {
    let rows = u32::try_from(rows).expect("few");
    f64::from(rows) / began.elapsed().as_secs_f64()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn at(n: u128) -> Timestamp {
    // A thousand a second.
    Timestamp::from_micros(1_790_000_000_000_000 + i64::try_from(n * 1_000).expect("small"))
}

fn session(n: u128) -> SessionId {
    SessionId(Uuid::from_u128(n % SESSIONS + 1))
}

fn opened(n: u128) -> Record {
    Record::SessionOpened(Box::new(OpenedSession {
        session_id: session(n),
        instance_id: INSTANCE,
        server: "files".into(),
        era: Era::Legacy,
        derivation: Derivation::Protocol,
        session_key: format!("key-{n}").into(),
        principal: "192.0.2.1".into(),
        client_name: Some("claude-code".into()),
        client_version: Some("2.1.0".into()),
        client_capabilities: None,
        protocol_version: Some("2025-11-25".into()),
        user_agent: None,
        user: UserContext {
            user_id: Some(Uuid::from_u128(7)),
            user_email: None,
            user_name: None,
        },
        connected_at: at(0),
        resumed_from: None,
        survives_instance: true,
    }))
}

fn operation(n: u128) -> Operation {
    let millis = u64::try_from(n).expect("small") + 1_790_000_000_000;
    let seconds = uuid::Timestamp::from_unix_time(millis / 1_000, 0, 0, 0);
    // In the order of time, as the tracker makes them.
    let mut id = Uuid::new_v7(seconds).as_u128() & !(u128::MAX >> 48);
    id |= (7 << 76) | (2 << 62) | n;
    Operation {
        request_id: RequestId(Uuid::from_u128(id)),
        session_id: session(n),
        method: "tools/call".into(),
        target: Some(Target::Tool(format!("tool-{}", n % TOOLS).into())),
        from_server: false,
        started_at: at(n),
        duration_us: 12_000 + u64::try_from(n % 977).expect("small") * 1_000,
        status: OperationStatus::Success,
        error_message: None,
        bytes_in: 230,
        bytes_out: 1_100,
        protocol_version: None,
        trace_id: None,
        prompt_tokens: Some(60),
        completion_tokens: Some(250),
        estimated_cost: Some(Cost::from_micros(2_500)),
        model: None,
    }
}
