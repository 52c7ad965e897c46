//! A batch does what its records do one at a time; and doing it again changes nothing.

use crate::model::{OperationStatus, Record};
use crate::store::JournalPosition;
use crate::store::connection::on_pool;
use crate::store::testing::{
    INSTANCE, On, TestStore, at, close, idle, on_every_store, opened, operation, session_id, touch,
};

on_every_store!(
    a_batch_does_what_its_records_do_one_at_a_time,
    folding_everything_again_changes_nothing,
    sums_are_those_of_the_rows,
);

/// A small generator of its own (SplitMix64), so that a failing seed fails for ever.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % below
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.next(100) < percent
    }

    fn seconds(&mut self) -> i64 {
        i64::try_from(self.next(100_000)).unwrap_or(0)
    }
}

/// Few sessions and fewer keys, so that everything meets everything; a few records of sessions never opened.
fn records(random: &mut Random, count: u64, notifications: bool) -> Vec<Record> {
    (0..count)
        .map(|i| {
            let n = u128::from(random.next(12)) + 1;
            let seconds = random.seconds();
            match random.next(20) {
                0..4 => {
                    let mut session = opened(n, seconds);
                    session.session_key = format!("key-{}", random.next(3)).into();
                    if random.chance(60) {
                        session.client_name = None;
                    }
                    if random.chance(30) {
                        session.client_version = None;
                        session.client_capabilities = None;
                    }
                    if random.chance(20) {
                        session.resumed_from = Some(session_id(u128::from(random.next(14)) + 1));
                    }
                    session.user.user_id = random.chance(50).then(|| uuid::Uuid::from_u128(n % 3));
                    Record::SessionOpened(Box::new(session))
                }
                4..12 => {
                    let id = if random.chance(10) {
                        random.next(i + 1)
                    } else {
                        i
                    };
                    let mut call = operation(u128::from(id) + 1_000, n, seconds);
                    call.bytes_in = random.next(1_000);
                    call.duration_us = random.next(5_000_000);
                    if random.chance(20) {
                        call.status = OperationStatus::Error;
                    }
                    if random.chance(15) {
                        call.method = "initialize".into();
                    }
                    Record::OperationFinished(Box::new(call))
                }
                12..14 => touch(n, seconds, u32::from(notifications)),
                14..17 => idle(n),
                _ => close(
                    n,
                    seconds,
                    if random.chance(50) {
                        "timeout"
                    } else {
                        "client_disconnect"
                    },
                ),
            }
        })
        .collect()
}

/// All that the tables hold, as text.
async fn dump(test: &TestStore) -> Vec<String> {
    let mut rows = Vec::new();
    for (columns, table, order) in [
        (
            "hex(session_id), hex(instance_id), client_type, client_name, client_version, \
             client_capabilities, connected_at, disconnected_at, last_activity, status, total_duration, \
             disconnect_reason, hex(user_id), derivation, server, session_key, detected_at, hex(resumed_from), \
             survives_instance, total_requests, failed_requests, notifications, bytes_in, bytes_out, \
             total_prompt_tokens, total_completion_tokens, total_cost, first_success_at, last_success_at",
            "archon_mcp_sessions",
            "session_id",
        ),
        (
            "hex(request_id), hex(session_id), status, bytes_in, duration_ms, timestamp, hex(user_id)",
            "archon_mcp_requests",
            "request_id",
        ),
    ] {
        let sql = match test.on {
            On::Sqlite => format!("SELECT json_array({columns}) FROM {table} ORDER BY {order}"),
            _ => format!("SELECT CAST(to_jsonb(t) AS text) FROM {table} AS t ORDER BY {order}"),
        };
        rows.extend(texts(test, sql).await);
    }
    rows.extend(usage(test).await);
    rows
}

async fn texts(test: &TestStore, sql: String) -> Vec<String> {
    let sql = sqlx::AssertSqlSafe(sql);
    let found: Result<Vec<String>, _> = on_pool!(test.store, pool => {
        sqlx::query_scalar(sql).fetch_all(pool).await
    });
    found.expect("rows")
}

const SUMS: &str = "sum(requests), sum(timed_requests), sum(duration_ms_sum), min(duration_ms_min), max(duration_ms_max), \
    sum(prompt_tokens), sum(completion_tokens), sum(cost), sum(bytes_in), sum(bytes_out)";

/// A row as text.
fn as_text(on: On, columns: &str) -> String {
    match on {
        On::Sqlite => format!("json_array({columns})"),
        _ => format!("CAST(jsonb_build_array({columns}) AS text)"),
    }
}

/// What is kept of usage by hour and by day, over all writers' parts.
async fn usage(test: &TestStore) -> Vec<String> {
    let (user, day) = match test.on {
        On::Sqlite => (
            "hex(user_id)",
            "hour - (hour % 86400000000 + 86400000000) % 86400000000",
        ),
        _ => ("user_id", "date_trunc('day', hour, 'UTC')"),
    };
    let key = "client_type, server, method, tool_name, status";
    let measures = "requests, timed_requests, duration_ms_sum, duration_ms_min, duration_ms_max, prompt_tokens, \
        completion_tokens, cost, bytes_in, bytes_out";
    let mut kept = Vec::new();
    for (table, columns, own, pending) in [
        (
            "hourly",
            "at, who",
            format!("hour AS at, {user} AS who"),
            format!("hour AS at, {user} AS who"),
        ),
        (
            "daily",
            "at",
            "day AS at".to_owned(),
            format!("{day} AS at"),
        ),
    ] {
        let row = as_text(test.on, &format!("'{table}', {columns}, {key}, {SUMS}"));
        let sql = format!(
            "SELECT {row} FROM (SELECT {own}, {key}, {measures} FROM archon_usage_{table} \
             UNION ALL SELECT {pending}, {key}, {measures} FROM archon_usage_pending) AS u \
             GROUP BY {columns}, {key} HAVING sum(requests) <> 0 ORDER BY {columns}, {key}"
        );
        kept.extend(texts(test, sql).await);
    }
    kept
}

/// The same, worked out from the rows of operations.
async fn usage_of_rows(test: &TestStore) -> Vec<String> {
    let (user, hour, day) = match test.on {
        On::Sqlite => (
            "hex(coalesce(r.user_id, zeroblob(16)))",
            "r.timestamp - (r.timestamp % 3600000000 + 3600000000) % 3600000000",
            "r.timestamp - (r.timestamp % 86400000000 + 86400000000) % 86400000000",
        ),
        _ => (
            "coalesce(r.user_id, '00000000-0000-0000-0000-000000000000')",
            "date_trunc('hour', r.timestamp, 'UTC')",
            "date_trunc('day', r.timestamp, 'UTC')",
        ),
    };
    let mut rows = Vec::new();
    for (table, first, columns) in [
        ("hourly", format!("{hour} AS at, {user} AS who"), "at, who"),
        ("daily", format!("{day} AS at"), "at"),
    ] {
        let key = "client_type, server, method, tool_name, status";
        let row = as_text(test.on, &format!("'{table}', {columns}, {key}, {SUMS}"));
        let sql = format!(
            "SELECT {row} FROM (SELECT {first}, s.client_type, coalesce(s.server, '') AS server, r.method, \
             coalesce(r.tool_name, '') AS tool_name, r.status, 1 AS requests, 1 AS timed_requests, \
             r.duration_ms AS duration_ms_sum, r.duration_ms AS duration_ms_min, r.duration_ms AS duration_ms_max, \
             coalesce(r.prompt_tokens, 0) AS prompt_tokens, coalesce(r.completion_tokens, 0) AS completion_tokens, \
             coalesce(r.estimated_cost, 0) AS cost, r.bytes_in, r.bytes_out \
             FROM archon_mcp_requests AS r JOIN archon_mcp_sessions AS s ON s.session_id = r.session_id) AS u \
             GROUP BY {columns}, {key} ORDER BY {columns}, {key}"
        );
        rows.extend(texts(test, sql).await);
    }
    rows
}

async fn a_batch_does_what_its_records_do_one_at_a_time(on: On) {
    for seed in 0..on.times(40) {
        let mut random = Random(seed);
        let records = records(&mut random, 120, true);
        let mut single = TestStore::on(on).await;
        for record in &records {
            single.fold(std::slice::from_ref(record)).await;
        }
        let mut batched = TestStore::on(on).await;
        let mut rest = &records[..];
        while !rest.is_empty() {
            let size = usize::try_from(random.next(60) + 1)
                .unwrap_or(1)
                .min(rest.len());
            let (batch, after) = rest.split_at(size);
            batched.fold(batch).await;
            rest = after;
        }
        let (single, batched) = (dump(&single).await, dump(&batched).await);
        assert_eq!(single.len(), batched.len(), "seed {seed}");
        for (single, batched) in single.iter().zip(&batched) {
            assert_eq!(single, batched, "seed {seed}");
        }
    }
}

/// Rule: durability/once
async fn folding_everything_again_changes_nothing(on: On) {
    for seed in 100..100 + on.times(20) {
        let mut random = Random(seed);
        let records = records(&mut random, 200, false);
        let mut test = TestStore::on(on).await;
        for batch in records.chunks(37) {
            test.fold(batch).await;
        }
        let before = dump(&test).await;
        // With the positions in place nothing is looked at; without them operations are recognised.
        test.store
            .fold(
                INSTANCE,
                &records,
                JournalPosition {
                    segment: 0,
                    offset: 1,
                },
            )
            .await
            .expect("skipped");
        assert_eq!(dump(&test).await, before, "seed {seed}");
        test.store
            .forget_journal(INSTANCE)
            .await
            .expect("forgotten");
        for batch in records.chunks(23) {
            test.fold(batch).await;
        }
        assert_eq!(dump(&test).await, before, "seed {seed}");
    }
}

async fn sums_are_those_of_the_rows(on: On) {
    let mut random = Random(7);
    let mut test = TestStore::on(on).await;
    for batch in records(&mut random, 2_000, true).chunks(700) {
        test.fold(batch).await;
    }
    let wrong: i64 = on_pool!(test.store, pool => {
        sqlx::query_scalar(
            "SELECT count(*) FROM archon_mcp_sessions AS s LEFT JOIN (SELECT session_id, \
             count(*) FILTER (WHERE method <> 'initialize') AS requests, \
             count(*) FILTER (WHERE method <> 'initialize' AND status <> 'success') AS failed, \
             sum(bytes_in) AS bytes_in, sum(bytes_out) AS bytes_out, sum(prompt_tokens) AS prompt, \
             sum(completion_tokens) AS completion, sum(estimated_cost) AS cost, \
             min(timestamp) FILTER (WHERE method <> 'initialize' AND status = 'success') AS first_at, \
             max(timestamp) FILTER (WHERE method <> 'initialize' AND status = 'success') AS last_at \
             FROM archon_mcp_requests GROUP BY session_id) AS r ON r.session_id = s.session_id \
             WHERE total_requests <> coalesce(r.requests, 0) OR failed_requests <> coalesce(r.failed, 0) \
             OR s.bytes_in <> coalesce(r.bytes_in, 0) OR s.bytes_out <> coalesce(r.bytes_out, 0) \
             OR total_prompt_tokens <> coalesce(r.prompt, 0) OR total_completion_tokens <> coalesce(r.completion, 0) \
             OR total_cost <> coalesce(r.cost, 0) OR first_success_at IS DISTINCT FROM r.first_at \
             OR last_success_at IS DISTINCT FROM r.last_at",
        )
        .fetch_one(pool)
        .await
    })
    .expect("a count");
    assert_eq!(wrong, 0);
    let kept = usage(&test).await;
    assert!(kept.len() > 20, "hours, users and tools: {}", kept.len());
    assert_eq!(kept, usage_of_rows(&test).await);
    assert!(at(0) < at(1));
}
