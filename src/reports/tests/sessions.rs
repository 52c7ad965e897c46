//! Lists of sessions and single ones.

use std::collections::BTreeMap;

use super::{close_to, ids, lists, page, period};
use crate::model::SessionStatus::{self, Active, Disconnected, Idle};
use crate::model::{Cost, Record};
use crate::reports::{
    DisconnectStatistics, SessionDetails, SessionFilter, UsageTotals, disconnected_sessions,
    list_sessions, session_details,
};
use crate::store::testing::{
    On, TestStore, at, call, close, on_every_store, open, operation, session_id,
};

on_every_store!(
    lists_are_filtered_ordered_and_counted,
    a_session_comes_with_a_page_of_operations_and_sums_over_all,
    ended_sessions_come_with_statistics_over_the_whole_period,
    answers_keep_the_names_and_kinds_of_the_contract,
);

/// Rule: session/with-calls
async fn lists_are_filtered_ordered_and_counted(on: On) {
    let test = lists(on).await;
    let with = |change: &dyn Fn(&mut SessionFilter)| {
        let mut filter = SessionFilter::default();
        change(&mut filter);
        filter
    };
    let of = |statuses: &[SessionStatus]| with(&|f| f.statuses = statuses.to_vec());
    let agent = Some("claude-code/2.1.0".into());
    let cases: [(SessionFilter, &[u128], i64); 17] = [
        (with(&|f| f.user_agent = Some("nobody/1".into())), &[], 0),
        (
            with(&|f| f.user_agent.clone_from(&agent)),
            &[1, 6, 5, 4, 3, 2],
            6,
        ),
        (SessionFilter::default(), &[1, 6, 5, 4, 3, 2], 6),
        (with(&|f| f.page = page(2, 1)), &[6, 5], 6),
        (with(&|f| f.page = page(2, 50)), &[], 6),
        (of(&[Active]), &[1, 2], 2),
        (of(&[Idle]), &[3], 1),
        (of(&[Disconnected]), &[6, 5, 4], 3),
        (of(&[Active, Idle]), &[1, 3, 2], 3),
        (of(&[Idle, Disconnected]), &[6, 5, 4, 3], 4),
        (of(&[Disconnected, Active]), &[1, 6, 5, 4, 2], 5),
        (of(&[Idle, Active, Disconnected]), &[1, 6, 5, 4, 3, 2], 6),
        (with(&|f| f.client_type = Some("cURSOR".into())), &[3, 2], 2),
        (with(&|f| f.server = Some("files".into())), &[1, 2], 2),
        (with(&|f| f.with_calls = true), &[1], 1),
        (with(&|f| f.period = Some(period(50, 60))), &[5, 4, 3], 3),
        (
            with(&|f| {
                f.period = Some(period(50, 70));
                f.server = Some("git".into());
                f.statuses = vec![Disconnected];
                f.page = page(1, 0);
            }),
            &[6],
            3,
        ),
    ];
    for (filter, expected, total) in cases {
        let answer = list_sessions(&test.store, &filter)
            .await
            .expect("an answer");
        assert_eq!(ids(&answer.sessions), expected, "{filter:?}");
        assert_eq!(answer.total, total, "{filter:?}");
    }
}

async fn a_session_comes_with_a_page_of_operations_and_sums_over_all(on: On) {
    let mut test = TestStore::on(on).await;
    let mut unknown_tokens = operation(3, 1, 3);
    unknown_tokens.prompt_tokens = None;
    unknown_tokens.estimated_cost = None;
    test.fold(&[
        open(1, 0),
        call(1, 1, 1),
        call(2, 1, 2),
        Record::OperationFinished(Box::new(unknown_tokens)),
    ])
    .await;
    let id = session_id(1);
    let details = session_details(&test.store, id, page(2, 0))
        .await
        .expect("an answer")
        .expect("a session");
    let shown: Vec<u128> = details
        .requests
        .iter()
        .map(|r| r.request_id.as_u128())
        .collect();
    assert_eq!(shown, [3, 2]);
    assert_eq!(details.requests[0].total_tokens, 20);
    assert_eq!(
        details.summary,
        UsageTotals {
            total_requests: 3,
            total_prompt_tokens: 20,
            total_completion_tokens: 60,
            total_tokens: 80,
            total_cost: Cost::from_micros(60),
        }
    );
    let at_end = |d: &SessionDetails| (d.pagination.total, d.requests.len(), d.pagination.has_more);
    assert_eq!(at_end(&details), (3, 2, true));
    for (limit, offset, rest) in [(2, 2, 1), (3, 0, 3), (10, 9, 0)] {
        let details = session_details(&test.store, id, page(limit, offset))
            .await
            .expect("an answer");
        assert_eq!(details.as_ref().map(at_end), Some((3, rest, false)));
    }
    let unknown = session_details(&test.store, session_id(2), page(2, 0)).await;
    assert_eq!(unknown.expect("an answer"), None);
}

async fn ended_sessions_come_with_statistics_over_the_whole_period(on: On) {
    let mut test = TestStore::on(on).await;
    test.fold(&[
        open(1, 0),
        open(2, 0),
        open(3, 0),
        open(4, 0),
        open(5, 0),
        close(1, 10, "timeout"),
        close(2, 20, "timeout"),
        close(3, 33, "error:ChildExit"),
        close(4, 99, "timeout"),
    ])
    .await;
    // As other writers leave rows: no reason and no duration; a spelling that is not ours.
    let (then, ended) = (on.instant(at(-1_000_000)), on.instant(at(15)));
    test.execute(&format!(
        "INSERT INTO archon_mcp_sessions (session_id, status, connected_at, last_activity, disconnected_at, disconnect_reason)
         VALUES ({}, 'disconnected', {then}, {then}, {ended}, NULL),
                ({}, 'disconnected', {then}, {then}, {ended}, 'timeout_no_activity')",
        on.id(0xAA),
        on.id(0xAB)
    ))
    .await;
    let answer = disconnected_sessions(&test.store, period(10, 40), page(2, 1))
        .await
        .expect("an answer");
    assert_eq!(ids(&answer.sessions), [2, 0xAB]);
    let statistics = &answer.statistics;
    assert_eq!(statistics.total_disconnected, 5);
    let reasons = [
        ("error:ChildExit", 1),
        ("timeout", 2),
        ("timeout_no_activity", 1),
        ("unknown", 1),
    ];
    let reasons: BTreeMap<String, i64> = reasons.map(|(r, n)| (r.to_owned(), n)).into();
    assert_eq!(statistics.disconnect_reasons, reasons);
    assert!(close_to(statistics.avg_duration_seconds, 21.0));
    assert_eq!(statistics.max_duration_seconds, Some(33));
    assert_eq!(statistics.min_duration_seconds, Some(10));

    let nothing = disconnected_sessions(&test.store, period(200, 300), page(2, 0))
        .await
        .expect("an answer");
    assert!(nothing.sessions.is_empty());
    assert_eq!(nothing.statistics, DisconnectStatistics::default());
}

async fn answers_keep_the_names_and_kinds_of_the_contract(on: On) {
    let mut test = TestStore::on(on).await;
    test.fold(&[open(1, 0), call(1, 1, 1), close(1, 2, "timeout")])
        .await;
    let details = session_details(&test.store, session_id(1), page(1, 0))
        .await
        .expect("an answer");
    let json = serde_json::to_value(details).expect("JSON");
    assert_eq!(
        json["session"]["session_id"],
        "00000000-0000-0000-0000-000000000001"
    );
    assert_eq!(json["session"]["status"], "disconnected");
    assert_eq!(json["session"]["connected_at"], at(0).to_string());
    assert_eq!(json["session"]["total_duration"], 2);
    assert!(json["session"]["user_id"].is_null());
    assert!(json["session"]["metadata"].is_object());
    let request = &json["requests"][0];
    assert!((request["estimated_cost"].as_f64().expect("a number") - 0.00003).abs() < 1e-12);
    assert_eq!(request["total_tokens"], 30);
    assert_eq!(request["status"], "success");
}
