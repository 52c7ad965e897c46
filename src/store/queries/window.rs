//! Conditions put together at run time: numbered parameters and what is bound to them, always in step.

use sqlx::AssertSqlSafe;

use crate::model::{SessionId, Timestamp};
use crate::store::rows::Page;

/// A value for one parameter.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(String),
    Instant(Timestamp),
    Session(SessionId),
    Number(i64),
}

/// SQL and the values of its parameters `$1`, `$2`, …
#[derive(Clone, Debug, Default)]
pub(super) struct Statement {
    sql: String,
    values: Vec<Value>,
    conditions: usize,
}

impl Statement {
    /// Starts with `sql`, which may not have parameters.
    pub(super) fn new(sql: &str) -> Self {
        Self {
            sql: sql.to_owned(),
            ..Self::default()
        }
    }

    /// Adds text without parameters.
    pub(super) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    /// Adds text behind which conditions begin anew: another SELECT.
    pub(super) fn another(&mut self, sql: &str) -> &mut Self {
        self.conditions = 0;
        self.push(sql)
    }

    /// Adds a condition without parameters, joined to the others by AND.
    pub(super) fn condition(&mut self, sql: &str) -> &mut Self {
        self.push(if self.conditions == 0 {
            " WHERE "
        } else {
            " AND "
        });
        self.conditions += 1;
        self.push(sql)
    }

    /// Adds a condition `before $n after`.
    pub(super) fn condition_with(&mut self, before: &str, value: Value, after: &str) -> &mut Self {
        self.condition(before).value(value).push(after)
    }

    /// Adds a parameter.
    pub(super) fn value(&mut self, value: Value) -> &mut Self {
        self.values.push(value);
        let place = format!("${}", self.values.len());
        self.push(&place)
    }

    /// Adds the window on the list.
    pub(super) fn page(&mut self, page: Page) -> &mut Self {
        let offset = i64::try_from(page.offset).unwrap_or(i64::MAX);
        self.push(" LIMIT ")
            .value(Value::Number(i64::from(page.limit)))
            .push(" OFFSET ")
            .value(Value::Number(offset))
    }

    /// The text and the values. Safe to run: texts come from this program's constants, values are bound.
    pub(super) fn into_parts(self) -> (AssertSqlSafe<String>, Vec<Value>) {
        (AssertSqlSafe(self.sql), self.values)
    }
}

/// Runs `$statement` on `$store` and takes all its rows.
macro_rules! fetch_all {
    ($store:expr, $statement:expr, $what:literal) => {{
        let (sql, values) = $statement.into_parts();
        $crate::store::connection::on_pool!($store, pool => {
            let mut query = sqlx::query_as(sql);
            for value in values {
                query = match value {
                    $crate::store::queries::window::Value::Text(v) => query.bind(v),
                    $crate::store::queries::window::Value::Instant(v) => query.bind(v),
                    $crate::store::queries::window::Value::Session(v) => query.bind(v),
                    $crate::store::queries::window::Value::Number(v) => query.bind(v),
                };
            }
            query.fetch_all(pool).await
        })
        .map_err($crate::store::error::StoreError::during($what))
    }};
}

pub(super) use fetch_all;
