//! Sums: by client type, by user, by tool.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::{close_to, lists, period};
use crate::model::OperationStatus::{self, Error, Success, Timeout};
use crate::model::{Cost, Operation, Record, Target, UserContext};
use crate::reports::{UsageTotals, UsageWithSessions, session_stats, usage_summary, user_stats};
use crate::store::testing::{
    On, TestStore, at, call, close, on_every_store, open, opened, operation,
};

on_every_store!(
    session_statistics_count_old_spellings_in_the_right_column,
    a_user_who_changed_the_address_is_one_user,
    usage_counts_successful_operations_of_the_period_by_tool,
    usage_over_hours_and_days_is_that_of_the_operations,
);

/// Sessions as other writers leave them.
async fn old_rows(test: &TestStore) {
    let on = test.on;
    let (then, later) = (on.instant(at(-10)), on.instant(at(-9)));
    let ended = |id, reason: &str, duration: &str| {
        format!(
            "({}, 'Old', 'disconnected', {then}, {then}, {later}, '{reason}', {duration})",
            on.id(id)
        )
    };
    let rows = [
        ended(0xA1, "timeout_no_activity", "4"),
        ended(0xA2, "error: Broken", "6"),
        ended(0xA3, "error", "NULL"),
        ended(0xA4, "errors happen", "NULL"),
        format!(
            "({}, 'Old', 'active', {then}, {then}, NULL, 'timeout', 1000)",
            on.id(0xA5)
        ),
    ];
    test.execute(&format!(
        "INSERT INTO archon_mcp_sessions (session_id, client_type, status, connected_at, last_activity, disconnected_at, \
         disconnect_reason, total_duration) VALUES {}",
        rows.join(", ")
    ))
    .await;
}

async fn session_statistics_count_old_spellings_in_the_right_column(on: On) {
    let mut test = lists(on).await;
    test.fold(&[call(50, 2, 11)]).await;
    let mut failed = operation(51, 2, 11);
    failed.status = Error;
    test.fold(&[Record::OperationFinished(Box::new(failed))])
        .await;
    old_rows(&test).await;
    let stats = session_stats(&test.store, None).await.expect("an answer");
    let names: Vec<_> = stats
        .by_client
        .iter()
        .map(|c| (c.client_type.as_str(), c.total_sessions))
        .collect();
    assert_eq!(
        names,
        [("Old", 5), ("Zed", 3), ("Cursor", 2), ("Claude", 1)]
    );
    let old = &stats.by_client[0];
    assert_eq!(
        (
            old.active_sessions,
            old.idle_sessions,
            old.disconnected_sessions
        ),
        (1, 0, 4)
    );
    assert_eq!(
        (
            old.timeout_disconnects,
            old.client_disconnects,
            old.error_disconnects
        ),
        (1, 0, 2)
    );
    assert!(close_to(old.avg_duration_seconds, 5.0));
    assert_eq!(old.max_duration_seconds, Some(6));
    let zed = &stats.by_client[1];
    assert_eq!(
        (
            zed.timeout_disconnects,
            zed.client_disconnects,
            zed.error_disconnects
        ),
        (1, 1, 1)
    );
    let cursor = &stats.by_client[2];
    assert_eq!((cursor.active_sessions, cursor.idle_sessions), (1, 1));
    assert_eq!((cursor.total_requests, cursor.failed_requests), (2, 1));
    assert_eq!(
        (cursor.avg_duration_seconds, cursor.max_duration_seconds),
        (None, None)
    );
    let total = &stats.total;
    assert_eq!(
        (
            total.client_type.as_str(),
            total.total_sessions,
            total.total_requests
        ),
        ("all", 11, 3)
    );
    assert_eq!(
        (
            total.active_sessions,
            total.idle_sessions,
            total.disconnected_sessions
        ),
        (3, 1, 7)
    );
    // (4 + 6 + 0 + 0 + 20) / 5
    assert!(close_to(total.avg_duration_seconds, 6.0));
    assert_eq!(total.max_duration_seconds, Some(20));

    let some = session_stats(&test.store, Some(period(10, 50)))
        .await
        .expect("an answer");
    assert_eq!((some.by_client.len(), some.total.total_sessions), (1, 2));
    let none = session_stats(&test.store, Some(period(900, 901)))
        .await
        .expect("an answer");
    assert!(none.by_client.is_empty());
    assert_eq!(none.total.total_sessions, 0);
}

fn of_user(n: u128, seconds: i64, user: Option<u128>, email: Option<&str>) -> Record {
    let mut session = opened(n, seconds);
    session.user = UserContext {
        user_id: user.map(Uuid::from_u128),
        user_email: email.map(Into::into),
        user_name: email.map(|_| format!("name-{n}").into()),
    };
    Record::SessionOpened(Box::new(session))
}

async fn a_user_who_changed_the_address_is_one_user(on: On) {
    let mut test = TestStore::on(on).await;
    test.fold(&[
        of_user(1, 0, Some(7), Some("old@example.org")),
        of_user(2, 50, Some(7), Some("new@example.org")),
        of_user(3, 60, Some(7), None),
        of_user(4, 20, Some(8), None),
        of_user(5, 10, None, None),
        call(1, 1, 5),
        call(2, 2, 55),
        call(3, 4, 20),
        close(1, 30, "timeout"),
        close(2, 60, "client_disconnect"),
    ])
    .await;
    let users = user_stats(&test.store, None).await.expect("an answer");
    assert_eq!(
        users
            .iter()
            .map(|u| u.user_id.map(|id| id.as_u128()))
            .collect::<Vec<_>>(),
        [Some(7), Some(8), None]
    );
    let seven = &users[0];
    assert_eq!(seven.user_email.as_deref(), Some("new@example.org"));
    assert_eq!(seven.user_name.as_deref(), Some("name-2"));
    assert_eq!(
        (
            seven.total_sessions,
            seven.active_sessions,
            seven.disconnected_sessions
        ),
        (3, 1, 2)
    );
    assert!(close_to(seven.avg_session_duration_seconds, 20.0));
    assert_eq!(seven.max_session_duration_seconds, Some(30));
    assert_eq!(
        (seven.first_session_at, seven.last_activity_at),
        (at(0), at(60))
    );
    assert_eq!(
        (seven.total_requests, seven.total_tokens, seven.total_cost),
        (2, 60, Cost::from_micros(60))
    );
    assert_eq!(users[1].avg_session_duration_seconds, None);
    assert_eq!((users[2].total_sessions, users[2].total_requests), (1, 0));

    // Open at some time between 25 and 40: session 1 had its last activity at 5.1, so only none.
    let some = user_stats(&test.store, Some(period(25, 40)))
        .await
        .expect("an answer");
    assert!(some.is_empty());
    let some = user_stats(&test.store, Some(period(5, 15)))
        .await
        .expect("an answer");
    assert_eq!(
        some.iter()
            .map(|u| (u.user_id.is_some(), u.total_sessions))
            .collect::<Vec<_>>(),
        [(false, 1), (true, 1)]
    );
}

async fn usage_counts_successful_operations_of_the_period_by_tool(on: On) {
    let mut test = TestStore::on(on).await;
    let tool =
        |id: u128, session: u128, seconds: i64, name: Option<&str>, status: OperationStatus| {
            let mut operation = operation(id, session, seconds);
            operation.target = name.map(|name| Target::Tool(name.into()));
            if let Some(method @ ("initialize" | "server/discover")) = name {
                operation.target = None;
                operation.method = method.into();
            }
            if name.is_none() {
                operation.method = "tools/list".into();
                operation.prompt_tokens = None;
            }
            operation.status = status;
            Record::OperationFinished(Box::new(operation))
        };
    test.fold(&[
        open(1, 0),
        open(2, 0),
        open(3, 0),
        tool(1, 1, 10, Some("b"), Success),
        tool(2, 1, 20, Some("a"), Success),
        tool(3, 2, 20, Some("c"), Success),
        tool(4, 2, 20, Some("c"), Success),
        tool(5, 2, 20, Some("c"), Error),
        tool(6, 3, 20, Some("c"), Timeout),
        tool(7, 1, 20, None, Success),
        tool(8, 3, 21, Some("late"), Success),
        tool(9, 1, 20, Some("initialize"), Success),
        tool(10, 3, 20, Some("server/discover"), Success),
    ])
    .await;
    let answer = usage_summary(&test.store, period(10, 20))
        .await
        .expect("an answer");
    let tools: Vec<_> = answer
        .by_tool
        .iter()
        .map(|t| (t.name.as_str(), t.count, t.tokens, t.cost.as_micros()))
        .collect();
    assert_eq!(
        tools,
        [
            ("c", 2, 60, 60),
            ("a", 1, 30, 30),
            ("b", 1, 30, 30),
            ("tools/list", 1, 20, 30)
        ]
    );
    assert_eq!(answer.summary.unique_sessions, 2);
    assert_eq!(
        answer.summary.totals,
        UsageTotals {
            total_requests: 5,
            total_prompt_tokens: 40,
            total_completion_tokens: 100,
            total_tokens: 140,
            total_cost: Cost::from_micros(150),
        }
    );
    let nothing = usage_summary(&test.store, period(900, 901))
        .await
        .expect("an answer");
    assert_eq!(nothing.summary, UsageWithSessions::default());
}

/// So many operations over five days, spread unevenly, of four sessions and three tools; every fifth failed.
fn over_days(count: i64) -> Vec<Operation> {
    let tools = ["a", "b", "c"];
    (0..count)
        .map(|n| {
            let id = u128::try_from(n).expect("positive");
            let mut operation = operation(id + 1, id % 4 + 1, n * n * 7 % (5 * DAY));
            operation.target = Some(Target::Tool(
                tools[usize::try_from(n % 3).expect("small")].into(),
            ));
            operation.status = if n % 5 == 0 { Error } else { Success };
            operation.prompt_tokens = u32::try_from(n).ok();
            operation
        })
        .collect()
}

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

async fn usage_over_hours_and_days_is_that_of_the_operations(on: On) {
    let mut test = TestStore::on(on).await;
    let operations = over_days(500);
    let mut records: Vec<Record> = (1..=4).map(|n| open(n, 0)).collect();
    let finished = |operation: &Operation| Record::OperationFinished(Box::new(operation.clone()));
    records.extend(operations.iter().map(finished));
    for batch in records.chunks(97) {
        test.fold(batch).await;
    }
    // Where the tests' time begins within an hour and a day.
    let into = |unit: i64| at(0).as_micros() / 1_000_000 % unit;
    let (hour, day) = (HOUR - into(HOUR), DAY - into(DAY));
    for (start, end) in [
        (0, 5 * DAY),
        (1, 59),
        (hour - 1, hour),
        (hour, hour + HOUR),
        (hour, hour + HOUR - 1),
        (hour - 100, hour + 3 * HOUR + 100),
        (day - 1, day + 1),
        (day, day + DAY),
        (day - 5 * HOUR - 7, day + 2 * DAY + 3 * HOUR + 7),
        (-DAY, 9 * DAY),
    ] {
        let period = period(start, end);
        let inside = |operation: &&Operation| {
            operation.status == Success
                && period.start <= operation.started_at
                && operation.started_at <= period.end
        };
        let mut tools: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        let mut sessions = BTreeSet::new();
        for operation in operations.iter().filter(inside) {
            let Some(Target::Tool(name)) = &operation.target else {
                panic!("all have one")
            };
            let sums = tools.entry(name.to_string()).or_default();
            sums.0 += 1;
            sums.1 += i64::from(operation.prompt_tokens.unwrap_or(0)) + 20;
            sessions.insert(operation.session_id);
        }
        let answer = usage_summary(&test.store, period).await.expect("an answer");
        let told = answer
            .by_tool
            .iter()
            .map(|tool| (tool.name.clone(), (tool.count, tool.tokens)));
        assert_eq!(told.collect::<BTreeMap<_, _>>(), tools, "{start} to {end}");
        assert_eq!(
            answer.summary.unique_sessions,
            i64::try_from(sessions.len()).expect("few"),
            "{start} to {end}"
        );
    }
}
