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

/// What one process writes another reads back: queries that ask a daemon print the same to the byte.
#[tokio::test]
async fn answers_are_read_back_as_they_were_written() {
    fn again<T: serde::Serialize + serde::de::DeserializeOwned>(answer: &T) -> String {
        let text = serde_json::to_string(answer).expect("JSON");
        let read: T = serde_json::from_str(&text).expect("the same type");
        assert_eq!(serde_json::to_string(&read).expect("JSON"), text);
        text
    }
    let test = lists(On::Sqlite).await;
    test.execute(
        "UPDATE archon_mcp_sessions SET metadata = '{\"b\":[0.1,5e-324,123456789012345680000,-1.7976931348623157e308],\"a\":\"é\"}'",
    )
    .await;
    let page = super::list_sessions(&test.store, &crate::store::SessionFilter::default()).await;
    assert!(again(&page.expect("a page")).contains("5e-324"));
    for n in 1..2_000_i32 {
        let mean = Some(f64::from(n) * 1e9 / 7.0);
        again(&super::DisconnectStatistics {
            avg_duration_seconds: mean,
            ..super::DisconnectStatistics::default()
        });
        again(&super::ClientStats {
            avg_duration_seconds: mean.map(f64::sqrt),
            ..super::ClientStats::default()
        });
        let micros = i64::from(n).pow(4) * 7 - 3_000_000;
        let cost = crate::model::Cost::from_micros(micros);
        let read: crate::model::Cost = serde_json::from_str(&again(&cost)).expect("a cost");
        assert_eq!(read, cost);
    }
}
