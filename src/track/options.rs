//! What tracking inside a server starts with, and why it does not start.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use crate::journal::JournalError;
use crate::model::server_name;
use crate::store::{LocationError, StoreError};
use crate::tracking::{SettleError, TrackerOptions};

/// How a server tracks itself. The times are the daemon's where nothing else is said.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// The name that sessions are stored under: 1 to 64 letters, digits, `.`, `-` and `_`, the first a letter or digit.
    pub server: String,
    /// Where the journal and the embedded store live; made if it is not there. Name the same one to `archonctl` to ask.
    pub data_dir: PathBuf,
    /// `postgres://…` or `sqlite:…`; `None` for the embedded store in the data directory. The schema on PostgreSQL must be
    /// there already (`archonctl migrate up`).
    pub database_url: Option<String>,
    /// The schema on PostgreSQL, if it is another than `public`.
    pub database_schema: Option<String>,
    /// Without activity for so long, a session ends as `timeout`. 1 hour.
    pub session_timeout: Duration,
    /// Without activity for so long, a session is idle. 5 minutes.
    pub idle_after: Duration,
    /// After a client ended the stream it held and was not heard of for so long, its session ends as `client_disconnect`.
    /// 30 seconds.
    pub disconnect_grace: Duration,
    /// A request over a wrapped transport that is not answered for so long counts as timed out; it is not interfered with.
    /// 5 minutes.
    pub request_timeout: Duration,
    /// How long [`Tracking::stop`](super::Tracking::stop) waits for requests under way. 10 seconds.
    pub drain_timeout: Duration,
}

impl Options {
    /// Tracks as the server `server`, into the embedded store in `data_dir`.
    #[must_use]
    pub fn new(server: impl Into<String>, data_dir: impl Into<PathBuf>) -> Self {
        let times = TrackerOptions::default();
        Self {
            server: server.into(),
            data_dir: data_dir.into(),
            database_url: None,
            database_schema: None,
            session_timeout: times.session_timeout,
            idle_after: times.idle_after,
            disconnect_grace: times.disconnect_grace,
            request_timeout: Duration::from_mins(5),
            drain_timeout: Duration::from_secs(10),
        }
    }

    /// Refuses what nobody can have meant.
    pub(super) fn check(&self) -> Result<(), Error> {
        let refused = |option, reason| Err(Error::Option { option, reason });
        if let Err(reason) = server_name(&self.server) {
            return refused("server", reason);
        }
        if self.data_dir.as_os_str().is_empty() {
            return refused("data_dir", "the path is empty".to_owned());
        }
        for (option, time) in [
            ("session_timeout", self.session_timeout),
            ("idle_after", self.idle_after),
            ("request_timeout", self.request_timeout),
        ] {
            if time.is_zero() {
                return refused(option, "must be longer than nothing".to_owned());
            }
        }
        Ok(())
    }

    pub(super) fn tracker(&self) -> TrackerOptions {
        TrackerOptions {
            session_timeout: self.session_timeout,
            idle_after: self.idle_after,
            disconnect_grace: self.disconnect_grace,
            ..TrackerOptions::default()
        }
    }

    /// The shortest of the times by which sessions are judged.
    pub(super) fn shortest(&self) -> Duration {
        let judged = self.session_timeout.min(self.idle_after);
        judged.min(self.disconnect_grace)
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("Options")
            .field("server", &self.server)
            .field("data_dir", &self.data_dir)
            .field("database", &self.database_url.is_some())
            .field("database_schema", &self.database_schema)
            .field("session_timeout", &self.session_timeout)
            .field("idle_after", &self.idle_after)
            .field("disconnect_grace", &self.disconnect_grace)
            .field("request_timeout", &self.request_timeout)
            .field("drain_timeout", &self.drain_timeout)
            .finish()
    }
}

/// Why tracking does not start. Whether the server then runs untracked is for the server to say.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option has a value that it cannot have.
    #[error("the option {option}: {reason}")]
    Option {
        /// Its name.
        option: &'static str,
        /// What is wrong with the value.
        reason: String,
    },
    /// There is no tokio runtime to run in.
    #[error("there is no tokio runtime here; hint: start tracking within the one that serves")]
    NoRuntime,
    /// The data directory cannot be used.
    #[error("the data directory {} cannot be {done}; hint: name one that this user may write", dir.display())]
    DataDir {
        /// The directory.
        dir: PathBuf,
        /// What could not be done to it: `made`, `written`.
        done: &'static str,
        /// What the file system said.
        source: io::Error,
    },
    /// The database URL cannot be understood.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// The store does not open, or its schema is not there.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no journal to write to.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// What a process that is gone left behind could not be settled.
    #[error(transparent)]
    Settle(#[from] SettleError),
    /// No thread could be started.
    #[error("the thread that carries records to the store does not start")]
    Thread(#[source] io::Error),
}
