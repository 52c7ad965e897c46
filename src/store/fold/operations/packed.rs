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
use crate::model::OperationStatus;
use crate::store::dialect::CHUNKS;

/// Operations in one statement at the most.
const ROWS: usize = CHUNKS[0];
/// Bytes of an operation in the blob: two ids, an instant, three counts, the number of its [`Common`]; where operations
/// are traced, the trace behind them; where tokens or costs differ, those behind.
const ROW_BYTES: usize = 2 * ID + INSTANT + 3 * COUNT + 2;
const ID: usize = 16;
/// Digits of any `i64` with its sign.
const INSTANT: usize = 20;
/// Digits of the largest count that is stored.
const COUNT: usize = 16;
/// Stands for a duration that nobody measured.
const NO_DURATION: i64 = -1;
/// Digits of a cost: a count with its sign.
const COST: usize = 17;
/// Two counts of tokens, and a cost; blanks for what is not there.
const TOKENS: usize = 2 * COUNT + COST;
/// Characters of a trace id.
const TRACE: usize = 32;
/// Stands for a trace id that is not there, or is in the [`Common`].
const NO_TRACE: [u8; TRACE] = [b' '; TRACE];

/// The statements: operations without trace ids, and with (those differ from row to row where there are any); with tokens
/// in common, and without; each for every number of commons.
///
/// Where there is one common, as in most batches, its columns are parameters that need no join: a quarter cheaper.
static INSERT: [LazyLock<[Arc<str>; CHUNKS.len()]>; 4] = [
    LazyLock::new(|| CHUNKS.map(|commons| statement(Form::ALL[0], commons))),
    LazyLock::new(|| CHUNKS.map(|commons| statement(Form::ALL[1], commons))),
    LazyLock::new(|| CHUNKS.map(|commons| statement(Form::ALL[2], commons))),
    LazyLock::new(|| CHUNKS.map(|commons| statement(Form::ALL[3], commons))),
];

/// What operations have each of their own, beside what they always have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Form {
    traces: bool,
    tokens: bool,
}

impl Form {
    const ALL: [Self; 4] = [
        Self::new(false, false),
        Self::new(true, false),
        Self::new(false, true),
        Self::new(true, true),
    ];

    const fn new(traces: bool, tokens: bool) -> Self {
        Self { traces, tokens }
    }

    fn place(self) -> usize {
        usize::from(self.traces) + 2 * usize::from(self.tokens)
    }

    fn row_bytes(self) -> usize {
        let traces = if self.traces { TRACE } else { 0 };
        let tokens = if self.tokens { TOKENS } else { 0 };
        ROW_BYTES + traces + tokens
    }
}

/// The blob and how many bytes of it are rows; then what rows have in common, by number. A blob's bytes turn into an
/// integer by way of decimal digits; SQLite knows no other.
fn statement(form: Form, commons: usize) -> Arc<str> {
    let starts: Vec<String> = (0..ROWS)
        .map(|row| format!("({})", row * form.row_bytes() + 1))
        .collect();
    let only = commons == 1;
    let blob = if only { "?1" } else { "d.column1" };
    let cut = |at: usize, length: usize| format!("substr({blob}, o.column1 + {at}, {length})");
    let number = |at, length| format!("CAST({} AS INTEGER)", cut(at, length));
    let maybe = |at, length| {
        let (text, none) = (cut(at, length), " ".repeat(length));
        format!("CAST(nullif(CAST({text} AS TEXT), '{none}') AS INTEGER)")
    };
    let counts = 2 * ID + INSTANT;
    // Of a common, the first column is its number.
    let of_common: Vec<String> = (2..=14)
        .map(|column| {
            let value = if only {
                format!("?{}", column + 2)
            } else {
                format!("c.column{column}")
            };
            let tokens_at = form.row_bytes() - TOKENS;
            match column {
                13 if form.traces => {
                    let (trace, none) = (cut(ROW_BYTES, TRACE), " ".repeat(TRACE));
                    format!("coalesce(nullif(CAST({trace} AS TEXT), '{none}'), {value})")
                }
                6 if form.tokens => maybe(tokens_at, COUNT),
                7 if form.tokens => maybe(tokens_at + COUNT, COUNT),
                8 if form.tokens => maybe(tokens_at + 2 * COUNT, COST),
                _ => value,
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
    form: Form,
    commons: Vec<Common<'r>>,
}

impl<'r> Common<'r> {
    fn of(write: &OperationToWrite<'r>, form: Form, limits: &Limits) -> Self {
        let operation = write.operation;
        let (prompt_tokens, completion_tokens, cost) = if form.tokens {
            (None, None, None)
        } else {
            tokens(write, limits)
        };
        let (tool, prompt, resource) = targets(operation);
        Self {
            method: &operation.method,
            tool,
            prompt,
            resource,
            prompt_tokens,
            completion_tokens,
            cost,
            status: operation.status,
            error_message: operation.error_message.as_deref(),
            from_server: operation.from_server,
            protocol_version: operation.protocol_version.as_deref(),
            trace_id: operation.trace_id(),
            user_id: write.user_id,
        }
    }
}

/// An operation's tokens and cost.
type Tokens = (Option<u32>, Option<u32>, Option<i64>);

fn tokens(write: &OperationToWrite<'_>, limits: &Limits) -> Tokens {
    let operation = write.operation;
    (
        limits.tokens(operation.prompt_tokens),
        limits.tokens(operation.completion_tokens),
        write.cost,
    )
}

impl<'r> Packed<'r> {
    /// Packs at most [`ROWS`] operations.
    fn new(operations: &[OperationToWrite<'r>], limits: &Limits) -> Self {
        let mut of = operations.iter().map(|write| tokens(write, limits));
        let first = of.next();
        let form = Form::new(
            operations.iter().any(|o| o.operation.trace_id().is_some()),
            of.any(|tokens| Some(tokens) != first),
        );
        let mut rows = Vec::with_capacity(operations.len() * form.row_bytes());
        let mut commons: Vec<Common<'r>> = Vec::new();
        let mut numbers: HashMap<Common<'r>, u16> = HashMap::new();
        let mut last = None;
        for write in operations {
            let OperationToWrite {
                operation,
                session_id,
                ..
            } = write;
            let mut common = Common::of(write, form, limits);
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
            if form.traces {
                rows.extend_from_slice(&trace);
            }
            if form.tokens {
                let (prompt, completion, cost) = tokens(write, limits);
                push_maybe(&mut rows, prompt.map(i64::from), COUNT);
                push_maybe(&mut rows, completion.map(i64::from), COUNT);
                push_maybe(&mut rows, cost, COST);
            }
        }
        Self {
            rows,
            form,
            commons,
        }
    }
}

/// Appends `number`, or blanks for none.
fn push_maybe(to: &mut Vec<u8>, number: Option<i64>, width: usize) {
    match number {
        Some(number) => push_number(to, number, width),
        None => to.resize(to.len() + width, b' '),
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
            form,
            commons,
        } = Packed::new(piece, &limits);
        // More places than there are commons: the rest is NULL and meets no row.
        let place = CHUNKS.iter().rposition(|size| *size >= commons.len());
        let bytes = i64::try_from(rows.len()).unwrap_or(i64::MAX);
        let text = &INSERT[form.place()][place.unwrap_or_default()];
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
