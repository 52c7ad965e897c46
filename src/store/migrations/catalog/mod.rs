//! The schema as a database has it: what is there of the things migrations know, and how it is defined.
//!
//! Reads tables, views and functions by name, and everything that hangs on those tables whoever made it. Judges nothing.

mod postgres;
mod sqlite;

use std::collections::BTreeSet;

use super::connection::Conn;
use super::objects::{Catalog, ObjectKind, ObjectName};
use super::probes::Environment;

/// The names a catalog is read for.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    tables: BTreeSet<String>,
    /// Views, and indexes and sequences that are not there with a table.
    others: BTreeSet<String>,
    functions: BTreeSet<String>,
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

/// Reads what is there of `names`. On PostgreSQL in the first schema of the search path.
pub(super) async fn read(conn: &mut Conn, names: &Names) -> Result<Catalog, sqlx::Error> {
    match conn {
        Conn::Sqlite(_) => sqlite::read(conn, names).await,
        Conn::Postgres(_) => postgres::read(conn, names).await,
    }
}

/// What probes may ask about the database.
pub(super) async fn environment(conn: &mut Conn) -> Result<Environment, sqlx::Error> {
    match conn {
        Conn::Sqlite(_) => Ok(Environment::default()),
        Conn::Postgres(_) => postgres::environment(conn).await,
    }
}
