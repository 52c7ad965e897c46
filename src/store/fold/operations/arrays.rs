//! Operations on their way into PostgreSQL by `INSERT`: a column is an array, and an array a parameter. Takes operations that
//! are there already, and any number of them.

use std::borrow::Cow;

use uuid::Uuid;

use super::super::batch::OperationToWrite;
use super::super::limits::Limits;
use super::COLUMNS;
use super::row::Row;
use crate::model::{Cost, Timestamp};
use crate::store::postgres::{Lease, within};

/// Operations in one statement at the most: what is packed into a message stays a few megabytes.
const ROWS: usize = 8_192;

/// The columns of many operations.
#[derive(Default)]
struct Columns<'r> {
    request_id: Vec<Uuid>,
    session_id: Vec<Uuid>,
    timestamp: Vec<Timestamp>,
    duration_ms: Vec<Option<i32>>,
    bytes_in: Vec<i64>,
    bytes_out: Vec<i64>,
    method: Vec<Cow<'r, str>>,
    tool_name: Vec<Option<Cow<'r, str>>>,
    prompt_name: Vec<Option<Cow<'r, str>>>,
    resource_uri: Vec<Option<Cow<'r, str>>>,
    prompt_tokens: Vec<Option<i32>>,
    completion_tokens: Vec<Option<i32>>,
    estimated_cost: Vec<Option<Cost>>,
    status: Vec<&'static str>,
    error_message: Vec<Option<Cow<'r, str>>>,
    sent_by: Vec<&'static str>,
    protocol_version: Vec<Option<Cow<'r, str>>>,
    trace_id: Vec<Option<Cow<'r, str>>>,
    user_id: Vec<Option<Uuid>>,
}

impl<'r> Columns<'r> {
    fn new(operations: &[OperationToWrite<'r>], limits: Limits) -> Self {
        let mut columns = Self::default();
        for operation in operations {
            let row = Row::of(operation, limits);
            columns.request_id.push(row.request_id);
            columns.session_id.push(row.session_id);
            columns.timestamp.push(row.timestamp);
            columns.duration_ms.push(row.duration_ms);
            columns.bytes_in.push(row.bytes_in);
            columns.bytes_out.push(row.bytes_out);
            columns.method.push(row.method);
            columns.tool_name.push(row.tool_name);
            columns.prompt_name.push(row.prompt_name);
            columns.resource_uri.push(row.resource_uri);
            columns.prompt_tokens.push(row.prompt_tokens);
            columns.completion_tokens.push(row.completion_tokens);
            columns.estimated_cost.push(row.estimated_cost);
            columns.status.push(row.status);
            columns.error_message.push(row.error_message);
            columns.sent_by.push(row.sent_by);
            columns.protocol_version.push(row.protocol_version);
            columns.trace_id.push(row.trace_id);
            columns.user_id.push(row.user_id);
        }
        columns
    }
}

/// Inserts operations; returns how many were new.
pub(super) async fn insert(
    lease: &mut Lease,
    operations: &[OperationToWrite<'_>],
    limits: Limits,
) -> Result<u64, sqlx::Error> {
    let mut written = 0;
    for piece in operations.chunks(ROWS) {
        let columns = Columns::new(piece, limits);
        let query = sqlx::query(sqlx::AssertSqlSafe(format!(
            "INSERT INTO archon_mcp_requests ({COLUMNS}) SELECT * FROM UNNEST($1::uuid[], $2::uuid[], $3::timestamptz[], \
             $4::integer[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[], $11::integer[], \
             $12::integer[], $13::numeric[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::uuid[]) \
             ON CONFLICT (request_id) DO NOTHING"
        )))
        .bind(columns.request_id)
        .bind(columns.session_id)
        .bind(columns.timestamp)
        .bind(columns.duration_ms)
        .bind(columns.bytes_in)
        .bind(columns.bytes_out)
        .bind(columns.method)
        .bind(columns.tool_name)
        .bind(columns.prompt_name)
        .bind(columns.resource_uri)
        .bind(columns.prompt_tokens)
        .bind(columns.completion_tokens)
        .bind(columns.estimated_cost)
        .bind(columns.status)
        .bind(columns.error_message)
        .bind(columns.sent_by)
        .bind(columns.protocol_version)
        .bind(columns.trace_id)
        .bind(columns.user_id);
        let patience = lease.patience();
        let done = within(patience, query.execute(lease.careful())).await;
        written += lease.noted(done)?.rows_affected();
    }
    Ok(written)
}
