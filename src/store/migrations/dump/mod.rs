//! The schema as a database has it, as SQL that makes it again.
//!
//! Told from the catalog, in an order and a spelling that only depend on what is there. Holds our tables, what hangs on them
//! whoever made it, and our views and functions.

mod postgres;
mod sqlite;

use serde::Serialize;

use super::Migrator;
use super::error::MigrationError;
use super::objects::ObjectKind;
use crate::store::error::StoreError;

/// A thing of the schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DumpedObject {
    /// What it is.
    pub kind: ObjectKind,
    /// The table it belongs to, if it does.
    pub on: Option<String>,
    /// Its name.
    pub name: String,
    /// The statements that make it, with their semicolons.
    pub sql: String,
}

impl DumpedObject {
    fn new(kind: ObjectKind, on: Option<&str>, name: &str, sql: String) -> Self {
        Self {
            kind,
            on: on.filter(|on| !on.is_empty()).map(str::to_owned),
            name: name.to_owned(),
            sql,
        }
    }
}

impl Migrator {
    /// Every thing of the schema that is ours or hangs on what is ours, in the order it can be made in.
    ///
    /// # Errors
    /// When the database does not answer.
    pub async fn dump(&self) -> Result<Vec<DumpedObject>, StoreError> {
        let mut session = self.access.look().await?;
        let names = &session.set.names;
        let conn = &mut session.conn;
        let dumped = if conn.is_postgres() {
            postgres::dump(conn, names).await
        } else {
            sqlite::dump(conn, names).await
        };
        let dumped = dumped.map_err(MigrationError::asking("read its catalog"))?;
        session.close().await;
        Ok(dumped)
    }
}
