//! How migrations get connections of their own to a database.

use std::path::PathBuf;
use std::sync::Arc;

use sqlx::{Connection, SqliteConnection};

use super::connection::Conn;
use super::error::MigrationError;
use super::files::Set;
use super::pooler::{self, Address};
use super::session::Session;
use crate::store::connection::{Pool, Store};
use crate::store::dialect;
use crate::store::error::StoreError;
use crate::store::postgres::Home;

/// Where the database is.
#[derive(Debug)]
pub(super) enum Access {
    Sqlite { file: PathBuf },
    Postgres(Arc<Home>),
}

impl Access {
    /// The database of `store`.
    pub(super) fn of(store: &Store) -> Self {
        match store.pool() {
            Pool::Sqlite(pool) => Self::Sqlite {
                file: pool.connect_options().get_filename().to_owned(),
            },
            Pool::Postgres(home) => Self::Postgres(Arc::clone(home)),
        }
    }

    /// A session for questions.
    pub(super) async fn look(&self) -> Result<Session, StoreError> {
        let conn = self.connect().await?;
        let (set, schema) = match self {
            Self::Sqlite { .. } => (Set::sqlite()?, None),
            Self::Postgres(home) => (Set::postgres()?, home.schema()),
        };
        Ok(Session::look(conn, set, schema).await?)
    }

    /// A connection of the caller's own.
    pub(super) async fn connect(&self) -> Result<Conn, StoreError> {
        match self {
            Self::Sqlite { file } => {
                let options = dialect::embedded_options(file, false);
                let conn = SqliteConnection::connect_with(&options).await;
                let conn = conn.map_err(|source| StoreError::Open {
                    path: file.clone(),
                    source: source.into(),
                })?;
                Ok(Conn::sqlite(conn))
            }
            Self::Postgres(home) => Ok(Conn::postgres(home.connect().await?)),
        }
    }

    /// Refuses a pooler in transaction mode between `conn` and the server.
    pub(super) async fn refuse_pooler(&self, conn: &mut Conn) -> Result<(), StoreError> {
        let Some(address) = self.address() else {
            return Ok(());
        };
        let mut found = address.names_pooler();
        if found.is_none() {
            let mut other = self.connect().await?;
            let asked = pooler::find(conn, &mut other, &address).await;
            found = asked.map_err(MigrationError::asking(
                "tell which connections are the same",
            ))?;
            // It has done its work; how it ends does not matter.
            let _ = other.close().await;
        }
        match found {
            Some(pooler) => Err(MigrationError::Pooler { pooler }.into()),
            None => Ok(()),
        }
    }

    fn address(&self) -> Option<Address> {
        match self {
            Self::Sqlite { .. } => None,
            Self::Postgres(home) => {
                let (host, port) = home.address();
                Some(Address {
                    host: host.to_owned(),
                    port,
                })
            }
        }
    }

    /// The file, of an embedded database.
    pub(super) fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::Sqlite { file } => Some(file),
            Self::Postgres(_) => None,
        }
    }
}
