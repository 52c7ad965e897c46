//! What tests of this floor and the next need: a database in a temporary directory, and records to put into it.

use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;
use uuid::Uuid;

use super::{JournalPosition, Location, Store};
use crate::model::{
    Derivation, DisconnectReason, Era, InstanceId, OpenedSession, Operation, OperationStatus,
    Record, RequestId, SessionClosed, SessionId, SessionTouched, Target, Timestamp, UserContext,
};

#[path = "../../tests/integration/support/postgres/mod.rs"]
pub(crate) mod postgres;

use postgres::{Database, Pooler, Version};

/// An instance to fold for.
pub(crate) const INSTANCE: InstanceId = InstanceId(Uuid::from_u128(0xA11));

/// The kinds of stores that scenarios run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum On {
    /// A file.
    Sqlite,
    /// A server.
    Postgres(Version),
    /// A server behind a pooler in transaction mode that knows no prepared statements.
    Pooled(Version),
}

/// Makes a test of each scenario for every kind of store: an `async fn` with one parameter, [`On`].
macro_rules! on_every_store {
    ($($scenario:ident),+ $(,)?) => {
        $crate::store::testing::on_every_store!(@ sqlite, On::Sqlite; $($scenario)+);
        $crate::store::testing::on_every_store!(@ postgres_13, On::Postgres(Version::V13); $($scenario)+);
        $crate::store::testing::on_every_store!(@ postgres_17, On::Postgres(Version::V17); $($scenario)+);
        $crate::store::testing::on_every_store!(@ postgres_18, On::Postgres(Version::V18); $($scenario)+);
        $crate::store::testing::on_every_store!(@ pooled_15, On::Pooled(Version::V15); $($scenario)+);
    };
    (@ $name:ident, $on:expr; $($scenario:ident)+) => {
        mod $name {
            #[allow(unused_imports, reason = "one kind needs no version")]
            use $crate::store::testing::{On, postgres::Version};

            $(
                #[tokio::test]
                async fn $scenario() {
                    Box::pin(super::$scenario($on)).await;
                }
            )+
        }
    };
}

pub(crate) use on_every_store;

impl On {
    /// `id` as SQL has it.
    pub(crate) fn id(self, id: u128) -> String {
        match self {
            Self::Sqlite => format!("x'{id:032x}'"),
            _ => format!("'{id:032x}'"),
        }
    }

    /// `at` as SQL has it.
    pub(crate) fn instant(self, at: Timestamp) -> String {
        match self {
            Self::Sqlite => at.as_micros().to_string(),
            _ => format!("'{at}'"),
        }
    }

    /// So many repetitions of something slow: few on a server.
    pub(crate) fn times(self, many: u64) -> u64 {
        match self {
            Self::Sqlite => many,
            _ => many.div_ceil(10),
        }
    }
}

/// A migrated database that goes away with this value.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) on: On,
    database: Option<Database>,
    location: Location,
    _dir: TempDir,
    offset: u64,
}

impl TestStore {
    /// In a file.
    pub(crate) async fn new() -> Self {
        Self::on(On::Sqlite).await
    }

    pub(crate) async fn on(on: On) -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let database = match on {
            On::Sqlite => None,
            On::Postgres(version) | On::Pooled(version) => {
                Some(postgres::plain(version).database_with_tables())
            }
        };
        let url = database.as_ref().map(|database| match on {
            On::Pooled(version) => through_a_pooler(version, database),
            _ => database.url(),
        });
        let location = Location::new(dir.path(), url.as_deref(), None).expect("a location");
        let store = Store::open(&location).await.expect("a store");
        if database.is_none() {
            store.migrate_up().await.expect("a schema");
        }
        Self {
            store,
            on,
            database,
            location,
            _dir: dir,
            offset: 0,
        }
    }

    /// The same database once more, with connections of its own, as another process has it.
    pub(crate) async fn another(&self) -> Store {
        Store::open(&self.location).await.expect("a store")
    }

    /// The database on a server.
    pub(crate) fn server(&self) -> Option<&Database> {
        self.database.as_ref()
    }

    /// Folds `records` behind what was folded before.
    pub(crate) async fn fold(&mut self, records: &[Record]) {
        self.offset += 1;
        let position = JournalPosition {
            segment: 0,
            offset: self.offset,
        };
        self.store
            .fold(INSTANCE, records, position)
            .await
            .expect("a fold");
    }

    /// Runs statements of the test's own.
    pub(crate) async fn execute(&self, sql: &str) {
        match (&self.database, self.store.pool()) {
            (Some(database), _) => {
                database.run(sql);
            }
            (None, super::connection::Pool::Sqlite(pool)) => {
                let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
                    .execute(pool)
                    .await;
                done.expect("the test's own SQL");
            }
            (None, _) => unreachable!("a server has a database"),
        }
    }
}

/// The way to `database` through one pooler for all tests of a version.
fn through_a_pooler(version: Version, database: &Database) -> String {
    static POOLERS: Mutex<Vec<(Version, Pooler)>> = Mutex::new(Vec::new());
    let mut poolers = POOLERS.lock().unwrap_or_else(PoisonError::into_inner);
    let place = poolers.iter().position(|(started, _)| *started == version);
    let place = place.unwrap_or_else(|| {
        poolers.push((version, Pooler::start(database.server)));
        poolers.len() - 1
    });
    poolers[place].1.url(database)
}

pub(crate) fn session_id(n: u128) -> SessionId {
    SessionId(Uuid::from_u128(n))
}

/// Seconds after the start of the tests' time.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_790_000_000_000_000 + seconds * 1_000_000)
}

pub(crate) fn opened(n: u128, seconds: i64) -> OpenedSession {
    OpenedSession {
        session_id: session_id(n),
        instance_id: INSTANCE,
        server: "files".into(),
        era: Era::Legacy,
        derivation: Derivation::Protocol,
        session_key: format!("key-{n}").into(),
        principal: "192.0.2.1".into(),
        client_name: Some("claude-code".into()),
        client_version: Some("2.1.0".into()),
        client_capabilities: Some(r#"{"roots":{}}"#.into()),
        protocol_version: Some("2025-11-25".into()),
        user_agent: Some("claude-code/2.1.0".into()),
        user: UserContext::default(),
        connected_at: at(seconds),
        resumed_from: None,
        survives_instance: true,
    }
}

pub(crate) fn open(n: u128, seconds: i64) -> Record {
    Record::SessionOpened(Box::new(opened(n, seconds)))
}

/// A `tools/call` of 100 ms with ten tokens in, twenty out, for thirty micro-dollars.
pub(crate) fn operation(id: u128, session: u128, seconds: i64) -> Operation {
    Operation {
        request_id: RequestId(Uuid::from_u128(id)),
        session_id: session_id(session),
        method: "tools/call".into(),
        target: Some(Target::Tool("search".into())),
        from_server: false,
        started_at: at(seconds),
        duration_us: 100_000,
        status: OperationStatus::Success,
        error_message: None,
        bytes_in: 100,
        bytes_out: 1_000,
        protocol_version: None,
        trace_id: None,
        prompt_tokens: Some(10),
        completion_tokens: Some(20),
        estimated_cost: Some(crate::model::Cost::from_micros(30)),
        model: None,
    }
}

pub(crate) fn call(id: u128, session: u128, seconds: i64) -> Record {
    Record::OperationFinished(Box::new(operation(id, session, seconds)))
}

pub(crate) fn touch(session: u128, seconds: i64, notifications: u32) -> Record {
    Record::SessionTouched(SessionTouched {
        session_id: session_id(session),
        at: at(seconds),
        notifications,
    })
}

pub(crate) fn idle(session: u128) -> Record {
    Record::SessionIdle {
        session_id: session_id(session),
    }
}

pub(crate) fn closed(session: u128, seconds: i64, reason: &str) -> SessionClosed {
    SessionClosed {
        session_id: session_id(session),
        reason: DisconnectReason::from_str(reason).expect("a reason"),
        disconnected_at: at(seconds),
        detected_at: at(seconds + 5),
    }
}

pub(crate) fn close(session: u128, seconds: i64, reason: &str) -> Record {
    Record::SessionClosed(closed(session, seconds, reason))
}
