//! A connection that migrations are looked at or run on, set up for it, and everything seen through it.
//!
//! Begins with questions only, all in one transaction: so one connection stays behind a pooler, and nothing is changed by a
//! look. Owns the set-up of the connection; the lock on runs is `lock`'s, what is done is `run`'s.

use std::time::Duration;

use super::catalog;
use super::connection::Conn;
use super::error::MigrationError;
use super::files::{File, Set};
use super::lock;
use super::probes::Environment;
use super::records;
use super::run::is_over_a_lock;
use super::state::Seen;
use super::tokens::literal;

/// A connection and what is looked for on it.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) conn: Conn,
    pub(super) set: &'static Set,
    /// The schema that was asked for, or the role's own first one; nothing on SQLite.
    pub(super) schema: Option<String>,
    /// Whether that schema is yet to be made.
    pub(super) schema_is_missing: bool,
    environment: Environment,
}

/// How long a question waits for a lock: the server's own descriptions of views and indexes are not to be had while
/// somebody has locked their table for themselves.
const PATIENCE: Duration = Duration::from_secs(3);

const SET_UP: &str = "set up the connection for migrations";

impl Session {
    /// Sets up `conn` for questions about `schema`, the role's own first one if there is none.
    pub(super) async fn look(
        mut conn: Conn,
        set: &'static Set,
        schema: Option<&str>,
    ) -> Result<Self, MigrationError> {
        let asking = MigrationError::asking(SET_UP);
        let mut used = None;
        let mut schema_is_missing = false;
        if conn.is_postgres() {
            let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
            conn.begin_with(begin).await.map_err(&asking)?;
            let name = match schema {
                Some(name) => Some(name.to_owned()),
                None => conn
                    .value("SELECT current_schema()")
                    .await
                    .map_err(&asking)?,
            };
            let name = name.ok_or(MigrationError::NoSchema)?;
            let set_up = format!(
                "SET LOCAL search_path TO {}, pg_temp; SET LOCAL standard_conforming_strings TO on; SET LOCAL DateStyle TO ISO; \
                 SET LOCAL lock_timeout TO {}",
                quoted(&name),
                PATIENCE.as_millis()
            );
            conn.run(&set_up).await.map_err(&asking)?;
            let sql = format!(
                "SELECT 1 FROM pg_namespace WHERE nspname = {}",
                literal(&name)
            );
            schema_is_missing = conn.value(&sql).await.map_err(&asking)?.is_none();
            used = Some(name);
        } else {
            conn.begin_with("BEGIN").await.map_err(&asking)?;
        }
        let environment = catalog::environment(&mut conn).await.map_err(asking)?;
        Ok(Self {
            conn,
            environment,
            set,
            schema: used,
            schema_is_missing,
        })
    }

    /// Ends the questions and sets the connection up for changes. On PostgreSQL each lock is waited for as long as
    /// `lock_timeout`, and statements may take any time.
    pub(super) async fn prepare(&mut self, lock_timeout: Duration) -> Result<(), MigrationError> {
        let asking = MigrationError::asking(SET_UP);
        self.conn.rollback().await.map_err(&asking)?;
        let Some(schema) = &self.schema else {
            return Ok(());
        };
        let read_only = "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean";
        if self
            .conn
            .value(read_only)
            .await
            .map_err(&asking)?
            .as_deref()
            == Some("t")
        {
            return Err(MigrationError::ReadOnly);
        }
        // The search path is the one schema: what is missing there must not be found elsewhere.
        let set_up = format!(
            "SET search_path TO {}, pg_temp; SET standard_conforming_strings TO on; SET client_min_messages TO warning;
             SET DateStyle TO ISO; SET statement_timeout TO 0; SET idle_in_transaction_session_timeout TO 0;
             SET lock_timeout TO {}; SET default_transaction_isolation TO 'read committed';
             SELECT set_config('transaction_timeout', '0', false)
             WHERE current_setting('server_version_num')::integer >= 170000",
            quoted(schema),
            lock_timeout.as_millis()
        );
        self.conn.run(&set_up).await.map_err(asking)?;
        Ok(())
    }

    /// Everything that is recorded and there.
    ///
    /// # Errors
    /// [`MigrationError::Unseen`] where somebody has locked a table; the transaction around goes on.
    pub(super) async fn see(&mut self) -> Result<Seen, MigrationError> {
        if !self.conn.is_postgres() {
            return self.read().await;
        }
        let asking = MigrationError::asking("read its catalog");
        self.conn.begin().await.map_err(&asking)?;
        let error = match self.read().await {
            Ok(seen) => {
                self.conn.commit().await.map_err(asking)?;
                return Ok(seen);
            }
            Err(error) => error,
        };
        // A broken connection cannot be told anything.
        let _ = self.conn.rollback().await;
        if !is_over_a_lock(&error) {
            return Err(error);
        }
        let holders = lock::in_the_way(&mut self.conn, &self.set.names.tables).await;
        Err(MigrationError::Unseen {
            holders: holders.unwrap_or_default(),
        })
    }

    async fn read(&mut self) -> Result<Seen, MigrationError> {
        let probes = self.set.files.iter().map(|file| &file.probe);
        let checks: Vec<_> = probes
            .flat_map(|probe| probe.checks(&self.environment))
            .collect();
        let catalog = catalog::read(&mut self.conn, &self.set.names, &checks).await;
        Ok(Seen {
            catalog: catalog.map_err(MigrationError::asking("read its catalog"))?,
            records: records::read(&mut self.conn).await?,
            environment: self.environment.clone(),
        })
    }

    /// The place of the migration to stop at: that of `to`, or the last.
    pub(super) fn last(&self, to: Option<i32>) -> Result<usize, MigrationError> {
        let Some(version) = to else {
            return Ok(self.set.files.len().saturating_sub(1));
        };
        self.set
            .place(version)
            .ok_or_else(|| MigrationError::NoSuchMigration {
                version,
                known: self.set.files.iter().map(File::version).collect(),
            })
    }

    /// Makes the schema if it is not there; its name if it was not.
    pub(super) async fn make_schema(&mut self) -> Result<Option<String>, MigrationError> {
        let Some(schema) = self.schema.as_ref().filter(|_| self.schema_is_missing) else {
            return Ok(None);
        };
        let sql = format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(schema));
        self.conn
            .run(&sql)
            .await
            .map_err(MigrationError::asking("make the schema"))?;
        self.schema_is_missing = false;
        Ok(Some(schema.clone()))
    }

    /// Ends the session; what was not committed is undone.
    pub(super) async fn close(self) {
        // Nothing depends on how it ends.
        let _ = self.conn.close().await;
    }
}

/// Quoted whatever it is: a schema may be called like a keyword.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
