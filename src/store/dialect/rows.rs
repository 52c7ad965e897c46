//! Statements over a varying number of rows: one text, two ways to bring the rows along.
//!
//! SQLite takes them as tuples of anonymous parameters (its driver looks every named one up by a linear search), in
//! pieces of a few sizes, so that each text is parsed once for each connection. PostgreSQL takes each column as an array,
//! and however many rows in one statement.

use std::sync::{Arc, OnceLock};

use sqlx::postgres::{PgArguments, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, FromRow};
use uuid::Uuid;

use super::text;
use crate::model::{Cost, Timestamp};
use crate::store::connection::{Tx, WriteTx};
use crate::store::postgres::within;

/// Row counts of SQLite's statements, in falling order. The largest stays below its 32,766 parameters with the widest row
/// (35 columns).
pub(in crate::store) const CHUNKS: [usize; 5] = [512, 128, 32, 8, 1];

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Kind {
    Id,
    Text,
    /// Text that PostgreSQL keeps so many characters of.
    Limited(usize),
    Json,
    Instant,
    Count,
    /// A number that PostgreSQL keeps in 32 bits; the largest of those stands for any larger one.
    Small,
    Money,
    Flag,
}

/// A value; of the kind of its column.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) enum Cell<'r> {
    Id(Option<Uuid>),
    Text(Option<&'r str>),
    Instant(Option<Timestamp>),
    Count(Option<i64>),
    Money(Cost),
    Flag(bool),
}

/// A statement with `{rows}` where a `SELECT` of the rows goes, whose columns are called `column1`, `column2`, … in both
/// databases; and `{lock}` where PostgreSQL has to lock what it reads, which SQLite's writer need not.
pub(in crate::store) struct ManyRows<const N: usize> {
    text: &'static str,
    kinds: [Kind; N],
    sqlite: OnceLock<[Arc<str>; CHUNKS.len()]>,
    postgres: OnceLock<Arc<str>>,
}

impl<const N: usize> ManyRows<N> {
    pub(in crate::store) const fn new(text: &'static str, kinds: [Kind; N]) -> Self {
        Self {
            text,
            kinds,
            sqlite: OnceLock::new(),
            postgres: OnceLock::new(),
        }
    }

    /// Runs the statement for all `rows`; how many it touched.
    pub(in crate::store) async fn execute(
        &self,
        tx: &mut WriteTx,
        rows: &[[Cell<'_>; N]],
    ) -> Result<u64, sqlx::Error> {
        let mut touched = 0;
        match &mut tx.tx {
            Tx::Sqlite(tx) => {
                for piece in chunks(rows) {
                    let query = self.sqlite_query(piece.iter(), piece.len());
                    touched += query.execute(&mut **tx).await?.rows_affected();
                }
            }
            Tx::Postgres(_) if rows.is_empty() => {}
            Tx::Postgres(lease) => {
                let query = self.postgres_query(rows);
                let patience = lease.patience();
                let done = within(patience, query.execute(lease.careful())).await;
                touched = lease.noted(done)?.rows_affected();
            }
        }
        Ok(touched)
    }

    /// Runs the statement, in which a repeated row means nothing, for all `rows`, and takes what it gives.
    pub(in crate::store) async fn fetch_all<O>(
        &self,
        tx: &mut WriteTx,
        rows: &[[Cell<'_>; N]],
    ) -> Result<Vec<O>, sqlx::Error>
    where
        O: for<'a> FromRow<'a, SqliteRow> + for<'a> FromRow<'a, PgRow> + Send + Unpin,
    {
        let mut found = Vec::with_capacity(rows.len());
        match &mut tx.tx {
            Tx::Sqlite(tx) => {
                for piece in rows.chunks(CHUNKS[0]) {
                    // Filled up by repeating the last row: fewer statements.
                    let fitting = CHUNKS.into_iter().rev().find(|size| *size >= piece.len());
                    let size = fitting.unwrap_or(piece.len());
                    let last = piece.iter().rev().take(1).cycle();
                    let query = self.sqlite_query(piece.iter().chain(last).take(size), size);
                    for row in query.fetch_all(&mut **tx).await? {
                        found.push(O::from_row(&row)?);
                    }
                }
            }
            Tx::Postgres(_) if rows.is_empty() => {}
            Tx::Postgres(lease) => {
                let query = self.postgres_query(rows);
                let patience = lease.patience();
                let done = within(patience, query.fetch_all(lease.careful())).await;
                for row in lease.noted(done)? {
                    found.push(O::from_row(&row)?);
                }
            }
        }
        Ok(found)
    }

    fn sqlite_query<'q, 'r: 'q>(
        &self,
        rows: impl Iterator<Item = &'q [Cell<'r>; N]>,
        count: usize,
    ) -> Query<'q, Sqlite, SqliteArguments> {
        let texts = self
            .sqlite
            .get_or_init(|| CHUNKS.map(|rows| self.sqlite_text(rows)));
        let place = CHUNKS.iter().position(|size| *size == count);
        let text = place
            .and_then(|place| texts.get(place))
            .unwrap_or(&texts[CHUNKS.len() - 1]);
        // Safe: made of constants of this program and question marks.
        let mut query = sqlx::query(AssertSqlSafe(Arc::clone(text)));
        for cell in rows.flatten() {
            query = match *cell {
                Cell::Id(id) => query.bind(id),
                Cell::Text(text) => query.bind(text),
                Cell::Instant(at) => query.bind(at),
                Cell::Count(count) => query.bind(count),
                Cell::Money(cost) => query.bind(cost),
                Cell::Flag(flag) => query.bind(flag),
            };
        }
        query
    }

    fn sqlite_text(&self, rows: usize) -> Arc<str> {
        let tuple = format!("({})", vec!["?"; N].join(","));
        let tuples = vec![tuple.as_str(); rows].join(",");
        let text = self.text.replace("{rows}", &format!("VALUES {tuples}"));
        text.replace("{lock}", "").into()
    }

    fn postgres_query<'q>(&self, rows: &[[Cell<'q>; N]]) -> Query<'q, Postgres, PgArguments> {
        let text = self.postgres.get_or_init(|| self.postgres_text());
        // Safe: made of constants of this program.
        let text = AssertSqlSafe(Arc::clone(text));
        let mut query = sqlx::query(text);
        for (place, kind) in self.kinds.iter().enumerate() {
            query = with_column(
                query,
                *kind,
                rows.iter().filter_map(|row| row.get(place).copied()),
            );
        }
        query
    }

    fn postgres_text(&self) -> Arc<str> {
        let columns = || self.kinds.iter().zip(1..);
        let selected = columns().map(|(kind, n)| match kind {
            Kind::Json => format!("CAST(column{n} AS jsonb) AS column{n}"),
            _ => format!("column{n}"),
        });
        let arrays = columns().map(|(kind, n)| format!("${n}::{}[]", kind.type_name()));
        let names = columns().map(|(_, n)| format!("column{n}"));
        let rows = format!(
            "SELECT {} FROM UNNEST({}) AS u ({})",
            selected.collect::<Vec<_>>().join(", "),
            arrays.collect::<Vec<_>>().join(", "),
            names.collect::<Vec<_>>().join(", "),
        );
        let text = self.text.replace("{rows}", &rows);
        // In one order, so that two writers wait for each other and not in a circle.
        text.replace("{lock}", "ORDER BY session_id FOR NO KEY UPDATE")
            .into()
    }
}

impl Kind {
    const fn type_name(self) -> &'static str {
        match self {
            Self::Id => "uuid",
            Self::Text | Self::Limited(_) | Self::Json => "text",
            Self::Instant => "timestamptz",
            Self::Count => "bigint",
            Self::Small => "integer",
            Self::Money => "numeric",
            Self::Flag => "boolean",
        }
    }
}

impl<'r> Cell<'r> {
    const fn id(self) -> Option<Uuid> {
        match self {
            Self::Id(id) => id,
            _ => None,
        }
    }

    const fn text(self) -> Option<&'r str> {
        match self {
            Self::Text(text) => text,
            _ => None,
        }
    }

    const fn instant(self) -> Option<Timestamp> {
        match self {
            Self::Instant(at) => at,
            _ => None,
        }
    }

    const fn count(self) -> Option<i64> {
        match self {
            Self::Count(count) => count,
            _ => None,
        }
    }

    const fn money(self) -> Option<Cost> {
        match self {
            Self::Money(cost) => Some(cost),
            _ => None,
        }
    }

    const fn flag(self) -> Option<bool> {
        match self {
            Self::Flag(flag) => Some(flag),
            _ => None,
        }
    }
}

/// Binds a column as an array. A cell of another kind than its column's is NULL.
fn with_column<'q>(
    query: Query<'q, Postgres, PgArguments>,
    kind: Kind,
    column: impl Iterator<Item = Cell<'q>>,
) -> Query<'q, Postgres, PgArguments> {
    match kind {
        Kind::Id => query.bind(all(column.map(Cell::id))),
        Kind::Text => query.bind(all(column.map(|cell| cell.text().map(text::clean)))),
        Kind::Limited(length) => {
            let limited = |text| text::cut(text::clean(text), length);
            query.bind(all(column.map(|cell| cell.text().map(limited))))
        }
        Kind::Json => query.bind(all(column.map(|cell| cell.text().map(text::clean_json)))),
        Kind::Instant => query.bind(all(column.map(Cell::instant))),
        Kind::Count => query.bind(all(column.map(Cell::count))),
        Kind::Small => query.bind(all(column.map(|cell| cell.count().map(text::small)))),
        Kind::Money => query.bind(all(column.map(Cell::money))),
        Kind::Flag => query.bind(all(column.map(Cell::flag))),
    }
}

fn all<T>(column: impl Iterator<Item = T>) -> Vec<T> {
    column.collect()
}

/// `items` cut into pieces of the sizes in [`CHUNKS`], largest first.
pub(in crate::store) fn chunks<T>(mut items: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let size = CHUNKS.into_iter().find(|size| *size <= items.len())?;
        let (piece, rest) = items.split_at(size);
        items = rest;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_have_known_sizes_and_lose_nothing() {
        for len in [0, 1, 7, 8, 9, 511, 512, 513, 4096, 4095] {
            let items: Vec<usize> = (0..len).collect();
            let pieces: Vec<&[usize]> = chunks(&items).collect();
            assert!(pieces.iter().all(|piece| CHUNKS.contains(&piece.len())));
            assert_eq!(pieces.concat(), items);
        }
    }

    #[test]
    fn the_widest_row_fits_the_largest_statement() {
        assert!(CHUNKS[0] * 35 <= 32_766);
    }

    #[test]
    fn both_databases_read_the_same_statement() {
        let statement = ManyRows::new(
            "SELECT s FROM ({rows}) AS d JOIN t ON t.id = d.column1 {lock}",
            [Kind::Id, Kind::Json],
        );
        assert_eq!(
            &*statement.sqlite_text(2),
            "SELECT s FROM (VALUES (?,?),(?,?)) AS d JOIN t ON t.id = d.column1 "
        );
        assert_eq!(
            &*statement.postgres_text(),
            "SELECT s FROM (SELECT column1, CAST(column2 AS jsonb) AS column2 \
             FROM UNNEST($1::uuid[], $2::text[]) AS u (column1, column2)) AS d \
             JOIN t ON t.id = d.column1 ORDER BY session_id FOR NO KEY UPDATE"
        );
    }
}
