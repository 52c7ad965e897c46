//! The answers against expectations worked out by hand.

mod sessions;
mod statistics;

use super::{Page, SessionRow};
use crate::model::{Period, Record};
use crate::store::testing::{On, TestStore, at, call, close, idle, opened};

pub(super) fn ids(rows: &[SessionRow]) -> Vec<u128> {
    rows.iter().map(|row| row.session_id.0.as_u128()).collect()
}

pub(super) fn period(start: i64, end: i64) -> Period {
    Period::between(at(start), at(end)).expect("a period")
}

pub(super) fn page(limit: u32, offset: u64) -> Page {
    Page { limit, offset }
}

pub(super) fn close_to(value: Option<f64>, expected: f64) -> bool {
    value.is_some_and(|value| (value - expected).abs() < 1e-9)
}

pub(super) fn session(n: u128, seconds: i64, name: &str, server: &str) -> Record {
    let mut session = opened(n, seconds);
    session.client_name = Some(name.into());
    session.server = server.into();
    Record::SessionOpened(Box::new(session))
}

/// Sessions 1 to 6: two active (1 with a call, at 100), one idle (3, at 50), three ended (4, 5, 6).
pub(super) async fn lists(on: On) -> TestStore {
    let mut test = TestStore::on(on).await;
    test.fold(&[
        session(1, 0, "claude-code", "files"),
        session(2, 10, "cursor", "files"),
        session(3, 50, "Cursor", "git"),
        session(4, 60, "zed", "git"),
        session(5, 60, "zed", "git"),
        session(6, 70, "zed", "git"),
        call(1, 1, 100),
        idle(3),
        close(4, 60, "timeout"),
        close(5, 60, "client_disconnect"),
        close(6, 90, "error:ServerCrash"),
    ])
    .await;
    test
}
