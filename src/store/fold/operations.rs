//! Operations on their way into the store: the bulk of every batch.
//!
//! A parameter of a statement costs several allocations on the way to SQLite, and an operation has nineteen columns. So
//! what tells operations apart travels as one blob for many of them, which the statement cuts up again, and what they
//! have in common (a tool called in the same manner) travels once. Rows keep the order of the records, which is the
//! order of the table.

use std::collections::HashMap;
use std::sync::LazyLock;

use uuid::Uuid;

use super::batch::OperationToWrite;
use super::tracked::{addend, cost_micros};
use crate::model::{Operation, OperationStatus, Target};
use crate::store::connection::{WriteTx, on_tx};
use crate::store::dialect::{CHUNKS, ManyRows};
use crate::store::error::StoreError;

/// Operations in one statement at the most.
const ROWS: usize = CHUNKS[0];
/// Bytes of an operation in the blob: two ids, an instant, three counts, the number of its [`Common`]; where operations
/// are traced, the trace behind them.
const ROW_BYTES: usize = 2 * ID + INSTANT + 3 * COUNT + 2;
const ID: usize = 16;
/// Digits of any `i64` with its sign.
const INSTANT: usize = 20;
/// Digits of the largest count that is stored.
const COUNT: usize = 16;
/// Characters of a trace id.
const TRACE: usize = 32;
/// Stands for a trace id that is not there, or is in the [`Common`].
const NO_TRACE: [u8; TRACE] = [b' '; TRACE];

/// Operations without trace ids, and with: those differ from row to row where there are any.
static INSERT: [LazyLock<ManyRows>; 2] = [
    LazyLock::new(|| statement(false)),
    LazyLock::new(|| statement(true)),
];

/// The blob and how many bytes of it are rows; then what rows have in common, by number. A blob's bytes turn into an
/// integer by way of decimal digits; SQLite knows no other.
fn statement(traced: bool) -> ManyRows {
    let starts: Vec<String> = (0..ROWS)
        .map(|row| format!("({})", row * row_bytes(traced) + 1))
        .collect();
    let cut = |at: usize, length: usize| format!("substr(d.column1, o.column1 + {at}, {length})");
    let number = |at, length| format!("CAST({} AS INTEGER)", cut(at, length));
    let counts = 2 * ID + INSTANT;
    let trace = if traced {
        let (trace, none) = (cut(ROW_BYTES, TRACE), " ".repeat(TRACE));
        format!("coalesce(nullif(CAST({trace} AS TEXT), '{none}'), c.column13)")
    } else {
        "c.column13".to_owned()
    };
    let before = format!(
        "INSERT INTO archon_mcp_requests (request_id, session_id, timestamp, duration_ms, bytes_in, bytes_out, method, \
         tool_name, prompt_name, resource_uri, prompt_tokens, completion_tokens, estimated_cost, status, \
         error_message, sent_by, protocol_version, trace_id, user_id) \
         SELECT {}, {}, {}, {}, {}, {}, c.column2, c.column3, c.column4, c.column5, c.column6, c.column7, c.column8, \
         c.column9, c.column10, c.column11, c.column12, {trace}, c.column14 \
         FROM (VALUES (?, ?)) AS d CROSS JOIN (VALUES {}) AS o CROSS JOIN (VALUES",
        cut(0, ID),
        cut(ID, ID),
        number(2 * ID, INSTANT),
        number(counts, COUNT),
        number(counts + COUNT, COUNT),
        number(counts + 2 * COUNT, COUNT),
        starts.join(","),
    );
    let after = format!(
        ") AS c WHERE o.column1 < d.column2 AND c.column1 = {} ON CONFLICT (request_id) DO NOTHING",
        cut(counts + 3 * COUNT, 2)
    );
    ManyRows::made(before, 14, after)
}

fn row_bytes(traced: bool) -> usize {
    if traced { ROW_BYTES + TRACE } else { ROW_BYTES }
}

/// The columns in which operations seldom differ.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Common<'r> {
    method: &'r str,
    tool: Option<&'r str>,
    prompt: Option<&'r str>,
    resource: Option<&'r str>,
    prompt_tokens: Option<u32>,
    completion_tokens: Option<u32>,
    cost: Option<i64>,
    status: OperationStatus,
    error_message: Option<&'r str>,
    from_server: bool,
    protocol_version: Option<&'r str>,
    trace_id: Option<&'r str>,
    user_id: Option<Uuid>,
}

/// Operations as one statement takes them.
struct Packed<'r> {
    rows: Vec<u8>,
    traced: bool,
    commons: Vec<Common<'r>>,
}

impl<'r> Common<'r> {
    fn of(operation: &'r Operation, user_id: Option<Uuid>) -> Self {
        let (tool, prompt, resource) = match &operation.target {
            Some(Target::Tool(name)) => (Some(&**name), None, None),
            Some(Target::Prompt(name)) => (None, Some(&**name), None),
            Some(Target::Resource(uri)) => (None, None, Some(&**uri)),
            None => (None, None, None),
        };
        Self {
            method: &operation.method,
            tool,
            prompt,
            resource,
            prompt_tokens: operation.prompt_tokens,
            completion_tokens: operation.completion_tokens,
            cost: cost_micros(operation),
            status: operation.status,
            error_message: operation.error_message.as_deref(),
            from_server: operation.from_server,
            protocol_version: operation.protocol_version.as_deref(),
            trace_id: operation.trace_id.as_deref(),
            user_id,
        }
    }
}

impl<'r> Packed<'r> {
    /// Packs at most [`ROWS`] operations.
    fn new(operations: &[OperationToWrite<'r>]) -> Self {
        let traced = operations.iter().any(|o| o.operation.trace_id.is_some());
        let mut rows = Vec::with_capacity(operations.len() * row_bytes(traced));
        let mut commons: Vec<Common<'r>> = Vec::new();
        let mut numbers: HashMap<Common<'r>, u16> = HashMap::new();
        let mut last = None;
        for OperationToWrite { operation, user_id } in operations {
            let mut common = Common::of(operation, *user_id);
            let mut trace = NO_TRACE;
            if let Some(id) = common.trace_id.map(str::as_bytes)
                && let Ok(id) = id.try_into()
            {
                trace = id;
                common.trace_id = None;
            }
            let number = match last {
                Some((same, number)) if same == common => number,
                _ => *numbers.entry(common).or_insert_with(|| {
                    commons.push(common);
                    u16::try_from(commons.len()).unwrap_or(u16::MAX)
                }),
            };
            last = Some((common, number));
            rows.extend_from_slice(operation.request_id.0.as_bytes());
            rows.extend_from_slice(operation.session_id.0.as_bytes());
            push_number(&mut rows, operation.started_at.as_micros(), INSTANT);
            let milliseconds = operation.duration_us.saturating_add(500) / 1_000;
            for count in [milliseconds, operation.bytes_in, operation.bytes_out] {
                push_number(&mut rows, addend(count), COUNT);
            }
            rows.extend_from_slice(&number.to_be_bytes());
            if traced {
                rows.extend_from_slice(&trace);
            }
        }
        Self {
            rows,
            traced,
            commons,
        }
    }
}

/// Appends `number` in `width` decimal places, sign first.
fn push_number(to: &mut Vec<u8>, number: i64, width: usize) {
    let start = to.len();
    to.resize(start + width, b'0');
    let mut rest = number.unsigned_abs();
    for place in to[start..].iter_mut().rev() {
        if rest == 0 {
            break;
        }
        *place += u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    if number < 0 {
        to[start] = b'-';
    }
}

/// Inserts operations; returns how many were new.
pub(super) async fn insert(
    tx: &mut WriteTx,
    operations: &[OperationToWrite<'_>],
) -> Result<usize, StoreError> {
    let mut written = 0;
    for piece in operations.chunks(ROWS) {
        let Packed {
            rows,
            traced,
            commons,
        } = Packed::new(piece);
        // More places than there are commons: the rest is NULL and meets no row.
        let sizes = CHUNKS.into_iter().rev();
        let size = sizes.into_iter().find(|size| *size >= commons.len());
        let bytes = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let done = on_tx!(tx, conn => {
            let text = INSERT[usize::from(traced)].text(size.unwrap_or(ROWS));
            let mut query = sqlx::query(text).bind(rows).bind(bytes);
            for (number, common) in (1_u16..).zip(commons) {
                query = query
                    .bind(number.to_be_bytes().to_vec())
                    .bind(common.method)
                    .bind(common.tool)
                    .bind(common.prompt)
                    .bind(common.resource)
                    .bind(common.prompt_tokens)
                    .bind(common.completion_tokens)
                    .bind(common.cost)
                    .bind(common.status.as_str())
                    .bind(common.error_message)
                    .bind(if common.from_server { "server" } else { "client" })
                    .bind(common.protocol_version)
                    .bind(common.trace_id)
                    .bind(common.user_id);
            }
            query.execute(conn).await.map(|done| done.rows_affected())
        })
        .map_err(StoreError::during("write operations"))?;
        written += usize::try_from(done).unwrap_or(usize::MAX);
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Record;
    use crate::store::connection::on_pool;
    use crate::store::testing::{TestStore, open, operation};

    /// Id, method, target, error, trace, start, bytes in, tokens.
    type Row = (
        Vec<u8>,
        String,
        Option<String>,
        Option<String>,
        Option<String>,
        i64,
        i64,
        Option<i64>,
    );

    /// One batch whose pieces have one, several and as many commons as rows, with and without traces.
    #[tokio::test]
    async fn every_column_arrives_whatever_operations_have_in_common() {
        let mut test = TestStore::new().await;
        let mut written: Vec<Operation> = (0..3_000)
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
                 bytes_in, prompt_tokens FROM archon_mcp_requests ORDER BY request_id",
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
                    operation.request_id.0.as_bytes().to_vec(),
                    operation.method.to_string(),
                    Some(target.to_string()),
                    owned(&operation.error_message),
                    owned(&operation.trace_id),
                    operation.started_at.as_micros(),
                    i64::try_from(operation.bytes_in).expect("small"),
                    operation.prompt_tokens.map(i64::from),
                )
            })
            .collect();
        assert!(rows == expected, "a column differs");
    }

    #[test]
    fn numbers_keep_their_value_and_their_width() {
        for (number, width) in [
            (0, COUNT),
            (7, COUNT),
            (addend(u64::MAX), COUNT),
            (i64::MAX, INSTANT),
            (i64::MIN, INSTANT),
            (-1, INSTANT),
        ] {
            let mut bytes = Vec::new();
            push_number(&mut bytes, number, width);
            let text = String::from_utf8(bytes).expect("digits");
            assert_eq!((text.len(), text.parse()), (width, Ok(number)));
        }
    }
}
