//! Operations on their way into SQLite.
//!
//! A parameter of a statement costs several allocations on the way to SQLite, and an operation has nineteen columns. So
//! what tells operations apart travels as one blob for many of them, which the statement cuts up again, and what they
//! have in common (a tool called in the same manner) travels once. Rows keep the order of the records, which is the
//! order of the table.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use sqlx::{AssertSqlSafe, SqliteConnection};
use uuid::Uuid;

use super::super::batch::OperationToWrite;
use super::super::limits::{Limits, addend};
use super::{sender, targets};
use crate::model::{Operation, OperationStatus};
use crate::store::dialect::CHUNKS;

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
/// Stands for a duration that nobody measured.
const NO_DURATION: i64 = -1;
/// Characters of a trace id.
const TRACE: usize = 32;
/// Stands for a trace id that is not there, or is in the [`Common`].
const NO_TRACE: [u8; TRACE] = [b' '; TRACE];

/// The statements: operations without trace ids, and with (those differ from row to row where there are any); each for
/// every number of commons.
///
/// Where there is one common, as in most batches, its columns are parameters that need no join: a quarter cheaper.
static INSERT: [LazyLock<[Arc<str>; CHUNKS.len()]>; 2] = [
    LazyLock::new(|| CHUNKS.map(|commons| statement(false, commons))),
    LazyLock::new(|| CHUNKS.map(|commons| statement(true, commons))),
];

/// The blob and how many bytes of it are rows; then what rows have in common, by number. A blob's bytes turn into an
/// integer by way of decimal digits; SQLite knows no other.
fn statement(traced: bool, commons: usize) -> Arc<str> {
    let starts: Vec<String> = (0..ROWS)
        .map(|row| format!("({})", row * row_bytes(traced) + 1))
        .collect();
    let only = commons == 1;
    let blob = if only { "?1" } else { "d.column1" };
    let cut = |at: usize, length: usize| format!("substr({blob}, o.column1 + {at}, {length})");
    let number = |at, length| format!("CAST({} AS INTEGER)", cut(at, length));
    let counts = 2 * ID + INSTANT;
    // Of a common, the first column is its number.
    let of_common: Vec<String> = (2..=14)
        .map(|column| {
            let value = if only {
                format!("?{}", column + 2)
            } else {
                format!("c.column{column}")
            };
            if column == 13 && traced {
                let (trace, none) = (cut(ROW_BYTES, TRACE), " ".repeat(TRACE));
                format!("coalesce(nullif(CAST({trace} AS TEXT), '{none}'), {value})")
            } else {
                value
            }
        })
        .collect();
    let number_of_common = cut(counts + 3 * COUNT, 2);
    let starts = starts.join(",");
    let from = if only {
        format!("(VALUES {starts}) AS o WHERE o.column1 < ?2 AND ?3 IS NOT NULL")
    } else {
        let common = format!("({})", ["?"; 14].join(","));
        let commons = vec![common.as_str(); commons].join(",");
        format!(
            "(VALUES (?, ?)) AS d CROSS JOIN (VALUES {starts}) AS o CROSS JOIN (VALUES {commons}) AS c \
             WHERE o.column1 < d.column2 AND c.column1 = {number_of_common}"
        )
    };
    format!(
        "INSERT INTO archon_mcp_requests ({}) SELECT {}, {}, {}, {}, {}, {}, {} FROM {from} \
         ON CONFLICT (request_id) DO NOTHING",
        super::COLUMNS,
        cut(0, ID),
        cut(ID, ID),
        number(2 * ID, INSTANT),
        format_args!("nullif({}, {NO_DURATION})", number(counts, COUNT)),
        number(counts + COUNT, COUNT),
        number(counts + 2 * COUNT, COUNT),
        of_common.join(", "),
    )
    .into()
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
    fn of(operation: &'r Operation, user_id: Option<Uuid>, limits: &Limits) -> Self {
        let (tool, prompt, resource) = targets(operation);
        Self {
            method: &operation.method,
            tool,
            prompt,
            resource,
            prompt_tokens: operation.prompt_tokens,
            completion_tokens: operation.completion_tokens,
            cost: limits.cost(operation),
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
    fn new(operations: &[OperationToWrite<'r>], limits: &Limits) -> Self {
        let traced = operations.iter().any(|o| o.operation.trace_id.is_some());
        let mut rows = Vec::with_capacity(operations.len() * row_bytes(traced));
        let mut commons: Vec<Common<'r>> = Vec::new();
        let mut numbers: HashMap<Common<'r>, u16> = HashMap::new();
        let mut last = None;
        for OperationToWrite {
            operation,
            session_id,
            user_id,
        } in operations
        {
            let mut common = Common::of(operation, *user_id, limits);
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
            rows.extend_from_slice(session_id.0.as_bytes());
            push_number(&mut rows, operation.started_at.as_micros(), INSTANT);
            for count in [
                limits.duration_ms(operation).unwrap_or(NO_DURATION),
                addend(operation.bytes_in),
                addend(operation.bytes_out),
            ] {
                push_number(&mut rows, count, COUNT);
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
    conn: &mut SqliteConnection,
    operations: &[OperationToWrite<'_>],
    limits: Limits,
) -> Result<u64, sqlx::Error> {
    let mut written = 0;
    for piece in operations.chunks(ROWS) {
        let Packed {
            rows,
            traced,
            commons,
        } = Packed::new(piece, &limits);
        // More places than there are commons: the rest is NULL and meets no row.
        let place = CHUNKS.iter().rposition(|size| *size >= commons.len());
        let bytes = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let text = &INSERT[usize::from(traced)][place.unwrap_or_default()];
        // Safe: made of constants of this program and question marks.
        let text = AssertSqlSafe(Arc::clone(text));
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
                .bind(sender(common.from_server))
                .bind(common.protocol_version)
                .bind(common.trace_id)
                .bind(common.user_id);
        }
        written += query.execute(&mut *conn).await?.rows_affected();
    }
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

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
