//! How records get from the journal into the store: soon, and not out of the journal before they are there.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::*;
use crate::store::testing::{On, TestStore, on_every_store};
use crate::tracking::Shipper;

on_every_store!(records_stay_in_the_journal_until_the_store_has_committed_them,);

/// A call in a session of its own.
fn call(rig: &Rig) {
    let client = rig.initialize(&Client::new(), "abc");
    rig.call(&client, &echo(1), &echoed(1));
}

async fn stored(test: &TestStore) -> usize {
    let sessions = test.store.live_sessions().await.expect("an answer");
    let mut count = 0;
    for session in &sessions {
        let id = session.opened.session_id;
        let rows = test.store.operations_of(id, crate::store::Page::default());
        count += rows.await.expect("rows").len();
    }
    count
}

/// Rule: durability/within-a-second
#[tokio::test]
async fn rows_reach_the_store_once_they_have_gathered() {
    // How long they gather is a constant; nothing else is waited for.
    const { assert!(crate::tracking::shipper::GATHER.as_millis() <= 500) };
    let (rig, test) = (Rig::new(), TestStore::new().await);
    let (shipper, handle) = Shipper::new(rig.journal.clone(), test.store.clone());
    let stop = CancellationToken::new();
    let shipping = tokio::spawn(shipper.run(stop.clone()));
    // Each waits for its own gathering, not for others to follow, nor for a stop.
    for count in [2, 4] {
        call(&rig);
        while rig.journal.backlog_bytes() > 0 {
            assert_eq!(handle.trouble(), None);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(stored(&test).await, count);
    }
    stop.cancel();
    assert!(shipping.await.expect("an end"));
}

/// Rule: durability/until-committed
async fn records_stay_in_the_journal_until_the_store_has_committed_them(on: On) {
    let (rig, test) = (Rig::new(), TestStore::on(on).await);
    test.execute("ALTER TABLE archon_mcp_requests RENAME TO elsewhere")
        .await;
    let (shipper, handle) = Shipper::new(rig.journal.clone(), test.store.clone());
    let stop = CancellationToken::new();
    let shipping = tokio::spawn(shipper.run(stop.clone()));
    call(&rig);
    let (records, backlog) = (rig.records(), rig.journal.backlog_bytes());
    while handle.trouble().is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(rig.records(), records, "the store has refused them");
    assert_eq!(rig.journal.backlog_bytes(), backlog);
    test.execute("ALTER TABLE elsewhere RENAME TO archon_mcp_requests")
        .await;
    stop.cancel();
    assert!(shipping.await.expect("an end"));
    assert_eq!(stored(&test).await, 2);
    assert_eq!(rig.journal.backlog_bytes(), 0);
}
