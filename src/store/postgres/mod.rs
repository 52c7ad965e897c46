//! Connections to a PostgreSQL server, and transactions on them. Knows no table.
//!
//! Everything runs in a transaction, and every statement is an unnamed one ([`Careful`]): a pooler in transaction mode
//! may give each transaction another connection to the server, where nothing is left of the one before, and what was
//! prepared there is not ours. A connection on which anything failed is not used again.

mod careful;

pub(super) use careful::Careful;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::runtime::{Handle, Id};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::dialect;
use super::error::{ConnectProblem, StoreError, driver_is_transient};
use super::location::Server;

/// Connections of one process at the most: one writer, and readers.
const CONNECTIONS: usize = 4;

/// How long to wait for one of them to become free.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// A writer's statement is given so much longer than the server gives it ([`dialect::begin`]): whoever has not answered by
/// then never will.
const GRACE: Duration = Duration::from_secs(10);

/// How long a question may take. Somebody waits for the answer and can give up earlier.
const READ_TIMEOUT: Duration = Duration::from_mins(15);

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Questions; the server refuses to change anything.
    Read,
    /// The tracker's records and what goes with them.
    Write,
}

/// A server, and the connections to it that are free.
#[derive(Debug)]
pub(super) struct Home {
    server: Server,
    /// Each with the runtime it belongs to: its socket is driven by that one, and ends with it.
    idle: Mutex<Vec<(Id, PgConnection)>>,
    places: Arc<Semaphore>,
}

impl Home {
    /// A home for connections to `server`; makes none yet.
    pub(super) fn new(server: Server) -> Arc<Self> {
        Arc::new(Self {
            server,
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(CONNECTIONS)),
        })
    }

    /// The schema that was chosen; the role's own first one where none was.
    pub(super) fn schema(&self) -> Option<&str> {
        self.server.schema.as_deref()
    }

    /// Where this is, without password.
    pub(super) fn location(&self) -> String {
        self.server.to_string()
    }

    /// Host and port.
    pub(super) fn address(&self) -> (&str, u16) {
        let options = &self.server.options;
        (options.get_host(), options.get_port())
    }

    /// A connection of the caller's own, on which nothing is set.
    pub(super) async fn connect(&self) -> Result<PgConnection, StoreError> {
        self.connected()
            .await
            .map_err(|source| StoreError::Connect {
                location: self.location(),
                problem: ConnectProblem::of(&source, self.server.wants_tls()),
                source: source.into(),
            })
    }

    /// Makes sure that the server lets us in, and keeps the connection for later.
    pub(super) async fn try_once(&self) -> Result<(), StoreError> {
        let connection = self.connect().await?;
        self.keep(connection);
        Ok(())
    }

    /// Starts a transaction.
    pub(super) async fn begin(self: &Arc<Self>, access: Access) -> Result<Lease, sqlx::Error> {
        let place = timeout(ACQUIRE_TIMEOUT, Arc::clone(&self.places).acquire_owned()).await;
        let place = match place {
            Ok(Ok(place)) => place,
            Ok(Err(_)) => return Err(sqlx::Error::PoolClosed),
            Err(_) => return Err(sqlx::Error::PoolTimedOut),
        };
        let sql = dialect::begin(access, self.schema(), self.server.write_timeout);
        let edge = self.server.connect_timeout;
        loop {
            let kept = self.take();
            let fresh = kept.is_none();
            let mut connection = match kept {
                Some(connection) => connection,
                None => self.connected().await?,
            };
            let begun = within(edge, simple(&mut connection, &sql)).await;
            match begun {
                Ok(()) => {
                    return Ok(Lease {
                        home: Arc::clone(self),
                        connection,
                        failed: false,
                        _place: place,
                    });
                }
                // It broke while nobody used it.
                Err(error) if !fresh && driver_is_transient(&error) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Says goodbye to the server on all connections that are free, and lets no new one come about.
    pub(super) async fn close(&self) {
        self.places.close();
        while let Some(connection) = self.take() {
            // Whether it hears us or not, the connection ends.
            let _ = timeout(self.server.connect_timeout, connection.close()).await;
        }
    }

    async fn connected(&self) -> Result<PgConnection, sqlx::Error> {
        within(self.server.connect_timeout, self.server.options.connect()).await
    }

    /// A free connection of this runtime's.
    fn take(&self) -> Option<PgConnection> {
        let here = Handle::current().id();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let place = idle.iter().rposition(|(runtime, _)| *runtime == here)?;
        Some(idle.swap_remove(place).1)
    }

    fn keep(&self, connection: PgConnection) {
        if self.places.is_closed() {
            return;
        }
        let here = Handle::current().id();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // Runtimes come and go; what they leave behind must not pile up.
        if idle.len() >= CONNECTIONS {
            idle.remove(0);
        }
        idle.push((here, connection));
    }
}

/// A transaction and its connection. Dropped before its end it is undone, and the connection with it.
#[derive(Debug)]
pub(super) struct Lease {
    home: Arc<Home>,
    connection: PgConnection,
    failed: bool,
    _place: OwnedSemaphorePermit,
}

impl Lease {
    /// What statements are run on.
    pub(super) fn careful(&mut self) -> Careful<'_> {
        Careful(&mut self.connection)
    }

    /// How long to wait for a statement of a writer.
    pub(super) fn patience(&self) -> Duration {
        self.home.server.write_timeout + GRACE
    }

    /// Takes note of how a statement went. After a failure the server takes no further one.
    pub(super) fn noted<T>(&mut self, done: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        // A row that could not be read is our trouble, not the connection's.
        self.failed |= done.is_err();
        done
    }

    /// Runs a `COPY … FROM STDIN` with all of `pieces`; how many rows it took. The server works on a piece while the next one
    /// is made.
    pub(super) async fn copied(
        &mut self,
        sql: &str,
        pieces: impl Iterator<Item = Vec<u8>>,
    ) -> Result<u64, sqlx::Error> {
        let patience = self.patience();
        let copying = async {
            let mut stream = self.connection.copy_in_raw(sql).await?;
            for piece in pieces {
                stream.send(piece).await?;
            }
            stream.finish().await
        };
        let done = within(patience, copying).await;
        self.noted(done)
    }

    /// Ends the transaction and gives the connection back: what it did lasts.
    pub(super) async fn commit(self) -> Result<(), sqlx::Error> {
        self.end("COMMIT").await
    }

    /// Ends the transaction and gives the connection back: nothing was done.
    pub(super) async fn rollback(self) -> Result<(), sqlx::Error> {
        self.end("ROLLBACK").await
    }

    async fn end(mut self, how: &str) -> Result<(), sqlx::Error> {
        if self.failed {
            // COMMIT would undo everything and not call that an error.
            return Err(sqlx::Error::Protocol(
                "a transaction that failed cannot be ended".to_owned(),
            ));
        }
        let edge = self.home.server.connect_timeout;
        within(edge, simple(&mut self.connection, how)).await?;
        self.home.keep(self.connection);
        Ok(())
    }

    /// Ends a transaction that only asked, if what it did succeeded.
    pub(super) async fn answered<T>(
        mut self,
        done: Result<T, sqlx::Error>,
    ) -> Result<T, sqlx::Error> {
        let answer = self.noted(done)?;
        self.commit().await?;
        Ok(answer)
    }
}

/// Runs a question, for as long as it may take.
pub(super) async fn question<T>(
    asked: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    within(READ_TIMEOUT, asked).await
}

/// Runs statements without parameters and without answers.
async fn simple(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    // Safe: made of constants of this program and a quoted name.
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .map(drop)
}

/// `work`, for so long at the most.
pub(super) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    timeout(limit, work).await.unwrap_or_else(|_| {
        let why = format!("no answer within {} s", limit.as_secs());
        Err(sqlx::Error::Io(std::io::Error::new(
            std::io::ErrorKind::TimedOut,
            why,
        )))
    })
}
