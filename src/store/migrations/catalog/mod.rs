//! The schema as a database has it: what is there of the things migrations know, and how it is defined.
//!
//! Reads tables, views and functions by name, and everything that hangs on those tables whoever made it. Judges nothing.

mod postgres;
mod sqlite;

pub(super) use sqlite::table_pieces;

use std::collections::BTreeSet;

use super::connection::Conn;
use super::objects::{Catalog, ObjectKind, ObjectName};
use super::probes::{Environment, HOLDS};

/// The names a catalog is read for.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    pub(super) tables: BTreeSet<String>,
    /// Views, and sequences that belong to no column.
    pub(super) others: BTreeSet<String>,
    pub(super) functions: BTreeSet<String>,
}

impl Names {
    /// The tables, views and functions among `objects`.
    pub(super) fn of<'o>(objects: impl Iterator<Item = &'o ObjectName>) -> Self {
        let mut names = Self::default();
        for object in objects {
            let name = object.plain_name().to_owned();
            match object.kind {
                ObjectKind::Table => names.tables.insert(name),
                ObjectKind::View | ObjectKind::Sequence => names.others.insert(name),
                ObjectKind::Function => names.functions.insert(name),
                _ => false,
            };
        }
        names
    }
}

/// Reads what is there of `names`, and the answers to `checks`. On PostgreSQL in the first schema of the search path.
pub(super) async fn read(
    conn: &mut Conn,
    names: &Names,
    checks: &[(&ObjectName, &str)],
) -> Result<Catalog, sqlx::Error> {
    let mut catalog = if conn.is_postgres() {
        postgres::read(conn, names).await?
    } else {
        sqlite::read(conn, names).await?
    };
    for (name, query) in checks {
        // What a check asks about may not be there; in a transaction, a failed question must not be the end of it.
        conn.begin().await?;
        let answer = conn.value(query).await;
        let answer = match conn.end(answer).await {
            Ok(answer) => answer,
            Err(error) if error.as_database_error().is_some() => None,
            Err(error) => return Err(error),
        };
        if matches!(answer.as_deref(), Some("t" | "1")) {
            catalog.0.insert((*name).clone(), HOLDS.to_owned());
        }
    }
    Ok(catalog)
}

/// What probes may ask about the database.
pub(super) async fn environment(conn: &mut Conn) -> Result<Environment, sqlx::Error> {
    if conn.is_postgres() {
        postgres::environment(conn).await
    } else {
        Ok(Environment::default())
    }
}
