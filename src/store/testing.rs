//! What tests of this floor and the next need: a database in a temporary directory, and records to put into it.

use std::str::FromStr;

use tempfile::TempDir;
use uuid::Uuid;

use super::{JournalPosition, Store};
use crate::model::{
    Derivation, DisconnectReason, Era, InstanceId, OpenedSession, Operation, OperationStatus,
    Record, RequestId, SessionClosed, SessionId, SessionTouched, Target, Timestamp, UserContext,
};

/// An instance to fold for.
pub(crate) const INSTANCE: InstanceId = InstanceId(Uuid::from_u128(0xA11));

/// A migrated database that goes away with this value.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    _dir: TempDir,
    offset: u64,
}

impl TestStore {
    pub(crate) async fn new() -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let store = Store::open_embedded(dir.path())
            .await
            .expect("a new database");
        store.migrate_up().await.expect("a schema");
        Self {
            store,
            _dir: dir,
            offset: 0,
        }
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
    pub(crate) async fn execute(&self, sql: &'static str) {
        super::connection::on_pool!(self.store, pool => {
            sqlx::raw_sql(sql).execute(pool).await.expect("the test's own SQL")
        });
    }
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
