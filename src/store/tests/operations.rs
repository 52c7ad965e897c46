//! Operations: every column of many.

use crate::model::{Cost, Operation, Record, RequestId, Target, Timestamp};
use crate::store::connection::on_pool;
use crate::store::testing::{INSTANCE, On, TestStore, on_every_store, open, operation};

on_every_store!(every_column_arrives_whatever_operations_have_in_common);

/// Id, method, target, error, trace, start, bytes in, tokens, cost.
type Row = (
    RequestId,
    String,
    Option<String>,
    Option<String>,
    Option<String>,
    Timestamp,
    i64,
    Option<i64>,
    Option<i64>,
    Option<Cost>,
);

/// One batch whose pieces have one, several and as many commons as rows, with and without traces; and one so large that
/// PostgreSQL takes it by another road. Taken again, neither changes anything.
async fn every_column_arrives_whatever_operations_have_in_common(on: On) {
    for count in [3_000, 6_000] {
        arrives_once(on, count).await;
    }
}

async fn arrives_once(on: On, count: u128) {
    let mut test = TestStore::on(on).await;
    let mut written: Vec<Operation> = (0..count)
        .map(|n| {
            let mut operation = operation(n, 1, i64::try_from(n).expect("small"));
            operation.bytes_in = u64::try_from(n * 7).expect("small");
            match n / 512 {
                0 => {}
                1 => operation.method = format!("method-{}", n % 7).into(),
                2 => operation.error_message = Some(format!("it's {n}").into()),
                3 => operation.trace_id = Some(format!("{n:032x}").into()),
                4 if n % 3 == 0 => operation.trace_id = Some("short".into()),
                4 if n % 3 == 1 => operation.trace_id = Some(format!("{n:032x}").into()),
                4 => operation.target = Some(Target::Resource(format!("file:///{n}").into())),
                5 => {
                    let tokens = u32::try_from(n).expect("small");
                    operation.prompt_tokens = (n % 3 > 0).then_some(tokens);
                    operation.completion_tokens = (n % 5 > 0).then_some(tokens * 3);
                    let cost = i64::from(tokens) * if n % 7 == 0 { -1_000 } else { 1_000 };
                    operation.estimated_cost = (n % 2 > 0).then_some(Cost::from_micros(cost));
                    operation.trace_id = (n % 11 == 0).then(|| format!("{n:032x}").into());
                }
                _ => operation.prompt_tokens = None,
            }
            operation
        })
        .collect();
    let mut records = vec![open(1, 0)];
    records.extend(
        written
            .iter()
            .cloned()
            .map(|o| Record::OperationFinished(Box::new(o))),
    );
    test.fold(&records).await;
    let rows: Vec<Row> = on_pool!(test.store, pool => {
        sqlx::query_as(
            "SELECT request_id, method, coalesce(tool_name, resource_uri), error_message, trace_id, timestamp, \
             bytes_in, CAST(prompt_tokens AS BIGINT), CAST(completion_tokens AS BIGINT), estimated_cost FROM archon_mcp_requests ORDER BY request_id",
        )
        .fetch_all(pool)
        .await
    })
    .expect("rows");
    written.sort_by_key(|operation| operation.request_id);
    let expected: Vec<Row> = written
        .iter()
        .map(|operation| {
            let owned = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
            let Some(Target::Tool(target) | Target::Prompt(target) | Target::Resource(target)) =
                &operation.target
            else {
                unreachable!("all have one")
            };
            (
                operation.request_id,
                operation.method.to_string(),
                Some(target.to_string()),
                owned(&operation.error_message),
                owned(&operation.trace_id),
                operation.started_at,
                i64::try_from(operation.bytes_in).expect("small"),
                operation.prompt_tokens.map(i64::from),
                operation.completion_tokens.map(i64::from),
                operation.estimated_cost,
            )
        })
        .collect();
    assert!(rows == expected, "a column differs");
    test.store
        .forget_journal(INSTANCE)
        .await
        .expect("forgotten");
    test.fold(&records).await;
    let counted: (i64, i64) = on_pool!(test.store, pool => {
        sqlx::query_as(
            "SELECT (SELECT count(*) FROM archon_mcp_requests), CAST(sum(total_requests) AS BIGINT) FROM archon_mcp_sessions",
        )
        .fetch_one(pool)
        .await
    })
    .expect("counts");
    let all = i64::try_from(count).expect("small");
    assert_eq!(counted, (all, all), "each once");
}
