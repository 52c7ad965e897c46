//! The settings there are, and the layers they come from.
//!
//! Values stay text here, with their origin; `options` turns them into types.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::database::without_password;
use super::error::ConfigError;
use super::file;
use super::sources::Sources;
use super::upstream::without_secrets;
use super::upstreams::{ShownUpstream, Tables};

/// Name of the project file, looked for in the working directory.
const PROJECT_FILE: &str = "archonctl.toml";

/// The variable that other programs name a database in.
const DATABASE_URL: &str = "DATABASE_URL";

/// One setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// Where journals and the embedded store live.
    DataDir,
    /// URL of the database, in place of the embedded one.
    DatabaseUrl,
    /// File that holds this URL.
    DatabaseUrlFile,
    /// The schema our tables are in, for PostgreSQL.
    DatabaseSchema,
    /// `host:port` the daemon listens on.
    Listen,
    /// `host:port` its REST API listens on, or `off`.
    ApiListen,
    /// Whether the API asks nobody who they are, wherever it listens.
    NoAuth,
    /// Sites whose pages may use the API.
    ApiCorsOrigin,
    /// File with the public keys that JWTs are verified with.
    JwtKeyFile,
    /// File with the secret that JWTs are verified with.
    JwtSecretFile,
    /// Who issues JWTs.
    JwtIssuer,
    /// Whom JWTs are for.
    JwtAudience,
    /// URL of the API that queries ask in place of a database.
    ApiUrl,
    /// File with the token for it.
    ApiTokenFile,
    /// URL of the MCP server behind the daemon.
    Upstream,
    /// The name that server's sessions are stored under.
    UpstreamName,
    /// Time without activity that ends a session.
    SessionTimeout,
    /// Time without activity after which a session counts as idle.
    IdleAfter,
    /// How long a client that dropped its stream may take to come back.
    DisconnectGrace,
    /// How long the server may take to answer.
    RequestTimeout,
    /// How long a connection to a server may take to come about.
    ConnectTimeout,
    /// Longest head of a request.
    MaxHead,
    /// Longest body of a request.
    MaxBody,
    /// Connections of clients at the same time.
    MaxConnections,
    /// Streams that clients hold open at the same time.
    MaxStreams,
    /// How long a client's connection may stay open without a request.
    KeepAliveTimeout,
    /// How long the head of a request may take to arrive.
    HeadTimeout,
    /// How long a client may take to send the next piece of a body.
    BodyTimeout,
    /// How long a client may take to read a piece of an answer.
    WriteTimeout,
    /// Names that may stand in `Host`.
    AllowedHosts,
    /// Sites that may stand in `Origin`.
    AllowedOrigins,
    /// `scheme://host[:port]` under which clients reach the daemon.
    PublicUrl,
    /// How long requests in flight may take to finish when the daemon stops.
    DrainTimeout,
    /// Worker threads.
    Workers,
    /// How long an instance counts as alive without another word.
    InstanceTimeout,
    /// How much of the disk records may fill that the store has not taken.
    JournalBound,
    /// Whether records are on the disk itself before an answer ends.
    JournalFsync,
    /// How much of one text is counted in tokens.
    MaxCountedText,
    /// The model behind sessions that nothing else is said of.
    DefaultModel,
    /// `NAME=MODEL` for sessions with a server.
    UpstreamModels,
    /// `NAME=MODEL` for sessions of a client, or of a type of clients.
    ClientModels,
    /// Where an OpenTelemetry collector is.
    OtlpEndpoint,
    /// Form of the daemon's log. Not `log`: `ARCHONCTL_LOG` is the filter that says what is logged.
    LogFormat,
}

impl Key {
    /// Every setting, in the order they are shown in.
    pub const ALL: [Self; 43] = [
        Self::DataDir,
        Self::DatabaseUrl,
        Self::DatabaseUrlFile,
        Self::DatabaseSchema,
        Self::Listen,
        Self::ApiListen,
        Self::NoAuth,
        Self::ApiCorsOrigin,
        Self::JwtKeyFile,
        Self::JwtSecretFile,
        Self::JwtIssuer,
        Self::JwtAudience,
        Self::ApiUrl,
        Self::ApiTokenFile,
        Self::Upstream,
        Self::UpstreamName,
        Self::SessionTimeout,
        Self::IdleAfter,
        Self::DisconnectGrace,
        Self::RequestTimeout,
        Self::ConnectTimeout,
        Self::MaxHead,
        Self::MaxBody,
        Self::MaxConnections,
        Self::MaxStreams,
        Self::KeepAliveTimeout,
        Self::HeadTimeout,
        Self::BodyTimeout,
        Self::WriteTimeout,
        Self::AllowedHosts,
        Self::AllowedOrigins,
        Self::PublicUrl,
        Self::DrainTimeout,
        Self::Workers,
        Self::InstanceTimeout,
        Self::JournalBound,
        Self::JournalFsync,
        Self::MaxCountedText,
        Self::DefaultModel,
        Self::UpstreamModels,
        Self::ClientModels,
        Self::OtlpEndpoint,
        Self::LogFormat,
    ];

    /// Its name in files. The environment variable is the same in capitals behind `ARCHONCTL_`, the flag the same with
    /// dashes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DataDir => "data_dir",
            Self::DatabaseUrl => "database_url",
            Self::DatabaseUrlFile => "database_url_file",
            Self::DatabaseSchema => "database_schema",
            Self::Listen => "listen",
            Self::ApiListen => "api_listen",
            Self::NoAuth => "no_auth",
            Self::ApiCorsOrigin => "api_cors_origin",
            Self::JwtKeyFile => "jwt_key_file",
            Self::JwtSecretFile => "jwt_secret_file",
            Self::JwtIssuer => "jwt_issuer",
            Self::JwtAudience => "jwt_audience",
            Self::ApiUrl => "api_url",
            Self::ApiTokenFile => "api_token_file",
            Self::Upstream => "upstream",
            Self::UpstreamName => "upstream_name",
            Self::SessionTimeout => "session_timeout",
            Self::IdleAfter => "idle_after",
            Self::DisconnectGrace => "disconnect_grace",
            Self::RequestTimeout => "request_timeout",
            Self::ConnectTimeout => "connect_timeout",
            Self::MaxHead => "max_head",
            Self::MaxBody => "max_body",
            Self::MaxConnections => "max_connections",
            Self::MaxStreams => "max_streams",
            Self::KeepAliveTimeout => "keep_alive_timeout",
            Self::HeadTimeout => "head_timeout",
            Self::BodyTimeout => "body_timeout",
            Self::WriteTimeout => "write_timeout",
            Self::AllowedHosts => "allowed_hosts",
            Self::AllowedOrigins => "allowed_origins",
            Self::PublicUrl => "public_url",
            Self::DrainTimeout => "drain_timeout",
            Self::Workers => "workers",
            Self::InstanceTimeout => "instance_timeout",
            Self::JournalBound => "journal_bound",
            Self::JournalFsync => "journal_fsync",
            Self::MaxCountedText => "max_counted_text",
            Self::DefaultModel => "default_model",
            Self::UpstreamModels => "upstream_models",
            Self::ClientModels => "client_models",
            Self::OtlpEndpoint => "otlp_endpoint",
            Self::LogFormat => "log_format",
        }
    }

    /// Its environment variable.
    #[must_use]
    pub fn variable(self) -> String {
        format!("ARCHONCTL_{}", self.name().to_uppercase())
    }

    /// Whether its value is a list of words.
    pub(super) const fn is_list(self) -> bool {
        matches!(
            self,
            Self::Upstream
                | Self::ApiCorsOrigin
                | Self::AllowedHosts
                | Self::AllowedOrigins
                | Self::UpstreamModels
                | Self::ClientModels
        )
    }

    /// Whether its value is `true` or `false`.
    pub(super) const fn is_switch(self) -> bool {
        matches!(self, Self::NoAuth | Self::JournalFsync)
    }

    /// Whether its value is the path of a file, which a settings file names from its own folder.
    const fn is_path(self) -> bool {
        matches!(
            self,
            Self::DataDir
                | Self::DatabaseUrlFile
                | Self::JwtKeyFile
                | Self::JwtSecretFile
                | Self::ApiTokenFile
        )
    }

    /// Its flag.
    #[must_use]
    pub fn flag(self) -> String {
        format!("--{}", self.name().replace('_', "-"))
    }

    const fn default_value(self) -> Option<&'static str> {
        match self {
            Self::DataDir
            | Self::DatabaseUrl
            | Self::DatabaseUrlFile
            | Self::DatabaseSchema
            | Self::ApiCorsOrigin
            | Self::JwtKeyFile
            | Self::JwtSecretFile
            | Self::JwtIssuer
            | Self::JwtAudience
            | Self::ApiUrl
            | Self::ApiTokenFile
            | Self::Upstream
            | Self::Workers
            | Self::AllowedHosts
            | Self::AllowedOrigins
            | Self::PublicUrl
            | Self::DefaultModel
            | Self::UpstreamModels
            | Self::ClientModels
            | Self::OtlpEndpoint => None,
            Self::Listen => Some("127.0.0.1:8051"),
            Self::ApiListen => Some("127.0.0.1:8181"),
            Self::UpstreamName => Some("default"),
            Self::SessionTimeout => Some("3600s"),
            Self::IdleAfter => Some("5m"),
            Self::DisconnectGrace
            | Self::HeadTimeout
            | Self::BodyTimeout
            | Self::InstanceTimeout => Some("30s"),
            Self::RequestTimeout => Some("300s"),
            Self::MaxHead => Some("64KiB"),
            Self::MaxBody => Some("64MiB"),
            Self::MaxConnections => Some("20000"),
            Self::MaxStreams => Some("10000"),
            Self::KeepAliveTimeout => Some("2m"),
            Self::WriteTimeout => Some("60s"),
            Self::ConnectTimeout | Self::DrainTimeout => Some("10s"),
            Self::JournalBound => Some("1GiB"),
            Self::NoAuth | Self::JournalFsync => Some("false"),
            Self::MaxCountedText => Some("16KiB"),
            Self::LogFormat => Some("text"),
        }
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// `ARCHON_HOST` and `ARCHON_MCP_PORT`, which older set-ups use; anything newer wins.
    LegacyEnvironment(&'static str),
    /// The user's file.
    UserFile(PathBuf),
    /// The file in the working directory.
    ProjectFile(PathBuf),
    /// A variable.
    Environment(String),
    /// A flag of this command.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::LegacyEnvironment(names) => f.write_str(names),
            Self::UserFile(file) | Self::ProjectFile(file) => file.display().fmt(f),
            Self::Environment(variable) => f.write_str(variable),
            Self::Flag(flag) => f.write_str(flag),
        }
    }
}

/// Values given as flags, the strongest layer.
#[derive(Default)]
pub struct Flags(BTreeMap<Key, String>);

impl Flags {
    /// Adds a flag's value, if the flag was given.
    #[must_use]
    pub fn with(mut self, key: Key, value: Option<String>) -> Self {
        if let Some(value) = value {
            self.0.insert(key, value);
        }
        self
    }
}

impl Flags {
    /// Adds the values of a flag that may be given more than once.
    #[must_use]
    pub fn with_all(self, key: Key, values: &[String]) -> Self {
        self.with(key, (!values.is_empty()).then(|| values.join(" ")))
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may hold credentials that are only refused later.
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A value as text, and where it comes from.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) text: String,
    pub(super) origin: Origin,
}

/// A setting as it may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The setting.
    pub key: Key,
    /// Its value, secrets masked; `None` if it has none.
    pub value: Option<String>,
    /// Where the value comes from.
    pub origin: Origin,
}

/// All settings, resolved.
pub struct Settings {
    values: BTreeMap<Key, Found>,
    tables: Tables,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.shown()).finish()
    }
}

impl Settings {
    /// Reads every layer. Values are checked only when they are asked for: a query does not fail over a bad `listen`.
    ///
    /// # Errors
    /// When a file cannot be read or sets what is no setting, or a variable is not UTF-8.
    pub fn resolve(sources: &Sources, flags: Flags) -> Result<Self, ConfigError> {
        let mut settings = Self {
            values: BTreeMap::new(),
            tables: Tables::default(),
        };
        for key in Key::ALL {
            if let Some(text) = key.default_value() {
                settings.set(key, text.to_owned(), Origin::Default);
            }
        }
        if let Some(dir) = sources.xdg("XDG_DATA_HOME", ".local/share") {
            let dir = utf8(dir.join("archonctl").into_os_string(), Key::DataDir, "HOME")?;
            settings.set(Key::DataDir, dir, Origin::Default);
        }
        settings.legacy(sources)?;

        if let Some(dir) = sources.xdg("XDG_CONFIG_HOME", ".config") {
            settings.file(&dir.join("archonctl").join("config.toml"), Origin::UserFile)?;
        }
        settings.file(
            &sources.working_dir().join(PROJECT_FILE),
            Origin::ProjectFile,
        )?;

        if let Some(value) = sources.variable(DATABASE_URL) {
            let text = utf8(value, Key::DatabaseUrl, DATABASE_URL)?;
            let origin = Origin::Environment(DATABASE_URL.to_owned());
            settings.set(Key::DatabaseUrl, text, origin);
        }
        if let Some(value) = sources.variable(super::otlp::ENDPOINT) {
            let text = utf8(value, Key::OtlpEndpoint, super::otlp::ENDPOINT)?;
            let origin = Origin::Environment(super::otlp::ENDPOINT.to_owned());
            settings.set(Key::OtlpEndpoint, text, origin);
        }
        let mut variables = BTreeMap::new();
        for key in Key::ALL {
            let variable = key.variable();
            if let Some(value) = sources.variable(&variable) {
                variables.insert(key, utf8(value, key, &variable)?);
            }
        }
        settings.layer(variables, |key| Origin::Environment(key.variable()))?;
        settings.layer(flags.0, |key| Origin::Flag(key.flag()))?;
        Ok(settings)
    }

    /// Every setting with its value and origin, fit to be shown.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        let shown = |key| {
            let found = self.values.get(&key);
            Shown {
                key,
                value: found.map(|found| match key {
                    Key::Upstream => {
                        let words = found.text.split_whitespace().map(shown_word);
                        words.collect::<Vec<_>>().join(" ")
                    }
                    Key::DatabaseUrl => without_password(&found.text),
                    Key::ApiUrl | Key::OtlpEndpoint => without_secrets(&found.text),
                    _ => found.text.clone(),
                }),
                origin: found.map_or(Origin::Default, |found| found.origin.clone()),
            }
        };
        Key::ALL.map(shown).to_vec()
    }

    /// What files say of servers, with where, fit to be shown.
    #[must_use]
    pub fn shown_upstreams(&self) -> Vec<ShownUpstream> {
        self.tables.shown()
    }

    pub(super) fn tables(&self) -> &Tables {
        &self.tables
    }

    pub(super) fn get(&self, key: Key) -> Option<&Found> {
        self.values.get(&key)
    }

    fn set(&mut self, key: Key, text: String, origin: Origin) {
        // One says where the URL is, the other what it is: the stronger layer's counts alone.
        match key {
            Key::DatabaseUrl => self.values.remove(&Key::DatabaseUrlFile),
            Key::DatabaseUrlFile => self.values.remove(&Key::DatabaseUrl),
            _ => None,
        };
        self.values.insert(key, Found { text, origin });
    }

    /// Adds a stronger layer.
    fn layer(
        &mut self,
        values: BTreeMap<Key, String>,
        origin: impl Fn(Key) -> Origin,
    ) -> Result<(), ConfigError> {
        if values.contains_key(&Key::DatabaseUrl) && values.contains_key(&Key::DatabaseUrlFile) {
            return Err(ConfigError::Invalid {
                key: Key::DatabaseUrlFile.name(),
                origin: origin(Key::DatabaseUrlFile).to_string(),
                reason: "database_url is set in the same place; which of them counts?".to_owned(),
                hint: Some("leave one of them out".to_owned()),
            });
        }
        for (key, text) in values {
            self.set(key, text, origin(key));
        }
        Ok(())
    }

    /// Host and port as set-ups older than this program name them; each alone is enough.
    fn legacy(&mut self, sources: &Sources) -> Result<(), ConfigError> {
        let (host, port) = (
            sources.variable("ARCHON_HOST"),
            sources.variable("ARCHON_MCP_PORT"),
        );
        let names = match (&host, &port) {
            (None, None) => return Ok(()),
            (Some(_), None) => "ARCHON_HOST",
            (None, Some(_)) => "ARCHON_MCP_PORT",
            (Some(_), Some(_)) => "ARCHON_HOST and ARCHON_MCP_PORT",
        };
        let host = host.map_or(Ok("127.0.0.1".to_owned()), |h| utf8(h, Key::Listen, names))?;
        let port = port.map_or(Ok("8051".to_owned()), |p| utf8(p, Key::Listen, names))?;
        let listen = if host.contains(':') && !host.starts_with('[') {
            format!("[{host}]:{port}")
        } else {
            format!("{host}:{port}")
        };
        self.set(Key::Listen, listen, Origin::LegacyEnvironment(names));
        Ok(())
    }

    fn file(&mut self, path: &Path, origin: impl Fn(PathBuf) -> Origin) -> Result<(), ConfigError> {
        let origin = origin(path.to_owned());
        let mut values = file::read(path, &origin, &mut self.tables)?;
        for key in Key::ALL.into_iter().filter(|key| key.is_path()) {
            // A relative path in a file means the same wherever the command is run from.
            if let Some(text) = values.get_mut(&key)
                && !text.starts_with('~')
            {
                let folder = path.parent().unwrap_or(path);
                let absolute = folder.join(&*text).into_os_string();
                *text = utf8(absolute, key, &origin.to_string())?;
            }
        }
        self.layer(values, |_| origin.clone())
    }
}

/// `NAME=URL` or a URL, without secrets.
fn shown_word(word: &str) -> String {
    match word.split_once('=') {
        Some((name, url)) if !name.contains([':', '/']) => {
            format!("{name}={}", without_secrets(url))
        }
        _ => without_secrets(word),
    }
}

fn utf8(value: std::ffi::OsString, key: Key, origin: &str) -> Result<String, ConfigError> {
    value.into_string().map_err(|_| ConfigError::Invalid {
        key: key.name(),
        origin: origin.to_owned(),
        reason: "the value is not UTF-8".to_owned(),
        hint: None,
    })
}
