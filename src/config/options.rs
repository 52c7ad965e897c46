//! Settings turned into the typed options that commands start with.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::{parse_duration, server_name};

use super::api::{ApiAccess, flag};
use super::cost::CostOptions;
use super::database::DatabaseOptions;
use super::error::ConfigError;
use super::limits::{Access, Limits};
use super::otlp::OtlpOptions;
use super::settings::{Key, Settings};
use super::sources::Sources;
use super::upstream::{Refusal, Upstream};

/// Form of the daemon's log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// One JSON object on each line.
    Json,
}

/// Settings of an instance's journal, and of its word that it is alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceOptions {
    /// How long it counts as alive without another word.
    pub timeout: Duration,
    /// Bytes of records that may wait for the store; past them records are dropped.
    pub journal_bound: u64,
    /// Whether records are on the disk itself before the answer ends that they are of.
    pub journal_fsync: bool,
}

/// What the daemon starts with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeOptions {
    /// Where journals and the embedded store live.
    pub data_dir: PathBuf,
    /// The database, if it is not the embedded one.
    pub database: DatabaseOptions,
    /// Whether to apply pending migrations to a database that is not embedded.
    pub migrate: bool,
    /// `host:port`; an IPv6 address in brackets.
    pub listen: String,
    /// `host:port` of the REST API; `None` for no API.
    pub api_listen: Option<String>,
    /// Who gets into the API.
    pub api_access: ApiAccess,
    /// The MCP servers behind the daemon; the first is also served at `/mcp`.
    pub upstreams: Vec<Upstream>,
    /// Time without activity that ends a session.
    pub session_timeout: Duration,
    /// Time without activity after which a session counts as idle.
    pub idle_after: Duration,
    /// How long a client that dropped its stream may take to come back.
    pub disconnect_grace: Duration,
    /// How long the server may take to answer.
    pub request_timeout: Duration,
    /// Bounds on what clients may send and hold.
    pub limits: Limits,
    /// Who may ask.
    pub access: Access,
    /// How long requests in flight may take to finish when the daemon stops.
    pub drain_timeout: Duration,
    /// Worker threads; `None` leaves it to the daemon.
    pub workers: Option<NonZeroUsize>,
    /// Its journal, and its word that it is alive.
    pub instance: InstanceOptions,
    /// How costs are estimated.
    pub cost: CostOptions,
    /// Where spans and metrics are sent; `None` sends none.
    pub otlp: Option<OtlpOptions>,
    /// Form of the log.
    pub log: LogFormat,
}

/// What relaying over stdio starts with: `run` and `bridge`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StdioOptions {
    /// Where journals and the embedded store live.
    pub data_dir: PathBuf,
    /// The database, if it is not the embedded one.
    pub database: DatabaseOptions,
    /// Time without activity that ends a session.
    pub session_timeout: Duration,
    /// Time without activity after which a session counts as idle.
    pub idle_after: Duration,
    /// How long the server may take to answer.
    pub request_timeout: Duration,
    /// How long answers that are still to come are waited for after the client left.
    pub drain_timeout: Duration,
    /// Its journal, and its word that it is alive.
    pub instance: InstanceOptions,
    /// How costs are estimated.
    pub cost: CostOptions,
    /// Form of the log.
    pub log: LogFormat,
}

impl Settings {
    /// Where journals and the embedded store live.
    ///
    /// # Errors
    /// When nothing says where.
    pub fn data_dir(&self) -> Result<PathBuf, ConfigError> {
        if self.get(Key::DataDir).is_none() {
            return Err(ConfigError::NoDataDir);
        }
        self.parsed(Key::DataDir, |text| {
            if text.is_empty() {
                Err("the path is empty".to_owned())
            } else if text == "~" || text.starts_with("~/") {
                Err("'~' is expanded by shells only; write the whole path".to_owned())
            } else {
                Ok(PathBuf::from(text))
            }
        })
        .map(Option::unwrap_or_default)
    }

    /// Time without activity that ends a session.
    ///
    /// # Errors
    /// When the value is no duration, or none at all.
    pub fn session_timeout(&self) -> Result<Duration, ConfigError> {
        self.positive(Key::SessionTimeout)
    }

    /// Everything the daemon needs.
    ///
    /// # Errors
    /// When a value is of the wrong kind or out of bounds; the error names the setting and where it came from.
    pub fn serve_options(&self, sources: &Sources) -> Result<ServeOptions, ConfigError> {
        Ok(ServeOptions {
            data_dir: self.data_dir()?,
            database: self.database()?,
            migrate: false,
            listen: self.parsed(Key::Listen, listen)?.unwrap_or_default(),
            api_listen: self.parsed(Key::ApiListen, listen_or_off)?.flatten(),
            api_access: self.api_access()?,
            upstreams: self.upstreams(sources)?,
            session_timeout: self.session_timeout()?,
            idle_after: self.positive(Key::IdleAfter)?,
            disconnect_grace: self.duration(Key::DisconnectGrace)?,
            request_timeout: self.positive(Key::RequestTimeout)?,
            limits: self.limits()?,
            access: self.access()?,
            drain_timeout: self.duration(Key::DrainTimeout)?,
            workers: self.parsed(Key::Workers, |text| {
                text.parse()
                    .map_err(|_| format!("'{text}' is no number of threads; 1 or more is expected"))
            })?,
            instance: self.instance_options()?,
            cost: self.cost()?,
            otlp: self.otlp(sources)?,
            log: self.log_format()?,
        })
    }

    /// Everything that relaying over stdio needs.
    ///
    /// # Errors
    /// As [`Settings::serve_options`].
    pub fn stdio_options(&self) -> Result<StdioOptions, ConfigError> {
        Ok(StdioOptions {
            data_dir: self.data_dir()?,
            database: self.database()?,
            session_timeout: self.session_timeout()?,
            idle_after: self.positive(Key::IdleAfter)?,
            request_timeout: self.positive(Key::RequestTimeout)?,
            drain_timeout: self.duration(Key::DrainTimeout)?,
            instance: self.instance_options()?,
            cost: self.cost()?,
            log: self.log_format()?,
        })
    }

    fn instance_options(&self) -> Result<InstanceOptions, ConfigError> {
        let timeout = self.parsed(Key::InstanceTimeout, |text| {
            let timeout = parse_duration(text)?;
            if timeout < SHORTEST_INSTANCE_TIMEOUT {
                return Err("must be half a second or longer".to_owned());
            }
            Ok(timeout)
        })?;
        let fsync = self.parsed(Key::JournalFsync, flag)?;
        let bound = self.parsed(Key::JournalBound, |text| {
            let bound = super::limits::bytes(text)?;
            if bound < SMALLEST_BOUND {
                return Err(format!(
                    "'{text}' has no room for records; 4KiB or more are"
                ));
            }
            Ok(bound)
        })?;
        Ok(InstanceOptions {
            timeout: timeout.unwrap_or_default(),
            journal_bound: bound.unwrap_or_default(),
            journal_fsync: fsync.unwrap_or_default(),
        })
    }

    fn log_format(&self) -> Result<LogFormat, ConfigError> {
        let format = self.parsed(Key::LogFormat, |text| match text {
            "text" => Ok(LogFormat::Text),
            "json" => Ok(LogFormat::Json),
            _ => Err(format!("'{text}' is neither 'text' nor 'json'")),
        })?;
        Ok(format.unwrap_or_default())
    }

    fn upstreams(&self, sources: &Sources) -> Result<Vec<Upstream>, ConfigError> {
        let name = self.parsed(Key::UpstreamName, server_name)?;
        self.tables()
            .resolve(self.get(Key::Upstream), &name.unwrap_or_default(), sources)
    }

    fn duration(&self, key: Key) -> Result<Duration, ConfigError> {
        self.parsed(key, parse_duration)
            .map(Option::unwrap_or_default)
    }

    pub(super) fn positive(&self, key: Key) -> Result<Duration, ConfigError> {
        self.parsed(key, |text| match parse_duration(text)? {
            Duration::ZERO => Err("must be longer than nothing".to_owned()),
            duration => Ok(duration),
        })
        .map(Option::unwrap_or_default)
    }

    pub(super) fn parsed<T>(
        &self,
        key: Key,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Result<Option<T>, ConfigError> {
        self.checked(key, |text| parse(text).map_err(|reason| (reason, None)))
    }

    pub(super) fn checked<T>(
        &self,
        key: Key,
        parse: impl FnOnce(&str) -> Result<T, Refusal>,
    ) -> Result<Option<T>, ConfigError> {
        let Some(found) = self.get(key) else {
            return Ok(None);
        };
        let parsed = parse(&found.text).map_err(|(reason, hint)| ConfigError::Invalid {
            key: key.name(),
            origin: found.origin.to_string(),
            reason,
            hint,
        })?;
        Ok(Some(parsed))
    }
}

/// What an instance's word must at least be good for: it is given anew six times in this time.
const SHORTEST_INSTANCE_TIMEOUT: Duration = Duration::from_millis(500);

/// What a journal's bound must at least be.
const SMALLEST_BOUND: u64 = 4 << 10;

/// Checks `host:port`. Names are resolved when the daemon binds, not here.
fn listen(text: &str) -> Result<String, String> {
    let expected = || format!("'{text}' is no host:port, such as 127.0.0.1:8051 or [::1]:8051");
    let (host, port) = text.rsplit_once(':').ok_or_else(expected)?;
    port.parse::<u16>()
        .map_err(|_| format!("'{port}' is no port from 0 to 65535"))?;
    let inner = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let sound = match inner {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        }
    };
    if sound {
        Ok(text.to_owned())
    } else {
        Err(expected())
    }
}

/// [`listen`], or `off`.
fn listen_or_off(text: &str) -> Result<Option<String>, String> {
    if text == "off" {
        return Ok(None);
    }
    listen(text)
        .map(Some)
        .map_err(|reason| format!("{reason}; 'off' is allowed too"))
}
