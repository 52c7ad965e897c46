//! How migrations get connections of their own to a database.

use std::path::PathBuf;

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, SqliteConnection};

use super::connection::Conn;
use super::error::MigrationError;
use super::files::Set;
use super::pooler::{self, Address};
use super::session::Session;
use crate::store::connection::{Pool, Store};
use crate::store::dialect;
use crate::store::error::StoreError;

/// Where the database is.
#[derive(Debug)]
pub(super) enum Access {
    Sqlite {
        file: PathBuf,
    },
    Postgres {
        options: Box<PgConnectOptions>,
        schema: Option<String>,
    },
}

impl Access {
    /// The database of `store`.
    pub(super) fn of(store: &Store) -> Self {
        match store.pool() {
            Pool::Sqlite(_) => Self::Sqlite {
                file: store.location().into(),
            },
        }
    }

    /// A session for questions.
    pub(super) async fn look(&self) -> Result<Session, StoreError> {
        let conn = self.connect().await?;
        let (set, schema) = match self {
            Self::Sqlite { .. } => (Set::sqlite()?, None),
            Self::Postgres { schema, .. } => (Set::postgres()?, schema.as_deref()),
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
                    source,
                })?;
                Ok(Conn::sqlite(conn))
            }
            Self::Postgres { options, .. } => {
                let conn = options.connect().await;
                Ok(Conn::postgres(conn.map_err(StoreError::during("connect"))?))
            }
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
            Self::Postgres { options, .. } => Some(Address {
                host: options.get_host().to_owned(),
                port: options.get_port(),
            }),
        }
    }

    /// The file, of an embedded database.
    pub(super) fn file(&self) -> Option<&PathBuf> {
        match self {
            Self::Sqlite { file } => Some(file),
            Self::Postgres { .. } => None,
        }
    }
}
