//! PostgreSQL behind a bad network, and away: the shipper goes on, nothing is lost, nothing is there twice.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use archonctl::journal::{Journal, JournalOptions};
use archonctl::model::{
    Derivation, Era, InstanceId, OpenedSession, Operation, OperationStatus, Record, RequestId,
    SessionId, SessionTouched, Target, Timestamp, UserContext,
};
use archonctl::store::{Location, Store};
use archonctl::tracking::{Shipper, ShipperHandle};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::postgres::{Database, Version, plain};
use crate::support::{Fault, Faulty, eventually};

const INSTANCE: InstanceId = InstanceId(Uuid::from_u128(0xA11));
const SESSIONS: u128 = 3;

/// A shipper from a journal to `database`, behind a proxy.
struct Shipping {
    way: Faulty,
    journal: Arc<Journal>,
    handle: ShipperHandle,
    stop: CancellationToken,
    running: std::thread::JoinHandle<bool>,
    written: u128,
    _dir: tempfile::TempDir,
}

impl Shipping {
    fn start(database: &Database) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let way = Faulty::in_front_of(database.server.port);
        let url = format!(
            "postgres://postgres@127.0.0.1:{}/{}?sslmode=disable&connect_timeout=1&write_timeout=1",
            way.port, database.name
        );
        let journal = Journal::create(
            &dir.path().join("journal"),
            INSTANCE,
            JournalOptions::default(),
        );
        let journal = Arc::new(journal.expect("a journal"));
        let location = Location::new(Path::new("/nowhere"), Some(&url), None).expect("a URL");
        let stop = CancellationToken::new();
        let (sender, receiver) = std::sync::mpsc::channel();
        let (records, until) = (Arc::clone(&journal), stop.clone());
        let running = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime").block_on(async move {
                let store = Store::open(&location).await.expect("a store");
                let (shipper, handle) = Shipper::new(records, store);
                sender.send(handle).expect("heard");
                shipper.run(until).await
            })
        });
        let mut shipping = Self {
            way,
            journal,
            handle: receiver.recv().expect("it starts"),
            stop,
            running,
            written: 0,
            _dir: dir,
        };
        let opened: Vec<Record> = (1..=SESSIONS).map(opened).collect();
        shipping.append(&opened);
        shipping
    }

    fn append(&mut self, records: &[Record]) {
        self.journal.append(records).expect("written");
    }

    /// Writes so many operations, and as many notifications, which have no id to be recognised by.
    fn calls(&mut self, count: u128) {
        for _ in 0..count {
            self.written += 1;
            self.append(&[called(self.written), touched(self.written)]);
        }
    }

    fn in_trouble(&self) {
        eventually("trouble", || self.handle.trouble());
    }

    /// Until the store has everything.
    fn settled(&self) {
        eventually("the store to have everything", || {
            (self.journal.backlog_bytes() == 0 && self.handle.trouble().is_none()).then_some(())
        });
    }

    fn finish(self, database: &Database) {
        self.way.set(Fault::None);
        self.settled();
        self.stop.cancel();
        assert!(
            self.running.join().expect("it ends"),
            "everything was shipped"
        );
        let total = self.written.to_string();
        let all = |sql: &str| database.value(sql).unwrap_or_default();
        assert_eq!(all("SELECT count(*) FROM archon_mcp_requests"), total);
        assert_eq!(
            all("SELECT sum(total_requests) FROM archon_mcp_sessions"),
            total
        );
        assert_eq!(
            all("SELECT sum(notifications) FROM archon_mcp_sessions"),
            total
        );
        assert_eq!(all("SELECT sum(requests) FROM archon_usage_hourly"), total);
        assert_eq!(all("SELECT sum(requests) FROM archon_usage_daily"), total);
    }
}

fn at(n: u128) -> Timestamp {
    let seconds = i64::try_from(n).expect("small");
    Timestamp::from_micros(1_790_000_000_000_000 + seconds * 1_000_000)
}

fn session_of(n: u128) -> SessionId {
    SessionId(Uuid::from_u128(n % SESSIONS + 1))
}

fn opened(n: u128) -> Record {
    Record::SessionOpened(Box::new(OpenedSession {
        session_id: SessionId(Uuid::from_u128(n)),
        instance_id: INSTANCE,
        server: "files".into(),
        era: Era::Legacy,
        derivation: Derivation::Protocol,
        session_key: format!("key-{n}").into(),
        principal: "192.0.2.1".into(),
        client_name: Some("claude-code".into()),
        client_version: None,
        client_capabilities: None,
        protocol_version: None,
        user_agent: None,
        user: UserContext::default(),
        connected_at: at(0),
        resumed_from: None,
        survives_instance: true,
    }))
}

fn called(n: u128) -> Record {
    Record::OperationFinished(Box::new(Operation {
        request_id: RequestId(Uuid::from_u128(n)),
        session_id: session_of(n),
        method: "tools/call".into(),
        target: Some(Target::Tool("echo".into())),
        from_server: false,
        started_at: at(n),
        duration_us: 1_000,
        status: OperationStatus::Success,
        error_message: None,
        bytes_in: 1,
        bytes_out: 1,
        protocol_version: None,
        trace_id: None,
        prompt_tokens: None,
        completion_tokens: None,
        estimated_cost: None,
        model: None,
    }))
}

fn touched(n: u128) -> Record {
    Record::SessionTouched(SessionTouched {
        session_id: session_of(n),
        at: at(n),
        notifications: 1,
    })
}

#[test]
fn connections_that_break_anywhere_lose_nothing() {
    let database = plain(Version::V17).database_with_tables();
    let mut shipping = Shipping::start(&database);
    shipping.calls(50);
    shipping.settled();
    // In the middle of whatever the client says, from the first message of a transaction to the last.
    for bytes in [0, 7, 60, 190, 400, 900, 2_000, 4_000, 6_000] {
        let before = shipping.way.happened();
        shipping.way.set(Fault::BreakAfter(bytes));
        shipping.calls(20);
        eventually("a break", || {
            (shipping.way.happened() > before).then_some(())
        });
        shipping.settled();
    }
    for _ in 0..3 {
        shipping.calls(20);
        shipping.way.cut();
    }
    shipping.finish(&database);
}

#[test]
fn a_commit_whose_answer_is_lost_counts_once() {
    let database = plain(Version::V13).database_with_tables();
    let mut shipping = Shipping::start(&database);
    shipping.settled();
    for round in 1..=3 {
        shipping.way.set(Fault::LoseAnswerTo("COMMIT"));
        shipping.calls(30);
        eventually("a lost answer", || {
            (shipping.way.happened() >= round).then_some(())
        });
        shipping.settled();
    }
    shipping.finish(&database);
}

#[test]
fn a_server_that_is_away_is_waited_for() {
    let database = plain(Version::V18).database_with_tables();
    let mut shipping = Shipping::start(&database);
    shipping.settled();
    shipping.way.set(Fault::Refuse);
    shipping.way.cut();
    shipping.calls(40);
    shipping.in_trouble();
    let backlog = shipping.journal.backlog_bytes();
    assert!(backlog > 0, "records wait in the journal");
    shipping.calls(40);
    assert!(shipping.journal.backlog_bytes() > backlog);
    shipping.way.set(Fault::None);
    shipping.settled();
    // As when an administrator restarts it.
    shipping.calls(10);
    database.admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'archonctl'");
    shipping.calls(10);
    shipping.finish(&database);
}

#[test]
fn a_peer_that_vanishes_without_a_word_is_given_up() {
    let database = plain(Version::V15).database_with_tables();
    let mut shipping = Shipping::start(&database);
    shipping.calls(10);
    shipping.settled();
    // The connection is there, and nobody is at its other end.
    shipping.way.set(Fault::Silent);
    shipping.calls(30);
    let trouble = eventually("trouble", || shipping.handle.trouble());
    assert!(trouble.contains("no answer within"), "{trouble}");
    shipping.calls(30);
    shipping.finish(&database);
}

#[test]
fn a_slow_way_is_only_slow() {
    let database = plain(Version::V17).database_with_tables();
    let mut shipping = Shipping::start(&database);
    shipping.way.set(Fault::Delay(Duration::from_millis(15)));
    shipping.calls(60);
    shipping.settled();
    shipping.calls(60);
    shipping.finish(&database);
}
