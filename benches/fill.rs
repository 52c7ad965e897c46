//! Fills a store with made-up sessions and requests, through the fold as the tracker's own records would: for measuring what
//! reads them. Not a benchmark itself.
//!
//!     cargo bench --profile fast --bench fill -- DATA-DIR|DATABASE-URL [--sessions 200000] [--requests 4000000] [--days 90]
//!
//! The same numbers make the same rows, apart from the clock: they end at the last full hour. Most sessions take minutes and
//! some take hours, most have few requests and some have thousands; a hundredth of the requests time out, four fail.

#![allow(clippy::print_stdout, reason = "what it is for")]
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "made-up numbers"
)]

use std::path::Path;
use std::time::Instant;

use archonctl::model::{
    Cost, Derivation, DisconnectReason, Era, ErrorType, InstanceId, OpenedSession, Operation,
    OperationStatus, Record, RequestId, SessionClosed, SessionId, Target, Timestamp, UserContext,
};
use archonctl::store::{JournalPosition, Location, Store};
use uuid::Uuid;

const HOUR: i64 = 3_600_000_000;
const USERS: f64 = 2_000.0;
const TOOLS: f64 = 24.0;
/// Records in one transaction.
const BATCH: usize = 20_000;
const CLIENTS: [&str; 8] = [
    "claude-code",
    "claude-ai",
    "cursor-vscode",
    "windsurf-client",
    "Cline",
    "kiro",
    "gemini-cli-mcp-client",
    "something-else",
];
const METHODS: [&str; 3] = ["initialize", "tools/list", "resources/read"];

/// What happens in a session, in this order where it happens at once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Opened,
    Request(u32),
    Closed,
}

struct Wanted {
    sessions: u32,
    requests: u32,
    days: i64,
    until: i64,
}

struct Made {
    begins: i64,
    takes: i64,
}

fn main() {
    let mut place = None;
    let mut numbers = [200_000_u32, 4_000_000, 90];
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        let names = ["--sessions", "--requests", "--days"];
        match names.iter().position(|name| *name == word) {
            Some(number) => {
                let value = words.next().and_then(|value| value.parse().ok());
                numbers[number] = value.expect("a number behind the option");
            }
            None => place = Some(word),
        }
    }
    let place = place.expect("where to: a data directory or a database URL");
    let url = place.contains("://").then_some(place.as_str());
    let dir = url.map_or(Path::new(&place), |_| Path::new("/nowhere"));
    let location = Location::new(dir, url, None).expect("a place");
    let [sessions, requests, days] = numbers;
    let wanted = Wanted {
        sessions,
        requests,
        days: days.into(),
        until: Timestamp::from(chrono::Utc::now()).as_micros() / HOUR * HOUR,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .expect("a runtime")
        .block_on(fill(&location, &wanted));
}

async fn fill(location: &Location, wanted: &Wanted) {
    let store = Store::open(location).await.expect("a store");
    store.migrate_up().await.expect("migrated");
    let began = Instant::now();
    let instance = InstanceId(Uuid::now_v7());
    let made: Vec<Made> = (0..wanted.sessions).map(|n| session(n, wanted)).collect();
    let mut events = Vec::new();
    for (n, made) in (0..).zip(&made) {
        events.push((made.begins, n, Event::Opened));
        if made.begins + made.takes < wanted.until - HOUR {
            events.push((made.begins + made.takes, n, Event::Closed));
        }
    }
    for n in 0..wanted.requests {
        let of = (f64::from(wanted.sessions) * chance(n, 20).powf(1.6)) as u32;
        let Made { begins, takes } = made[of as usize];
        let at = begins + (chance(n, 21) * takes as f64) as i64;
        events.push((at, of, Event::Request(n)));
    }
    events.sort_unstable();
    for (batch, events) in (1..).zip(events.chunks(BATCH)) {
        let records: Vec<Record> = events
            .iter()
            .map(|(at, session, event)| record(instance, *at, *session, *event))
            .collect();
        let position = JournalPosition {
            segment: 0,
            offset: batch,
        };
        let folded = store.fold(instance, &records, position).await;
        folded.expect("a fold");
    }
    store.close().await;
    let (count, took) = (events.len(), began.elapsed());
    println!("{count} records in {:.0} s", took.as_secs_f64());
}

/// A number from 0 up to 1 for a thing and a purpose (the finisher of SplitMix64).
fn chance(n: u32, purpose: u64) -> f64 {
    let mut x = (u64::from(n) + 1)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .wrapping_add(purpose.wrapping_mul(0xD1B5_4A32_D192_ED03));
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}

fn session(n: u32, wanted: &Wanted) -> Made {
    let length = 20.0 + 36_000.0 * chance(n, 2).powi(4);
    let takes = (length * 1e6) as i64;
    let ago = chance(n, 1) * (wanted.days * 24 * HOUR) as f64;
    Made {
        begins: wanted.until - (ago as i64).max(takes.min(2 * HOUR)),
        takes,
    }
}

fn session_id(n: u32) -> SessionId {
    SessionId(Uuid::from_u128(
        (1 << 100) | (4 << 76) | (2 << 62) | u128::from(n),
    ))
}

fn record(instance: InstanceId, at: i64, session: u32, event: Event) -> Record {
    let at = Timestamp::from_micros(at);
    match event {
        Event::Opened => Record::SessionOpened(Box::new(opened(instance, at, session))),
        Event::Request(n) => Record::OperationFinished(Box::new(operation(at, session, n))),
        Event::Closed => {
            let reason = match (chance(session, 9) * 10.0) as u32 {
                0..4 => DisconnectReason::Timeout,
                4..8 => DisconnectReason::ClientDisconnect,
                8 => DisconnectReason::ServerShutdown,
                _ => DisconnectReason::Error(ErrorType::UpstreamError),
            };
            Record::SessionClosed(SessionClosed {
                session_id: session_id(session),
                reason,
                disconnected_at: at,
                detected_at: at,
            })
        }
    }
}

fn opened(instance: InstanceId, at: Timestamp, n: u32) -> OpenedSession {
    let user = (USERS * chance(n, 4).powi(2)) as u128;
    let known = chance(n, 3) >= 0.15;
    OpenedSession {
        session_id: session_id(n),
        instance_id: instance,
        server: ["files", "search", "tickets"][n as usize % 3].into(),
        era: if n.is_multiple_of(2) {
            Era::Legacy
        } else {
            Era::Modern
        },
        derivation: Derivation::Protocol,
        session_key: format!("key-{n}").into(),
        principal: format!("192.0.2.{}", n % 200).into(),
        client_name: Some(CLIENTS[(8.0 * chance(n, 5)) as usize].into()),
        client_version: Some(format!("1.{}.0", (9.0 * chance(n, 6)) as u32).into()),
        client_capabilities: None,
        protocol_version: Some("2025-11-25".into()),
        user_agent: None,
        user: UserContext {
            user_id: known.then(|| Uuid::from_u128((1 << 120) | user)),
            user_email: known.then(|| format!("user{user}@example.org").into()),
            user_name: known.then(|| format!("User {user}").into()),
        },
        connected_at: at,
        resumed_from: None,
        survives_instance: true,
    }
}

fn operation(at: Timestamp, session: u32, n: u32) -> Operation {
    let micros = at.as_micros() as u64;
    let seconds = uuid::Timestamp::from_unix_time(
        micros / 1_000_000,
        (micros % 1_000_000) as u32 * 1_000,
        0,
        0,
    );
    // In the order of time, as the tracker makes them.
    let mut id = Uuid::new_v7(seconds).as_u128() & !(u128::MAX >> 48);
    id |= (7 << 76) | (2 << 62) | u128::from(n);
    let kind = (20.0 * chance(n, 22)) as usize;
    let tool = (kind >= METHODS.len()).then(|| (TOOLS * chance(n, 23).powi(2)) as u32);
    let status = match chance(n, 24) {
        ..0.01 => OperationStatus::Timeout,
        ..0.05 => OperationStatus::Error,
        _ => OperationStatus::Success,
    };
    let some = |purpose, most: f64| Some((most * chance(n, purpose).powi(3)) as u32);
    Operation {
        request_id: RequestId(Uuid::from_u128(id)),
        session_id: session_id(session),
        method: METHODS.get(kind).copied().unwrap_or("tools/call").into(),
        target: tool.map(|tool| Target::Tool(format!("tool_{tool}").into())),
        from_server: false,
        started_at: at,
        duration_us: 2_000 + (2e7 * chance(n, 25).powi(6)) as u64,
        status,
        error_message: (status == OperationStatus::Error)
            .then(|| format!("-32602: made up, number {}", n % 50).into()),
        bytes_in: 200 + u64::from(n % 900),
        bytes_out: 300 + u64::from(n % 5_000),
        protocol_version: Some("2025-11-25".into()),
        trace_id: None,
        prompt_tokens: some(26, 2_000.0),
        completion_tokens: some(27, 6_000.0),
        estimated_cost: Some(Cost::from_micros((30_000.0 * chance(n, 28).powi(3)) as i64)),
        model: None,
    }
}
