//! Opening a database and handing out connections and transactions.
//!
//! Owns the pools and the one place that tells their kinds apart. Knows no table.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::sqlite::{Sqlite, SqlitePool};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinSet;

use super::dialect::{self, READERS};
use super::error::{StoreError, driver_is_transient};
use super::location::Location;
use super::migrations::read_ahead;
use super::postgres::{Access, Home, Lease, within};
use crate::model::ModelRules;

/// A database that holds sessions and operations. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Store {
    /// For everything but transactions that write.
    pool: Pool,
    /// SQLite: one connection, for them alone: a connection that reads what another one wrote throws away all pages it
    /// kept.
    writing: Pool,
    location: Arc<str>,
    /// Writers of this process queue here, in turn, however long it takes.
    turn: Arc<Mutex<()>>,
    /// The models that costs are estimated for.
    models: Arc<ModelRules>,
}

/// The kinds of databases.
#[derive(Debug, Clone)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(Arc<Home>),
}

/// A transaction that writes. Dropped without [`WriteTx::commit`] it rolls back.
pub(super) struct WriteTx {
    pub(super) tx: Tx,
    _turn: OwnedMutexGuard<()>,
}

/// The kinds of transactions.
pub(super) enum Tx {
    Sqlite(sqlx::Transaction<'static, Sqlite>),
    Postgres(Lease),
}

/// Evaluates `$body`, which asks and changes nothing, with `$pool` bound to something that runs one statement, whatever
/// the kind of the database.
macro_rules! on_pool {
    ($store:expr, $pool:ident => $body:expr) => {
        match $store.pool() {
            $crate::store::connection::Pool::Sqlite($pool) => $body,
            $crate::store::connection::Pool::Postgres(home) => {
                match home.begin($crate::store::postgres::Access::Read).await {
                    Ok(mut lease) => {
                        let asked = {
                            let $pool = lease.careful();
                            $crate::store::postgres::question(async { $body }).await
                        };
                        lease.answered(asked).await
                    }
                    Err(error) => Err(error),
                }
            }
        }
    };
}

/// Evaluates `$body` with `$conn` bound to something that runs one statement in the transaction, whatever the kind of the
/// database.
macro_rules! on_tx {
    ($tx:expr, $conn:ident => $body:expr) => {
        match &mut $tx.tx {
            $crate::store::connection::Tx::Sqlite(tx) => {
                let $conn = &mut **tx;
                $body
            }
            $crate::store::connection::Tx::Postgres(lease) => {
                let patience = lease.patience();
                let done = {
                    let $conn = lease.careful();
                    $crate::store::postgres::within(patience, async { $body }).await
                };
                lease.noted(done)
            }
        }
    };
}

pub(super) use {on_pool, on_tx};

impl Store {
    /// Opens the database at `location`. A file that is not there is made; its schema is neither made nor checked: see
    /// [`Store::migrate_up`] and [`Store::check_schema`].
    ///
    /// # Errors
    /// [`StoreError::NoDataDir`] without the directory, [`StoreError::Open`] when the file does not open,
    /// [`StoreError::Connect`] when the server does not let us in.
    pub async fn open(location: &Location) -> Result<Self, StoreError> {
        match location {
            Location::Embedded { data_dir } => Self::open_embedded(data_dir).await,
            Location::File(file) => Self::open_file(file.clone(), true).await,
            Location::Postgres(server) => Self::open_server(Home::new((**server).clone())).await,
        }
    }

    /// Opens the database at `location` only if it is there: for questions, which must not create one.
    ///
    /// # Errors
    /// [`StoreError::NoDatabase`] without the file, otherwise as [`Store::open`].
    pub async fn open_existing(location: &Location) -> Result<Self, StoreError> {
        match location {
            Location::Embedded { data_dir } => Self::open_embedded_existing(data_dir).await,
            Location::File(file) => Self::open_existing_file(file.clone()).await,
            Location::Postgres(_) => Self::open(location).await,
        }
    }

    /// Opens the embedded database in `data_dir`, which must exist, and creates the file if there is none. The schema is
    /// neither made nor checked: see [`Store::migrate_up`] and [`Store::check_schema`].
    ///
    /// # Errors
    /// [`StoreError::NoDataDir`] without the directory, [`StoreError::Open`] when the file does not open.
    pub async fn open_embedded(data_dir: &Path) -> Result<Self, StoreError> {
        if !data_dir.is_dir() {
            return Err(StoreError::NoDataDir {
                path: data_dir.to_owned(),
            });
        }
        Self::open_file(data_dir.join(dialect::EMBEDDED_FILE), true).await
    }

    /// Opens the embedded database in `data_dir` only if it is there: for questions, which must not create one.
    ///
    /// # Errors
    /// [`StoreError::NoDatabase`] without the file, [`StoreError::Open`] when it does not open.
    pub async fn open_embedded_existing(data_dir: &Path) -> Result<Self, StoreError> {
        Self::open_existing_file(data_dir.join(dialect::EMBEDDED_FILE)).await
    }

    async fn open_existing_file(file: PathBuf) -> Result<Self, StoreError> {
        if !file.is_file() {
            return Err(StoreError::NoDatabase { path: file });
        }
        Self::open_file(file, false).await
    }

    async fn open_server(home: Arc<Home>) -> Result<Self, StoreError> {
        home.try_once().await?;
        Ok(Self {
            location: home.location().into(),
            writing: Pool::Postgres(Arc::clone(&home)),
            pool: Pool::Postgres(home),
            turn: Arc::default(),
            models: Arc::default(),
        })
    }

    async fn open_file(file: PathBuf, create: bool) -> Result<Self, StoreError> {
        // Read beside what follows: whoever opens the file looks at its schema next.
        drop(tokio::task::spawn_blocking(read_ahead));
        // Turning a new file to write-ahead logging takes a lock that SQLite does not wait for; two processes that
        // start at once on a new directory would otherwise see one of them fail.
        let deadline = Instant::now() + Duration::from_secs(5);
        let pool = loop {
            match dialect::embedded_pool(&file, create).await {
                Ok(pool) => break pool,
                Err(error) if driver_is_transient(&error) && Instant::now() < deadline => {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Err(error) => {
                    return Err(StoreError::Open {
                        path: file,
                        source: error.into(),
                    });
                }
            }
        };
        Ok(Self {
            writing: Pool::Sqlite(dialect::embedded_writer(&file)),
            pool: Pool::Sqlite(pool),
            location: file.display().to_string().into(),
            turn: Arc::default(),
            models: Arc::default(),
        })
    }

    /// The same store, which estimates costs for `models` from now on.
    #[must_use]
    pub fn with_models(mut self, models: ModelRules) -> Self {
        self.models = Arc::new(models);
        self
    }

    pub(super) fn models(&self) -> &ModelRules {
        &self.models
    }

    /// Connects all that this store will connect to the embedded database, side by side, so that nobody waits for it later.
    /// What does not connect is tried again by whoever needs it. Nothing with a server: its connections are made as needed.
    pub async fn warm_up(&self) {
        let (Pool::Sqlite(pool), Pool::Sqlite(writing)) = (&self.pool, &self.writing) else {
            return;
        };
        let pools = (0..READERS).map(|_| pool).chain([writing]);
        let mut connecting = JoinSet::new();
        for pool in pools {
            let pool = pool.clone();
            connecting.spawn(async move { pool.acquire().await });
        }
        // Held until all are there: the next one would get the same connection again.
        let _connected = connecting.join_all().await;
    }

    /// Where the database is, for people: a path, or a URL without password.
    #[must_use]
    pub fn location(&self) -> &str {
        &self.location
    }

    /// Whether the database is a file that is this program's alone, and not a server that others use as well.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        matches!(self.pool, Pool::Sqlite(_))
    }

    /// Closes all connections, once they are free, and brings the write-ahead log into the database. Other clones of
    /// this store are closed with it.
    pub async fn close(&self) {
        for pool in [&self.writing, &self.pool] {
            match pool {
                Pool::Sqlite(pool) => pool.close().await,
                Pool::Postgres(home) => home.close().await,
            }
        }
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// Starts a transaction that holds the right to write from its beginning.
    pub(super) async fn begin_write(&self) -> Result<WriteTx, StoreError> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let tx = match &self.writing {
            Pool::Sqlite(pool) => pool.begin_with(dialect::BEGIN_WRITE).await.map(Tx::Sqlite),
            Pool::Postgres(home) => home.begin(Access::Write).await.map(Tx::Postgres),
        };
        let tx = tx.map_err(StoreError::during("start writing"))?;
        Ok(WriteTx { tx, _turn: turn })
    }
}

impl WriteTx {
    /// Keeps other writers from opening sessions with any of `keys` until the end of this transaction. SQLite has one
    /// writer anyway.
    ///
    /// Keys share a few locks, taken in one order: a batch may open thousands of sessions, and a server has room for some
    /// thousands of locks.
    pub(super) async fn lock_keys(&mut self, keys: &HashSet<&str>) -> Result<(), StoreError> {
        const LOCKS: u32 = 64;
        let Tx::Postgres(lease) = &mut self.tx else {
            return Ok(());
        };
        let number = |key: &str| {
            let mixed = key.bytes().fold(0_u32, |sum, byte| {
                sum.wrapping_mul(31).wrapping_add(u32::from(byte))
            });
            (mixed % LOCKS).cast_signed()
        };
        let locks: BTreeSet<i32> = keys.iter().map(|key| number(key)).collect();
        let locks: Vec<i32> = locks.into_iter().collect();
        let patience = lease.patience();
        let query = sqlx::query(
            "SELECT count(pg_advisory_xact_lock(1635017059, n)) FROM unnest($1::integer[]) AS n",
        );
        let query = query.bind(locks);
        let done = within(patience, query.execute(lease.careful())).await;
        lease
            .noted(done)
            .map(drop)
            .map_err(StoreError::during("wait for others that open sessions"))
    }

    /// Makes everything done in this transaction last.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self.tx {
            Tx::Sqlite(tx) => tx.commit().await,
            Tx::Postgres(lease) => lease.commit().await,
        }
        .map_err(StoreError::during("commit"))
    }

    /// Undoes everything done in this transaction.
    pub(super) async fn rollback(self) -> Result<(), StoreError> {
        match self.tx {
            Tx::Sqlite(tx) => tx.rollback().await,
            Tx::Postgres(lease) => lease.rollback().await,
        }
        .map_err(StoreError::during("roll back"))
    }
}
